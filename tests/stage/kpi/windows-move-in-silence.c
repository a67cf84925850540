/* Time alone changes what is published: things leave windows, values grow stale, empty windows go. */
#include "tests/stage/kpi/kpi_stage.h"

static const char *const key = "csat_top2|all";

static void step_to(struct stage_under_test *stage, int64_t at_ms, int64_t step_ms)
{
    for (int64_t now_ms = driver_clock_ms(stage->driver); now_ms < at_ms; now_ms += step_ms)
        feed_clock(stage, now_ms + step_ms < at_ms ? now_ms + step_ms : at_ms);
}

static void what_leaves_a_window_is_gone_within_a_minute(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-04T12:00:30Z");
    feed_clock(&stage, start_ms);
    feed_add(&stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
    feed_clock(&stage, start_ms + 1000);
    assert_int_equal(published(&stage, "csat_top2|5m|all").n, 1);

    step_to(&stage, at("2026-05-04T12:04:59Z"), 1000); /* 12:00 … 12:04 are five minutes */
    assert_int_equal(published(&stage, "csat_top2|5m|all").n, 1);
    step_to(&stage, at("2026-05-04T12:05:01Z"), 1000);
    struct kpi empty = published(&stage, "csat_top2|5m|all");
    assert_int_equal(empty.n, 0);
    assert_false(empty.has_value || empty.has_low || empty.has_numerator);
    assert_true(empty.low_n && empty.has_previous);
    assert_int_equal(published(&stage, "csat_top2|1h|all").n, 1);
    stage_end(&stage);
}

static void an_empty_window_is_deleted_after_its_length(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-04T12:00:30Z");
    feed_clock(&stage, start_ms);
    feed_add(&stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
    feed_clock(&stage, start_ms + 1000);
    step_to(&stage, at("2026-05-04T12:09:59Z"), 1000);
    struct kpi kpi;
    assert_true(find_kpi(&stage, "csat_top2|5m|all", &kpi));
    step_to(&stage, at("2026-05-04T12:10:05Z"), 1000);
    assert_non_null(driver_latest(stage.driver, "kpis", VIEW_LITERAL("csat_top2|5m|all")));
    assert_false(find_kpi(&stage, "csat_top2|5m|all", &kpi)); /* a tombstone */

    feed_add(&stage, key, driver_clock_ms(stage.driver), kpi_sums_of_rate(false, false), -1);
    feed_clock(&stage, driver_clock_ms(stage.driver) + 1000);
    assert_int_equal(published(&stage, "csat_top2|5m|all").n, 1); /* and it can come back */

    step_to(&stage, start_ms + DAYS(300), HOURS(12));
    for (size_t i = 0; i < driver_output_count(stage.driver); i++)
        assert_null(driver_latest(stage.driver, "kpis", driver_output(stage.driver, i)->key)->value.data);
    step_to(&stage, start_ms + DAYS(740), HOURS(12));
    assert_int_equal(driver_entry_count(stage.driver), 1); /* the clock alone */
    stage_end(&stage);
}

static void what_stays_is_published_again_before_it_is_stale(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-04T12:00:30Z");
    feed_clock(&stage, start_ms);
    feed_add(&stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
    feed_add(&stage, "backlog|all", start_ms, (struct kpi_sums){.n = 1}, -1);
    for (int i = 0; i < 20 * 60; i++) {
        feed_clock(&stage, start_ms + i * 1000);
        int64_t oldest_ms = driver_clock_ms(stage.driver) - MINUTES(3);
        assert_true(published(&stage, "csat_top2|1h|all").at_ms >= oldest_ms);
        assert_true(published(&stage, "csat_top2|24h|all").at_ms >= oldest_ms);
        assert_true(published(&stage, "backlog|5m|all").at_ms >= oldest_ms);
    }
    step_to(&stage, start_ms + HOURS(40), 60000);
    assert_true(published(&stage, "csat_top2|30d|all").at_ms >= driver_clock_ms(stage.driver) - HOURS(2) - MINUTES(1));
    stage_end(&stage);
}

/* A partition ahead of the clock has seen what the others have not reached: its addition to an old bucket goes out at once, under an
 * `at` that is too early for it, and so again once the clock has come so far. */
static void what_follows_from_later_events_goes_out_again_when_the_clock_is_there(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-04T12:00:30Z"), later_ms = at("2026-05-04T12:20:10Z");
    feed_clock(&stage, start_ms);
    struct kpi_delta_bucket bucket = {.minute = (start_ms - DAYS(40)) / MINUTES(1), .n = 1, .num = 1};
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = VIEW_LITERAL("csat_top2"), .dimension = VIEW_LITERAL("all"),
                              .source_partition = 1, .clock_at_ms = later_ms, .buckets = {&bucket, 1}};
    assert_int_equal(feed_delta(&stage, key, &delta), OUTCOME_OK);
    feed_clock(&stage, start_ms + 1000);
    assert_int_equal(published(&stage, "csat_top2|90d|all").n, 1);
    assert_true(published(&stage, "csat_top2|90d|all").at_ms < later_ms);
    step_to(&stage, at("2026-05-04T12:21:02Z"), 1000);
    assert_true(published(&stage, "csat_top2|90d|all").at_ms >= later_ms);
    stage_end(&stage);
}

static void a_series_goes_out_once_an_interval_however_much_comes(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-04T12:00:30Z");
    feed_clock(&stage, start_ms);
    driver_forget_outputs(stage.driver);
    for (int i = 0; i < 100; i++)
        feed_add(&stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
    assert_int_equal(driver_output_count(stage.driver), 0);
    feed_clock(&stage, start_ms + 500);
    assert_int_equal(driver_output_count(stage.driver), 6); /* one a window */
    stage.record_ms -= 1000; /* a second CLOCK within the same second of record time */
    feed_add(&stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
    feed_clock_of(&stage, 0, start_ms + 600, false);
    stage.record_ms -= 1000;
    feed_clock_of(&stage, 0, start_ms + 700, false);
    assert_int_equal(driver_output_count(stage.driver), 6);
    driver_tick(stage.driver, 0);
    assert_int_equal(driver_output_count(stage.driver), 12);
    assert_int_equal(published(&stage, "csat_top2|24h|all").n, 101);
    stage_end(&stage);
}

/* The broker's clock was an hour ahead and is set right; or the partition has another leader. */
static void with_record_time_set_back_a_series_still_goes_out_once_an_interval(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-04T12:00:30Z");
    feed_clock(&stage, start_ms);
    stage.record_ms += HOURS(1);
    feed_clock(&stage, start_ms + 1000);
    stage.record_ms -= HOURS(1);
    driver_forget_outputs(stage.driver);
    for (int i = 2; i < 22; i++) {
        feed_add(&stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
        feed_clock(&stage, start_ms + i * 1000);
    }
    assert_int_equal(published(&stage, "csat_top2|24h|all").n, 20);
    assert_in_range(driver_output_count(stage.driver), 18 * 6, 20 * 6);
    stage_end(&stage);
}

/* Two journey partitions that catch up: record time runs by hours, and yet there is one publication each time both have spoken twice. */
static void while_a_partition_is_behind_a_series_goes_out_every_other_round(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-04T12:00:30Z");
    feed_clock_of(&stage, 0, start_ms, true);
    feed_clock_of(&stage, 1, start_ms, true);
    for (int32_t word = 1; word <= 20; word++) {
        stage.record_ms += HOURS(1);
        feed_add(&stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
        feed_clock_of(&stage, word % 2, start_ms + word * 1000, true);
        driver_checkpoint_begin(stage.driver);
        driver_checkpoint_write(stage.driver, SIZE_MAX);
        driver_recover(stage.driver); /* who has spoken is not forgotten */
    }
    assert_int_equal(driver_output_count(stage.driver), 5 * 6); /* one a window */
    int64_t n = published(&stage, "csat_top2|24h|all").n;
    feed_add(&stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
    feed_clock_of(&stage, 0, start_ms + MINUTES(1), false);
    assert_int_equal(published(&stage, "csat_top2|24h|all").n, n); /* the other one is still behind */
    stage.record_ms -= 1000; /* it has caught up: at once, though the second is not over */
    feed_clock_of(&stage, 1, start_ms + MINUTES(1), false);
    assert_int_equal(published(&stage, "csat_top2|24h|all").n, 21);
    stage_end(&stage);
}

static void the_ninety_day_window_follows_the_calendar_of_its_zone(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "Europe/Berlin", NULL);
    feed_clock(&stage, at("2026-06-01T12:00:00Z"));
    /* 90 days ending with 1 June local: from 4 March, 00:00 in Berlin, which is winter time there. */
    feed_add(&stage, "review_count|all", at("2026-03-03T22:59:00Z"), kpi_sums_of_count(), -1);
    feed_add(&stage, "review_count|all", at("2026-03-03T23:00:00Z"), (struct kpi_sums){.n = 10}, -1);
    feed_clock(&stage, at("2026-06-01T12:00:10Z"));
    is_close(published(&stage, "review_count|90d|all").value, 10);
    is_close(published(&stage, "review_count|90d|all").previous, 1);
    feed_clock(&stage, at("2026-06-01T21:59:59Z"));
    is_close(published(&stage, "review_count|90d|all").value, 10);
    feed_clock(&stage, at("2026-06-01T22:00:00Z")); /* midnight in summer time */
    assert_false(published(&stage, "review_count|90d|all").has_value);
    is_close(published(&stage, "review_count|90d|all").previous, 11);
    stage_end(&stage);
}

static void an_event_runs_ahead_of_the_slowest_clock_by_the_lead_at_most(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_clock_of(&stage, 0, at("2026-05-04T12:00:50Z"), false);
    feed_clock_of(&stage, 1, at("2026-05-04T12:00:58Z"), false);
    feed_add(&stage, key, at("2026-05-04T12:01:02Z"), kpi_sums_of_rate(true, false), -1);
    feed_clock_of(&stage, 1, at("2026-05-04T12:00:59Z"), false);
    assert_int_equal(published(&stage, "csat_top2|5m|all").n, 1);
    assert_int_equal(published(&stage, "csat_top2|5m|all").at_ms, at("2026-05-04T12:01:00Z"));

    feed_add(&stage, key, at("2026-05-04T18:00:00Z"), kpi_sums_of_rate(true, false), -1); /* source 1 races ahead */
    feed_clock_of(&stage, 1, at("2026-05-04T18:00:01Z"), false);
    assert_int_equal(published(&stage, "csat_top2|24h|all").n, 1);
    feed_clock_of(&stage, 0, at("2026-05-04T18:00:00Z"), false);
    feed_clock_of(&stage, 0, at("2026-05-04T18:00:01Z"), false);
    assert_int_equal(published(&stage, "csat_top2|24h|all").n, 2);
    stage_end(&stage);
}

static void a_silent_source_does_not_hold_time_for_ever(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-04T12:00:00Z");
    feed_clock_of(&stage, 7, start_ms, false);
    for (int i = 1; i <= 500; i++)
        feed_clock_of(&stage, 0, start_ms + i * 1000, false);
    assert_int_equal(driver_clock_ms(stage.driver), start_ms);
    for (int i = 501; i <= 700; i++)
        feed_clock_of(&stage, 0, start_ms + i * 1000, false);
    assert_int_equal(driver_clock_ms(stage.driver), start_ms + 700 * 1000);
    feed_clock_of(&stage, 7, start_ms + 5000, false); /* back, and far behind: time stands, it does not go back */
    feed_clock_of(&stage, 0, start_ms + 701 * 1000, false);
    assert_int_equal(driver_clock_ms(stage.driver), start_ms + 700 * 1000);
    stage_end(&stage);
}

static void without_any_clock_events_move_time_themselves(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_add(&stage, key, at("2026-05-04T12:00:00Z"), kpi_sums_of_rate(true, false), -1);
    driver_tick(stage.driver, 0);
    assert_int_equal(published(&stage, "csat_top2|5m|all").n, 1);
    assert_int_equal(published(&stage, "csat_top2|5m|all").at_ms, at("2026-05-04T12:00:00Z"));
    stage_end(&stage);
}

/* `at` is an instant, but what counts is known to the minute: the last word is said once the minute is over. */
static void every_value_comes_to_stand_for_the_events_up_to_its_instant(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T12:00:10Z"));
    feed_add(&stage, "resolved_72h|all", at("2026-05-04T12:00:50Z"), kpi_sums_of_rate(true, false), -1);
    feed_clock(&stage, at("2026-05-04T12:00:20Z"));
    assert_int_equal(published(&stage, "resolved_72h|90d|all").at_ms, at("2026-05-04T12:00:20Z"));
    step_to(&stage, at("2026-05-04T12:01:02Z"), 1000);
    assert_true(published(&stage, "resolved_72h|90d|all").at_ms >= at("2026-05-04T12:01:00Z"));
    assert_true(published(&stage, "resolved_72h|7d|all").at_ms >= at("2026-05-04T12:01:00Z"));
    stage_end(&stage);
}

/* Within the minute too: who tells of an event has seen nothing newer than it says. */
static void a_value_ends_at_the_newest_event_in_it(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t event_ms = at("2026-05-04T12:00:40.250Z");
    feed_clock(&stage, at("2026-05-04T12:00:39Z"));
    struct kpi_delta_bucket bucket = {.minute = event_ms / MINUTES(1), .n = 1, .num = 1};
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = VIEW_LITERAL("csat_top2"), .dimension = VIEW_LITERAL("all"),
                              .source_partition = 1, .clock_at_ms = event_ms, .buckets = {&bucket, 1}};
    assert_int_equal(feed_delta(&stage, key, &delta), OUTCOME_OK);
    feed_clock(&stage, at("2026-05-04T12:00:39.500Z"));
    assert_int_equal(published(&stage, "csat_top2|5m|all").at_ms, event_ms);
    assert_int_equal(published(&stage, "csat_top2|90d|all").at_ms, event_ms);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_leaves_a_window_is_gone_within_a_minute),
        cmocka_unit_test(an_empty_window_is_deleted_after_its_length),
        cmocka_unit_test(what_stays_is_published_again_before_it_is_stale),
        cmocka_unit_test(what_follows_from_later_events_goes_out_again_when_the_clock_is_there),
        cmocka_unit_test(a_series_goes_out_once_an_interval_however_much_comes),
        cmocka_unit_test(with_record_time_set_back_a_series_still_goes_out_once_an_interval),
        cmocka_unit_test(while_a_partition_is_behind_a_series_goes_out_every_other_round),
        cmocka_unit_test(the_ninety_day_window_follows_the_calendar_of_its_zone),
        cmocka_unit_test(an_event_runs_ahead_of_the_slowest_clock_by_the_lead_at_most),
        cmocka_unit_test(a_silent_source_does_not_hold_time_for_ever),
        cmocka_unit_test(every_value_comes_to_stand_for_the_events_up_to_its_instant),
        cmocka_unit_test(a_value_ends_at_the_newest_event_in_it),
        cmocka_unit_test(without_any_clock_events_move_time_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
