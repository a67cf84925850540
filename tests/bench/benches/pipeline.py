"""Journey + kpi against the floors and, with --peers, against other engines: CPU per million events as a slope between two counts."""
import json
import subprocess
import sys
import time

from confluent_kafka import Consumer, TopicPartition

from benches import peers
from benches.common import PARTITIONS, ROOT, number, numbers, slope


# What the peers do: KPIs by channel and product, results once a second also while there is a backlog, one process. Left to itself ours has five
# more rollups, and publishes every ten seconds then.
AS_THE_JOB_HAS_IT = "journey + kpi, the job's rollup and pace"
IN_ONE_PROCESS = "journey + kpi, 1 thread each in one process"  # as the peers' jobs are
LABELLED = {"sentiment", "negative_share", "fcr", "recurring"}  # by what the product reads in texts


def floor(bench, prefix, produces):
    command = [bench.build / "tests" / "bench" / "bench-floor", bench.kafka, prefix + "touchpoints"]
    if produces:
        bench.create_topic(prefix + "floor")
        command += [prefix + "floor", "100"]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {"wall": figures["wall_s"], "cpu": figures["cpu_s"], "peak": figures["peak_mb"], "bytes": figures["bytes"]}


def tell(bench, name, row):
    bench.say("  %-44s %9d events %7.1f s %9.0f/s   CPU %7.2f s = %6.2f s per million, peak %5.0f MB" % (
        name, row["events"], row["wall"], row["events"] / row["wall"], row["cpu"], row["cpu"] / row["events"] * 1e6, row["peak"]))


def read_all(bench, topic):
    consumer = Consumer({"bootstrap.servers": bench.kafka, "group.id": "bench-read", "enable.partition.eof": True, "isolation.level": "read_committed",
                         "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, i, 0) for i in range(PARTITIONS)])
    ended = 0
    while ended < PARTITIONS:
        for message in consumer.consume(20000, 1):
            if message.error():
                ended += 1
            elif message.value():
                yield message
    consumer.close()


def kpis_of(bench, prefix):
    """The last word on every KPI's 90 days, over all."""
    out = subprocess.run([bench.program, "inspect", "kpis", "--config", bench.config(prefix)], check=True, capture_output=True, text=True).stdout
    rows = map(json.loads, out.splitlines())
    return {row["kpi"]: row for row in rows if row["dimension"] == "all" and row["window"] == "90d"}


def check_outputs(bench, prefix):
    """Every event came out enriched once, its bytes unchanged; KPI counts are those of the kit's one-pass computation."""
    wanted = {}
    for message in read_all(bench, prefix + "touchpoints"):
        wanted[message.value()[5:21]] = message.value()[5:]
    seen, twice, changed = set(), 0, 0
    for message in read_all(bench, prefix + "touchpoints.enriched"):
        event = message.value()[5:21]
        twice += event in seen
        seen.add(event)
        changed += not message.value()[5:].startswith(wanted[event])
    bench.row("pipeline", "enriched = distinct events, input bytes kept", "%d of %d, %d twice, %d changed" % (len(seen), len(wanted), twice, changed), "all, once",
              len(seen) == len(wanted) and not twice and not changed)
    totals = peers.totals_of(bench, prefix) if bench.options.peers else None
    if totals is None:
        return
    config, deadline = bench.config(prefix), time.time() + 60
    running = [bench.start(role, config) for role in ("journey", "kpi")]  # what had changed last when they were stopped is published now
    try:
        while True:
            published = kpis_of(bench, prefix)
            ours = {kpi: published.get(kpi, {"n": 0})["n"] for kpi in totals}
            if ours == totals or time.time() > deadline:
                break
            time.sleep(1)
    finally:
        bench.stop(*running)
    for kpi, theirs in totals.items():
        bench.row("pipeline", "%s: n, ours and the kit's one-pass check" % kpi, "%d, %d" % (ours[kpi], theirs), "equal", ours[kpi] == theirs)


def check_definitions(bench, prefix):
    """What the kit defines by order of arrival (its clocks of tickets) or has not at all: every KPI over all, 90 days, by the tests' batch
    computation, which shares no code with us. Minutes for a million events, so for the smaller count only."""
    sys.path.insert(0, str(ROOT / "tests" / "broker"))
    from judge import Judge, listing
    from oracle import event_from_json
    from oracle.compute import KINDS
    out = subprocess.run([bench.program, "inspect", "touchpoints", "--config", bench.config(prefix)], check=True, capture_output=True, text=True).stdout
    judge = Judge([event_from_json(event) for event in map(json.loads, out.splitlines()) if event.get("event_id")])
    config, deadline = bench.config(prefix), time.time() + 180
    running = [bench.start(role, config) for role in ("journey", "kpi")]  # until the minute of the last event is over
    try:
        while True:
            ours = {(row["kpi"], "all", "90d"): row for row in kpis_of(bench, prefix).values()}
            judged = [kpi for kpi, _, _ in ours if kpi in KINDS and kpi not in LABELLED]
            wrong = judge.differences(ours, set(judged), windows=("90d",), skip=lambda key: key[1] != "all")
            if not wrong or time.time() > deadline:
                break
            time.sleep(5)
    finally:
        bench.stop(*running)
    if wrong:
        bench.say(listing(wrong))
    bench.row("pipeline", "KPIs over all, 90 days: differ from the batch computation", "%d of %d" % (len(wrong), len(judged)), "none", not wrong)


def run(bench):
    counts, customers = numbers(bench.options.events), number(bench.options.customers)
    table, bytes_out = {}, 0

    def note(name, events, row):
        row["events"] = events
        table.setdefault(name, []).append(row)
        tell(bench, name, row)

    for events in counts:
        prefix = "bench-%d." % events
        ends = bench.fill(prefix, events, customers, "--mix", "peers")
        note("floor: consume", events, floor(bench, prefix, False))
        note("floor: consume + transactional produce", events, floor(bench, prefix, True))
        for threads in numbers(bench.options.threads):
            bench.reset(prefix)
            note("journey + kpi, %d thread%s" % (threads, "s" * (threads > 1)), events, bench.drain(prefix, ends, threads))
        bench.reset(prefix)
        note(AS_THE_JOB_HAS_IT, events, bench.drain(prefix, ends, 1, is_one_process=True, kpi__publish_rounds_behind=1, kpi__rollups=["product+channel"]))
        bench.reset(prefix)
        note(IN_ONE_PROCESS, events, bench.drain(prefix, ends, 1, is_one_process=True))
        if events == counts[0] and len(counts) > 1:
            check_definitions(bench, prefix)
        if bench.options.peers:
            for name, row in peers.drain_all(bench, prefix, ends, is_last=events == counts[-1]):
                note(name, events, row)
    bytes_in = table["floor: consume"][-1]["bytes"]
    bytes_out = {topic: bench.scan(prefix + topic)["bytes"] for topic in ("touchpoints.enriched", "kpi.deltas", "journeys", "kpis", "alerts", "followups")}
    check_outputs(bench, prefix)
    base = slope(table["floor: consume + transactional produce"])
    same, whole = slope(table[AS_THE_JOB_HAS_IT]), slope(table[IN_ONE_PROCESS])
    for name, rows in table.items():
        own = slope(rows)
        target, verdict = "", None
        if name.startswith("journey"):
            target, verdict = "<= 2 x the floor", own <= 2 * base
        elif peers.is_one(name):
            share = 12 if "dsl" in name else 6
            target, verdict = "ours <= 1/%d: 1/%.1f; all rollups 1/%.1f" % (share, own / same, own / whole), same <= own / share
        bench.row("pipeline", name, "%.2f CPU s per million, %.1f x floor" % (own, own / base), target, verdict)
    same, whole = table[AS_THE_JOB_HAS_IT][-1]["peak"], table[IN_ONE_PROCESS][-1]["peak"]
    for name, rows in table.items():
        peak, target, verdict = rows[-1]["peak"], "", None
        if peers.is_one(name):
            target, verdict = "ours <= 1/5: 1/%.1f; all rollups 1/%.1f" % (peak / same, peak / whole), whole <= peak / 5
        bench.row("pipeline", name + ": peak memory", "%.0f MB at %d events" % (peak, rows[-1]["events"]), target, verdict)
    bench.row("pipeline", "bytes of keys and values an event, in", "%.0f" % (bytes_in / counts[-1]))
    bench.row("pipeline", "bytes an event, out", "%.0f" % (sum(bytes_out.values()) / counts[-1]), "",)
    bench.say("    of it " + ", ".join("%s %.1f" % (topic, size / counts[-1]) for topic, size in bytes_out.items()))
