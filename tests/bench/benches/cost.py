"""Does the cost of an event stay flat? Against customers, open tickets, KPI series, length of a text: the processors alone, in memory."""
import re
import subprocess

from benches.common import number, numbers


def run(bench):
    folder = bench.build / "tests" / "bench"
    costs = {}
    for customers in numbers(bench.options.state):
        events = max(1_000_000, 2 * customers)
        out = subprocess.run([folder / "bench-journey_stage", str(events), str(customers)], check=True, capture_output=True, text=True).stdout
        costs[customers] = sum(float(re.search(what + r" (\d+) ns", out).group(1)) for what in ("route", "apply", "batch end"))
        heap, saved = re.search(r"heap (-?\d+) B", out), re.search(r"checkpoint (\d+) B a customer", out)
        bench.row("cost", "customers: %d (%d events)" % (customers, events), "%.0f ns an event" % costs[customers])
        bench.row("cost", "  a customer, in memory and in a checkpoint", "%s B, %s B" % (heap.group(1), saved.group(1)), "<= 256 B", float(heap.group(1)) <= 256)
    least, most = costs[min(costs)], costs[max(costs)]
    bench.row("cost", "from %d to %d customers" % (min(costs), max(costs)), "%.2f x" % (most / least), "<= 1.3 x", most <= 1.3 * least)
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
