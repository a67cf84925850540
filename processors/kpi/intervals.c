#include "processors/kpi/intervals.h"

static const double z = 1.959963984540054;

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

struct interval interval_of_rate(int64_t hits, int64_t n)
{
    if (n <= 0)
        return (struct interval){0};
    double size = (double)n, rate = clamp((double)hits / size, 0, 1);
    double centre = rate + z * z / (2 * size), reach = z * sqrt(rate * (1 - rate) / size + z * z / (4 * size * size));
    double scale = 1 + z * z / size;
    /* The rate lies within, and rounding does not put it outside: all of 140 are 1, not 0.9999999999999998 at most. */
    return (struct interval){true, clamp((centre - reach) / scale, 0, rate), clamp((centre + reach) / scale, rate, 1)};
}

struct interval interval_of_nps(int64_t promoters, int64_t detractors, int64_t n)
{
    if (n <= 0)
        return (struct interval){0};
    double size = (double)n + 3, p = ((double)promoters + 0.75) / size, d = ((double)detractors + 0.75) / size;
    double reach = z * sqrt(fmax(p + d - (p - d) * (p - d), 0) / size);
    return (struct interval){true, clamp(100 * (p - d - reach), -100, 100), clamp(100 * (p - d + reach), -100, 100)};
}

/* n Σx² − (Σx)², which is n² times the variance: exact as long as it fits 128 bits. */
static double spread_of(int64_t n, int64_t sum, kpi_wide sum_squares)
{
    kpi_wide scaled, exact;
    if (!__builtin_mul_overflow(sum_squares, (kpi_wide)n, &scaled) && !__builtin_sub_overflow(scaled, (kpi_wide)sum * sum, &exact))
        return exact > 0 ? (double)exact : 0;
    long double mean = (long double)sum / n, spread = ((long double)sum_squares / n - mean * mean) * n * n;
    return spread > 0 ? (double)spread : 0;
}

double variance_of_mean(int64_t n, int64_t sum, kpi_wide sum_squares)
{
    if (n < 2)
        return 0;
    double size = (double)n;
    return spread_of(n, sum, sum_squares) / (size * (size - 1)) / size;
}

struct interval interval_of_mean(int64_t n, int64_t sum, kpi_wide sum_squares)
{
    if (n < 2)
        return (struct interval){0};
    double mean = (double)sum / (double)n, variance = variance_of_mean(n, sum, sum_squares);
    double reach = variance > 0 ? student_t(n - 1) * sqrt(variance) : 0;
    return (struct interval){true, mean - reach, mean + reach};
}

struct interval interval_of_difference(int64_t hits, int64_t n, int64_t other_hits, int64_t other_n)
{
    if (n <= 0 || other_n <= 0)
        return (struct interval){0};
    double a = (double)hits / (double)n, b = (double)other_hits / (double)other_n;
    struct interval of_a = interval_of_rate(hits, n), of_b = interval_of_rate(other_hits, other_n);
    return (struct interval){true, a - b - hypot(a - of_a.low, of_b.high - b), a - b + hypot(of_a.high - a, b - of_b.low)};
}

void median_ranks(int64_t n, int64_t *low, int64_t *high)
{
    double middle = (double)n / 2, reach = z * sqrt((double)n) / 2;
    *low = (int64_t)clamp(ceil(middle - reach), 1, (double)n);
    *high = (int64_t)clamp(ceil(middle + reach), 1, (double)n);
}

/* P(|T| ≤ t) as a finite series in cos² θ, tan θ = t/√v (Abramowitz and Stegun 26.7.3 and 26.7.4). */
static double probability_within(double t, int64_t freedom)
{
    double theta = atan(t / sqrt((double)freedom)), cosine = cos(theta), square = cosine * cosine;
    bool is_odd = freedom % 2;
    double term = is_odd ? cosine : 1, sum = freedom == 1 ? 0 : term;
    for (int64_t i = is_odd ? 3 : 2; i < freedom; i += 2) {
        term *= square * (double)(i - 1) / (double)i;
        sum += term;
    }
    return is_odd ? 2 / M_PI * (theta + sin(theta) * sum) : sin(theta) * sum;
}

enum { EXPANSION_FROM = 500 };

static double density(double t, int64_t freedom)
{
    double v = (double)freedom;
    int sign; /* always +; lgamma would put it into a variable that all threads share */
    return exp(lgamma_r((v + 1) / 2, &sign) - lgamma_r(v / 2, &sign) - (v + 1) / 2 * log1p(t * t / v)) / sqrt(v * M_PI);
}

/* The expansion in 1/v around the normal quantile (Abramowitz and Stegun 26.7.5) is good to 1e-11 from some hundred degrees
 * of freedom on; below, it is where Newton's steps begin. For one degree it is far off, but there is a closed form. */
static double student_t_compute(int64_t freedom)
{
    double v = (double)freedom, z2 = z * z;
    if (freedom == 1)
        return tan(M_PI * 0.475);
    double g1 = z * (z2 + 1) / 4, g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
    double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
    double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
    double t = z + (g1 + (g2 + (g3 + g4 / v) / v) / v) / v;
    if (freedom > EXPANSION_FROM)
        return t;
    for (int step = 0; step < 20; step++) {
        double correction = (probability_within(t, freedom) - 0.95) / (2 * density(t, freedom));
        t -= correction;
        if (fabs(correction) < 1e-13 * t)
            break;
    }
    return t;
}

/* Newton's steps take microseconds, and a mean or duration with few items is published all the time. */
double student_t(int64_t freedom)
{
    static _Thread_local double known[EXPANSION_FROM + 1];
    if (freedom > EXPANSION_FROM)
        return student_t_compute(freedom);
    if (known[freedom] == 0)
        known[freedom] = student_t_compute(freedom);
    return known[freedom];
}
