"""A contribution: one number that one KPI counts at one instant under some dimensions."""

from dataclasses import dataclass


@dataclass
class Item:
    kpi: str
    at: int
    dimensions: list
    value: object  # rates: 0 or 1; means and durations: the number; nps: −1, 0, 1; counts: how many
    mature: bool = True  # can it no longer change? [9]
