"""What /metrics says, held to what can be counted from outside."""

import json
import os
import pathlib
import re
import subprocess
import time
import urllib.request

import pytest
from conftest import ROOT
from installation import eventually, free_port
from test_bad_input import Door


def metrics_of(port):
    """{"name{labels}": value}"""
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=5) as answer:
            lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    except OSError:
        return {}  # not there yet, or no answer in time
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def partitions_told(port, metric):
    """Of which partitions this process tells that metric."""
    pattern = re.compile(r'touchstream_engine_%s\{role="journey",partition="(\d+)"\}' % metric)
    return {int(found.group(1)) for found in map(pattern.fullmatch, metrics_of(port)) if found}


def test_who_hands_a_partition_over_tells_of_it_no_more(installation):
    """A lag or a clock that stands still for ever would be an alarm about nothing, and entries would be counted twice."""
    ports = {name: free_port() for name in ("one", "other")}

    def start(name):
        return installation.start("journey", name=name, settings={"engine.instance": name, "engine.session_timeout": "6s",
                                                                  "status.listen": "127.0.0.1:%d" % ports[name]})

    def told():
        return {name: [partitions_told(port, metric) for metric in ("lag_records", "entries", "clock_seconds", "entry_table_bytes")]
                for name, port in ports.items()}

    start("one")
    assert eventually(lambda: partitions_told(ports["one"], "clock_seconds") == {0, 1, 2, 3}, 30)
    start("other")
    assert eventually(lambda: all(len(partitions) == 2 for name in ports for partitions in told()[name]), 30), told()
    assert told()["one"][0] | told()["other"][0] == {0, 1, 2, 3}


@pytest.mark.parametrize("allowed, behind", [("0ms", 0), ("2s", 2)])
def test_the_clock_is_behind_by_the_disorder_that_is_allowed(installation, allowed, behind):
    """Of which none may be: 0 is a number like any other."""
    port, at = free_port(), int(time.time()) - 60
    event = {"source": "site", "event_id": "1", "customer_id": "c-1", "channel": "WEB", "type": "SurveyAnswered",
             "data": {"survey_id": "s", "kind": "CSAT", "score": 4}, "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))}
    (installation.folder / "one.ndjson").write_text(json.dumps(event) + "\n")
    installation.succeed("import", installation.folder / "one.ndjson")
    installation.start("journey", settings={"engine.allowed_disorder": allowed, "engine.tick_after": "0s", "status.listen": "127.0.0.1:%d" % port})

    def clocks():
        return [value for name, value in metrics_of(port).items() if name.startswith("touchstream_engine_clock_seconds{") and value > 0]

    assert eventually(lambda: clocks() == [at - behind], 30), (clocks(), at)


def test_how_far_a_sink_is_behind(make_installation):
    """While Redis is away it grows; then nothing waits."""
    installation = make_installation()
    door = Door(installation.services["REDIS"])
    door.open_up()
    port = free_port()
    for role in ("journey", "kpi"):
        installation.start(role)
    installation.start("sink", settings={"redis.address": "127.0.0.1:%d" % door.port, "status.listen": "127.0.0.1:%d" % port})

    def behind():
        return metrics_of(port).get('touchstream_follow_behind_seconds{group="%s"}' % installation.topic("sink"), -1)

    assert eventually(lambda: behind() == 0, 30), behind()
    door.shut()
    installation.succeed("generate", "--events", 200, "--customers", 20, "--seed", 5)
    assert eventually(lambda: behind() > 3, 30), behind()
    assert eventually(lambda: behind() > 6, 30), behind()
    door.open_up()
    assert eventually(lambda: 0 <= behind() < 2, 30), behind()
    door.shut()


def test_alert_rules_are_about_metrics_that_are_there():
    """A rule about a name that nobody tells never fires."""
    told = set(re.findall(r"touchstream_\w+", (ROOT / "docs/METRICS.md").read_text()))
    asked = set(re.findall(r"touchstream_\w+", (ROOT / "deploy/prometheus/alerts.yaml").read_text()))
    assert len(asked) > 8 and asked <= told, asked - told


def test_a_process_tells_of_itself_by_the_names_that_everybody_uses(installation):
    port = free_port()
    process = installation.start("sink", settings={"status.listen": "127.0.0.1:%d" % port})
    told = eventually(lambda: metrics_of(port), 20)
    here = pathlib.Path("/proc/%d" % process.pid)
    pages = [int(pages) for pages in (here / "statm").read_text().split()[:2]]
    fields = (here / "stat").read_text().rsplit(")", 1)[1].split()
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    assert told["process_start_time_seconds"] == pytest.approx(booted + int(fields[19]) / os.sysconf("SC_CLK_TCK"), abs=1)
    assert metrics_of(port)["process_start_time_seconds"] == told["process_start_time_seconds"]
    assert 0 < told["process_cpu_seconds_total"] <= (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + 0.1
    for metric, wanted in zip(("process_virtual_memory_bytes", "process_resident_memory_bytes"), pages):
        assert told[metric] == pytest.approx(wanted * os.sysconf("SC_PAGESIZE"), rel=0.5)
    assert told["process_open_fds"] == pytest.approx(len(os.listdir(here / "fd")), abs=10) and told["process_open_fds"] < told["process_max_fds"]
    version = subprocess.run([installation.program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    assert told['touchstream_build_info{version="%s"}' % version] == 1
