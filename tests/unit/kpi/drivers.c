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
        struct whole whole = {.kpi = kpi, .periods = {.grid = GRID_HOUR, .onset = 100, .last = 103, .step = 24, .times = 3}};
        struct period_sums parts[PARTS];
        for (int i = 0; i < PARTS; i++) {
            parts[i] = (struct period_sums){random_sums(&random, kpi_names[kpi].kind), random_sums(&random, kpi_names[kpi].kind)};
            kpi_sums_add(&whole.sums.before, &parts[i].before, 1);
            kpi_sums_add(&whole.sums.after, &parts[i].after, 1);
        }
        double before = 0, after = 0, sum = 0, shares = 0, weights = 0;
        if (!evaluate_value(kpi, &whole.sums.before, 0, &before) || !evaluate_value(kpi, &whole.sums.after, 0, &after))
            continue;
        if (kpi == KPI_REVIEW_COUNT)
            before /= 12, after /= 4; /* an hour's */
        for (int i = 0; i < PARTS; i++) {
            struct driver driver;
            if (!drivers_effect(&driver, &whole, &parts[i]))
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
    struct period_sums first = {{.n = 500, .num = 50}, {.n = 750, .num = 37}};
    struct whole whole = {.kpi = KPI_CSAT_TOP2, .periods = {.grid = GRID_DAY, .onset = 10, .last = 10, .step = 7, .times = 1},
                          .sums = {{.n = 1000, .num = 200}, {.n = 1000, .num = 112}}, .item_variance = 0.16}; /* more than the part's own */
    struct driver driver;
    assert_true(drivers_effect(&driver, &whole, &first));
    double r2 = 37.0 / 750;
    assert_true(fabs(driver.rate_effect - (r2 - 0.1) * 0.625) < 1e-12);
    assert_true(fabs(driver.mix_effect - 0.25 * ((0.1 + r2) / 2 - (0.2 + 0.112) / 2)) < 1e-12);
    assert_true(fabs(driver.weight - 0.625) < 1e-12);
    assert_true(fabs(driver.share - (driver.rate_effect + driver.mix_effect) / (0.112 - 0.2)) < 1e-12);
    double apart = (0.1 + r2) / 2 - 0.156, draws = 1.0 / 500 - 1.0 / 1000 + 1.0 / 750 - 1.0 / 1000;
    double variance = 0.625 * 0.625 * 0.16 * draws + apart * apart * 0.625 * 0.375 * 2 / 1000;
    assert_true(fabs(driver.noise - sqrt(variance) / 0.088) < 1e-12);
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

/* Parts that are nothing but draws of the whole are named as seldom as three standard errors say, however few items there are. */
static void chance_names_nobody(void **unused)
{
    (void)unused;
    struct random random;
    size_t named = 0, looked_at = 0;
    random_init(&random, 17);
    for (int round = 0; round < 4 * ROUNDS; round++) {
        struct whole whole = {.kpi = round % 2 ? KPI_CSAT_TOP2 : KPI_REVIEW_COUNT, .periods = {.grid = GRID_HOUR, .onset = 100, .last = 101, .step = 24, .times = 4},
                              .item_variance = 0.21};
        struct period_sums parts[PARTS] = {0};
        int before = 160 + (int)random_below(&random, 200), after = 80 + (int)random_below(&random, 40);
        for (int item = 0; item < before + after; item++) {
            bool is_before = item < before;
            struct period_sums *part = &parts[random_below(&random, PARTS)];
            struct kpi_sums one = kpi_sums_of_rate(random_unit(&random) < (is_before ? 0.7 : 0.4), false);
            kpi_sums_add(is_before ? &part->before : &part->after, &one, 1);
            kpi_sums_add(is_before ? &whole.sums.before : &whole.sums.after, &one, 1);
        }
        for (int i = 0; i < PARTS; i++) {
            struct driver driver = {.dimension = VIEW_LITERAL("product=a")}, kept[DRIVERS_MAX];
            looked_at += drivers_effect(&driver, &whole, &parts[i]);
            named += drivers_keep(kept, 0, &driver);
        }
    }
    assert_true(looked_at > 4 * ROUNDS * PARTS * 99 / 100 && named < looked_at / 400); /* beyond three on one side: 0.13 % */
    assert_true(named > 0);
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
    struct whole whole;
    for (int32_t day = 0; day < 35; day++) {
        add_hours(level, day * 24, day * 24 + 6, 10);
        add_hours(level, day * 24 + 6, day * 24 + 24, 100);
    }
    add_hours(level, 5 * 168, 5 * 168 + 5, 40);
    assert_true(drivers_whole(&whole, &series, GRID_HOUR, 5 * 168 + 2, 5 * 168 + 4, 10, 40));
    assert_int_equal(whole.periods.step, 168);
    assert_int_equal(whole.periods.times, 4);
    assert_int_equal(whole.sums.before.n, 4 * 3 * 10);
    assert_int_equal(whole.sums.after.n, 3 * 40);
    series_finish(&series);
}

static void without_weeks_days_or_hours_before_do(void **unused)
{
    (void)unused;
    struct series series;
    struct level *level = begin(&series);
    struct whole whole;
    add_hours(level, 20, 50, 10);
    add_hours(level, 50, 53, 40);
    assert_true(drivers_whole(&whole, &series, GRID_HOUR, 50, 52, 10, 40));
    assert_int_equal(whole.periods.step, 24);
    assert_false(drivers_whole(&whole, &series, GRID_HOUR, 40, 42, 10, 40)); /* nothing of the kind happened there */
    series_finish(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_add_up),
        cmocka_unit_test(a_worked_example),
        cmocka_unit_test(chance_names_nobody),
        cmocka_unit_test(those_that_stand_out_most_are_kept_whatever_their_order),
        cmocka_unit_test(the_same_hours_of_weeks_before_are_compared),
        cmocka_unit_test(without_weeks_days_or_hours_before_do),
    };
    utc = time_zone_create("UTC", NULL, 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    time_zone_destroy(utc);
    return failed;
}
