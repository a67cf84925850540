/* A source of whose records too many are refused is told, once, until they are taken again. */
#include "processors/kpi/refusals.h"
#include "tests/stage/kpi/alerts.h"

static int64_t start_ms(void)
{
    return at("2026-03-02T08:00:00Z");
}

static void begin(struct stage_under_test *stage)
{
    stage_begin(stage, "UTC", NULL);
    stage->settings.rejected_share = 0.05;
    stage->record_ms = start_ms();
    feed_clock(stage, start_ms());
}

/* As a collector tells it, by its clock, which need not be Kafka's. */
static void tell_by(struct stage_under_test *stage, const char *source, int64_t at_ms, int64_t taken, int64_t refused)
{
    char key[100], dimension[80];
    snprintf(dimension, sizeof dimension, "source=%s", source);
    snprintf(key, sizeof key, KPI_REFUSED_KEY "%s", dimension);
    struct kpi_delta_bucket bucket = {.minute = at_ms / MINUTES(1), .n = taken, .num = refused};
    struct kpi_delta delta = {.kind = DELTA_KIND_HEARD, .kpi = VIEW_LITERAL("bad_mapping"), .dimension = view_of_text(dimension), .source_partition = -1};
    delta.buckets.items = &bucket;
    delta.buckets.count = 1;
    assert_int_equal(feed_delta(stage, key, &delta), OUTCOME_OK);
}

static void tell(struct stage_under_test *stage, const char *source, int64_t at_ms, int64_t taken, int64_t refused)
{
    if (stage->record_ms < at_ms)
        stage->record_ms = at_ms;
    tell_by(stage, source, at_ms, taken, refused);
}

static void says(const struct alert *alert, enum alert_state state, enum severity severity, int32_t revision, const char *text)
{
    alert_is(alert, ALERT_KIND_DATA_QUALITY, "data.rejected", state, severity, revision);
    assert_true(view_equal_text(alert->dimension, "source=desk"));
    alert_says(alert, text);
}

static void twenty_and_a_twentieth_within_a_quarter_of_an_hour_are_too_many(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    int64_t now_ms = start_ms();
    tell(&stage, "desk", now_ms, 0, 19); /* all, and yet few */
    tell(&stage, "desk", now_ms + MINUTES(14), 382, 0);
    tell(&stage, "desk", now_ms + MINUTES(14), 0, 1); /* 20 of 402 */
    assert_int_equal(alerts_of(&stage, alerts), 0);
    tell(&stage, "shop", now_ms + MINUTES(14), 10000, 5);
    tell(&stage, "desk", now_ms + MINUTES(14), 0, 2); /* 22 of 404 */
    assert_int_equal(alerts_of(&stage, alerts), 1);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, "source=desk: 22 of 404 records refused within 15 min");
    assert_true(view_equal_text(alerts[0].reasons.items[0].text, "the last one as bad_mapping: touchpoints.rejected holds them, with reasons"));
    tell(&stage, "desk", now_ms + MINUTES(14), 0, 300); /* told once */
    assert_int_equal(alerts_of(&stage, alerts), 1);
    stage_end(&stage);
}

static void it_is_over_when_records_are_taken_again(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    tell(&stage, "desk", start_ms(), 0, 100);
    tell(&stage, "desk", start_ms() + MINUTES(5), 3800, 0); /* 100 of 3,900 are more than half of a twentieth */
    assert_int_equal(alerts_of(&stage, alerts), 1);
    tell(&stage, "desk", start_ms() + MINUTES(6), 200, 0);
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, 2, "source=desk is taken again: 100 of 4100 records refused within 15 min");
    tell(&stage, "desk", start_ms() + MINUTES(50), 0, 20); /* within the hour: the same once more */
    assert_int_equal(alerts_of(&stage, alerts), 3);
    says(&alerts[2], ALERT_STATE_OPEN, SEVERITY_WARNING, 3, "source=desk: 20 of 20 records refused within 15 min");
    assert_true(view_equal(alerts[2].alert_id, alerts[0].alert_id));
    stage_end(&stage);
}

static void in_silence_it_is_over_after_a_quarter_of_an_hour_and_then_forgotten(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    tell(&stage, "desk", start_ms(), 0, 20);
    feed_clock(&stage, start_ms() + MINUTES(15) - 1);
    assert_int_equal(alerts_of(&stage, alerts), 1);
    feed_clock(&stage, start_ms() + MINUTES(15));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, 2, "source=desk: nothing was refused for 15 min");
    assert_int_equal(driver_entry_count(stage.driver), 2);
    feed_clock(&stage, start_ms() + MINUTES(75));
    assert_int_equal(driver_entry_count(stage.driver), 1); /* the clock */
    stage_end(&stage);
}

/* All of it, and an hour longer. */
static void refuse_for_a_day(struct stage_under_test *stage)
{
    for (int64_t minute = 0; minute <= 25 * 60; minute += 5) {
        tell(stage, "desk", start_ms() + MINUTES(minute), 0, 20);
        stage->record_ms = start_ms() + MINUTES(minute);
        feed_clock(stage, start_ms() + MINUTES(minute));
    }
}

/* A warning holds back what is said of KPIs: whoever sends rubbish for good must not leave the rest unwatched. */
static void after_a_day_it_is_no_warning_any_more(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    refuse_for_a_day(&stage);
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_OPEN, SEVERITY_INFO, 2, "source=desk: 60 of 60 records refused within 15 min");
    assert_int_equal(alerts[1].changed_at_ms, start_ms() + DAYS(1));
    stage_end(&stage);
}

/* What lasts for more than a day, with pauses, begins as no warning anew. */
static void a_pause_makes_it_no_warning_again(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    refuse_for_a_day(&stage);
    feed_clock(&stage, start_ms() + HOURS(25) + MINUTES(20));
    for (int64_t minute = 30; minute < 35; minute++)
        tell(&stage, "desk", start_ms() + HOURS(25) + MINUTES(minute), 0, 20);
    assert_int_equal(alerts_of(&stage, alerts), 4);
    says(&alerts[2], ALERT_STATE_RESOLVED, SEVERITY_INFO, 3, "source=desk: nothing was refused for 15 min");
    says(&alerts[3], ALERT_STATE_OPEN, SEVERITY_INFO, 4, "source=desk: 20 of 20 records refused within 15 min");
    stage_end(&stage);
}

/* A collector's machine may have come up without knowing the time. */
static void the_first_minutes_of_all_are_minutes_like_others(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    tell(&stage, "desk", MINUTES(3), 0, 21);
    assert_true(alerts_of(&stage, alerts) >= 1);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, "source=desk: 21 of 21 records refused within 15 min");
    stage_end(&stage);
}

static void by_the_settings_nobody_is_told(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    stage.settings.rejected_share = 0;
    tell(&stage, "desk", start_ms(), 0, 1000);
    assert_int_equal(alerts_of(&stage, alerts), 0);
    stage.settings.rejected_share = 0.05;
    tell(&stage, "desk", start_ms(), 0, 1);
    stage.settings.rejected_share = 0;
    feed_clock(&stage, start_ms() + MINUTES(1));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_EXPIRED, SEVERITY_WARNING, 2, "source=desk alerts no more: the settings have changed");
    stage_end(&stage);
}

static void a_crash_changes_nothing(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct stage_under_test straight, crashed;
        struct random random;
        struct chaos chaos;
        begin(&straight);
        begin(&crashed);
        random_init(&random, seed);
        chaos_init(&chaos, seed, 5, 30);
        for (int64_t i = 0, now_ms = start_ms(); i < 300; i++) {
            int64_t taken = random_below(&random, 400), refused = random_below(&random, 4) == 0 ? random_below(&random, 60) : 0;
            now_ms += MINUTES(random_below(&random, 12)); /* never so long that one is forgotten: this driver's crashes know no deaths, tests/sim does */
            const char *source = i % 2 ? "desk" : "shop";
            tell(&straight, source, now_ms, taken, refused);
            tell(&crashed, source, now_ms, taken, refused);
            feed_clock(&straight, now_ms);
            feed_clock(&crashed, now_ms);
            chaos_strike(&chaos, &crashed);
        }
        assert_true(alerts_compare(&straight, &crashed) > 0);
        stage_end(&straight);
        stage_end(&crashed);
    }
}

/* By hours, and set right: what is refused then is no older than what is remembered. `is_kafkas`: records had the date of that clock, too. */
static void a_clock_that_was_ahead_hides_no_refusals(void **unused)
{
    (void)unused;
    for (int is_kafkas = 0; is_kafkas < 2; is_kafkas++) {
        struct stage_under_test stage;
        struct alert alerts[ALERTS_MOST];
        begin(&stage);
        stage.record_ms = is_kafkas ? start_ms() + HOURS(6) : start_ms();
        tell_by(&stage, "desk", start_ms() + HOURS(6), 10, 1);
        stage.record_ms = start_ms() + MINUTES(20);
        tell(&stage, "desk", start_ms() + MINUTES(20), 0, 30);
        assert_int_equal(alerts_of(&stage, alerts), 1);
        says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, "source=desk: 30 of 30 records refused within 15 min");
        assert_int_equal(alerts[0].opened_at_ms, start_ms() + MINUTES(20));
        stage_end(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_was_ahead_hides_no_refusals),
        cmocka_unit_test(twenty_and_a_twentieth_within_a_quarter_of_an_hour_are_too_many),
        cmocka_unit_test(it_is_over_when_records_are_taken_again),
        cmocka_unit_test(in_silence_it_is_over_after_a_quarter_of_an_hour_and_then_forgotten),
        cmocka_unit_test(after_a_day_it_is_no_warning_any_more),
        cmocka_unit_test(a_pause_makes_it_no_warning_again),
        cmocka_unit_test(the_first_minutes_of_all_are_minutes_like_others),
        cmocka_unit_test(by_the_settings_nobody_is_told),
        cmocka_unit_test(a_crash_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
