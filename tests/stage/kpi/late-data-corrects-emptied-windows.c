/* A window that has been published as empty stays so in the topic, for an `at` that is past: what comes late for it publishes it again. */
#include "tests/stage/kpi/kpi_stage.h"

static const char *const key = "csat_top2|all";

static void step_to(struct stage_under_test *stage, int64_t at_ms, int64_t step_ms)
{
    for (int64_t now_ms = driver_clock_ms(stage->driver); now_ms < at_ms; now_ms += step_ms)
        feed_clock(stage, now_ms + step_ms < at_ms ? now_ms + step_ms : at_ms);
}

static size_t records_of(struct stage_under_test *stage, const char *of)
{
    size_t count = 0;
    for (size_t i = 0; i < driver_output_count(stage->driver); i++)
        count += view_equal(driver_output(stage->driver, i)->key, view_of_text(of));
    return count;
}

/* One answer on the first of the month at noon; the day's window is empty since the second, 12:00. */
static int64_t begin_with_an_emptied_day(struct stage_under_test *stage)
{
    stage_begin(stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-01T12:00:30Z"), emptied_ms = at("2026-05-02T12:00:00Z");
    feed_clock(stage, start_ms);
    feed_add(stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
    step_to(stage, emptied_ms, 60000);
    assert_int_equal(published(stage, "csat_top2|24h|all").n, 0);
    assert_int_equal(published(stage, "csat_top2|24h|all").at_ms, emptied_ms);
    return emptied_ms;
}

static void what_was_in_the_window_as_published_publishes_it_again(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    int64_t emptied_ms = begin_with_an_emptied_day(&stage), now_ms = emptied_ms + HOURS(20);
    step_to(&stage, now_ms, MINUTES(30));
    assert_int_equal(published(&stage, "csat_top2|24h|all").at_ms, emptied_ms);
    feed_add(&stage, key, emptied_ms - HOURS(10), kpi_sums_of_rate(true, false), -1); /* 30 h ago: not of the last day any more */
    feed_clock(&stage, now_ms + 1000);
    struct kpi day = published(&stage, "csat_top2|24h|all");
    assert_int_equal(day.n, 0); /* 0 now is right, where 1 at noon of the second would have been */
    assert_true(day.at_ms >= now_ms);
    is_close(day.previous, 1);
    assert_int_equal(published(&stage, "csat_top2|7d|all").n, 2);
    stage_end(&stage);
}

static void what_was_in_the_window_before_publishes_it_again_too(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    int64_t emptied_ms = begin_with_an_emptied_day(&stage), now_ms = emptied_ms + HOURS(20);
    is_close(published(&stage, "csat_top2|24h|all").previous, 1);
    step_to(&stage, now_ms, MINUTES(30));
    feed_add(&stage, key, emptied_ms - HOURS(47), kpi_sums_of_rate(false, false),
             -1); /* `previous` at noon of the second: one of two */
    feed_clock(&stage, now_ms + 1000);
    assert_true(published(&stage, "csat_top2|24h|all").at_ms >= now_ms);
    int64_t again_ms = published(&stage, "csat_top2|24h|all").at_ms;
    feed_add(&stage, key, emptied_ms - HOURS(49), kpi_sums_of_rate(false, false), -1); /* older than both */
    feed_clock(&stage, now_ms + MINUTES(2));
    assert_int_equal(published(&stage, "csat_top2|24h|all").at_ms, again_ms);
    stage_end(&stage);
}

/* Neither time nor what leaves the window before makes it go out again: what it says of its `at` stays true. */
static void an_emptied_window_is_silent_until_something_comes_and_goes_one_length_after_it_emptied(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    int64_t emptied_ms = begin_with_an_emptied_day(&stage);
    driver_forget_outputs(stage.driver);
    step_to(&stage, emptied_ms + HOURS(12), MINUTES(1));
    assert_int_equal(records_of(&stage, "csat_top2|24h|all"), 0);
    feed_add(&stage, key, emptied_ms - HOURS(20), kpi_sums_of_rate(true, false), -1);
    step_to(&stage, emptied_ms + HOURS(24) - MINUTES(1), MINUTES(1));
    assert_int_equal(records_of(&stage, "csat_top2|24h|all"), 1);
    struct kpi kpi;
    assert_true(find_kpi(&stage, "csat_top2|24h|all", &kpi));
    step_to(&stage, emptied_ms + HOURS(24) + MINUTES(1), MINUTES(1));
    assert_false(find_kpi(&stage, "csat_top2|24h|all", &kpi)); /* a tombstone */
    assert_int_equal(records_of(&stage, "csat_top2|24h|all"), 2);
    feed_add(&stage, key, emptied_ms - HOURS(9), kpi_sums_of_rate(true, false), -1);
    feed_clock(&stage, driver_clock_ms(stage.driver) + 1000);
    assert_int_equal(records_of(&stage, "csat_top2|24h|all"), 2); /* nobody holds a value that this would correct */
    stage_end(&stage);
}

/* A partition ahead of the clock takes an answer away (its customer answers again, elsewhere): the window empties under an `at` at which
 * the answer still stood. */
static void what_later_events_emptied_goes_out_again_when_the_clock_is_there(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", NULL);
    int64_t start_ms = at("2026-05-04T12:00:30Z"), later_ms = at("2026-05-04T12:20:10Z");
    feed_clock(&stage, start_ms);
    feed_add(&stage, key, start_ms, kpi_sums_of_rate(true, false), -1);
    feed_clock(&stage, start_ms + 1000);
    struct kpi_delta_bucket bucket = {.minute = start_ms / MINUTES(1), .n = -1, .num = -1};
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD,
                              .kpi = VIEW_LITERAL("csat_top2"),
                              .dimension = VIEW_LITERAL("all"),
                              .source_partition = 1,
                              .clock_at_ms = later_ms,
                              .buckets = {&bucket, 1}};
    assert_int_equal(feed_delta(&stage, key, &delta), OUTCOME_OK);
    feed_clock(&stage, start_ms + 2000);
    assert_int_equal(published(&stage, "csat_top2|30d|all").n, 0);
    assert_true(published(&stage, "csat_top2|30d|all").at_ms < later_ms);
    step_to(&stage, at("2026-05-04T12:22:00Z"), 1000);
    assert_int_equal(published(&stage, "csat_top2|30d|all").n, 0);
    assert_true(published(&stage, "csat_top2|30d|all").at_ms >= later_ms);
    driver_forget_outputs(stage.driver);
    step_to(&stage, at("2026-05-04T14:00:00Z"), 1000);
    assert_int_equal(records_of(&stage, "csat_top2|30d|all"), 0);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_in_the_window_as_published_publishes_it_again),
        cmocka_unit_test(what_was_in_the_window_before_publishes_it_again_too),
        cmocka_unit_test(an_emptied_window_is_silent_until_something_comes_and_goes_one_length_after_it_emptied),
        cmocka_unit_test(what_later_events_emptied_goes_out_again_when_the_clock_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
