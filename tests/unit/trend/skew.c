/* Lopsided noise: bent straight, and no source of alarms. */
#include "processors/kpi/trend/skew.h"
#include "processors/kpi/trend/trend.h"
#include "tests/unit/trend/draws.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static double unit(struct random *random)
{
    return ((double)random_below(random, 1 << 30) + 0.5) / (1 << 30);
}

/* The sum of four waits: continuous, and as lopsided as a count of one. */
static double waits(struct random *random, double mean)
{
    double sum = 0;
    for (int k = 0; k < 4; k++)
        sum -= log(unit(random)) * mean / 4;
    return sum;
}

static void a_distance_keeps_its_order_and_its_slope(void **state)
{
    (void)state;
    static const double skewness[] = {-2, -0.7, -0.15, 0.15, 0.7, 1.4, 2};
    for (size_t k = 0; k < sizeof skewness / sizeof *skewness; k++) {
        double slope, before = -INFINITY;
        for (double z = -12; z <= 12; z += 0.01) {
            double here = skew_unbend(skewness[k], z, &slope), ignored;
            assert_true(here > before);
            double rise = skew_unbend(skewness[k], z + 1e-6, &ignored) - skew_unbend(skewness[k], z - 1e-6, &ignored);
            assert_true(fabs(log(rise / 2e-6) - slope) < 1e-4);
            before = here;
        }
    }
}

/* Eight or more where two are usual is one in 910: as far as 3.06 deviations of a normal. */
static void a_counts_long_end_is_as_rare_as_it_is(void **state)
{
    (void)state;
    double slope, z = (7.5 - 2) / sqrt(2);
    assert_true(fabs(skew_unbend(1 / sqrt(2), z, &slope) - 3.06) < 0.15);
    assert_true(z > 3.8); /* one in 10,000, were it normal */
}

static void even_noise_stays_as_it_is(void **state)
{
    (void)state;
    struct skew skew = {0};
    struct random random;
    random_init(&random, 3);
    int bent = 0;
    for (int row = 0; row < 20000; row++) {
        skew_learn(&skew, (unit(&random) + unit(&random) + unit(&random) - 1.5) * 2);
        bent += skew_of(&skew) != 0;
    }
    assert_int_equal(bent, 0);
    for (int row = 0; row < 20000; row++)
        skew_learn(&skew, draw_poisson(&random, 1) - 1);
    assert_true(fabs(skew_of(&skew) - 1) < 0.2);
}

static int alarms_of(double (*draw)(struct random *random, double mean), double mean, int years, double budget)
{
    enum { ROWS = 8766 };
    const struct trend_config config = {.resolution = TREND_HOUR, .seasonal = true, .false_alarms_per_point = budget};
    struct random random;
    int alarms = 0;
    random_init(&random, 5);
    for (int year = 0; year < years; year++) {
        struct trend *trend = trend_create(&config);
        for (int64_t row = 0; row < ROWS; row++) {
            struct trend_change shifts[TREND_SHIFTS_MOST];
            alarms += (int)trend_add(trend, row * 3600000, draw(&random, mean), 0, 0, shifts, TREND_SHIFTS_MOST);
        }
        trend_destroy(trend);
    }
    return alarms;
}

static void few_an_hour_alarm_as_seldom_as_many(void **state)
{
    (void)state;
    enum { YEARS = 30, MONTHS = YEARS * 12 };
    assert_in_range(alarms_of(draw_poisson, 1, YEARS, 1 / 730.5), 0.6 * MONTHS, 1.1 * MONTHS);
    assert_in_range(alarms_of(draw_poisson, 2, YEARS, 1 / 730.5), 0.6 * MONTHS, 1.1 * MONTHS);
    assert_in_range(alarms_of(draw_poisson, 4, YEARS, 1 / 730.5), 0.6 * MONTHS, 1.1 * MONTHS);
    assert_in_range(alarms_of(waits, 20, YEARS, 1 / 730.5), 0.6 * MONTHS, 1.1 * MONTHS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_distance_keeps_its_order_and_its_slope),
        cmocka_unit_test(a_counts_long_end_is_as_rare_as_it_is),
        cmocka_unit_test(even_noise_stays_as_it_is),
        cmocka_unit_test(few_an_hour_alarm_as_seldom_as_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
