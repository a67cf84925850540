"""False alarms on simulated KPI series in which nothing happens, against the budget they were given."""
import math
import os
import random
import tempfile

BEGIN = 1735689600  # 2025-01-01, a Wednesday
HOURS_PER_MONTH = 730.5
TOLERANCE = 0.30


def poisson(dice, mean):
    if mean > 50:
        return max(0, round(dice.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, dice.random()
    while product > limit:
        count += 1
        product *= dice.random()
    return count


class Series:
    """One row after the other; subclasses say what a row is. n is None where a series has no sample size."""

    def __init__(self, dice):
        self.dice, self.echo = dice, 0.0

    def day(self, hour):
        return math.sin(2 * math.pi * hour / 24)


class Normal(Series):
    def row(self, hour, weekend):
        return self.dice.gauss(50, 3), None


class Echo(Series):
    def row(self, hour, weekend):
        self.echo = 0.7 * self.echo + self.dice.gauss(0, 3)
        return 50 + self.echo, None


class Counts(Series):
    def row(self, hour, weekend):
        return poisson(self.dice, 30), None


class Few(Series):
    def row(self, hour, weekend):
        return poisson(self.dice, 2), None


class Rate(Series):
    def row(self, hour, weekend):
        n = 1 + poisson(self.dice, 40)
        return sum(self.dice.random() < 0.2 for _ in range(n)) / n, n


class DailyNormal(Series):
    def row(self, hour, weekend):
        return 100 + 30 * self.day(hour) + self.dice.gauss(0, 5), None


class WeeklyNormal(Series):
    def row(self, hour, weekend):
        return (100 + 30 * self.day(hour)) * (0.6 if weekend else 1) + self.dice.gauss(0, 5), None


class WeeklyCounts(Series):
    def row(self, hour, weekend):
        return poisson(self.dice, 20 * (1 + 0.7 * self.day(hour)) * (0.6 if weekend else 1)), None


class DailyRate(Series):
    def row(self, hour, weekend):
        n = 1 + poisson(self.dice, 40 * (1 + 0.8 * self.day(hour)))
        return sum(self.dice.random() < 0.2 for _ in range(n)) / n, n


class HeavyTails(Series):
    def row(self, hour, weekend):
        return 50 + 3 * self.dice.gauss(0, 1) / math.sqrt(self.dice.gammavariate(1.5, 2 / 3)), None


class Durations(Series):
    def row(self, hour, weekend):
        return math.exp(self.dice.gauss(3, 0.6)), None


# Those beyond the line are shown, not judged: no KPI of ours is as wild row by row.
JUDGED = [Normal, Echo, Counts, Few, Rate, DailyNormal, WeeklyNormal, WeeklyCounts, DailyRate]
SHOWN = [HeavyTails, Durations]


def write(path, kind, seed, rows, step):
    series = kind(random.Random(seed))
    with open(path, "w") as out:
        out.write("t,value,n\n")
        for k in range(rows):
            at = BEGIN + k * step
            value, n = series.row(at / 3600 % 24, (at // 86400 + 3) % 7 >= 5)
            out.write("%d,%.6g,%s\n" % (at, value, "" if n is None else n))


def measure(program, run, series=6, rows=8760, step=3600, per_month=1.0):
    expected = series * rows * step / 3600 / HOURS_PER_MONTH * per_month
    print("False alarms, %d years of hours each, a budget of %g a month a series: %.0f" % (series, per_month, expected))
    print("  %-44s shifts  spikes  of budget" % "")
    total, wanted = 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "series.csv")
        for kind in JUDGED + SHOWN:
            shifts = spikes = 0
            for seed in range(series):
                write(path, kind, 1000 + seed, rows, step)
                lines = run(program, path, "--false-alarms-per-month", str(per_month))
                spikes += sum('"spike"' in line for line in lines)
                shifts += sum('"spike"' not in line for line in lines)
            print("  %-44s %6d  %6d  %6.2f%s" % (kind.__name__, shifts, spikes, (shifts + spikes) / expected,
                                                 "" if kind in JUDGED else "  (not judged)"))
            if kind in JUDGED:
                total += shifts + spikes
                wanted += expected
    print("  %-44s %16s%6.2f  (target 1 +- %.1f)" % ("all that are judged", "", total / wanted, TOLERANCE))
    return abs(total / wanted - 1) <= TOLERANCE
