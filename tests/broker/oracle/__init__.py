"""An independent batch computation of the KPIs: the judge of the product, so it shares nothing with it.

`compute(events, at)` takes a *set* of touchpoints (dicts in the contract's JSON form, times as integers of ms since the
epoch) and an instant, and answers {(kpi, dimension, window): dict} as KPIS.md and READINGS.md define it. It is as
naive as it can be: sort each customer's events, list what counts and when, filter by window, add up. The numbers in
brackets, like [16], are the lines of READINGS.md that a piece of code follows.

    dict = value, n, numerator, denominator, low, high, low_n, maturity, previous
           durations also sum, p50, p90, p99, p50_low, p50_high; uplifts also exposed_n … ratio
"""

from .compute import Config, compute, contributions, customers_of, evaluate_items
from .events import event_from_avro, event_from_json

__all__ = ["Config", "compute", "contributions", "customers_of", "evaluate_items", "event_from_avro", "event_from_json"]
