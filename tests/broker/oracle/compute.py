"""From a set of events to every KPI's value, by window."""

from collections import defaultdict
from dataclasses import dataclass

from .customer import Customer, lives
from .events import set_of
from .numbers import median_interval, newcombe, nps_interval, quantile, t_interval, wilson
from .tickets import backlog_dimensions
from .windows import ALL, HOUR, window_bounds


@dataclass
class Config:
    zone: str = "UTC"
    first_response_ms: int = 2 * HOUR
    resolution_ms: int = 48 * HOUR
    calendar: dict = None  # {"zone", "week": {weekday: [(minute, minute)]}, "holidays": {"2026-12-25"}}; None: around the clock


RATE, MEAN, DURATION, NPS, COUNT, SUM, UPLIFT = "rate", "mean", "duration", "nps", "count", "sum", "uplift"
KINDS = {
    "nps": NPS, "brand_nps": NPS,
    "csat": MEAN, "csat_top2": RATE, "ces": MEAN, "ces_easy": RATE,
    "review_stars": MEAN, "review_low": RATE, "review_count": COUNT,
    "sentiment": MEAN, "negative_share": RATE, "survey_completion": RATE,
    "response_24h": RATE, "first_response_time": DURATION, "first_response_calendar": DURATION,
    "next_response_time": DURATION, "resolution_time": DURATION, "full_resolution_time": DURATION,
    "resolved_72h": RATE, "handoff_wait": DURATION, "handoffs_per_ticket": MEAN, "handoff_over_48h": RATE,
    "sla_first_response": RATE, "sla_resolution": RATE, "fcr": RATE, "reopen_rate": RATE, "recurring": RATE,
    "backlog_inflow": COUNT, "backlog_outflow": COUNT, "first_time_fix": RATE,
    "on_time_delivery": RATE, "return_rate": RATE, "activation": RATE,
    "repeat_purchase_180d": RATE, "repeat_purchase_365d": RATE, "renewal_rate": RATE,
    "usage_minutes": SUM, "upsell_revenue": SUM, "stage_dwell": DURATION, "stage_moves": COUNT,
    "engagement_open": RATE, "engagement_click": RATE,
    "uplift_onboarding": UPLIFT, "uplift_excellent_support": UPLIFT,
}
FREQUENT = {"nps", "csat", "csat_top2", "sentiment", "negative_share"}


def evaluate_items(kind, items):
    """What a window with these items in it says (but for `previous`)."""
    n = len(items)
    values = [item.value for item in items]
    answer = dict(value=None, n=n, numerator=None, denominator=None, low=None, high=None, low_n=False, maturity=1.0)
    if kind == COUNT:
        total = sum(values)
        return dict(answer, value=total, n=total)
    if kind == SUM:
        return dict(answer, value=sum(values))
    if n == 0:
        return dict(answer, low_n=True)
    answer["low_n"] = n < 30
    answer["maturity"] = sum(item.mature for item in items) / n
    if kind == RATE:
        low, high = wilson(sum(values), n)
        return dict(answer, value=sum(values) / n, numerator=sum(values), denominator=n, low=low, high=high)
    if kind == NPS:
        promoters, detractors = values.count(1), values.count(-1)
        low, high = nps_interval(promoters, detractors, n)
        return dict(answer, value=100 * (promoters - detractors) / n, numerator=promoters - detractors, denominator=n,
                    low=low, high=high, low_n=n < 30 or (high - low) / 2 > 15)
    if kind == UPLIFT:
        exposed = [hit for is_exposed, hit in values if is_exposed]
        other = [hit for is_exposed, hit in values if not is_exposed]
        answer.update(exposed_n=len(exposed), exposed_hits=sum(exposed), other_n=len(other), other_hits=sum(other), ratio=None)
        if not exposed or not other:
            return answer
        rate, rate_other = sum(exposed) / len(exposed), sum(other) / len(other)
        low, high = newcombe(sum(exposed), len(exposed), sum(other), len(other))
        return dict(answer, value=rate - rate_other, low=low, high=high, ratio=rate / rate_other if rate_other else None)
    low, high = t_interval(values)
    answer.update(value=sum(values) / n, numerator=sum(values), denominator=n, low=low, high=high)
    if kind == DURATION:
        ordered = sorted(values)
        p50_low, p50_high = median_interval(ordered)
        answer.update(sum=sum(values), p50=quantile(ordered, 0.5), p90=quantile(ordered, 0.9), p99=quantile(ordered, 0.99),
                      p50_low=p50_low, p50_high=p50_high)
    return answer


def customers_of(events, config, topics=None):
    grouped = defaultdict(list)
    for event in set_of(events):
        grouped[event["customer_id"]].append(event)
    return [Customer(life, config, topics or {}) for events in grouped.values() for life in lives(events)]


def contributions(events, at, config=None, sentiments=None, topics=None):
    """Every single contribution up to `at`, for a look at what a number is made of."""
    customers = customers_of([event for event in events if event["occurred_at"] <= at], config or Config(), topics)
    return [item for customer in customers for item in customer.items(at, sentiments or {})]


def compute(events, at, config=None, sentiments=None, topics=None, windows=ALL, customers=None, wanted=None):
    """{(kpi, dimension, window): …} at the instant `at`, from the events that have happened by then.

    sentiments: {event_id: (label, score)} and topics: {event_id: [topic]} are the product's own labels [30, 42].
    To ask often: customers = customers_of(…) of exactly the events up to `at`, and wanted = the keys of interest."""
    config = config or Config()
    if customers is None:
        customers = customers_of([event for event in events if event["occurred_at"] <= at], config, topics)
    if wanted is not None:
        windows = {window for _, _, window in wanted}
    series = defaultdict(list)
    for customer in customers:
        for item in customer.items(at, sentiments or {}):
            for dimension in item.dimensions:
                series[item.kpi, dimension].append(item)
    answer = {}
    for window in windows:
        before, start, _ = window_bounds(window, at, config.zone)
        for (kpi, dimension), items in series.items():
            if wanted is None or (kpi, dimension, window) in wanted:
                answer[kpi, dimension, window] = _with_previous(kpi, items, before, start, at)
        answer.update(people(customers, window, start, at))
    return answer


def _with_previous(kpi, items, before, start, at):
    now = evaluate_items(KINDS[kpi], [item for item in items if start <= item.at <= at])
    earlier = [item for item in items if before <= item.at < start]
    now["previous"] = evaluate_items(KINDS[kpi], earlier)["value"] if earlier else None
    for scaled in ("value", "previous"):
        if kpi == "usage_minutes" and now[scaled] is not None:
            now[scaled] /= 60
    return now


def gauge(value):
    return dict(value=value, n=value, numerator=None, denominator=None, low=None, high=None, low_n=False, maturity=1.0)


def share(hits, n):
    if n == 0:
        return dict(value=None, n=0, numerator=None, denominator=None, low=None, high=None, low_n=True, maturity=1.0)
    low, high = wilson(hits, n)
    return dict(value=hits / n, n=n, numerator=hits, denominator=n, low=low, high=high, low_n=n < 30, maturity=1.0)


def people(customers, window, start, at):
    """Gauges, and the KPIs of which a customer, not an event, is the unit [14, 31, 36, 38, 39, 43, 55]. No `previous`."""
    counts, rates = defaultdict(int), defaultdict(lambda: [0, 0])
    for customer in customers:
        is_known = customer.forgotten_at is None
        if is_known:
            for dimensions in backlog_dimensions(customer.tickets, at):
                for dimension in dimensions:
                    counts["backlog", dimension] += 1
            if customer.stage:
                counts["stage_customers", "all"] += 1
                counts["stage_customers", "stage=" + customer.stage] += 1
        recent = [event for event in customer.activity if event["occurred_at"] >= start]
        mine = customer.people_dimensions()
        if recent and is_known:
            for dimension in mine + sorted({"channel=" + event["channel"] for event in recent}):
                counts["active_customers", dimension] += 1
            referred = any(when >= start for when in customer.converted_referrals())
            for dimension in mine:
                rates["loyalty_share", dimension][0] += customer.is_member()
                rates["loyalty_share", dimension][1] += 1
                if window == "90d":
                    rates["referral_rate", dimension][0] += referred
                    rates["referral_rate", dimension][1] += 1
        spans = [span for span in customer.alive_spans()]
        alive = customer.alive_at(at if is_known else customer.forgotten_at)
        if alive and not is_known:
            continue  # who was alive leaves the gauge of the living
        churned = bool(spans) and not alive and spans[-1][1] is not None and start <= spans[-1][1] <= at
        if alive or churned:
            for dimension in mine:
                rates["churn_rate", dimension][0] += churned
                rates["churn_rate", dimension][1] += 1
    answer = {(kpi, dimension, window): gauge(value) for (kpi, dimension), value in counts.items()}
    for (kpi, dimension), (hits, n) in rates.items():
        answer[kpi, dimension, window] = share(hits, n)
        if kpi == "churn_rate":
            answer["retention", dimension, window] = share(n - hits, n)
    return answer
