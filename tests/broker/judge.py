"""Published KPIs against the oracle's."""

import math

from oracle import Config, compute

DURATION_QUANTILES = ("p50", "p90", "p99", "p50_low", "p50_high")
# What READINGS leaves optional, or depends on the order of arrival.
GAUGES = {"backlog", "active_customers", "stage_customers", "churn_rate", "retention", "loyalty_share", "referral_rate",
          "uplift_onboarding", "uplift_excellent_support"}
NOT_JUDGED_PREFIX = {"hot_open", "loop_contact_24h", "loop_close_time", "loop_recovered"}
EXACT = ("n", "numerator", "denominator", "sum", "exposed_n", "exposed_hits", "other_n", "other_hits")


def close(a, b, relative):
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=relative, abs_tol=1e-9)


def differences_of(key, expected, published):
    """The fields in which one published value differs from the oracle's."""
    out = []
    for field in EXACT:
        if field in published and field in expected and not (published[field] is None and field not in ("n",) and expected[field] is None):
            if published[field] != expected[field] and not close(published[field], expected[field], 1e-12):
                out.append((field, expected[field], published[field]))
    if not close(expected["value"], published["value"], 1e-9):
        out.append(("value", expected["value"], published["value"]))
    for field in ("low", "high"):
        if not close(expected[field], published[field], 1e-6):
            out.append((field, expected[field], published[field]))
    if key[0] not in GAUGES and key[0] != "return_rate" and not key[0].startswith("engagement"):
        if not close(expected.get("previous"), published["previous"], 1e-9):
            out.append(("previous", expected.get("previous"), published["previous"]))
        if expected["n"] and not close(expected["maturity"], published["maturity"], 1e-9):
            out.append(("maturity", expected["maturity"], published["maturity"]))
    if expected["n"] and published["low_n"] != expected["low_n"]:
        out.append(("low_n", expected["low_n"], published["low_n"]))
    for field in DURATION_QUANTILES:
        if field in expected and field in published and not close(expected[field], published[field], 0.0101):
            out.append((field, expected[field], published[field]))
    return out


EMPTY = dict(value=None, n=0, numerator=None, denominator=None, low=None, high=None, low_n=False, maturity=1.0, previous=None)


class Judge:
    """Computes once per instant; published values carry the instant they are for."""

    def __init__(self, events, config=None, sentiments=None, topics=None):
        self.events, self.config, self.sentiments, self.topics = events, config or Config(), sentiments, topics
        self.cache = {}

    def expected(self, at):
        if at not in self.cache:
            self.cache[at] = compute(self.events, at, self.config, self.sentiments, self.topics)
        return self.cache[at]

    def differences(self, published, kpis, windows=("24h", "7d", "30d", "90d"), skip=lambda key: False):
        """[(key, at, [(field, expected, published)])]: what is wrong among these KPIs, and what is missing."""
        wrong = []
        if not published:
            return [("nothing is published", None, [])]
        for key, record in published.items():
            if key[0] in kpis and not skip(key):
                at = record["at"] if isinstance(record["at"], int) else round(record["at"].timestamp() * 1000)
                expected = self.expected(at).get(key)
                if expected is None or expected["n"] == 0:
                    if record["n"] != 0 or record["value"] not in (None, 0):
                        wrong.append((key, at, [("n", 0, record["n"]), ("value", None, record["value"])]))
                    continue
                fields = differences_of(key, expected, record)
                if fields:
                    wrong.append((key, at, fields))
        latest = max(record["at"] if isinstance(record["at"], int) else round(record["at"].timestamp() * 1000)
                     for record in published.values())
        for key, expected in self.expected(latest).items():
            if key[0] in kpis and key[2] in windows and expected["n"] and key not in published and not skip(key):
                wrong.append((key, latest, [("published", expected["value"], "missing")]))
        return wrong


def listing(wrong, count=25):
    lines = ["%d values differ" % len(wrong)]
    for key, at, fields in wrong[:count]:
        lines.append("  %s at %s: %s" % (key, at, "; ".join("%s expected %r, published %r" % field for field in fields)))
    return "\n".join(lines)
