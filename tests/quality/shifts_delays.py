"""How many rows until a change of level is said: simulated series that change at a known row, at the budget of the false alarms."""
import json
import math
import os
import random
import tempfile

from shifts_alarms import BEGIN, poisson

SHIPPED = 0.0032  # a month for a series by the hour: four, of which two fifths for the hours, of 500 series
AT, AFTER = 2500, 300  # rows before the change; rows after it, which is also what a change never said counts as


def day(hour):
    return 1 + 0.7 * math.sin(2 * math.pi * hour / 24)


KINDS = {
    "counts, 2 to 4": lambda dice, hour, new: poisson(dice, 4 if new else 2),
    "counts, 2 to 3": lambda dice, hour, new: poisson(dice, 3 if new else 2),
    "counts, 2 to 1": lambda dice, hour, new: poisson(dice, 1 if new else 2),
    "counts, 2 to 8": lambda dice, hour, new: poisson(dice, 8 if new else 2),
    "counts, 1 to 2.5": lambda dice, hour, new: poisson(dice, 2.5 if new else 1),
    "counts, 4 to 7": lambda dice, hour, new: poisson(dice, 7 if new else 4),
    "counts, 4 to 2": lambda dice, hour, new: poisson(dice, 2 if new else 4),
    "counts, 30 to 38": lambda dice, hour, new: poisson(dice, 38 if new else 30),
    "counts, 30 to 24": lambda dice, hour, new: poisson(dice, 24 if new else 30),
    "counts with a daily rhythm, times 1.4": lambda dice, hour, new: poisson(dice, 20 * day(hour) * (1.4 if new else 1)),
    "counts with a daily rhythm, times 0.7": lambda dice, hour, new: poisson(dice, 20 * day(hour) * (0.7 if new else 1)),
    "normal, one deviation": lambda dice, hour, new: dice.gauss(53 if new else 50, 3),
    "normal, two deviations": lambda dice, hour, new: dice.gauss(56 if new else 50, 3),
    "normal with a daily rhythm, one and a half": lambda dice, hour, new: dice.gauss(107.5 if new else 100, 5) + 30 * day(hour),
    "durations (log-normal), times 1.5": lambda dice, hour, new: math.exp(dice.gauss(3, 0.6)) * (1.5 if new else 1),
}


def delays(program, run, path, draw, seed):
    dice = random.Random(7000 + seed)
    with open(path, "w") as out:
        out.write("t,value,n\n")
        for row in range(AT + AFTER):
            out.write("%d,%.6g,\n" % (BEGIN + row * 3600, draw(dice, row % 24, row >= AT)))

    def rows_until_said(budget):
        said = [json.loads(line) for line in run(program, path, "--false-alarms-per-month", str(budget))]
        return min([AFTER] + [one["detected_row"] - AT + 1 for one in said if one["kind"] != "spike" and one["detected_row"] >= AT])

    return rows_until_said(1), rows_until_said(SHIPPED)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def measure(program, run, series=120):
    print("Rows until a change is said, %d series each                    mean  median  nine in ten  mean at the shipped budget" % series)
    means = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, draw in KINDS.items():
            usual, shipped = (sorted(column) for column in
                              zip(*(delays(program, run, os.path.join(scratch, "series.csv"), draw, seed) for seed in range(series))))
            means.append((sum(usual) / series, sum(shipped) / series))
            print("  %-56s %8.1f  %6d  %11d  %8.1f" % (name, means[-1][0], usual[series // 2], usual[series * 9 // 10], means[-1][1]))
    print("  %-56s %8.1f  %6s  %11s  %8.1f" % ("geometric mean of the means", geometric_mean([one for one, _ in means]), "", "",
                                               geometric_mean([one for _, one in means])))
    return True
