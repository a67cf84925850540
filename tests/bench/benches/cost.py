"""Does the cost of an event stay flat? Against customers, open tickets, KPI series, length of a text: the processors alone, in memory."""
import re
import subprocess

from benches.common import number, numbers


EVENTS = 2_000_000


def stage(bench, events, customers):
    """ns an event, bytes a customer in memory and in a checkpoint."""
    out = subprocess.run([bench.build / "tests" / "bench" / "bench-journey_stage", str(events), str(customers)], check=True, capture_output=True, text=True).stdout
    ns = sum(float(re.search(what + r" (\d+) ns", out).group(1)) for what in ("route", "apply", "batch end"))
    return ns, int(re.search(r"heap (-?\d+) B", out).group(1)), int(re.search(r"checkpoint (\d+) B a customer", out).group(1))


def run(bench):
    """More customers can mean two things: the same traffic spread over more, so that each has less of a history; or more traffic, too, and
    then the busiest have longer ones (the draw is Zipf's). Both are told: what differs between them is what history costs."""
    folder, counts = bench.build / "tests" / "bench", numbers(bench.options.state)
    for title, events_of in (("the same events", lambda customers: EVENTS), ("two events for each", lambda customers: max(EVENTS // 2, 2 * customers))):
        costs = {}
        for customers in counts:
            events = events_of(customers)
            costs[customers], heap, saved = stage(bench, events, customers)
            bench.row("cost", "customers: %d (%d events)" % (customers, events), "%.0f ns an event; a customer %d B, %d B saved" % (costs[customers], heap, saved))
        least, most = costs[min(counts)], costs[max(counts)]
        bench.row("cost", "from %d to %d customers, %s" % (min(counts), max(counts), title), "%.2f x" % (most / least), "<= 1.3 x", most <= 1.3 * least)
    few = min(counts)
    short, long = stage(bench, few, few)[0], stage(bench, 16 * few, few)[0]
    bench.row("cost", "history: %d customers, %d and %d events" % (few, few, 16 * few), "%.0f, %.0f ns an event" % (short, long))
    found = {}
    out = subprocess.run([folder / "bench-scaling"], check=True, capture_output=True, text=True).stdout
    for name, count, ns in re.findall(r"^(\w+) (\d+) (\d+)$", out, re.MULTILINE):
        found.setdefault(name, []).append((int(count), int(ns)))
    titles = {"tickets": "open tickets of a customer", "series": "KPI series (an addition)", "size": "bytes of text"}
    for name, rows in found.items():
        bench.row("cost", titles[name] + ": " + ", ".join(str(count) for count, _ in rows), ", ".join("%d" % ns for _, ns in rows) + " ns")


def customers_in_kafka(bench):
    """The same with the engine and Kafka around it: CPU a million events at two numbers of customers."""
    events = numbers(bench.options.events)[-1]
    for customers in (100_000, number(bench.options.customers)):
        prefix = "bench-c%d." % customers
        ends = bench.fill(prefix, events, customers, "--mix", "peers")
        row = bench.drain(prefix, ends)
        bench.row("customers", "journey + kpi, %d customers" % customers, "%.2f CPU s per million" % (row["cpu"] / events * 1e6))
