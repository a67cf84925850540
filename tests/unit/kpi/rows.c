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
    struct kpi_sums often = {.n = 90 * 24}, seldom = {.n = 90 * 24 - 1};
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
    assert_true(of_hour(KPI_SLA_RESOLUTION, (struct kpi_sums){.n = 4, .num = 4}, (struct kpi_sums){.n = 5000, .num = 5000}).value == 1); /* it never missed */
    assert_true(isnan(of_hour(KPI_SLA_RESOLUTION, (struct kpi_sums){.n = 3, .num = 2}, pool).value)); /* of too few none */
}

static struct trend_config of(enum kpi_id id)
{
    struct trend_config config = {.resolution = TREND_HOUR};
    row_set_scale(id, &config);
    return config;
}

static void each_is_judged_where_its_noise_is_even(void **unused)
{
    (void)unused;
    assert_int_equal(of(KPI_REVIEW_COUNT).scale, TREND_ROOT);
    assert_int_equal(of(KPI_UPSELL_REVENUE).scale, TREND_ROOT);
    assert_int_equal(of(KPI_ACTIVE_CUSTOMERS).scale, TREND_ROOT);
    assert_int_equal(of(KPI_RESOLUTION_TIME).scale, TREND_LOG);
    assert_int_equal(of(KPI_HANDOFFS_PER_TICKET).scale, TREND_LINEAR); /* a mean without an end */
    assert_int_equal(of(KPI_BACKLOG).scale, TREND_LINEAR);
    struct trend_config rate = of(KPI_SLA_RESOLUTION), stars = of(KPI_CSAT), points = of(KPI_NPS), sentiment = of(KPI_SENTIMENT);
    assert_true(rate.scale == TREND_SHARE && rate.least == 0 && rate.most == 0 && of(KPI_LOYALTY_SHARE).scale == TREND_SHARE);
    assert_true(stars.scale == TREND_SHARE && stars.least == 1 && stars.most == 5 && stars.least_noise < rate.least_noise);
    assert_true(points.scale == TREND_SHARE && points.least == -100 && points.most == 100);
    assert_true(sentiment.scale == TREND_SHARE && sentiment.least == -1 && sentiment.most == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_of_nothing_is_news_and_a_mean_of_nothing_is_none),
        cmocka_unit_test(a_sample_says_how_large_it_is),
        cmocka_unit_test(each_is_judged_where_its_noise_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
