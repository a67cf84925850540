"""What comes in: the collector one by one and in lines, import, generate; with --peers beside a general HTTP-to-Kafka bridge. tests/bench/ingest
measures and prints it."""
import re
import subprocess
import sys

from benches.common import ROOT


def run(bench):
    command = [sys.executable, str(ROOT / "tests" / "bench" / "ingest"), "--build", str(bench.build)] + ["--bridge"] * bool(bench.options.peers)
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        found = re.match(r"(.*?)\s+\d+ records\s+(\d+)/s\s+([\d.]+) CPU s per million", line)
        if found:
            bench.row("collector", found.group(1), "%s CPU s per million, %s/s" % (found.group(3), found.group(2)))
        beside = re.match(r"(collector : bridge.*): ([\d.]+)$", line)
        if beside:
            bench.row("collector", beside.group(1), "%s x" % beside.group(2), ">= 5 x", float(beside.group(2)) >= 5)
