/* KPIs lack what the journey stage has not read yet: whoever relies on them is told, once. */
#include "tests/stage/kpi/alerts.h"

static int64_t start_ms(void)
{
    return at("2026-03-02T08:00:00Z");
}

static void begin(struct stage_under_test *stage, int32_t partition)
{
    stage_begin_partition(stage, "UTC", NULL, partition, 2);
    stage->settings.lag_after_ms = MINUTES(5);
}

/* A partition of touchpoints says at `now_ms` that it is `late_ms` late. */
static void word(struct stage_under_test *stage, int32_t source, int64_t now_ms, int64_t late_ms)
{
    stage->record_ms = now_ms - 1000; /* feed_clock_of adds a second */
    feed_clock_of(stage, source, now_ms - late_ms, false);
}

static void says(const struct alert *alert, enum alert_state state, enum severity severity, int32_t revision, const char *text)
{
    alert_is(alert, ALERT_KIND_DATA_QUALITY, "data.lag", state, severity, revision);
    assert_true(view_equal_text(alert->dimension, "all"));
    alert_says(alert, text);
}

static void five_minutes_for_two_minutes_are_told_until_half_of_it(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage, 0);
    int64_t now_ms = start_ms();
    word(&stage, 0, now_ms, SECONDS(1));
    word(&stage, 1, now_ms, MINUTES(5) - 1); /* late, and yet not so late */
    word(&stage, 1, now_ms + MINUTES(3), MINUTES(5) - 1);
    word(&stage, 1, now_ms + MINUTES(4), MINUTES(6)); /* from here on */
    word(&stage, 0, now_ms + MINUTES(5), SECONDS(1)); /* the other one is in time: no matter */
    word(&stage, 1, now_ms + MINUTES(6) - 1, MINUTES(7));
    assert_int_equal(alerts_of(&stage, alerts), 0);
    word(&stage, 1, now_ms + MINUTES(6), MINUTES(7));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, "touchpoints are read 7.0 min late: KPIs lack what has come since");
    assert_true(view_equal_text(alerts[0].reasons.items[0].text, "partition 1 of touchpoints has been read up to 2026-03-02T07:59:00.000Z: its journey process is down or has too "
                                                                 "much to do, or its clock is behind Kafka's"));
    word(&stage, 1, now_ms + MINUTES(8), MINUTES(20)); /* told once */
    word(&stage, 1, now_ms + MINUTES(9), SECONDS(150));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    word(&stage, 1, now_ms + MINUTES(10), SECONDS(149));
    word(&stage, 0, now_ms + MINUTES(10), 0);
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, 2, "touchpoints are read in time again");
    stage_end(&stage);
}

static void who_catches_up_after_a_restart_is_not_told(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage, 0);
    for (int second = 0; second < 100; second++)
        word(&stage, 0, start_ms() + SECONDS(second), HOURS(2) - MINUTES(second));
    word(&stage, 0, start_ms() + SECONDS(110), 0);
    for (int second = 300; second < 400; second++)
        word(&stage, 0, start_ms() + SECONDS(second), HOURS(2) - MINUTES(second - 300));
    assert_int_equal(alerts_of(&stage, alerts), 0);
    stage_end(&stage);
}

/* The others go on without it, but what it has is lacking. */
static void a_partition_that_says_nothing_is_late(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage, 0);
    word(&stage, 1, start_ms(), 0);
    for (int minute = 0; minute < 25 * 60; minute++)
        word(&stage, 0, start_ms() + MINUTES(minute), 0);
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, "touchpoints are read 7.0 min late: KPIs lack what has come since");
    says(&alerts[1], ALERT_STATE_OPEN, SEVERITY_INFO, 2, "touchpoints are read 1.0 d late: KPIs lack what has come since");
    word(&stage, 1, start_ms() + DAYS(2), 0);
    word(&stage, 0, start_ms() + DAYS(2), 0);
    assert_int_equal(alerts_of(&stage, alerts), 3);
    says(&alerts[2], ALERT_STATE_RESOLVED, SEVERITY_INFO, 3, "touchpoints are read in time again");
    stage_end(&stage);
}

static void where_nobody_speaks_all_are_late(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage, 0);
    driver_tick(stage.driver, start_ms() - HOURS(1)); /* nobody ever has: nothing is known to be late */
    for (int32_t source = 0; source < 2; source++)
        word(&stage, source, start_ms(), 0);
    for (int second = 1; second < 7 * 60; second++)
        driver_tick(stage.driver, start_ms() + SECONDS(second));
    assert_int_equal(alerts_of(&stage, alerts), 0);
    driver_tick(stage.driver, start_ms() + MINUTES(7));
    driver_tick(stage.driver, start_ms() + MINUTES(20));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, "touchpoints are read 7.0 min late: KPIs lack what has come since");
    for (int32_t source = 0; source < 2; source++)
        word(&stage, source, start_ms() + MINUTES(21), 0);
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, 2, "touchpoints are read in time again");
    stage_end(&stage);
}

static void after_a_day_it_is_no_warning_any_more(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage, 0);
    for (int minute = 0; minute < 25 * 60; minute++)
        word(&stage, 0, start_ms() + MINUTES(minute), HOURS(1));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_OPEN, SEVERITY_INFO, 2, "touchpoints are read 1.0 h late: KPIs lack what has come since");
    stage_end(&stage);
}

static void one_partition_of_the_deltas_tells_and_by_the_settings_none(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    for (int32_t partition = 0; partition < 2; partition++) {
        begin(&stage, partition);
        stage.settings.lag_after_ms = partition == 0 ? 0 : MINUTES(5);
        for (int minute = 0; minute < 10; minute++)
            word(&stage, 0, start_ms() + MINUTES(minute), HOURS(1));
        assert_int_equal(alerts_of(&stage, alerts), 0);
        stage_end(&stage);
    }
}

/* Their clocks are behind by so much where all is well. */
static void disorder_that_is_allowed_is_not_late(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage, 0);
    stage.shared.behind_ms = HOURS(2);
    for (int minute = 0; minute < 30; minute++)
        word(&stage, 0, start_ms() + MINUTES(minute), HOURS(2) + SECONDS(1));
    assert_int_equal(alerts_of(&stage, alerts), 0);
    for (int minute = 30; minute < 40; minute++)
        word(&stage, 0, start_ms() + MINUTES(minute), HOURS(2) + MINUTES(6));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, "touchpoints are read 6.0 min late: KPIs lack what has come since");
    stage_end(&stage);
}

static void what_is_open_ends_with_the_setting(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage, 0);
    for (int minute = 0; minute < 10; minute++)
        word(&stage, 0, start_ms() + MINUTES(minute), HOURS(1));
    stage.settings.lag_after_ms = 0;
    word(&stage, 0, start_ms() + MINUTES(10), HOURS(1));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_EXPIRED, SEVERITY_WARNING, 2, "touchpoints that are read late alert no more: the settings have changed");
    stage_end(&stage);
}

/* What lasts for more than a day, with pauses, begins as no warning anew. */
static void a_pause_makes_it_no_warning_again(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage, 0);
    for (int minute = 0; minute < 25 * 60; minute++)
        word(&stage, 0, start_ms() + MINUTES(minute), HOURS(1));
    word(&stage, 0, start_ms() + HOURS(25), 0);
    for (int minute = 1; minute < 10; minute++)
        word(&stage, 0, start_ms() + HOURS(25) + MINUTES(minute), HOURS(1));
    assert_int_equal(alerts_of(&stage, alerts), 4);
    says(&alerts[2], ALERT_STATE_RESOLVED, SEVERITY_INFO, 3, "touchpoints are read in time again");
    says(&alerts[3], ALERT_STATE_OPEN, SEVERITY_INFO, 4, "touchpoints are read 7.0 min late: KPIs lack what has come since");
    stage_end(&stage);
}

static void a_crash_changes_nothing(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct stage_under_test straight, crashed;
        struct random random;
        struct chaos chaos;
        begin(&straight, 0);
        begin(&crashed, 0);
        random_init(&random, seed);
        chaos_init(&chaos, seed, 5, 30);
        int64_t late_ms[2] = {0, 0};
        for (int64_t second = 0; second < 6 * 3600; second += 20) {
            int32_t source = (int32_t)random_below(&random, 2);
            late_ms[source] = random_below(&random, 60) == 0 ? MINUTES(random_below(&random, 12)) : late_ms[source];
            word(&straight, source, start_ms() + SECONDS(second), late_ms[source]);
            word(&crashed, source, start_ms() + SECONDS(second), late_ms[source]);
            bool is_silence = random_below(&random, 300) == 0; /* ten minutes: the stage's own ticks are all that comes */
            for (int64_t end = second + (is_silence ? 600 : 0); second < end; second += 20) {
                driver_tick(straight.driver, start_ms() + SECONDS(second));
                driver_tick(crashed.driver, start_ms() + SECONDS(second));
                chaos_strike(&chaos, &crashed);
            }
            chaos_strike(&chaos, &crashed);
        }
        assert_true(alerts_compare(&straight, &crashed) > 0);
        stage_end(&straight);
        stage_end(&crashed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_minutes_for_two_minutes_are_told_until_half_of_it),
        cmocka_unit_test(who_catches_up_after_a_restart_is_not_told),
        cmocka_unit_test(where_nobody_speaks_all_are_late),
        cmocka_unit_test(a_partition_that_says_nothing_is_late),
        cmocka_unit_test(after_a_day_it_is_no_warning_any_more),
        cmocka_unit_test(one_partition_of_the_deltas_tells_and_by_the_settings_none),
        cmocka_unit_test(disorder_that_is_allowed_is_not_late),
        cmocka_unit_test(what_is_open_ends_with_the_setting),
        cmocka_unit_test(a_pause_makes_it_no_warning_again),
        cmocka_unit_test(a_crash_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
