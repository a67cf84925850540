/* False alarms at the budget that is shipped: KPI series in which nothing happens, each as the kpi stage would feed it, many years of them. And
 * what keeping to it costs: how many rows it takes to say that something has, on the scale of the kind (processors/kpi/trend/scale.h) and without one.
 *
 *     build/release/tests/quality/quality-alarms [YEARS]      500 of hours and five times as many of days, if not said otherwise
 *
 * An installation allows four a month for 500 series (trend.false_alarms_per_month, trend.series), two fifths of them by the hour: one in 26 years of a
 * series. So far out no series can teach what chance does, and what is allowed is kept only as far as it is measured, here. */
#include "processors/kpi/rows.h"
#include "tests/unit/trend/draws.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double budget_a_month = 4 * 0.4 / 500;
static const int64_t hour_ms = 3600000, day_ms = 86400000, begin_ms = 1735689600000; /* 2025-01-01 */

enum law { RATE, COUNT, MEAN, NPS, DURATION, SUM };

/* One KPI of each. */
static const enum kpi_id kpi_of[] = {[RATE] = KPI_SLA_RESOLUTION, [COUNT] = KPI_REVIEW_COUNT, [MEAN] = KPI_CSAT, [NPS] = KPI_NPS,
                                     [DURATION] = KPI_RESOLUTION_TIME, [SUM] = KPI_UPSELL_REVENUE};

struct kind {
    const char *name;
    enum law law;
    enum trend_resolution resolution;
    double items;     /* a row, on average */
    double parameter; /* RATE, MEAN, NPS: the share of the best; DURATION, SUM: the deviation of the logarithm */
    bool has_rhythm;
};

static const struct kind kinds[] = {
    {"rate of 80 %, 60 items an hour", RATE, TREND_HOUR, 60, 0.8, false},
    {"rate of 95 %, 60 items an hour", RATE, TREND_HOUR, 60, 0.95, false},
    {"rate of 95 %, 60 items an hour, by day and week", RATE, TREND_HOUR, 60, 0.95, true},
    {"rate of 99.8 %, 60 items an hour", RATE, TREND_HOUR, 60, 0.998, false},
    {"rate of 80 %, 5 items an hour", RATE, TREND_HOUR, 5, 0.8, false},
    {"rate of 95 %, 10 items an hour", RATE, TREND_HOUR, 10, 0.95, false},
    {"count of 1 an hour", COUNT, TREND_HOUR, 1, 0, false},
    {"rate of 80 %, 10 items an hour", RATE, TREND_HOUR, 10, 0.8, false},
    {"count of 30 an hour", COUNT, TREND_HOUR, 30, 0, false},
    {"count of 30 an hour, by day and week", COUNT, TREND_HOUR, 30, 0, true},
    {"count of 5 an hour", COUNT, TREND_HOUR, 5, 0, false},
    {"count of 2 an hour", COUNT, TREND_HOUR, 2, 0, false},
    {"CSAT of 10 answers an hour, half of them five stars", MEAN, TREND_HOUR, 10, 0.5, false},
    {"CSAT of 4 answers an hour, half of them five stars", MEAN, TREND_HOUR, 4, 0.5, false},
    {"NPS of 10 answers an hour, 55 % promoters", NPS, TREND_HOUR, 10, 0.55, false},
    {"NPS of 4 answers an hour, 55 % promoters", NPS, TREND_HOUR, 4, 0.55, false},
    {"CSAT of 10 answers an hour, 99 % five stars", MEAN, TREND_HOUR, 10, 0.99, false},
    {"CSAT of 10 answers an hour, 90 % five stars", MEAN, TREND_HOUR, 10, 0.9, false},
    {"CSAT of 10 answers a day, 99 % five stars", MEAN, TREND_DAY, 10, 0.99, false},
    {"NPS of 10 answers an hour, 99 % promoters", NPS, TREND_HOUR, 10, 0.99, false},
    {"duration (log-normal, 0.6), 20 an hour", DURATION, TREND_HOUR, 20, 0.6, false},
    {"duration (log-normal, 0.6), 20 an hour, by day and week", DURATION, TREND_HOUR, 20, 0.6, true},
    {"sum of amounts (log-normal, 0.6), 20 an hour", SUM, TREND_HOUR, 20, 0.6, false},
    {"sum of amounts (log-normal, 0.6), 20 an hour, by day and week", SUM, TREND_HOUR, 20, 0.6, true},
    {"rate of 95 %, 60 items a day", RATE, TREND_DAY, 60, 0.95, false},
    {"count of 30 a day", COUNT, TREND_DAY, 30, 0, false},
    {"count of 30 a day, by the week", COUNT, TREND_DAY, 30, 0, true},
    {"CSAT of 10 answers a day, half of them five stars", MEAN, TREND_DAY, 10, 0.5, false},
};

/* Below 0: the best. Else by how far it is from it, 0 to 1, as by chance. */
static double below_best(double x, const struct kind *kind, double factor)
{
    double best = 1 - factor * (1 - kind->parameter);
    return (x - best) / (1 - best);
}

/* `factor`: 1 as long as nothing happens; of counts and amounts, of durations, and of who is not among the hits or the best. */
static struct kpi_sums item(struct random *dice, const struct kind *kind, double factor)
{
    double x = random_unit(dice);
    switch (kind->law) {
    case RATE:
        return kpi_sums_of_rate(x < 1 - factor * (1 - kind->parameter), false);
    case MEAN: /* five stars, as people give them: of ten who do not give five, six give four */
        x = below_best(x, kind, factor);
        return kpi_sums_of_mean(x < 0 ? 5 : x < 0.6 ? 4 : x < 0.8 ? 3 : x < 0.9 ? 2 : 1);
    case NPS: /* of three who are no promoters one is a detractor */
        x = below_best(x, kind, factor);
        return kpi_sums_of_nps(x < 0 ? 10 : x < 2 / 3.0 ? 7 : 0);
    case DURATION: /* of some hours */
        return kpi_sums_of_duration((int64_t)(1e7 * factor * exp(kind->parameter * random_normal(dice))));
    case SUM:
        return (struct kpi_sums){.n = 1, .sum = (int64_t)(2000 * exp(kind->parameter * random_normal(dice)))};
    default:
        return (struct kpi_sums){.n = 1};
    }
}

static double traffic(const struct kind *kind, long number)
{
    bool is_day = kind->resolution == TREND_DAY;
    long day = is_day ? number : number / 24;
    if (!kind->has_rhythm)
        return kind->items;
    return kind->items * (day % 7 >= 5 ? 0.5 : 1.2) * (is_day ? 1 : 1 + 0.8 * sin(2 * M_PI * (double)(number % 24) / 24));
}

/* A series as it is watched. */
struct watched {
    const struct kind *kind;
    enum kpi_id kpi;
    struct trend *trend;
    struct kpi_sums pool;
    long number;
};

static struct watched watch(const struct kind *kind, bool is_scaled)
{
    struct trend_config config = {.resolution = kind->resolution, .seasonal = true,
                                  .false_alarms_per_point = trend_budget(budget_a_month, 1, 1, kind->resolution)};
    if (is_scaled)
        row_set_scale(kpi_of[kind->law], &config);
    bool is_counted = kind->law == COUNT || kind->law == SUM; /* for so long that it is watched */
    double rows_pooled = kind->resolution == TREND_DAY ? 90 : 90 * 24;
    return (struct watched){kind, kpi_of[kind->law], trend_create(&config), {.n = is_counted ? (int64_t)(kind->items * rows_pooled) : 0}, 0};
}

static size_t next_row(struct watched *watched, struct random *dice, double factor, struct trend_change found[TREND_SHIFTS_MOST])
{
    const struct kind *kind = watched->kind;
    bool is_day = kind->resolution == TREND_DAY, is_of_items = kind->law == COUNT || kind->law == SUM;
    struct kpi_sums sums = {0};
    for (int items = (int)draw_poisson(dice, traffic(kind, watched->number) * (is_of_items ? factor : 1)); items > 0; items--) {
        struct kpi_sums one = item(dice, kind, factor);
        kpi_sums_add(&sums, &one, 1);
    }
    kpi_sums_add(&watched->pool, &sums, 1);
    struct row_said said = row_say(watched->kpi, is_day ? GRID_DAY : GRID_HOUR, &sums, &watched->pool, 0);
    return trend_add(watched->trend, begin_ms + watched->number++ * (is_day ? day_ms : hour_ms), said.value, said.n, said.variance, found, TREND_SHIFTS_MOST);
}

struct alarms {
    long shifts, spikes;
};

static void add_series(struct random *dice, const struct kind *kind, long rows, struct alarms *alarms)
{
    struct watched watched = watch(kind, true);
    while (watched.number < rows) {
        struct trend_change found[TREND_SHIFTS_MOST];
        size_t count = next_row(&watched, dice, 1, found);
        for (size_t k = 0; k < count; k++) {
            alarms->spikes += found[k].kind == TREND_KIND_SPIKE;
            alarms->shifts += found[k].kind != TREND_KIND_SPIKE && (found[k].kind != TREND_KIND_VARIANCE || row_has_own_noise(kpi_names[watched.kpi].kind));
        }
    }
    trend_destroy(watched.trend);
}

/* --- rows until a change is said */

struct change {
    const char *name;
    struct kind kind;
    double factor;
};

static const struct change changes[] = {
    {"count of 30 an hour falls to 20", {NULL, COUNT, TREND_HOUR, 30, 0, false}, 2 / 3.0},
    {"count of 30 an hour rises to 42", {NULL, COUNT, TREND_HOUR, 30, 0, false}, 1.4},
    {"count of 30 an hour by day and week falls by half", {NULL, COUNT, TREND_HOUR, 30, 0, true}, 0.5},
    {"count of 30 an hour by day and week rises by half", {NULL, COUNT, TREND_HOUR, 30, 0, true}, 1.5},
    {"rate of 95 %, 60 items an hour, falls to 90 %", {NULL, RATE, TREND_HOUR, 60, 0.95, false}, 2},
    {"rate of 80 %, 60 items an hour, rises to 88 %", {NULL, RATE, TREND_HOUR, 60, 0.8, false}, 0.6},
    {"CSAT of 10 an hour, 65 % five stars fall to 45 %", {NULL, MEAN, TREND_HOUR, 10, 0.65, false}, 55 / 35.0},
    {"NPS of 10 an hour, 55 % promoters fall to 35 %", {NULL, NPS, TREND_HOUR, 10, 0.55, false}, 65 / 45.0},
    {"duration, 20 an hour, is longer by a third", {NULL, DURATION, TREND_HOUR, 20, 0.6, false}, 4 / 3.0},
    {"duration, 20 an hour, is shorter by a quarter", {NULL, DURATION, TREND_HOUR, 20, 0.6, false}, 0.75},
};

static double rows_until_said(struct random *dice, const struct change *change, bool is_scaled)
{
    enum { CALM = 70 * 24, WAITED = 30 * 24 };
    struct watched watched = watch(&change->kind, is_scaled);
    bool is_said = false;
    while (!is_said && watched.number < CALM + WAITED) {
        struct trend_change found[TREND_SHIFTS_MOST];
        size_t count = next_row(&watched, dice, watched.number < CALM ? 1 : change->factor, found);
        for (size_t k = 0; k < count; k++)
            is_said |= watched.number > CALM && (found[k].kind == TREND_KIND_LEVEL || found[k].kind == TREND_KIND_TREND);
    }
    trend_destroy(watched.trend);
    return (double)(watched.number - CALM);
}

static double mean_until_said(const struct change *change, bool is_scaled)
{
    enum { SERIES = 300 };
    struct random dice;
    double log_rows = 0;
    random_init(&dice, 7);
    for (int i = 0; i < SERIES; i++)
        log_rows += log(rows_until_said(&dice, change, is_scaled));
    return exp(log_rows / SERIES);
}

static void print_delays(void)
{
    double log_ratio = 0;
    size_t count = sizeof changes / sizeof *changes;
    printf("Rows until a change is said, geometric means of 300 series                   scaled  linear  ratio\n");
    for (size_t i = 0; i < count; i++) {
        double scaled = mean_until_said(&changes[i], true), linear = mean_until_said(&changes[i], false);
        printf("  %-72s %6.1f  %6.1f  %6.2f\n", changes[i].name, scaled, linear, scaled / linear);
        fflush(stdout);
        log_ratio += log(scaled / linear);
    }
    printf("  %-72s %22.2f\n", "geometric mean", exp(log_ratio / (double)count));
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
    print_delays();
    return 0;
}
