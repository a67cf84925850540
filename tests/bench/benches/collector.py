"""What comes in: the collector one by one and in lines, import, generate. tests/bench/ingest measures and prints it."""
import re
import subprocess
import sys

from benches.common import ROOT


def run(bench):
    out = subprocess.run([sys.executable, str(ROOT / "tests" / "bench" / "ingest"), "--build", str(bench.build)], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        found = re.match(r"(.*?)\s+\d+ records\s+(\d+)/s\s+([\d.]+) CPU s per million", line)
        if found:
            bench.row("collector", found.group(1), "%s CPU s per million, %s/s" % (found.group(3), found.group(2)))
