"""Intervals and quantiles, from their textbook formulas."""

import math

Z = 1.959963984540054  # [7]


def wilson(hits, n):
    """Wilson's score interval of a rate."""
    rate = hits / n
    centre = rate + Z * Z / (2 * n)
    reach = Z * math.sqrt(rate * (1 - rate) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


def nps_interval(promoters, detractors, n):
    """The adjusted form: three quarters of a promoter and of a detractor added, n + 3."""
    p = (promoters + 0.75) / (n + 3)
    d = (detractors + 0.75) / (n + 3)
    reach = Z * math.sqrt((p + d - (p - d) ** 2) / (n + 3))
    return max(-100.0, 100 * (p - d - reach)), min(100.0, 100 * (p - d + reach))


def newcombe(hits_a, n_a, hits_b, n_b):
    """Newcombe's hybrid score interval of rate a − rate b."""
    a, b = hits_a / n_a, hits_b / n_b
    low_a, high_a = wilson(hits_a, n_a)
    low_b, high_b = wilson(hits_b, n_b)
    return (a - b - math.sqrt((a - low_a) ** 2 + (high_b - b) ** 2),
            a - b + math.sqrt((high_a - a) ** 2 + (b - low_b) ** 2))


def _beta_fraction(a, b, x):
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 10000):
        for numerator in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                          -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1.0 + numerator * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + numerator / c
            c = c if abs(c) > tiny else tiny
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value


def _incomplete_beta(a, b, x):
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, 1 - x) / b


_t_cache = {}


def student_t(freedom):
    """The 97.5 % quantile of Student's t."""
    if freedom not in _t_cache:
        def upper_tail(t):
            return 0.5 * _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))
        low, high = 0.0, 1e6
        while high - low > 1e-12 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if upper_tail(middle) > 0.025 else (low, middle)
        _t_cache[freedom] = (low + high) / 2
    return _t_cache[freedom]


def t_interval(values):
    """[7, 8, 54] From exact sums; none for one value, no width without spread."""
    n = len(values)
    if n < 2:
        return None, None
    total, squares = sum(values), sum(value * value for value in values)
    spread = n * squares - total * total  # n² times the variance, exact for integers
    if spread <= 0:
        return total / n, total / n
    reach = student_t(n - 1) * math.sqrt(spread / (n * (n - 1)) / n)
    return total / n - reach, total / n + reach


def at_rank(ordered, rank):
    """[54] Ranks are clamped to 1…n."""
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def quantile(ordered, q):
    """[8] The smallest value of rank ≥ qn."""
    return at_rank(ordered, math.ceil(q * len(ordered) - 1e-12))


def median_interval(ordered):
    n = len(ordered)
    reach = Z * math.sqrt(n * 0.25)
    return at_rank(ordered, math.ceil(n * 0.5 - reach)), at_rank(ordered, math.ceil(n * 0.5 + reach))
