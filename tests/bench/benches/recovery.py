"""Killed with -9 while it holds many customers: how long until it is where it was? Beside Kafka Streams on the same input (--peers)."""
import re
import signal
import time

from benches import peers
from benches.common import PARTITIONS, cpu_of, number, peak_of

CHECKPOINT_S = 5


def run(bench):
    customers = number(bench.options.recover)
    events = max(2 * customers, 200_000)
    prefix = "bench-recovery."
    ends = bench.fill(prefix, events, customers, "--mix", "peers")
    # Two passes of checkpoints before the kill: what a process that ran for a while has behind it.
    config = bench.config(prefix, engine__checkpoint_interval="%ds" % CHECKPOINT_S)
    log = bench.folder / "journey.log"
    journey = bench.start("journey", config)
    try:
        bench.wait_for(prefix + "journey", prefix + "touchpoints", ends, [journey])
        time.sleep(3 * CHECKPOINT_S)
        journey.send_signal(signal.SIGKILL)
        journey.wait()
        skip = log.stat().st_size
        began = time.time()
        journey = bench.start("journey", config)
        while True:
            with open(log, "rb") as file:
                file.seek(skip)
                text = file.read().decode(errors="replace")
            found = re.findall(r'msg="partition recovered".* entries=(\d+) took_ms=(\d+)', text)
            if len(found) == PARTITIONS:
                break
            if journey.poll() is not None or time.time() > began + 300:
                raise RuntimeError("journey did not recover; log %s" % log)
            time.sleep(0.02)
        wall, cpu, peak = time.time() - began, cpu_of(journey.pid), peak_of(journey.pid)
    finally:
        bench.stop(journey)
    entries, slowest = sum(int(count) for count, _ in found), max(int(ms) for _, ms in found)
    per_million = wall / entries * 1e6
    bench.row("recovery", "%d customers, kill -9 to recovered, process start included" % entries, "%.2f s wall, %.2f s CPU, %.0f MB" % (wall, cpu, peak),
              "<= 3 s a million: %.1f" % per_million, per_million <= 3)
    bench.row("recovery", "of it from partitions assigned to recovered", "%.2f s" % (slowest / 1000))
    if bench.options.peers:
        theirs = peers.streams_restore(bench, prefix, ends)
        if theirs:
            bench.row("recovery", "Kafka Streams (tuned), the same customers", "%.2f s wall, %.2f s CPU, %.0f MB" % theirs, "ours %.1f x faster" % (theirs[0] / wall))
