"""Four threads under the thread sanitizer (the build of the preset tsan, which deploy/test makes): no race, and everything exactly once."""

import os
import pathlib
import subprocess
import uuid

import pytest
from installation import eventually, patience
from storm import is_caught_up

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "tsan"
OPTIONS = {"TSAN_OPTIONS": "exitcode=66 suppressions=%s" % (ROOT / "tests/sim/tsan.supp")}


def built(path):
    program = BUILD / path
    if not program.exists():
        pytest.skip("not built: cmake --preset tsan && cmake --build --preset tsan")
    return str(program)


def test_the_engine_with_four_threads(services):
    toy = built("tests/sim/toy-run")
    surroundings = {**os.environ, **OPTIONS, "KAFKA": services["KAFKA"], "TOY_PREFIX": "t%s." % uuid.uuid4().hex[:8],
                    "TOY_THREADS": "4", "TOY_IDLE_MS": "4000"}
    for arguments in (["topics"], ["fill", "100000", "20000"], ["run", "a"], ["audit"]):
        done = subprocess.run([toy, *arguments], env=surroundings, capture_output=True, text=True, timeout=120 * patience())
        assert done.returncode == 0 and "ThreadSanitizer" not in done.stderr, "%s: %d\n%s" % (arguments, done.returncode, done.stderr[-3000:])
    assert "exactly once" in done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_the_services_with_four_threads(make_installation, monkeypatch):
    program = built("app/touchstream")
    for name, value in OPTIONS.items():
        monkeypatch.setenv(name, value)
    installation = make_installation(**{"engine.threads": 4})
    installation.program = program
    running = installation.start_route()
    installation.succeed("generate", "--events", "20000", "--customers", "500", "--span", "30d", timeout=120)
    for role in ("journey", "kpi"):
        assert is_caught_up(installation, role), installation.logs()
    assert eventually(lambda: installation.redis_kpis(), 30), installation.logs()
    codes = [installation.stop(process, seconds=60) for process in running]
    said = "".join(log.read_text(errors="replace") for log in installation.folder.glob("*.log"))
    assert "ThreadSanitizer" not in said, said[said.index("ThreadSanitizer") - 200:][:4000]
    assert codes == [0, 0, 0]
