/* Sources of touchpoints: who used to send and does so no more is told, each by its own rhythm. */
#include "processors/kpi/source_watch.h"
#include "tests/stage/kpi/alerts.h"

enum { TOLD_MOST = 100 };

static int64_t start_ms(void)
{
    return at("2026-03-02T00:00:00Z"); /* a Monday */
}

static void begin(struct stage_under_test *stage)
{
    stage_begin(stage, "UTC", NULL);
    stage->settings.silence_after_ms = MINUTES(15);
    feed_clock(stage, start_ms());
}

/* `at_ms` by the collector's clock, which need not be Kafka's. */
static void hear_by(struct stage_under_test *stage, const char *source, int64_t at_ms)
{
    char key[100], dimension[80];
    snprintf(dimension, sizeof dimension, "source=%s", source);
    snprintf(key, sizeof key, KPI_SOURCE_KEY "%s", dimension);
    struct kpi_delta_bucket bucket = {.minute = at_ms / MINUTES(1), .n = 1};
    struct kpi_delta delta = {.kind = DELTA_KIND_HEARD, .kpi = VIEW_LITERAL(""), .dimension = view_of_text(dimension)};
    delta.buckets.items = &bucket;
    delta.buckets.count = 1;
    assert_int_equal(feed_delta(stage, key, &delta), OUTCOME_OK);
}

static void hear(struct stage_under_test *stage, const char *source, int64_t at_ms)
{
    if (stage->record_ms < at_ms)
        stage->record_ms = at_ms;
    hear_by(stage, source, at_ms);
}

static void only_alerts(struct stage_under_test *stage)
{
    for (size_t i = 0; i < driver_output_count(stage->driver); i++)
        assert_string_equal(driver_output(stage->driver, i)->topic, "alerts"); /* no KPI is made of it */
}

static size_t told(struct stage_under_test *stage, struct alert alerts[ALERTS_MOST])
{
    only_alerts(stage);
    size_t count = alerts_of(stage, alerts);
    assert_true(count <= TOLD_MOST);
    return count;
}

static void says(const struct alert *alert, enum alert_state state, enum severity severity, int32_t revision, const char *text)
{
    alert_is(alert, ALERT_KIND_DATA_QUALITY, "data.source_silent", state, severity, revision);
    assert_null(alert->kpi.data);
    alert_says(alert, text);
}

/* Every few minutes, day and night. */
static int64_t feed_steadily(struct stage_under_test *stage, const char *source, int64_t from_ms, int64_t until_ms, int every)
{
    for (int64_t at_ms = from_ms; at_ms < until_ms; at_ms += MINUTES(every)) {
        hear(stage, source, at_ms);
        feed_clock(stage, at_ms + SECONDS(70));
    }
    return until_ms;
}

static void who_sends_day_and_night_is_missed_after_four_times_the_longest_pause(void **unused)
{
    (void)unused;
    static const struct {
        int every, minutes; /* until it is told, from the end of its last minute on */
        const char *silent, *usual;
    } cases[] = {{1, 15, "source=shop has sent nothing for 15.0 min", "its longest pause of the last 3 days was 1.0 min"},
                 {30, 120, "source=shop has sent nothing for 2.0 h", "its longest pause of the last 3 days was 30.0 min"}};
    for (size_t i = 0; i < 2; i++) {
        struct stage_under_test stage;
        struct alert alerts[ALERTS_MOST];
        begin(&stage);
        stage.record_ms = start_ms();
        int64_t now_ms = feed_steadily(&stage, "shop", start_ms(), start_ms() + DAYS(2), cases[i].every) - MINUTES(cases[i].every - 1);
        feed_clock(&stage, now_ms + MINUTES(cases[i].minutes) - 1);
        assert_int_equal(told(&stage, alerts), 0);
        feed_clock(&stage, now_ms + MINUTES(cases[i].minutes));
        assert_int_equal(told(&stage, alerts), 1);
        says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, cases[i].silent);
        assert_true(view_equal_text(alerts[0].reasons.items[0].text, cases[i].usual));
        assert_true(view_equal_text(alerts[0].dimension, "source=shop"));
        feed_clock(&stage, now_ms + HOURS(5)); /* told once */
        hear(&stage, "shop", now_ms + HOURS(5));
        assert_int_equal(told(&stage, alerts), 2);
        says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, 2, "source=shop sends again: nothing came for 5.0 h");
        assert_true(view_equal(alerts[1].alert_id, alerts[0].alert_id));

        /* That it was silent is no pause to measure by. */
        now_ms = feed_steadily(&stage, "shop", now_ms + HOURS(5) + MINUTES(cases[i].every), now_ms + HOURS(30), cases[i].every);
        feed_clock(&stage, now_ms + MINUTES(cases[i].minutes) + MINUTES(cases[i].every));
        assert_int_equal(told(&stage, alerts), 3);
        assert_int_equal(alerts[2].revision, 1);
        assert_false(view_equal(alerts[2].alert_id, alerts[0].alert_id));
        stage_end(&stage);
    }
}

/* Office hours, Monday to Friday. */
static void feed_office_but(struct stage_under_test *stage, int from_day, int until_day, int no_tuesdays_from, int no_tuesdays_until)
{
    for (int day = from_day; day < until_day; day++)
        for (int minute = 0; minute < 1440; minute += 10) {
            int64_t now_ms = start_ms() + DAYS(day) + MINUTES(minute);
            bool is_off = day % 7 == 1 && day >= no_tuesdays_from && day < no_tuesdays_until;
            if (!is_off && day % 7 < 5 && minute >= 9 * 60 && minute < 17 * 60) {
                hear(stage, "desk", now_ms);
                hear(stage, "desk", now_ms + MINUTES(3));
            }
            feed_clock(stage, now_ms + MINUTES(4));
        }
}

static void feed_office(struct stage_under_test *stage, int from_day, int until_day)
{
    feed_office_but(stage, from_day, until_day, until_day, until_day);
}

/* A holiday within the last three weeks: it may be one again. Then Tuesdays off for good: told once, and usual from then on. */
static void what_is_not_so_each_week_is_not_expected(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    feed_office_but(&stage, 0, 29, 14, 21);
    feed_clock(&stage, start_ms() + DAYS(29) + HOURS(16));
    assert_int_equal(told(&stage, alerts), 0);
    stage_end(&stage);

    begin(&stage);
    feed_office_but(&stage, 0, 9 * 7, 28, 9 * 7);
    assert_int_equal(told(&stage, alerts), 2);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_INFO, 1, "source=desk has sent nothing for 17.2 h");
    says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_INFO, 2, "source=desk sends again: nothing came for 1.7 d");
    stage_end(&stage);
}

static void a_pause_is_forgotten_after_three_days(void **unused)
{
    (void)unused;
    for (int days = 2; days <= 4; days += 2) {
        struct stage_under_test stage;
        struct alert alerts[ALERTS_MOST];
        begin(&stage);
        int64_t now_ms = feed_steadily(&stage, "shop", start_ms(), start_ms() + HOURS(16), 1);
        now_ms = feed_steadily(&stage, "shop", now_ms + HOURS(3), now_ms + HOURS(3) + DAYS(days), 1);
        feed_clock(&stage, now_ms + MINUTES(30));
        assert_int_equal(told(&stage, alerts), days == 4);
        stage_end(&stage);
    }
}

static void who_keeps_hours_is_missed_in_them_alone(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    feed_office(&stage, 0, 29); /* four weeks, their nights and weekends, and a Monday */
    assert_int_equal(told(&stage, alerts), 0);
    int64_t tuesday_ms = start_ms() + DAYS(29);
    feed_clock(&stage, tuesday_ms + HOURS(10) + MINUTES(1) - 1);
    assert_int_equal(told(&stage, alerts), 0);
    feed_clock(&stage, tuesday_ms + HOURS(10) + MINUTES(1));
    assert_int_equal(told(&stage, alerts), 1);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_INFO, 1, "source=desk has sent nothing for 17.1 h");
    assert_true(view_equal_text(alerts[0].reasons.items[0].text, "in the same hours of each of the last 3 weeks it sent in 12 minutes at least"));
    hear(&stage, "desk", tuesday_ms + HOURS(11));
    assert_int_equal(told(&stage, alerts), 2);
    stage_end(&stage);
}

/* An import, and a source that has only just begun. */
static void who_has_no_rhythm_is_not_missed(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    int64_t now_ms = feed_steadily(&stage, "csv:olist", start_ms(), start_ms() + HOURS(15), 1);
    for (int hour = 0; hour < 24 * 40; hour++)
        feed_clock(&stage, now_ms + HOURS(hour));
    assert_int_equal(told(&stage, alerts), 0);
    feed_office(&stage, 49, 60); /* a week and a half of another */
    feed_clock(&stage, start_ms() + DAYS(63) + HOURS(12));
    assert_int_equal(told(&stage, alerts), 0);
    stage_end(&stage);
}

static void whoever_stays_away_is_taken_for_gone(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    int64_t now_ms = feed_steadily(&stage, "shop", start_ms(), start_ms() + DAYS(2), 1);
    for (int hour = 0; hour < 24 * 40; hour++)
        feed_clock(&stage, now_ms + HOURS(hour));
    assert_int_equal(told(&stage, alerts), 3);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, "source=shop has sent nothing for 1.0 h");
    says(&alerts[1], ALERT_STATE_OPEN, SEVERITY_INFO, 2, "source=shop has sent nothing for 1.0 d"); /* what KPIs say may be told again */
    says(&alerts[2], ALERT_STATE_EXPIRED, SEVERITY_INFO, 3, "source=shop is taken for gone: nothing came for 14.0 d");
    stage_end(&stage);
}

static void history_and_the_setting(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    stage.record_ms = start_ms() + DAYS(2) + HOURS(4);
    int64_t now_ms = feed_steadily(&stage, "shop", start_ms(), start_ms() + DAYS(2), 1);
    feed_clock(&stage, now_ms + MINUTES(20));
    assert_int_equal(told(&stage, alerts), 1);
    assert_true(alerts[0].historical);
    feed_clock(&stage, now_ms + HOURS(5));
    assert_int_equal(told(&stage, alerts), 2); /* still so, and now */
    assert_false(alerts[1].historical);
    says(&alerts[1], ALERT_STATE_OPEN, SEVERITY_WARNING, 2, "source=shop has sent nothing for 5.0 h");
    stage.settings.silence_after_ms = 0;
    feed_clock(&stage, now_ms + HOURS(7));
    assert_int_equal(told(&stage, alerts), 3);
    says(&alerts[2], ALERT_STATE_EXPIRED, SEVERITY_WARNING, 3, "source=shop alerts no more: the settings have changed");
    stage_end(&stage);
}

static void play(struct stage_under_test *stage, uint64_t seed, bool crashes)
{
    struct random traffic;
    struct chaos chaos;
    random_init(&traffic, seed);
    chaos_init(&chaos, seed, 10, 100);
    for (int minute = 0; minute < 30 * 1440; minute += 5) {
        int64_t now_ms = start_ms() + MINUTES(minute);
        if (minute / 1500 % 4 != 3 || random_below(&traffic, 200) == 0)
            hear(stage, "shop", now_ms - MINUTES(random_below(&traffic, 3)));
        if (minute % 1440 > 540 && minute % 1440 < 1020 && minute / 1440 != 28)
            hear(stage, "desk", now_ms);
        feed_clock(stage, now_ms + SECONDS(30));
        if (crashes)
            chaos_strike(&chaos, stage);
    }
}

static void through_crashes_each_is_told_once(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct stage_under_test straight, crashed;
        begin(&straight);
        begin(&crashed);
        play(&straight, seed, false);
        play(&crashed, seed, true);
        only_alerts(&straight);
        only_alerts(&crashed);
        size_t count = alerts_compare(&straight, &crashed);
        assert_true(count > 10 && count <= TOLD_MOST);
        stage_end(&straight);
        stage_end(&crashed);
    }
}

/* No touchpoint is that old, but kpi.deltas is a topic, and there were no days before to look at. */
static void the_first_day_of_all_is_a_day_like_others(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    begin(&stage);
    hear(&stage, "shop", 0);
    hear(&stage, "shop", MINUTES(1));
    stage_end(&stage);
}

/* By hours, and set right: what comes then is not older than what came before, and a silence is told. Records have another clock's date, and what is heard is
 * ahead of that by five minutes at most, a pause of six; or, `is_kafkas`, that same clock's, and with the first true one the lead is forgotten. */
static void a_clock_that_was_ahead_hides_no_silence(void **unused)
{
    (void)unused;
    for (int is_kafkas = 0; is_kafkas < 2; is_kafkas++) {
        struct stage_under_test stage;
        struct alert alerts[ALERTS_MOST];
        begin(&stage);
        int64_t now_ms = feed_steadily(&stage, "shop", start_ms(), start_ms() + HOURS(34), 1), after_ms = is_kafkas ? MINUTES(15) : MINUTES(24);
        stage.record_ms = is_kafkas ? now_ms + HOURS(6) : now_ms;
        for (int minute = 0; minute < 10; minute++)
            hear_by(&stage, "shop", now_ms + HOURS(6) + MINUTES(minute));
        stage.record_ms = now_ms;
        now_ms = feed_steadily(&stage, "shop", now_ms, now_ms + MINUTES(30), 1);
        feed_clock(&stage, now_ms + after_ms - 1);
        assert_int_equal(told(&stage, alerts), 0);
        feed_clock(&stage, now_ms + after_ms);
        assert_int_equal(told(&stage, alerts), 1);
        says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1, is_kafkas ? "source=shop has sent nothing for 15.0 min" : "source=shop has sent nothing for 24.0 min");
        stage_end(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_was_ahead_hides_no_silence),
        cmocka_unit_test(who_sends_day_and_night_is_missed_after_four_times_the_longest_pause),
        cmocka_unit_test(who_keeps_hours_is_missed_in_them_alone),
        cmocka_unit_test(what_is_not_so_each_week_is_not_expected),
        cmocka_unit_test(a_pause_is_forgotten_after_three_days),
        cmocka_unit_test(who_has_no_rhythm_is_not_missed),
        cmocka_unit_test(whoever_stays_away_is_taken_for_gone),
        cmocka_unit_test(history_and_the_setting),
        cmocka_unit_test(the_first_day_of_all_is_a_day_like_others),
        cmocka_unit_test(through_crashes_each_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
