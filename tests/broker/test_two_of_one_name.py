"""Two processes with the same engine.instance fence each other; the log has to say so in words that help, and not in a flood."""

import json

from installation import eventually
from test_mission import receivers  # noqa: F401, a fixture
from test_notifying import CASE, Alerts, members, told, url
from test_redis_refuses import has, write


def complaints(process):
    return [line for line in map(json.loads, process.log.read_text().splitlines()) if line.get("level") == "error"]


def begin_two(installation, role, is_there):
    """Until one of them says what is wrong."""
    installation.write_config({**installation.settings, "engine.instance": "one"})
    first = installation.start(role, "--log", "json", name="first")
    assert eventually(lambda: is_there(first), 30), first.log.read_text()
    second = installation.start(role, "--log", "json", name="second")
    assert eventually(lambda: complaints(first) or complaints(second), 90), installation.logs()
    for line in complaints(first) + complaints(second):
        said = json.dumps(line)
        assert "engine.instance" in said and "TOUCHSTREAM_ENGINE_INSTANCE" in said and "end one of them" in said, said
    return first, second


def end_second(installation, first, second, goes_on):
    """Whoever stays works on, and what was said was said once of each group."""
    assert installation.stop(second) == 0
    assert eventually(goes_on, 60), installation.logs()
    for process in (first, second):
        lines, of = process.log.read_text().splitlines(), [line["worker"] for line in complaints(process)]
        assert len(of) == len(set(of)), complaints(process)
        assert sum("fenced" in line for line in lines) <= 6 * max(1, len(of)), lines
    assert first.poll() is None


def test_two_processes_of_one_name_say_why_nothing_goes_on(installation):
    first, second = begin_two(installation, "journey", lambda first: "partition recovered" in first.log.read_text())
    installation.succeed("generate", "--events", "200", "--customers", "20", "--seed", "3")
    end_second(installation, first, second, lambda: len(installation.records("touchpoints.enriched")) >= 200)


def test_two_sinks(installation):
    first, second = begin_two(installation, "sink", lambda _: members(installation, "sink") and members(installation, "sink.news"))
    write(installation, 1.0)
    end_second(installation, first, second, lambda: has(installation, installation.redis, 1.0))


def test_two_that_tell_a_receiver(make_installation, receivers):  # noqa: F811
    desk = receivers()
    installation = make_installation(**{"notify.receivers": [{"name": "desk", "url": url(desk)}]})
    first, second = begin_two(installation, "notify", lambda _: members(installation, "notify.desk"))
    Alerts(installation).put("case", **CASE)
    end_second(installation, first, second, lambda: ("case", "OPEN") in told(desk))
