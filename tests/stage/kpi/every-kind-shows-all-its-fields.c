/* One series of each kind, a few items worked out by hand, every published field. */
#include "tests/stage/kpi/kpi_stage.h"

static const char *const noon = "2026-05-04T12:00:30Z";

static void rate_with_maturity_and_previous(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-03T00:00:00Z"));
    feed_add(&stage, "survey_completion|all", at("2026-05-03T10:00:00Z"), kpi_sums_of_rate(true, false), -1);
    feed_add(&stage, "survey_completion|all", at(noon), kpi_sums_of_rate(true, false), -1);
    feed_add(&stage, "survey_completion|all", at(noon), kpi_sums_of_rate(false, true), -1);
    feed_clock(&stage, at(noon));
    struct kpi kpi = published(&stage, "survey_completion|24h|all");
    assert_true(view_equal_text(kpi.kpi, "survey_completion") && view_equal_text(kpi.window, "24h"));
    assert_true(view_equal_text(kpi.dimension, "all") && view_equal_text(kpi.definition, "survey_completion/1"));
    assert_true(kpi.has_value && kpi.has_numerator && kpi.has_denominator && kpi.has_low && kpi.has_high && kpi.low_n);
    is_close(kpi.value, 0.5);
    is_close(kpi.numerator, 1);
    is_close(kpi.denominator, 2);
    is_close(kpi.maturity, 0.5);
    is_close(kpi.target, 0.6);
    assert_true(kpi.has_previous);
    is_close(kpi.previous, 1);
    assert_int_equal(kpi.n, 2);
    assert_int_equal(kpi.at_ms, at(noon));
    assert_int_equal(kpi.watermark_ms, at(noon));
    is_close(published(&stage, "survey_completion|7d|all").value, 2.0 / 3);
    assert_false(published(&stage, "survey_completion|7d|all").has_previous);
    struct kpi none;
    assert_false(find_kpi(&stage, "survey_completion|5m|all", &none)); /* it has no such window */
    stage_end(&stage);
}

static void net_promoter_score(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T11:00:00Z"));
    const int scores[] = {10, 9, 9, 8, 7, 6, 0, 10, 9, 2};
    for (size_t i = 0; i < 10; i++)
        feed_add(&stage, "nps|channel=EMAIL", at(noon), kpi_sums_of_nps(scores[i]), -1);
    feed_clock(&stage, at(noon));
    struct kpi kpi = published(&stage, "nps|5m|channel=EMAIL");
    is_close(kpi.value, 20);
    is_close(kpi.numerator, 2);
    is_close(kpi.denominator, 10);
    is_close(kpi.low, -30.32599443550416); /* scipy: tests/unit/kpi/intervals.c */
    is_close(kpi.high, 61.09522520473494);
    assert_true(kpi.low_n && !kpi.has_target && !kpi.has_p50 && !kpi.has_sum);
    stage_end(&stage);
}

static void means_and_sentiment(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T11:00:00Z"));
    const int scores[] = {4, 5, 3, 5};
    for (size_t i = 0; i < 4; i++)
        feed_add(&stage, "csat|all", at(noon), kpi_sums_of_mean(scores[i]), -1);
    feed_add(&stage, "sentiment|all", at(noon), kpi_sums_of_sentiment(-0.25), -1);
    feed_add(&stage, "sentiment|all", at(noon), kpi_sums_of_sentiment(0.75), -1);
    feed_clock(&stage, at(noon));
    struct kpi csat = published(&stage, "csat|1h|all");
    is_close(csat.value, 4.25);
    is_close(csat.numerator, 17);
    is_close(csat.low, 2.7265198191711875);
    is_close(csat.high, 5.7734801808288125); /* means are not clamped */
    is_close(csat.target, 4.5);
    struct kpi sentiment = published(&stage, "sentiment|1h|all");
    is_close(sentiment.value, 0.25);
    is_close(sentiment.numerator, 0.5);
    assert_true(view_equal_text(sentiment.definition, "sentiment/1 model 7"));
    stage_end(&stage);
}

static void durations_with_quantiles(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T11:00:00Z"));
    int64_t sum = 0;
    for (int i = 1; i <= 100; i++) {
        int64_t duration_ms = (int64_t)i * 3600000;
        sum += duration_ms;
        feed_add(&stage, "resolution_time|team=T1", at(noon), kpi_sums_of_duration(duration_ms), duration_ms);
    }
    feed_clock(&stage, at(noon));
    struct kpi kpi = published(&stage, "resolution_time|30d|team=T1");
    is_close(kpi.value, 50.5 * 3600000);
    assert_true(kpi.has_sum && kpi.sum == sum && kpi.n == 100);
    const double found[] = {kpi.p50, kpi.p90, kpi.p99, kpi.p50_low, kpi.p50_high}, hours[] = {50, 90, 99, 41, 60};
    for (size_t i = 0; i < 5; i++)
        assert_true(found[i] > hours[i] * 3600000 * 0.99 && found[i] < hours[i] * 3600000 * 1.01);
    is_close(kpi.target, 48 * 3600000.0);
    assert_true(kpi.has_low && kpi.low < kpi.value && !kpi.low_n);
    stage_end(&stage);
}

static void counts_sums_gauges_have_no_interval(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T11:00:00Z"));
    feed_add(&stage, "review_count|all", at(noon), kpi_sums_of_count(), -1);
    feed_add(&stage, "usage_minutes|all", at(noon), kpi_sums_of_sum(90), -1);
    feed_add(&stage, "upsell_revenue|currency=EUR", at(noon), kpi_sums_of_sum(1999), -1);
    feed_add(&stage, "backlog|all", at("2025-01-01T00:00:00Z"), (struct kpi_sums){.n = 7}, -1);
    feed_add(&stage, "backlog|all", at(noon), (struct kpi_sums){.n = -2}, -1);
    feed_add(&stage, "active_customers|all", at(noon), kpi_sums_of_count(), -1);
    feed_clock(&stage, at(noon));
    const char *keys[] = {"review_count|5m|all", "usage_minutes|24h|all", "upsell_revenue|24h|currency=EUR", "backlog|5m|all",
                          "active_customers|24h|all"};
    const double values[] = {1, 1.5, 1999, 5, 1};
    for (size_t i = 0; i < 5; i++) {
        struct kpi kpi = published(&stage, keys[i]);
        is_close(kpi.value, values[i]);
        assert_false(kpi.has_numerator || kpi.has_denominator || kpi.has_low || kpi.has_high || kpi.low_n);
    }
    assert_int_equal(published(&stage, "usage_minutes|24h|all").n, 1);
    assert_int_equal(published(&stage, "backlog|90d|all").n, 5);
    is_close(published(&stage, "backlog|90d|all").previous, 7);
    stage_end(&stage);
}

static void churn_is_published_as_retention_too(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T11:00:00Z"));
    feed_add(&stage, "churn_rate|segment=smb", at("2026-01-01T00:00:00Z"), (struct kpi_sums){.n = 10}, -1);
    feed_add(&stage, "churn_rate|segment=smb", at("2026-05-01T00:00:00Z"), (struct kpi_sums){.n = -2, .num = 2}, -1);
    feed_clock(&stage, at(noon));
    struct kpi churn = published(&stage, "churn_rate|30d|segment=smb"), retention = published(&stage, "retention|30d|segment=smb");
    is_close(churn.value, 0.2);
    is_close(churn.numerator, 2);
    is_close(churn.denominator, 10);
    is_close(retention.value, 0.8);
    is_close(retention.low, 1 - churn.high);
    assert_true(view_equal_text(retention.definition, "retention/1"));
    is_close(published(&stage, "churn_rate|24h|segment=smb").value, 0); /* of the 8 still alive */
    assert_int_equal(published(&stage, "churn_rate|24h|segment=smb").n, 8);
    stage_end(&stage);
}

static void shares_and_uplifts(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T11:00:00Z"));
    feed_add(&stage, "loyalty_share|all", at(noon), kpi_sums_of_rate(true, false), -1);
    feed_add(&stage, "loyalty_share|all", at(noon), kpi_sums_of_rate(false, false), -1);
    feed_add(&stage, "uplift_onboarding|all", at(noon), kpi_sums_of_uplift(true, true), -1);
    feed_clock(&stage, at(noon));
    is_close(published(&stage, "loyalty_share|24h|all").value, 0.5);
    struct kpi one_sided = published(&stage, "uplift_onboarding|24h|all");
    assert_false(one_sided.has_value || one_sided.has_low || one_sided.has_ratio);
    assert_int_equal(one_sided.exposed_n, 1);
    feed_add(&stage, "uplift_onboarding|all", at(noon), kpi_sums_of_uplift(false, true), -1);
    feed_add(&stage, "uplift_onboarding|all", at(noon), kpi_sums_of_uplift(false, false), -1);
    feed_clock(&stage, at(noon));
    struct kpi uplift = published(&stage, "uplift_onboarding|24h|all");
    is_close(uplift.value, 0.5);
    is_close(uplift.ratio, 2);
    assert_true(uplift.exposed_hits == 1 && uplift.other_n == 2 && uplift.other_hits == 1 && uplift.n == 3 && uplift.has_low);
    struct kpi none;
    assert_false(find_kpi(&stage, "referral_rate|24h|all", &none));
    stage_end(&stage);
}

static void what_is_no_delta_is_parked(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = VIEW_LITERAL("nps"), .dimension = VIEW_LITERAL("all")};
    assert_int_equal(feed_delta(&stage, "npss|all", &delta), OUTCOME_PARK);
    assert_int_equal(feed_delta(&stage, "retention|all", &delta), OUTCOME_PARK);
    assert_int_equal(feed_delta(&stage, "nps|", &delta), OUTCOME_PARK);
    assert_int_equal(feed_delta(&stage, KPI_CLOCK_KEY, &delta), OUTCOME_PARK);
    assert_int_equal(driver_feed(stage.driver, VIEW_LITERAL("nps|all"), VIEW_LITERAL("\0\0\0\0\x09garbage"), 5), OUTCOME_PARK);
    assert_int_equal(driver_output_count(stage.driver), 5);
    assert_int_equal(driver_entry_count(stage.driver), 0);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(driver_output(stage.driver, i)->topic, "touchpoints.rejected");
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_with_maturity_and_previous),
        cmocka_unit_test(net_promoter_score),
        cmocka_unit_test(means_and_sentiment),
        cmocka_unit_test(durations_with_quantiles),
        cmocka_unit_test(counts_sums_gauges_have_no_interval),
        cmocka_unit_test(churn_is_published_as_retention_too),
        cmocka_unit_test(shares_and_uplifts),
        cmocka_unit_test(what_is_no_delta_is_parked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
