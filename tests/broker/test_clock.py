"""Somebody sets the clock of a machine under way, back or ahead: the work goes on at its pace."""

import pathlib
import shutil
import subprocess
import time

import pytest
from installation import eventually, patience, tail
from test_mission import SECRET, receivers  # noqa: F401, a fixture
from test_notifying import Alerts, kpi, url

SOURCE = pathlib.Path(__file__).with_name("set_clock.c")


class SetClock:
    """The wall clock of the processes started `within` it."""

    def __init__(self, folder):
        compiler = shutil.which("cc")
        if not compiler:
            pytest.skip("needs cc, to make set_clock.so")
        library, self.file = folder / "set_clock.so", folder / "set_by_ms"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)], check=True)
        self.within = ["env", "LD_PRELOAD=%s" % library, "SET_CLOCK=%s" % self.file]
        self.set(0)

    def set(self, minutes):
        fresh = self.file.with_suffix(".new")
        fresh.write_text("%d" % (minutes * 60000))
        fresh.rename(self.file)


@pytest.fixture
def clock(tmp_path):
    return SetClock(tmp_path)


def ticks(installation):
    return [message.timestamp()[1] for message in installation.messages("touchpoints") if message.key() is None and message.value() is None]


def enriched(installation):
    return len(installation.messages("touchpoints.enriched"))


def kpis(installation):
    return len(installation.messages("kpis"))


def ticks_come(installation, minutes):
    """New ones, with the time that the clock shows."""
    now = time.time() + minutes * 60
    return eventually(lambda: sum(at / 1000 >= now and at / 1000 < now + 60 for at in ticks(installation)) >= 2, 10)


def beyond_what_kafka_takes(installation, clock, journey):
    """The log names the clock, not only Kafka's code, and does not go on about it; and all goes on once it is right."""
    clock.set(90)
    installation.succeed("generate", "--events", 200, "--customers", 20, "--seed", 5)
    said = lambda: [line for line in journey.log.read_text().splitlines() if "level=warning" in line and "this machine's clock is ahead" in line]
    assert eventually(lambda: any("transaction does not go through" in line for line in said()), 10), tail(journey.log)
    time.sleep(2)
    assert len(said()) <= 2, tail(journey.log, 4000)
    before = kpis(installation)
    clock.set(0)
    assert eventually(lambda: enriched(installation) == 600, 40), tail(journey.log)
    assert eventually(lambda: kpis(installation) > before, 20), installation.logs()


@pytest.mark.parametrize("settings", [[-60, -120, -180], [50]], ids=["back", "ahead"])
def test_the_clock_is_set_while_they_work(make_installation, clock, settings):
    """In silence, where nobody wakes who waits for a time that has moved away; several times, for not everybody waits just then."""
    installation = make_installation(**{"topics.partitions": 1})
    services = [installation.start(role, within=clock.within) for role in ("journey", "kpi", "sink")]
    installation.succeed("generate", "--events", 200, "--customers", 20, "--seed", 3)
    assert eventually(lambda: enriched(installation) == 200, 30), installation.logs()
    assert ticks_come(installation, 0), installation.logs()

    for minutes in settings:
        clock.set(minutes)
        assert ticks_come(installation, minutes), "%d minutes\n%s" % (minutes, installation.logs())
    before = kpis(installation)
    installation.succeed("generate", "--events", 200, "--customers", 20, "--seed", 4)
    assert eventually(lambda: enriched(installation) == 400, 10), installation.logs()
    assert eventually(lambda: kpis(installation) > before, 10), installation.logs()
    key = installation.redis_prefix + "kpi:active_customers:90d"
    assert eventually(lambda: installation.redis.hgetall(key), 10), installation.logs()

    assert ("wall clock was set ahead" if settings[-1] > 0 else "wall clock was set back") in services[0].log.read_text(), tail(services[0].log)
    for process in services:
        assert "begins anew" not in process.log.read_text(), tail(process.log)
    if settings[-1] > 0:
        beyond_what_kafka_takes(installation, clock, services[0])
    for process in services:
        asked_at = time.monotonic()
        assert installation.stop(process) == 0, tail(process.log)
        assert time.monotonic() - asked_at < 5 * patience(), tail(process.log)


def test_the_clock_is_set_back_while_alerts_are_gathered(make_installation, clock, receivers):  # noqa: F811
    """Before that it was an hour ahead, with all that was told; a group is told again after its interval, and not an hour later."""
    channel = receivers()
    installation = make_installation(**{"notify.receivers": [
        {"name": "channel", "url": url(channel), "secret": SECRET, "inhibit": False, "group_by": ["kpi"], "group_wait": "1s", "group_interval": "2s"}]})
    alerts = Alerts(installation)
    clock.set(55)
    notify = installation.start("notify", within=clock.within)
    alerts.put("first", **kpi("nps", "all"))
    assert eventually(lambda: len(channel.got) == 1, 20), tail(notify.log)
    clock.set(0)
    alerts.put("second", **kpi("nps", "product=a"))
    assert eventually(lambda: len(channel.got) == 2, 15), tail(notify.log)
    installation.stop(notify)
