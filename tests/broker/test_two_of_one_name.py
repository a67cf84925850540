"""Two processes with the same engine.instance fence each other; the log has to say so in words that help, and not in a flood."""

import json

from installation import eventually


def told(process):
    return [line for line in map(json.loads, process.log.read_text().splitlines()) if line.get("level") == "error"]


def test_two_processes_of_one_name_say_why_nothing_goes_on(installation):
    first = installation.start("journey", "--log", "json", name="first")
    assert eventually(lambda: "partition recovered" in first.log.read_text(), 30), first.log.read_text()
    second = installation.start("journey", "--log", "json", name="second")
    assert eventually(lambda: told(first) or told(second), 90), installation.logs()
    for line in told(first) + told(second):
        said = json.dumps(line)
        assert "engine.instance" in said and "TOUCHSTREAM_ENGINE_INSTANCE" in said and "end one of them" in said, said
    # Whoever stays works on, and what was said was said once.
    installation.stop(second)
    installation.succeed("generate", "--events", "200", "--customers", "20", "--seed", "3")
    assert eventually(lambda: len(installation.records("touchpoints.enriched")) >= 200, 60), installation.logs()
    for process in (first, second):
        lines = process.log.read_text().splitlines()
        assert len(told(process)) <= 1, told(process)
        assert sum("fenced" in line for line in lines) <= 6, lines
