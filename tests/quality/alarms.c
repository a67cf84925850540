/* False alarms at the budget that is shipped: KPI series in which nothing happens, each as the kpi stage would feed it, many years of them.
 *
 *     build/release/tests/quality/quality-alarms [YEARS]      500 of hours and five times as many of days, if not said otherwise
 *
 * An installation allows four a month for 500 series (trend.false_alarms_per_month, trend.series), two fifths of them by the hour: one in 26 years of a
 * series. So far out no series can teach what chance does, and what is allowed is kept only as far as it is measured, here. */
#include "base/random.h"
#include "processors/kpi/trend/trend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double budget_a_month = 4 * 0.4 / 500;
static const int64_t hour_ms = 3600000, day_ms = 86400000, begin_ms = 1735689600000; /* 2025-01-01 */

enum law { RATE, COUNT, MEAN, NPS, DURATION };

struct kind {
    const char *name;
    enum law law;
    enum trend_resolution resolution;
    double items;     /* a row, on average */
    double parameter; /* RATE: the share; DURATION: the deviation of the logarithm */
    bool has_rhythm;
};

static const struct kind kinds[] = {
    {"rate of 80 %, 60 items an hour", RATE, TREND_HOUR, 60, 0.8, false},
    {"rate of 95 %, 60 items an hour", RATE, TREND_HOUR, 60, 0.95, false},
    {"rate of 95 %, 60 items an hour, by day and week", RATE, TREND_HOUR, 60, 0.95, true},
    {"rate of 80 %, 10 items an hour", RATE, TREND_HOUR, 10, 0.8, false},
    {"count of 30 an hour", COUNT, TREND_HOUR, 30, 0, false},
    {"count of 30 an hour, by day and week", COUNT, TREND_HOUR, 30, 0, true},
    {"count of 5 an hour", COUNT, TREND_HOUR, 5, 0, false},
    {"count of 2 an hour", COUNT, TREND_HOUR, 2, 0, false},
    {"CSAT of 10 answers an hour", MEAN, TREND_HOUR, 10, 0, false},
    {"CSAT of 4 answers an hour", MEAN, TREND_HOUR, 4, 0, false},
    {"NPS of 10 answers an hour", NPS, TREND_HOUR, 10, 0, false},
    {"NPS of 4 answers an hour", NPS, TREND_HOUR, 4, 0, false},
    {"duration (log-normal, 0.6), 20 an hour", DURATION, TREND_HOUR, 20, 0.6, false},
    {"rate of 95 %, 60 items a day", RATE, TREND_DAY, 60, 0.95, false},
    {"count of 30 a day", COUNT, TREND_DAY, 30, 0, false},
    {"count of 30 a day, by the week", COUNT, TREND_DAY, 30, 0, true},
    {"CSAT of 10 answers a day", MEAN, TREND_DAY, 10, 0, false},
};

static int poisson(struct random *dice, double mean)
{
    int count = 0;
    double limit = exp(-mean);
    if (mean > 60)
        return (int)fmax(0, round(mean + sqrt(mean) * random_normal(dice)));
    for (double product = random_unit(dice); product > limit; product *= random_unit(dice))
        count++;
    return count;
}

static double item(struct random *dice, const struct kind *kind)
{
    double x = random_unit(dice);
    switch (kind->law) {
    case RATE:
        return x < kind->parameter;
    case MEAN: /* five stars, as people give them */
        return x < 0.05 ? 1 : x < 0.1 ? 2 : x < 0.2 ? 3 : x < 0.5 ? 4 : 5;
    case NPS:
        return x < 0.15 ? -100 : x < 0.45 ? 0 : 100;
    default:
        return exp(kind->parameter * random_normal(dice));
    }
}

/* What the kpi stage knows of a series when it judges a row. */
struct pool {
    double items, sum, squares;
};

struct row {
    double value, items, variance;
};

/* As has_enough and evaluate_variance of processors/kpi have it. */
static struct row row_of(const struct kind *kind, const struct pool *pool, double items, double sum)
{
    struct row row = {NAN, items, 0};
    double rate = (pool->sum + 1) / (pool->items + 2), mean = pool->sum / fmax(pool->items, 1);
    if (kind->law == COUNT)
        return (struct row){items, 0, 0};
    bool is_enough = kind->law == RATE ? items * rate * (1 - rate) >= 1.5 : items >= (kind->law == DURATION ? 5 : 4);
    if (!is_enough)
        return row;
    row.value = sum / items;
    row.variance = (kind->law == RATE ? rate * (1 - rate) : pool->squares / pool->items - mean * mean) / items;
    return row;
}

static double traffic(const struct kind *kind, long number)
{
    bool is_day = kind->resolution == TREND_DAY;
    long day = is_day ? number : number / 24;
    if (!kind->has_rhythm)
        return kind->items;
    return kind->items * (day % 7 >= 5 ? 0.5 : 1.2) * (is_day ? 1 : 1 + 0.8 * sin(2 * M_PI * (double)(number % 24) / 24));
}

struct alarms {
    long shifts, spikes;
};

static void add_series(struct random *dice, const struct kind *kind, long rows, struct alarms *alarms)
{
    const struct trend_config config = {.resolution = kind->resolution, .seasonal = true,
                                        .false_alarms_per_point = trend_budget(budget_a_month, 1, 1, kind->resolution)};
    struct trend *trend = trend_create(&config);
    struct pool pool = {0, 0, 0};
    for (long number = 0; number < rows; number++) {
        int items = poisson(dice, traffic(kind, number));
        double sum = 0;
        for (int k = 0; k < items && kind->law != COUNT; k++) {
            double x = item(dice, kind);
            sum += x;
            pool.squares += x * x;
        }
        pool.items += items;
        pool.sum += sum;
        struct row row = row_of(kind, &pool, items, sum);
        struct trend_change found[TREND_SHIFTS_MOST];
        size_t count = trend_add(trend, begin_ms + number * (kind->resolution == TREND_DAY ? day_ms : hour_ms), row.value, row.items, row.variance,
                                 found, TREND_SHIFTS_MOST);
        for (size_t k = 0; k < count; k++) {
            alarms->spikes += found[k].kind == TREND_KIND_SPIKE;
            /* A count's noise grows with the count: the stage does not tell of it. */
            alarms->shifts += found[k].kind != TREND_KIND_SPIKE && !(kind->law == COUNT && found[k].kind == TREND_KIND_VARIANCE);
        }
    }
    trend_destroy(trend);
}

int main(int argc, char **argv)
{
    enum { YEARS_OF_DAYS = 5 }; /* each series of days; one of hours has a year */
    long years = argc > 1 ? strtol(argv[1], NULL, 10) : 500;
    double total = 0;
    size_t count = sizeof kinds / sizeof *kinds;
    if (years <= 0) {
        fprintf(stderr, "usage: quality-alarms [YEARS]\n");
        return 2;
    }
    printf("False alarms where nothing happens, %g a month a series allowed (shipped)   shifts  spikes  of budget\n", budget_a_month);
    for (size_t k = 0; k < count; k++) {
        bool is_day = kinds[k].resolution == TREND_DAY;
        struct alarms alarms = {0, 0};
        struct random dice;
        random_init(&dice, 100 + k);
        for (long series = 0; series < years; series++)
            add_series(&dice, &kinds[k], is_day ? YEARS_OF_DAYS * 365 : 8760, &alarms);
        double allowed = budget_a_month * 12 * (double)years * (is_day ? YEARS_OF_DAYS : 1), share = (double)(alarms.shifts + alarms.spikes) / allowed;
        printf("  %-72s %6ld  %6ld  %6.2f\n", kinds[k].name, alarms.shifts, alarms.spikes, share);
        fflush(stdout);
        total += share;
    }
    printf("  %-72s %22.2f\n", "mean", total / (double)count);
    return 0;
}
