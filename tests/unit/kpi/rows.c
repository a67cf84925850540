/* What a closed bucket says to a detector. */
#include "processors/kpi/rows.h"
#include "tests/unit/cmocka_all.h"

#include <math.h>

static const struct kpi_sums nothing;

static struct row_said of_hour(enum kpi_id id, struct kpi_sums sums, struct kpi_sums pool)
{
    return row_say(id, GRID_HOUR, &sums, &pool, 7);
}

static void a_count_of_nothing_is_news_and_a_mean_of_nothing_is_none(void **unused)
{
    (void)unused;
    struct kpi_sums often = {.n = 90 * 24 * 2}, seldom = {.n = 90 * 24};
    assert_true(of_hour(KPI_REVIEW_COUNT, nothing, often).value == 0);
    assert_true(isnan(of_hour(KPI_REVIEW_COUNT, nothing, seldom).value));
    assert_true(isnan(of_hour(KPI_CSAT, nothing, often).value));
    assert_true(of_hour(KPI_BACKLOG, nothing, nothing).value == 7);
}

static void a_sample_says_how_large_it_is(void **unused)
{
    (void)unused;
    struct kpi_sums sums = {.n = 50, .num = 40}, pool = {.n = 5000, .num = 4500};
    struct row_said said = of_hour(KPI_SLA_RESOLUTION, sums, pool);
    assert_true(said.value == 0.8 && said.n == 50 && fabs(said.variance - 0.9 * 0.1 / 50) < 1e-5);
    said = of_hour(KPI_REVIEW_COUNT, sums, pool);
    assert_true(said.value == 50 && said.n == 0 && said.variance == 0); /* its noise is learned from the rows */
    said = of_hour(KPI_SLA_RESOLUTION, (struct kpi_sums){.n = 15, .num = 14}, pool);
    assert_true(isnan(said.value)); /* of too few none */
}

static void each_kind_is_judged_where_its_noise_is_even(void **unused)
{
    (void)unused;
    assert_int_equal(row_scale(KPI_KIND_COUNT), TREND_ROOT);
    assert_int_equal(row_scale(KPI_KIND_SUM), TREND_ROOT);
    assert_int_equal(row_scale(KPI_KIND_DISTINCT), TREND_ROOT);
    assert_int_equal(row_scale(KPI_KIND_RATE), TREND_SHARE);
    assert_int_equal(row_scale(KPI_KIND_SHARE), TREND_SHARE);
    assert_int_equal(row_scale(KPI_KIND_DURATION), TREND_LOG);
    assert_int_equal(row_scale(KPI_KIND_NPS), TREND_LINEAR); /* what can be below nothing is taken as it is */
    assert_int_equal(row_scale(KPI_KIND_MEAN), TREND_LINEAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_of_nothing_is_news_and_a_mean_of_nothing_is_none),
        cmocka_unit_test(a_sample_says_how_large_it_is),
        cmocka_unit_test(each_kind_is_judged_where_its_noise_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
