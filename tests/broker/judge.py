"""Published KPIs against the oracle's."""

import math

from oracle import Config, compute, customers_of
from oracle.events import as_ms

DURATION_QUANTILES = ("p50", "p90", "p99", "p50_low", "p50_high")
# `previous` is optional for these [14].
GAUGES = {"backlog", "active_customers", "stage_customers", "churn_rate", "retention", "loyalty_share", "referral_rate",
          "uplift_onboarding", "uplift_excellent_support"}
# A return or an opening may come at any time: how mature that is, READINGS does not say.
NEVER_FINAL = {"return_rate", "engagement_open", "engagement_click"}
EXACT = ("n", "numerator", "denominator", "sum", "exposed_n", "exposed_hits", "other_n", "other_hits")


def close(a, b, relative):
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=relative, abs_tol=1e-9)


def differences_of(key, expected, published):
    """The fields in which one published value differs from the oracle's."""
    out = []

    def hold(field, relative):
        if field in expected and field in published and not close(expected[field], published[field], relative):
            out.append((field, expected[field], published[field]))

    if expected["n"] == 0 and published["n"] == 0:
        return out if published["value"] in (None, 0) else [("value", None, published["value"])]
    for field in EXACT:
        hold(field, 0)
    hold("value", 1e-9)
    hold("low", 1e-6)
    hold("high", 1e-6)
    for field in DURATION_QUANTILES:
        hold(field, 0.0101)
    if published["low_n"] != expected["low_n"]:
        out.append(("low_n", expected["low_n"], published["low_n"]))
    if key[0] not in GAUGES:
        hold("previous", 1e-9)
    if key[0] not in GAUGES | NEVER_FINAL:
        hold("maturity", 1e-9)
    return out


EMPTY = dict(value=None, n=0, numerator=None, denominator=None, low=None, high=None, low_n=False, maturity=1.0, previous=None)


def instant_of(record):
    return record["at"] if isinstance(record["at"], int) else as_ms(record["at"])


class Judge:
    """Published values carry the instant they are for, and are held to the oracle's for that very instant."""

    def __init__(self, events, config=None, sentiments=None, topics=None):
        self.events, self.config, self.sentiments, self.topics = events, config or Config(), sentiments, topics
        self.lives = {}

    def expected(self, at, wanted=None):
        known = [event for event in self.events if event["occurred_at"] <= at]
        if len(known) not in self.lives:
            self.lives[len(known)] = customers_of(known, self.config, self.topics)
        return compute(known, at, self.config, self.sentiments, self.topics, customers=self.lives[len(known)], wanted=wanted)

    def differences(self, published, kpis, windows=("24h", "7d", "30d", "90d"), skip=lambda key: False):
        """[(key, at, [(field, expected, published)])]: what is wrong among these KPIs, and what is missing."""
        judged = {key: record for key, record in published.items() if key[0] in kpis and not skip(key)}
        if not judged:
            return [("nothing is published", None, [])]
        by_instant = {}
        for key, record in judged.items():
            by_instant.setdefault(instant_of(record), []).append(key)
        wrong = []
        for at, keys in sorted(by_instant.items(), reverse=True):
            expected = self.expected(at, set(keys))
            for key in keys:
                fields = differences_of(key, expected.get(key, EMPTY), judged[key])
                if fields:
                    wrong.append((key, at, fields))
        for key, expected in self.expected(max(by_instant)).items():
            if key[0] in kpis and key[2] in windows and expected["n"] and key not in judged and not skip(key):
                wrong.append((key, max(by_instant), [("published", expected["value"], "missing")]))
        return wrong


def listing(wrong, count=25):
    lines = ["%d values differ" % len(wrong)]
    for key, at, fields in wrong[:count]:
        lines.append("  %s at %s: %s" % (key, at, "; ".join("%s expected %r, published %r" % field for field in fields)))
    return "\n".join(lines)
