"""Fixtures for the tests from outside: the program as users run it, on real Kafka, registry and Redis.

Where the services are comes from the environment (KAFKA, REGISTRY, REDIS, TOUCHSTREAM), which deploy/test sets. Each
test works under a topic prefix and a Redis prefix of its own, so that tests never see each other: two files run at a time. A
test that stops, starves or sets up a service has one of its own (own_services.py), for as long as it runs."""

import os
import pathlib
import sys
import uuid

import pytest

from installation import Installation

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"


def pytest_runtest_setup():
    """What a library did on its way to an error is not what a reader looks for at the end of a CI run."""
    for module in list(sys.modules.values()):
        if not str(getattr(module, "__file__", None) or "tests/").count("tests/"):
            module.__tracebackhide__ = True


def pytest_collection_modifyitems(items):
    for item in items:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def services():
    """{KAFKA, REGISTRY, REDIS}, or the tests that need them are skipped."""
    found = {name: os.environ.get(name) for name in ("KAFKA", "REGISTRY", "REDIS")}
    missing = [name for name, value in found.items() if not value]
    if missing:
        pytest.skip("not in the environment: %s (deploy/test sets them)" % ", ".join(missing))
    return found


@pytest.fixture(scope="session")
def program():
    path = os.environ.get("TOUCHSTREAM")
    if not path or not os.access(path, os.X_OK):
        pytest.skip("TOUCHSTREAM does not name a program (deploy/test sets it)")
    return path


@pytest.fixture(scope="session")
def data():
    """The public data sets beside the repository; a user's clone has none."""
    if not DATA.is_dir():
        pytest.skip("needs ../shared/data")
    return DATA


def factory(services, program, folder):
    """Makes installations, and afterwards ends and removes all of them."""
    made = []

    def make(topics=True, **settings):
        name = "t%s" % uuid.uuid4().hex[:10]
        one = Installation(name, services, program, folder / name, settings)
        made.append(one)
        if topics:
            one.succeed("topics")
        return one

    yield make
    for one in made:
        one.finish()


@pytest.fixture
def make_installation(services, program, tmp_path):
    """make_installation(settings…) gives an installation with its topics made."""
    yield from factory(services, program, tmp_path)


@pytest.fixture
def installation(make_installation):
    return make_installation()


@pytest.fixture(scope="module")
def shared_installation(services, program, tmp_path_factory):
    """One for all tests of a file, for those that look only at what they add."""
    makers = factory(services, program, tmp_path_factory.mktemp("shared"))
    yield next(makers)()
    next(makers, None)
