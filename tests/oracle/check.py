#!/usr/bin/env python3
"""Random lives through journey-sums, held against the oracle: every bucket of every series, to the last unit.

usage: check.py JOURNEY-SUMS [--lives N] [--seed S] [--keep DIR]"""

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import uuid
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "broker"))
import oracle.compute  # noqa: E402
oracle = sys.modules["oracle.compute"]
from oracle.customer import Customer  # noqa: E402
from oracle.events import event_from_json, set_of  # noqa: E402
from oracle.tickets import backlog_dimensions  # noqa: E402
from oracle.windows import SPAN, window_bounds  # noqa: E402

HOUR, DAY, MINUTE = 3_600_000, 86_400_000, 60_000
START = 1_704_067_200_000  # 2024-01-01
FLOWS = {"backlog", "stage_customers", "active_customers", "loyalty_share", "referral_rate", "churn_rate"}
CALENDAR = {"zone": "Europe/Berlin", "week": {day: [(9 * 60, 12 * 60), (13 * 60, 17 * 60 + 30)] for day in range(5)},
            "holidays": {"2024-01-03", "2024-04-01"}}
WORDS = ["good", "bad", "it is late", "terrible box", "great and good", "slow", "Danke"]


# --- random lives

def pick(chance, *options):
    return chance.choice(options)


def body_of(chance, world):
    def ticket():
        return {"ticket_id": "t%d" % chance.randrange(world["tickets"]),
                "action": pick(chance, "OPENED", "OPENED", "CUSTOMER_REPLIED", "AGENT_REPLIED", "ASSIGNED", "HANDED_OFF", "HANDED_OFF",
                               "PENDING", "ESCALATED", "RESOLVED", "RESOLVED", "REOPENED", "CLOSED"),
                "team": pick(chance, None, None, "A", "B", "C, D"), "agent": pick(chance, None, None, None, "bo", ""),
                "priority": pick(chance, None, "LOW", "URGENT"), "text": pick(chance, None, None, *WORDS)}
    kinds = {
        "OrderPlaced": lambda: {"order_id": "o%d" % chance.randrange(5), "amount_minor": chance.randrange(10000),
                                "currency": pick(chance, "EUR", "USD"), "offer": pick(chance, None, None, "UPSELL", "CROSS_SELL")},
        "OrderDelivered": lambda: {"order_id": "o%d" % chance.randrange(5), "promised_at": pick(chance, None, "P")},
        "ProductReturned": lambda: {"order_id": "o%d" % chance.randrange(7), "reason": "r"},
        "ProductUsed": lambda: {"feature": "f", "seconds": chance.randrange(4000)},
        "DeviceReported": lambda: {"device_id": "d", "code": "c", "severity": "INFO"},
        "ServiceVisited": lambda: {"visit_id": "v%d" % chance.randrange(4), "ticket_id": pick(chance, None, "t0", "t1"),
                                   "kind": pick(chance, "REPAIR", "REPAIR", "MAINTENANCE"), "fixed": chance.random() < 0.7},
        "MessageEngaged": lambda: {"campaign": pick(chance, "spring", "a=b"), "kind": pick(chance, "ONBOARDING", "OFFER"),
                                   "action": pick(chance, "SENT", "DELIVERED", "OPENED", "CLICKED", "BOUNCED")},
        "SurveySent": lambda: {"survey_id": "s%d" % chance.randrange(4), "kind": pick(chance, "NPS", "CSAT", "CES", "BRAND"), "about": None},
        "SurveyAnswered": lambda: {"survey_id": "s%d" % chance.randrange(4), "kind": pick(chance, "NPS", "CSAT", "CES", "BRAND"),
                                   "score": chance.randrange(1, 6), "comment": pick(chance, None, "", *WORDS),
                                   "about": pick(chance, None, "t0", "t1", "elsewhere")},
        "TicketChanged": ticket,
        "ReviewPosted": lambda: {"stars": chance.randrange(1, 6), "text": pick(chance, "", *WORDS)},
        "SocialMention": lambda: {"network": "n", "reach": 5, "text": pick(chance, "", *WORDS)},
        "InterviewHeld": lambda: {"interviewer": "i", "text": pick(chance, *WORDS)},
        "SubscriptionChanged": lambda: {"subscription_id": pick(chance, "x", "y"),
                                        "action": pick(chance, "STARTED", "RENEWED", "RENEWED", "LAPSED", "CANCELLED"),
                                        "term_ends_at": pick(chance, None, "P", "P"), "amount_minor": None, "currency": None},
        "LoyaltyChanged": lambda: {"action": pick(chance, "JOINED", "EARNED", "REDEEMED", "LEFT"), "points": 5},
        "ReferralMade": lambda: {"referred_customer_id": pick(chance, "f1", "f2", world["customer"]), "converted": chance.random() < 0.6},
        "CaseActed": lambda: {"case_id": "c", "action": "CONTACTED", "actor": "bo", "note": None},
    }
    kind = chance.choice(world["kinds"]) if world["kinds"] else chance.choice([*kinds, "TicketChanged", "TicketChanged", "TicketChanged"])
    return kind, kinds[kind]()


def life_of(chance, customer):
    """One customer's events, sorted by nothing."""
    span = pick(chance, 3 * HOUR, 5 * DAY, 60 * DAY, 500 * DAY)
    grain = pick(chance, 1, 1000, HOUR, 6 * HOUR, DAY, 7 * DAY, 15 * DAY)  # coarse ones make ties and exact deadlines
    world = {"customer": customer, "tickets": pick(chance, 1, 2, 6),
             "kinds": pick(chance, None, None, None, ["TicketChanged"], ["ServiceVisited"], ["SubscriptionChanged"], ["SubscriptionChanged", "ProductUsed"],
                           ["OrderPlaced", "ProductUsed", "MessageEngaged"], ["SurveySent", "SurveyAnswered", "TicketChanged"])}
    world["attributes"] = pick(chance, [{}, {"topic": "billing"}, {"topic": "login"}, {"topic": ""}], [{"topic": "billing"}])
    life = []
    for _ in range(chance.randrange(1, 30)):
        kind, data = body_of(chance, world)
        at = START + chance.randrange(span) // grain * grain
        for key in ("promised_at", "term_ends_at"):
            if data.get(key) == "P":
                data[key] = at + chance.randrange(-3, 40) * DAY
        small = uuid.UUID(int=chance.randrange(1 << 128) if chance.random() < 0.7 else chance.randrange(1 << 20))
        life.append({"event_id": str(small), "customer_id": customer, "occurred_at": at, "source": "test",
                     "channel": pick(chance, "EMAIL", "WEB", "PHONE"), "product": pick(chance, None, "P1", "P,2"),
                     "segment": pick(chance, None, "smb", ""), "region": None,
                     "attributes": pick(chance, *world["attributes"]), "type": kind, "data": data})
    return life


# --- the oracle's sums

class Lived(Customer):
    """The stage rollup may depend on arrival [13]: take the stage that the product said it was in."""
    stages = {}

    def _walk_stages(self):
        super()._walk_stages()
        for event_id in self.stage_after:
            self.stage_after[event_id] = self.stages.get(event_id, self.stage_after[event_id])


def bin_of(value, starts=[0]):
    while starts[-1] <= value:
        starts.append(max(starts[-1] + starts[-1] // 100, starts[-1] + 1))
    low, high = 0, len(starts)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if starts[middle] <= value else (low, middle)
    return low


def add(series, item):
    kind = oracle.KINDS[item.kpi]
    n, num, total, squares, immature, bin_ = 1, 0, 0, 0, 0, None
    if kind == oracle.RATE:
        num, immature = item.value, not item.mature
    elif kind == oracle.NPS:
        num, total = item.value == 1, item.value == -1
    elif kind in (oracle.MEAN, oracle.DURATION):
        total, squares = item.value, item.value * item.value
        bin_ = bin_of(item.value) if kind == oracle.DURATION else None
    elif kind == oracle.SUM:
        total = item.value
    elif kind == oracle.UPLIFT:
        exposed, hit = item.value
        num, total, immature = exposed and hit, not exposed and hit, exposed
    for dimension in item.dimensions:
        sums = series[item.kpi, dimension, item.at // MINUTE]
        for index, more in enumerate((n, num, total, squares, immature)):
            sums[index] += int(more)
        if bin_ is not None:
            sums[5][bin_] += 1


def empty():
    return [0, 0, 0, 0, 0, defaultdict(int)]


# Cases have tests of their own (tests/stage/journey): what opens them is not written down as a formula over events.
OF_CASES = ("hot_open", "loop_contact_24h", "loop_close_time", "loop_recovered")


def cleaned(series):
    return {key: (*map(int, sums[:5]), {b: c for b, c in sums[5].items() if c})
            for key, sums in series.items() if key[0] not in OF_CASES and (any(sums[:5]) or any(sums[5].values()))}


# --- the product's

def run(program, config, zone, lines):
    answer = subprocess.run([program, config, zone], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300)
    if answer.returncode != 0:
        raise SystemExit("journey-sums failed: " + answer.stderr[-2000:])
    series, sentiments, topics, stages = defaultdict(empty), {}, {}, {}
    for line in answer.stdout.splitlines():
        what, rest = line.split(" ", 1) if " " in line else (line, "")
        if what == "sum":
            left, numbers = rest.rsplit(" ", 1)[0], None
            kpi, rest = rest.split(" ", 1)
            fields = rest.split(" ")
            # a dimension may hold blanks: the numbers are at the end, bins have colons
            tail = []
            while ":" in fields[-1] and "=" not in fields[-1]:
                tail.append(fields.pop())
            numbers = [int(number) for number in fields[-6:]]
            dimension = " ".join(fields[:-6])
            sums = series[kpi, dimension, numbers[0]]
            sums[:5] = numbers[1:]
            for entry in tail:
                index, count = entry.split(":")
                sums[5][int(index)] += int(count)
        elif what == "sentiment":
            event_id, label, scaled, *found = rest.split(" ")
            sentiments[uuid.UUID(event_id)] = (label, int(scaled))
            topics[uuid.UUID(event_id)] = found
        elif what == "stage":
            event_id, stage = rest.split(" ")
            stages[uuid.UUID(event_id)] = stage
        elif what == "rejected":
            raise SystemExit("rejected a record")
    return series, sentiments, topics, stages


def lines_of(chance, lives, at):
    """Events in some order with duplicates, ticks, commits, crashes between."""
    events = [event for life in lives for event in life]
    order = chance.choice(["sorted", "shuffled", "nearly"])
    if order == "shuffled":
        chance.shuffle(events)
    else:
        events.sort(key=lambda event: event["occurred_at"] + (chance.randrange(2 * DAY) if order == "nearly" else 0))
    for event in chance.sample(events, len(events) // 10):
        events.insert(chance.randrange(len(events) + 1), event)
    lines, clock, has_pass = [], START, False
    crashes = chance.random() < 0.5
    for number, event in enumerate(events):
        form = dict(event, received_at=iso(at + number), occurred_at=iso(event["occurred_at"]))
        form["data"] = {key: iso(value) if key in ("promised_at", "term_ends_at") and value is not None else value
                        for key, value in event["data"].items()}
        lines.append(json.dumps(form))
        draw = chance.random()
        if draw < 0.02:
            lines.append("commit")
        elif draw < 0.04:
            clock = max(clock, event["occurred_at"] + chance.randrange(20 * DAY))
            lines.append("tick %d" % min(clock, at))
        elif draw < 0.08 and crashes:
            lines += ["begin"] if not has_pass else ["checkpoint %d" % chance.randrange(1, 30)]
            has_pass = True
        elif draw < 0.09 and crashes:
            lines += ["crash"]
            has_pass = False
    return lines + ["tick %d" % at]


def iso(ms):
    import datetime
    moment = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + ".%03dZ" % (ms % 1000)


def differences(expected, found, what):
    lines = []
    for key in sorted(set(expected) | set(found)):
        if expected.get(key) != found.get(key):
            lines.append("%s %s: oracle %s, product %s" % (what, key, expected.get(key), found.get(key)))
    return lines


def check(program, seed, config_path, config, keep):
    chance = random.Random(seed)
    lives = [life_of(chance, "c%d" % number) for number in range(chance.randrange(1, 6))]
    newest = max(event["occurred_at"] for life in lives for event in life)
    at = newest + pick(chance, 10_000, 2 * HOUR, DAY, 3 * DAY, 8 * DAY, 40 * DAY, 95 * DAY, 200 * DAY, 400 * DAY)
    lines = lines_of(chance, lives, at)
    if keep:
        Path(keep, "%d.ndjson" % seed).write_text("\n".join(lines) + "\n")
    series, sentiments, topics, stages = run(program, config_path, config.zone, lines)
    events = set_of([event_from_json(dict(event, received_at=0)) for life in lives for event in life])
    Lived.stages = stages
    grouped = defaultdict(list)
    for event in events:
        grouped[event["customer_id"]].append(event)
    customers = [Lived(mine, config, topics) for mine in grouped.values()]
    expected = defaultdict(empty)
    for customer in customers:
        for item in customer.items(at, sentiments):
            add(expected, item)
    found = {key: value for key, value in series.items() if key[0] not in FLOWS}
    lines = differences(cleaned(expected), cleaned(found), "sum")
    return lines + people_differences(customers, series, at, config.zone)


def total(series, kpi, field, start=-math.inf):
    answer = defaultdict(int)
    for (name, dimension, minute), sums in series.items():
        if name == kpi and minute * MINUTE >= start:
            answer[dimension] += sums[field]
    return {dimension: value for dimension, value in answer.items() if value}


def people_differences(customers, series, at, zone):
    lines = []
    expected = defaultdict(int)
    for customer in customers:
        for dimensions in backlog_dimensions(customer.tickets, at):
            for dimension in dimensions:
                expected[dimension] += 1
    lines += differences(dict(expected), total(series, "backlog", 0), "backlog")
    for window in SPAN:
        _, start, _ = window_bounds(window, at, zone)
        people = oracle.people(customers, window, start, at)
        pairs = {"active_customers": (0, start), "stage_customers": (0, -math.inf)}
        for kpi, (field, since) in pairs.items():
            wanted = {key[1]: value["n"] for key, value in people.items() if key[0] == kpi and value["n"]}
            lines += differences(wanted, total(series, kpi, field, since), kpi + " " + window)
        for kpi in ("loyalty_share", "referral_rate"):
            wanted = {key[1]: value for key, value in people.items() if key[0] == kpi}
            if kpi == "referral_rate" and window != "90d":
                continue
            lines += differences({key: value["n"] for key, value in wanted.items() if value["n"]}, total(series, kpi, 0, start), kpi)
            lines += differences({key: value["numerator"] for key, value in wanted.items() if value["numerator"]},
                                 total(series, kpi, 1, start), kpi + " hits")
        wanted = {key[1]: value for key, value in people.items() if key[0] == "churn_rate"}
        churned, alive = total(series, "churn_rate", 1, start), total(series, "churn_rate", 0)
        lines += differences({key: value["numerator"] for key, value in wanted.items() if value["numerator"]}, churned, "churned " + window)
        lines += differences({key: value["n"] - value["numerator"] for key, value in wanted.items() if value["n"] - value["numerator"]},
                             alive, "alive " + window)
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--lives", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain.yaml")
        plain.write_text("journey.revision_horizon: 36500d\n")
        business = Path(folder, "business.yaml")
        business.write_text("journey.revision_horizon: 36500d\nsla:\n  calendar: office\n  calendars:\n    office:\n      zone: Europe/Berlin\n" +
                            "".join("      %s: [\"09:00-12:00\", \"13:00-17:30\"]\n" % day for day in ("mon", "tue", "wed", "thu", "fri")) +
                            "      holidays: [2024-01-03, 2024-04-01]\n")
        for seed in range(arguments.seed, arguments.seed + arguments.lives):
            is_business = seed % 4 == 3
            config = oracle.Config(zone="America/New_York" if seed % 5 == 2 else "UTC", calendar=CALENDAR if is_business else None)
            lines = check(arguments.program, seed, str(business if is_business else plain), config, arguments.keep)
            if lines:
                failed += 1
                print("seed %d: %d differences" % (seed, len(lines)))
                for line in lines[:12]:
                    print("   ", line)
                if failed >= 5:
                    break
    print("%d worlds, %d differ" % (arguments.lives if failed < 5 else seed - arguments.seed + 1, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
