"""The scoring rules of the two published benchmarks, written from the papers.

TCPD: van den Burg & Williams, arXiv 2003.06222: F1 with a margin over several annotators (index 0 counts as a change
point for everybody), and the covering metric. NAB: Lavin & Ahmad, arXiv 1510.03336: anomaly windows, a scaled sigmoid
that rewards early detection, a probationary period, and one threshold for the whole corpus.
"""
import math


def matched(truth, said, margin):
    """How many of `truth` have a point of `said` within `margin`; each said point serves once, the nearest first."""
    left = set(said)
    count = 0
    for point in sorted(truth):
        near = [(abs(point - x), x) for x in left if abs(point - x) <= margin]
        if near:
            left.remove(min(near)[1])
            count += 1
    return count


def f1_score(annotations, said, margin=5):
    everyone = [set(points) | {0} for points in annotations]
    said = set(said) | {0}
    precision = matched(set().union(*everyone), said, margin) / len(said)
    recall = sum(matched(points, said, margin) / len(points) for points in everyone) / len(everyone)
    return 2 * precision * recall / (precision + recall)


def parts(points, length):
    edges = sorted({0, length} | {p for p in points if 0 < p < length})
    return list(zip(edges, edges[1:]))


def covering_score(annotations, said, length):
    ours = parts(said, length)

    def cover(points):
        total = 0.0
        for a, b in parts(points, length):
            best = 0.0
            for c, d in ours:
                shared = max(0, min(b, d) - max(a, c))
                best = max(best, shared / (max(b, d) - min(a, c)) if shared else 0.0)
            total += (b - a) * best
        return total / length

    return sum(cover(points) for points in annotations) / len(annotations)


def sigmoid(position):
    """1 well before the window's right edge, 0 at the edge, -1 far behind it."""
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1


class NabFile:
    """One file's rows, each with what a detection there would be worth, the file's windows aside."""

    def __init__(self, scores, windows, false_alarm_weight):
        first = int(0.15 * min(len(scores), 5000))
        self.windows = [w for w in windows if w[1] >= first]
        self.rows = []  # (score, window number or None, worth)
        for row in range(first, len(scores)):
            inside = next((k for k, (a, b) in enumerate(self.windows) if a <= row <= b), None)
            if inside is not None:
                a, b = self.windows[inside]
                worth = sigmoid(-(b - row + 1) / (b - a + 1)) / sigmoid(-1.0)
            else:
                before = [w for w in self.windows if w[1] < row]
                place = math.inf
                if before:
                    a, b = before[-1]
                    place = (row - b) / max(b - a, 1)
                worth = false_alarm_weight * sigmoid(place)
            self.rows.append((scores[row], inside, worth))


def nab_best(files, weights):
    """(normalised score, threshold, per-file raw scores at it): the threshold that serves all the files best."""
    everything = sorted(((score, number, window, worth) for number, f in enumerate(files)
                         for score, window, worth in f.rows), key=lambda r: -r[0])
    windows = sum(len(f.windows) for f in files)
    held = {}
    total = -weights["fnWeight"] * windows
    best, threshold = total, 1.1
    at = 0
    while at < len(everything):
        level = everything[at][0]
        while at < len(everything) and everything[at][0] == level:
            _, number, window, worth = everything[at]
            if window is None:
                total += worth
            else:
                key = (number, window)
                worth *= weights["tpWeight"]
                if key not in held:
                    held[key] = worth
                    total += worth + weights["fnWeight"]
                elif worth > held[key]:
                    total += worth - held[key]
                    held[key] = worth
            at += 1
        if total > best:
            best, threshold = total, level
    return nab_normalised(best, windows, weights), threshold, nab_at(files, weights, threshold)


def nab_normalised(raw, windows, weights):
    nothing = -weights["fnWeight"] * windows
    return 100 * (raw - nothing) / (weights["tpWeight"] * windows - nothing) if windows else 0.0


def nab_at(files, weights, threshold):
    """Per file: (raw score, windows found, windows, false alarms) at this threshold."""
    rows = []
    for f in files:
        found, false_alarms, raw = {}, 0, 0.0
        for score, window, worth in f.rows:
            if score < threshold:
                continue
            if window is None:
                raw += worth
                false_alarms += 1
            else:
                found[window] = max(found.get(window, -1.0), worth * weights["tpWeight"])
        raw += sum(found.values()) - weights["fnWeight"] * (len(f.windows) - len(found))
        rows.append((raw, len(found), len(f.windows), false_alarms))
    return rows
