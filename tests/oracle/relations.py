#!/usr/bin/env python3
"""Random lives through journey-sums twice, told differently: what must not matter changes nothing. No judge is needed for that, so it
holds for alerts and follow-ups, too, which no formula says.

usage: relations.py JOURNEY-SUMS [--lives N] [--seed S]"""

import argparse
import datetime
import json
import random
import re
import subprocess
import sys
from urllib.parse import quote

from check import DAY, HOUR, MINUTE, START, iso, life_of, pick

TIME = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d\.\d{3}Z| \d\d:\d\d UTC)")
NAMED = ("ticket_id", "order_id", "survey_id", "visit_id", "subscription_id", "about", "team", "campaign", "referred_customer_id", "agent")
IDS = ("alert_id", "case_id", "followup_id")


# --- telling it

def in_order(lives):
    return sorted((event for life in lives for event in life), key=lambda event: event["occurred_at"])


def line_of(event, moved=0):
    data = {key: iso(value + moved) if key in ("promised_at", "term_ends_at") and value is not None else value for key, value in event["data"].items()}
    at = event["occurred_at"] + moved
    return json.dumps(dict(event, data=data, occurred_at=iso(at), received_at=iso(at)), ensure_ascii=False)


def ticks(chance, start, end, most):
    """As the engine's own clock has it: no further than where an event that comes next may be."""
    return ["tick %d" % at for at in sorted(chance.randrange(start, end) for _ in range(chance.randrange(most)))] if end > start else []


def half_hours(start, end):
    return ["tick %d" % at for at in range(start // (HOUR // 2) * (HOUR // 2) + HOUR // 2, end, HOUR // 2)]


def story(events, end, between=lambda start, end: [], moved=0):
    lines, before = [], START
    for event in events:
        lines += between(before + moved, event["occurred_at"] + moved - 5000) + [line_of(event, moved)]
        before = event["occurred_at"]
    return lines + between(before + moved, end + moved) + ["tick %d" % (end + moved)]


# --- what came of it

class Told:
    def __init__(self, program, lines, back=lambda line: line):
        answer = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300)
        if answer.returncode != 0:
            raise SystemExit("journey-sums failed: " + answer.stderr[-2000:])
        self.sums, self.alerts, self.followups = {}, [], []
        for line in map(back, answer.stdout.splitlines()):
            what, rest = line.split(" ", 1) if " " in line else (line, "")
            if what == "sum":
                series, minute, sums = re.fullmatch(r"(.*?) (-?\d+)((?: -?\d+){5}(?: \d+:-?\d+)*)", rest).groups()
                if re.search(r"[1-9]", re.sub(r"\d+:", "", sums)):
                    self.sums[series, int(minute)] = sums
            elif what in ("alert", "followup"):
                (self.alerts if what == "alert" else self.followups).append(json.loads(rest))

    def all(self):
        """Each customer's in their order; ids are made of names and times, so who is meant by them is told by when they came first."""
        ids, of = {}, {}
        for record in self.alerts + self.followups:
            for key in IDS:
                if record.get(key):
                    record[key] = ids.setdefault(record[key], "%s %d" % (record["customer_id"], len(of.get(record["customer_id"], []))))
            if "cause" in record:
                record.pop("cause")
            for reason in record.get("reasons", []):
                reason.pop("event_id")
            of.setdefault(record["customer_id"], []).append(json.dumps(record, sort_keys=True))
        return of

    def promises(self):
        """What has an instant of its own, whenever anybody looks at the clock. Not: warnings, follow-ups and what expires, which a clock that leaps
        passes over, the risk of leaving, and how a score goes down."""
        kept = {json.dumps([alert[key] for key in ("customer_id", "rule", "ticket_id", "state", "revision", "opened_at", "due_at")])
                for alert in self.alerts if "breach" in alert["rule"] or ("absence" in alert["rule"] and alert["state"] == "OPEN")}
        return kept | {json.dumps([alert["customer_id"], alert["case_id"], alert["opened_at"]]) for alert in self.alerts if alert["rule"] == "case"}


def differ(left, right, what):
    if isinstance(left, set):
        return ["%s: %s | %s" % (what, sorted(left - right)[:2], sorted(right - left)[:2])] if left != right else []
    return ["%s %s: %s | %s" % (what, key, left.get(key), right.get(key))
            for key in sorted(set(left) | set(right), key=str) if left.get(key) != right.get(key)]


# --- the relations

def ticks_in_between(program, chance, lives, end):
    events = in_order(lives)
    seldom = Told(program, story(events, end))
    often = Told(program, story(events, end, lambda start, until: ticks(chance, start, until, 5)))
    return differ(seldom.sums, often.sums, "sum") + differ(seldom.promises(), often.promises(), "promises")


def weeks_later(program, chance, lives, end):
    events, moved = in_order(lives), chance.randrange(1, 60) * 7 * DAY

    def earlier(found):
        moment = datetime.datetime.fromisoformat(found[0].replace(" UTC", "").rstrip("Z")) - datetime.timedelta(milliseconds=moved)
        return moment.strftime("%Y-%m-%d %H:%M UTC") if "UTC" in found[0] else moment.isoformat(timespec="milliseconds") + "Z"

    def back(line):
        if line.startswith("sum "):
            return re.sub(r" (\d{8}) ", lambda found: " %d " % (int(found[1]) - moved // MINUTE), line, count=1)
        return TIME.sub(earlier, line)
    left, right = Told(program, story(events, end)), Told(program, story(events, end, moved=moved), back)
    return differ(left.sums, right.sums, "sum") + differ(left.all(), right.all(), "record")


def other_names(program, chance, lives, end):
    names = {}

    def name(old):
        if not old:
            return old
        return names.setdefault(old, "~%s%d~" % (chance.choice(["Größe", "x/", "Ω", "z" * 40]), len(names)))

    def renamed(event):
        data = {key: name(value) if key in NAMED else value for key, value in event["data"].items()}
        return dict(event, data=data, **{key: name(event[key]) for key in ("customer_id", "product", "segment", "source")})
    events = in_order(lives)
    others = [renamed(event) for event in events]
    old = {new: old for old, new in names.items()}
    known = re.compile("|".join(map(re.escape, old)))

    def back(line):
        return known.sub(lambda found: quote(old[found[0]], safe=" ") if line.startswith("sum ") else old[found[0]], line)
    left, right = Told(program, story(events, end)), Told(program, story(others, end), back)
    return differ(left.sums, right.sums, "sum") + differ(left.all(), right.all(), "record")


def strangers_in_between(program, chance, lives, end):
    """Everybody alone, and all in one partition: each other's clock, and nothing else."""
    together, alone, promises = Told(program, story(in_order(lives), end)), {}, set()
    for life in lives:
        told = Told(program, story(in_order([life]), end))
        promises |= told.promises()
        for series, sums in told.sums.items():
            numbers, bins = sums_of(alone.get(series, " 0 0 0 0 0")), sums_of(sums)
            alone[series] = [{key: numbers[part].get(key, 0) + bins[part].get(key, 0) for key in {**numbers[part], **bins[part]}} for part in (0, 1)]
    together.sums = {series: sums_of(sums) for series, sums in together.sums.items()}
    alone = {series: [sums[0], {key: count for key, count in sums[1].items() if count}] for series, sums in alone.items()}
    alone = {series: sums for series, sums in alone.items() if any(sums[0].values()) or sums[1]}
    return differ(alone, together.sums, "sum") + differ(promises, together.promises(), "promises")


def sums_of(sums):
    if not isinstance(sums, str):
        return sums
    fields = sums.split()
    return [dict(enumerate(map(int, fields[:5]))), {key: int(count) for key, count in (field.split(":") for field in fields[5:])}]


def crashes_in_between(program, chance, lives, end):
    def trouble(start, until):
        return half_hours(max(start, until - DAY), until) + [pick(chance, "commit", "begin", "checkpoint 1", "checkpoint 9", "crash")]
    events, state = in_order(lives), chance.getstate()
    told = story(events, end, trouble)
    chance.setstate(state)
    calm = [line for line in told if line[0] == "{" or line.startswith("tick")]
    left, right = Told(program, calm), Told(program, told)
    return differ(left.sums, right.sums, "sum") + differ(left.all(), right.all(), "record")


RELATIONS = (ticks_in_between, weeks_later, other_names, strangers_in_between, crashes_in_between)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--lives", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = 0
    for seed in range(arguments.seed, arguments.seed + arguments.lives):
        relation, chance = RELATIONS[seed % len(RELATIONS)], random.Random(seed)
        lives = [life_of(chance, "c%d" % number) for number in range(chance.randrange(1, 4))]
        end = max(event["occurred_at"] for life in lives for event in life) + pick(chance, 10_000, 3 * HOUR, 3 * DAY, 40 * DAY, 200 * DAY)
        lines = relation(arguments.program, chance, lives, end)
        failed += bool(lines)
        for line in (["seed %d, %s: %d differences" % (seed, relation.__name__, len(lines))] + lines[:6]) if lines else []:
            print(line)
    print("%d worlds, %d differ" % (arguments.lives, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
