/* What parts do to a whole adds up to what the whole does, exactly. */
#include "processors/kpi/drivers.h"

#include "base/random.h"
#include "processors/kpi/evaluate.h"
#include "processors/kpi/series.h"
#include "tests/unit/cmocka_all.h"

#include <math.h>

enum { PARTS = 7, ROUNDS = 500 };

static struct kpi_sums random_sums(struct random *random, enum kpi_kind kind)
{
    struct kpi_sums sums = {.n = random_below(random, 4) ? (int64_t)random_below(random, 200) : 0};
    sums.num = sums.n ? (int64_t)random_below(random, (uint32_t)sums.n + 1) : 0;
    sums.sum = kind == KPI_KIND_NPS ? (sums.n > sums.num ? (int64_t)random_below(random, (uint32_t)(sums.n - sums.num) + 1) : 0) : sums.n * 3 + sums.num;
    return sums;
}

static void effects_add_up(void **unused)
{
    (void)unused;
    static const enum kpi_id kpis[] = {KPI_CSAT, KPI_NPS, KPI_CSAT_TOP2, KPI_FIRST_RESPONSE_TIME, KPI_REVIEW_COUNT};
    struct random random;
    random_init(&random, 11);
    for (int round = 0; round < ROUNDS; round++) {
        enum kpi_id kpi = kpis[round % 5];
        struct periods periods = {.grid = GRID_HOUR, .onset = 100, .last = 103, .step = 24, .times = 3};
        struct period_sums parts[PARTS], whole = {{0}, {0}};
        for (int i = 0; i < PARTS; i++) {
            parts[i] = (struct period_sums){random_sums(&random, kpi_names[kpi].kind), random_sums(&random, kpi_names[kpi].kind)};
            kpi_sums_add(&whole.before, &parts[i].before, 1);
            kpi_sums_add(&whole.after, &parts[i].after, 1);
        }
        double before = 0, after = 0, sum = 0, shares = 0, weights = 0;
        if (!evaluate_value(kpi, &whole.before, 0, &before) || !evaluate_value(kpi, &whole.after, 0, &after))
            continue;
        if (kpi == KPI_REVIEW_COUNT)
            before /= 12, after /= 4; /* an hour's */
        for (int i = 0; i < PARTS; i++) {
            struct driver driver;
            if (!drivers_effect(&driver, kpi, &periods, &whole, &parts[i]))
                continue;
            sum += driver.rate_effect + driver.mix_effect;
            shares += driver.share;
            weights += driver.weight;
        }
        double scale = fmax(1, fmax(fabs(before), fabs(after)));
        assert_true(fabs(sum - (after - before)) < 1e-9 * scale);
        assert_true(fabs(shares - 1) < 1e-6 || fabs(after - before) < 1e-6 * scale);
        assert_true(fabs(weights - 1) < 1e-9);
    }
}

/* A worked example: conversions of 10 % and 30 %, half and half; then the first falls to 5 % and is three quarters. */
static void a_worked_example(void **unused)
{
    (void)unused;
    struct periods periods = {.grid = GRID_DAY, .onset = 10, .last = 10, .step = 7, .times = 1};
    struct period_sums first = {{.n = 500, .num = 50}, {.n = 750, .num = 37}}, whole = {{.n = 1000, .num = 200}, {.n = 1000, .num = 112}};
    struct driver driver;
    first.after.num = 37;
    assert_true(drivers_effect(&driver, KPI_CSAT_TOP2, &periods, &whole, &first));
    double r2 = 37.0 / 750;
    assert_true(fabs(driver.rate_effect - (r2 - 0.1) * 0.625) < 1e-12);
    assert_true(fabs(driver.mix_effect - 0.25 * ((0.1 + r2) / 2 - (0.2 + 0.112) / 2)) < 1e-12);
    assert_true(fabs(driver.weight - 0.625) < 1e-12);
    assert_true(fabs(driver.share - (driver.rate_effect + driver.mix_effect) / (0.112 - 0.2)) < 1e-12);
}

static void those_that_stand_out_most_are_kept_whatever_their_order(void **unused)
{
    (void)unused;
    static const char *const names[] = {"product=a", "product=b", "product=c", "product=d", "product=e", "product=f", "product=g", "product=h"};
    static const double shares[] = {0.3, 0.9, 0.3, 0.05, 0.5, -2, 0.4, 0.35}; /* with a weight of 0.1 each, d and f say nothing */
    static const char *const kept[] = {"product=b", "product=e", "product=g", "product=h", "product=a"};
    struct random random;
    random_init(&random, 3);
    for (int round = 0; round < 50; round++) {
        size_t order[8], count = 0;
        struct driver drivers[DRIVERS_MAX];
        for (size_t i = 0; i < 8; i++) {
            size_t other = random_below(&random, (uint32_t)i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        for (size_t i = 0; i < 8; i++) {
            struct driver driver = {.dimension = view_of_text(names[order[i]]), .share = shares[order[i]], .weight = 0.1};
            count = drivers_keep(drivers, count, &driver);
        }
        assert_int_equal(count, DRIVERS_MAX);
        for (size_t i = 0; i < count; i++)
            assert_true(view_equal_text(drivers[i].dimension, kept[i]));
    }
}

static struct time_zone *utc;

static struct level *begin(struct series *series)
{
    series_init(series, KPI_REVIEW_COUNT, utc);
    return &series->levels[GRID_HOUR];
}

static void add_hours(struct level *level, int32_t from, int32_t until, int64_t n)
{
    struct kpi_sums sums = {.n = n};
    for (int32_t hour = from; hour < until; hour++)
        level_add(level, hour, &sums);
}

/* A night's shift is held against nights: ten at night is not the mean of the day. */
static void the_same_hours_of_weeks_before_are_compared(void **unused)
{
    (void)unused;
    struct series series;
    struct level *level = begin(&series);
    struct periods periods = {.grid = GRID_HOUR, .onset = 5 * 168 + 2, .last = 5 * 168 + 4};
    struct period_sums sums;
    for (int32_t day = 0; day < 35; day++) {
        add_hours(level, day * 24, day * 24 + 6, 10);
        add_hours(level, day * 24 + 6, day * 24 + 24, 100);
    }
    add_hours(level, 5 * 168, 5 * 168 + 5, 40);
    assert_true(drivers_periods(&periods, &sums, &series, 10, 40));
    assert_int_equal(periods.step, 168);
    assert_int_equal(periods.times, 4);
    assert_int_equal(sums.before.n, 4 * 3 * 10);
    assert_int_equal(sums.after.n, 3 * 40);
    series_finish(&series);
}

static void without_weeks_days_or_hours_before_do(void **unused)
{
    (void)unused;
    struct series series;
    struct level *level = begin(&series);
    struct periods periods = {.grid = GRID_HOUR, .onset = 50, .last = 52};
    struct period_sums sums;
    add_hours(level, 20, 50, 10);
    add_hours(level, 50, 53, 40);
    assert_true(drivers_periods(&periods, &sums, &series, 10, 40));
    assert_int_equal(periods.step, 24);
    periods.onset = 40, periods.last = 42;
    assert_false(drivers_periods(&periods, &sums, &series, 10, 40)); /* nothing of the kind happened there */
    series_finish(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_add_up),
        cmocka_unit_test(a_worked_example),
        cmocka_unit_test(those_that_stand_out_most_are_kept_whatever_their_order),
        cmocka_unit_test(the_same_hours_of_weeks_before_are_compared),
        cmocka_unit_test(without_weeks_days_or_hours_before_do),
    };
    utc = time_zone_create("UTC", NULL, 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    time_zone_destroy(utc);
    return failed;
}
