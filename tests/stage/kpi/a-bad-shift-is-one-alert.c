/* A shift that is bad for the customer: one alert, from its being found to its being over, or usual. */
#include "processors/kpi/task.h"
#include "tests/stage/kpi/alerts.h"

enum { CALM_DAYS = 20 };

static char *sets[] = {(char[]){"all"}, (char[]){"channel"}};
static char *kinds[] = {(char[]){"level"}, (char[]){"trend"}};
static char *spikes[] = {(char[]){"spike"}};

static int64_t start_ms(void)
{
    return at("2026-02-01T00:00:00Z");
}

static void begin(struct stage_under_test *stage)
{
    stage_begin(stage, "Europe/Berlin", "single");
    stage->settings.shift_dimensions = (struct text_list){sets, 2};
    stage->settings.shift_kinds = (struct text_list){kinds, 2};
    feed_clock(stage, start_ms());
}

static void says(const struct alert *alert, enum alert_state state, enum severity severity, int32_t revision)
{
    alert_is(alert, ALERT_KIND_TREND_SHIFT, "trend.shift", state, severity, revision);
    assert_null(alert->case_id.data);
}

static bool has(struct view text, const char *part)
{
    return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* By the day what comes before is a day's business; so many hours of a share, of 100 an hour. */
static int64_t feed_hours(struct stage_under_test *stage, struct random *random, const char *key, int64_t from_ms, int hours, double rate)
{
    for (int hour = 0; hour < hours; hour++) {
        int hits = 0;
        for (int i = 0; i < 100; i++)
            hits += random_unit(random) < rate;
        feed_add(stage, key, from_ms + HOURS(hour) + MINUTES(random_below(random, 60)), (struct kpi_sums){.n = 100, .num = hits}, -1);
        feed_clock(stage, from_ms + HOURS(hour + 1) + MINUTES(2));
    }
    return from_ms + HOURS(hours);
}

/* Twenty calm days, and a day of `rate`. Gives when the day is over. */
static int64_t feed_shift(struct stage_under_test *stage, struct random *random, const char *key, double rate)
{
    random_init(random, 5);
    int64_t now_ms = feed_hours(stage, random, key, start_ms(), CALM_DAYS * 24, 0.8);
    return feed_hours(stage, random, key, now_ms, 24, rate);
}

static void it_opens_when_it_is_found_and_ends_when_it_is_back(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    struct random random;
    begin(&stage);
    stage.record_ms = start_ms() - DAYS(1);
    int64_t now_ms = feed_shift(&stage, &random, "response_24h|all", 0.55);
    assert_int_equal(alerts_of(&stage, alerts), 1);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1);
    assert_true(view_equal_text(alerts[0].kpi, "response_24h") && view_equal_text(alerts[0].dimension, "all"));
    assert_false(alerts[0].historical);
    int64_t drop_ms = start_ms() + DAYS(CALM_DAYS);
    assert_true(alerts[0].opened_at_ms > drop_ms && alerts[0].opened_at_ms <= drop_ms + HOURS(6));
    assert_true(has(alerts[0].text, "response_24h by the hour, all, has fallen: 7") || has(alerts[0].text, "response_24h by the hour, all, has fallen: 8"));
    assert_true(has(alerts[0].text, " % \u2192 5"));
    assert_true(has(alerts[0].text, " since 2026-02-21 01:00 Europe/Berlin")); /* as the company's clocks have it */
    assert_true(has(alerts[0].reasons.items[0].text, "expected was ") && has(alerts[0].reasons.items[0].text, "; confidence 9"));

    feed_hours(&stage, &random, "response_24h|all", now_ms, 48, 0.8);
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, 2);
    assert_true(view_equal(alerts[1].alert_id, alerts[0].alert_id));
    assert_int_equal(alerts[1].opened_at_ms, alerts[0].opened_at_ms);
    assert_true(alerts[1].changed_at_ms > now_ms && alerts[1].changed_at_ms <= now_ms + HOURS(24));
    assert_true(has(alerts[1].text, "response_24h by the hour, all, is back: ") && has(alerts[1].text, " %, usual was "));
    stage_end(&stage);
}

/* A channel is a step less grave; what nobody asked for, what is good, and what is neither tells nobody. */
static void only_bad_news_of_who_is_asked_for_alerts(void **unused)
{
    (void)unused;
    static const struct {
        const char *key;
        double rate, least_confidence;
        size_t alerts;
    } cases[] = {{"csat_top2|channel=WEB", 0.55, 0, 1}, {"csat_top2|product=P1", 0.55, 0, 0}, {"response_24h|all", 0.97, 0, 0},
                 {"review_low|all", 0.97, 0, 1},    {"response_24h|all", 0.55, 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage_under_test stage;
        struct alert alerts[ALERTS_MOST];
        struct random random;
        begin(&stage);
        stage.settings.shift_least_confidence = cases[i].least_confidence;
        feed_shift(&stage, &random, cases[i].key, cases[i].rate);
        assert_int_equal(alerts_of(&stage, alerts), cases[i].alerts);
        if (cases[i].alerts)
            says(&alerts[0], ALERT_STATE_OPEN, i == 0 ? SEVERITY_INFO : SEVERITY_WARNING, 1);
        stage_end(&stage);
    }
}

/* What has stayed so for a week is usual; the days, which see the same drop, say nothing that is not known. */
static void what_stays_is_usual_after_a_while(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    struct random random;
    begin(&stage);
    int64_t now_ms = feed_shift(&stage, &random, "response_24h|all", 0.55);
    now_ms = feed_hours(&stage, &random, "response_24h|all", now_ms, 5 * 24, 0.55);
    assert_int_equal(alerts_of(&stage, alerts), 1);
    feed_hours(&stage, &random, "response_24h|all", now_ms, 9 * 24, 0.55);
    size_t count = alerts_of(&stage, alerts), by_days = 0;
    for (size_t i = 0; i < driver_output_count(stage.driver); i++)
        by_days += strcmp(driver_output(stage.driver, i)->topic, "trend.shifts") == 0;
    assert_true(by_days >= 2); /* the detectors of hours and of days have both found it */
    assert_int_equal(count, 2);
    says(&alerts[1], ALERT_STATE_EXPIRED, SEVERITY_WARNING, 2);
    assert_int_equal(alerts[1].changed_at_ms, alerts[0].opened_at_ms + DAYS(7));
    assert_true(has(alerts[1].text, "has stayed so for 7 d: 5") && has(alerts[1].text, " % is usual now"));
    stage_end(&stage);
}

static void a_further_step_is_another_alert(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    struct random random;
    begin(&stage);
    int64_t now_ms = feed_shift(&stage, &random, "response_24h|all", 0.55);
    feed_hours(&stage, &random, "response_24h|all", now_ms, 48, 0.2);
    assert_int_equal(alerts_of(&stage, alerts), 3);
    says(&alerts[1], ALERT_STATE_EXPIRED, SEVERITY_WARNING, 2);
    assert_true(view_equal(alerts[1].alert_id, alerts[0].alert_id));
    assert_true(has(alerts[1].text, "has shifted once more"));
    says(&alerts[2], ALERT_STATE_OPEN, SEVERITY_WARNING, 1);
    assert_false(view_equal(alerts[2].alert_id, alerts[0].alert_id));
    assert_true(has(alerts[2].text, "has fallen: 5"));
    stage_end(&stage);
}

/* Minutes see it first. What the hours find then is the same, or goes on from there. */
static void minutes_and_hours_tell_of_a_step_once(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    struct random random;
    begin(&stage);
    int64_t now_ms = feed_shift(&stage, &random, "csat_top2|all", 0.55);
    assert_int_equal(alerts_of(&stage, alerts), 1);
    assert_true(has(alerts[0].text, "csat_top2 by the minute, all, has fallen: 8"));
    feed_hours(&stage, &random, "csat_top2|all", now_ms, 24, 0.2);
    assert_int_equal(alerts_of(&stage, alerts), 3);
    says(&alerts[1], ALERT_STATE_EXPIRED, SEVERITY_WARNING, 2);
    says(&alerts[2], ALERT_STATE_OPEN, SEVERITY_WARNING, 1);
    assert_true(has(alerts[2].text, "has fallen: 5"));
    stage_end(&stage);
}

/* It begins late in an hour: minutes have told it when the hours, which see it from the next one on, find it. */
static void what_minutes_have_told_hours_do_not_tell_again(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    struct random random;
    begin(&stage);
    random_init(&random, 5);
    int64_t drop_ms = start_ms() + DAYS(5) + MINUTES(52);
    for (int64_t at_ms = start_ms(); at_ms < drop_ms + HOURS(8); at_ms += MINUTES(1)) {
        int hits = 0;
        for (int i = 0; i < 30; i++)
            hits += random_unit(&random) < (at_ms < drop_ms ? 0.8 : 0.55);
        feed_add(&stage, "csat_top2|all", at_ms, (struct kpi_sums){.n = 30, .num = hits}, -1);
        feed_clock(&stage, at_ms + SECONDS(59));
    }
    size_t shifts = 0;
    for (size_t i = 0; i < driver_output_count(stage.driver); i++)
        shifts += strcmp(driver_output(stage.driver, i)->topic, "trend.shifts") == 0;
    assert_true(shifts >= 2);
    assert_int_equal(alerts_of(&stage, alerts), 1);
    assert_true(has(alerts[0].text, "csat_top2 by the minute, all, has fallen: ") && alerts[0].opened_at_ms < drop_ms + MINUTES(8));
    stage_end(&stage);
}

static void a_spike_is_over_with_its_bucket(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    struct random random;
    begin(&stage);
    stage.settings.shift_kinds = (struct text_list){spikes, 1};
    random_init(&random, 5);
    int64_t now_ms = feed_hours(&stage, &random, "response_24h|all", start_ms(), CALM_DAYS * 24, 0.8);
    now_ms = feed_hours(&stage, &random, "response_24h|all", now_ms, 1, 0.1);
    feed_hours(&stage, &random, "response_24h|all", now_ms, 12, 0.8);
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1);
    assert_true(has(alerts[0].text, " % in one hour, expected: ") && has(alerts[0].text, ", at 2026-02-21 01:00 Europe/Berlin"));
    says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, 2);
    assert_int_equal(alerts[1].changed_at_ms, alerts[0].opened_at_ms + HOURS(1));
    stage_end(&stage);
}

static void recover(struct stage_under_test *stage)
{
    driver_checkpoint_begin(stage->driver);
    while (!driver_checkpoint_write(stage->driver, 100))
        continue;
    driver_recover(stage->driver);
}

/* An import: what is found in it happened long ago. Of the last day, what still stands is told when time has caught up. */
static void history_calls_nobody(void **unused)
{
    (void)unused;
    for (int hours_ago = 6; hours_ago <= 48; hours_ago += 42) {
        struct stage_under_test stage;
        struct alert alerts[ALERTS_MOST];
        struct random random;
        begin(&stage);
        stage.record_ms = start_ms() + DAYS(40);
        random_init(&random, 5);
        int64_t now_ms = feed_hours(&stage, &random, "response_24h|all", start_ms(), CALM_DAYS * 24, 0.8);
        now_ms = feed_hours(&stage, &random, "response_24h|all", now_ms, hours_ago, 0.5);
        assert_int_equal(alerts_of(&stage, alerts), 1);
        assert_true(alerts[0].historical);
        recover(&stage);
        stage.record_ms = now_ms + MINUTES(3); /* it is now */
        feed_hours(&stage, &random, "response_24h|all", now_ms, 3, 0.5);
        assert_int_equal(alerts_of(&stage, alerts), hours_ago < 24 ? 2 : 1);
        if (hours_ago < 24) {
            says(&alerts[1], ALERT_STATE_OPEN, SEVERITY_WARNING, 2);
            assert_false(alerts[1].historical);
            assert_true(view_equal(alerts[1].text, alerts[0].text));
        }
        stage_end(&stage);
    }
}

static void what_the_settings_no_longer_want_ends(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    struct random random;
    begin(&stage);
    int64_t now_ms = feed_shift(&stage, &random, "response_24h|all", 0.55);
    recover(&stage);
    feed_clock(&stage, now_ms + MINUTES(3));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    stage.settings.shift_dimensions.count = 0;
    feed_clock(&stage, now_ms + HOURS(1) + MINUTES(3));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_EXPIRED, SEVERITY_WARNING, 2);
    assert_true(has(alerts[1].text, "the settings have changed"));
    stage_end(&stage);
}

/* Ends in silence, too: nobody answers any more, and a week later it is no news. */
static void it_ends_in_silence(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    struct random random;
    begin(&stage);
    int64_t now_ms = feed_shift(&stage, &random, "response_24h|all", 0.55);
    feed_clock(&stage, now_ms + DAYS(6));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    feed_clock(&stage, now_ms + DAYS(8));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_EXPIRED, SEVERITY_WARNING, 2);
    stage_end(&stage);
}

/* --- crashes --- */

static void play(struct stage_under_test *stage, uint64_t seed, bool crashes)
{
    static const char *const keys[] = {"response_24h|all", "negative_share|channel=WEB", "csat_top2|channel=CHAT"};
    struct random traffic;
    struct chaos chaos;
    random_init(&traffic, seed);
    chaos_init(&chaos, seed, 10, 60);
    double rate = 0.8;
    for (int hour = 0; hour < 80 * 24; hour++) {
        if (hour > 15 * 24 && random_below(&traffic, 60) == 0)
            rate = 0.2 + 0.2 * random_below(&traffic, 4);
        for (int k = 0; k < 3; k++) {
            int hits = 0;
            for (int i = 0; i < 100; i++)
                hits += random_unit(&traffic) < rate;
            feed_add(stage, keys[k], start_ms() + HOURS(hour) + MINUTES(random_below(&traffic, 60)), (struct kpi_sums){.n = 100, .num = hits}, -1);
        }
        feed_clock(stage, start_ms() + HOURS(hour + 1) + MINUTES(2));
        if (crashes)
            chaos_strike(&chaos, stage);
    }
}

static void through_crashes_each_is_told_once(void **unused)
{
    (void)unused;
    size_t told = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct stage_under_test straight, crashed;
        begin(&straight);
        begin(&crashed);
        play(&straight, seed, false);
        play(&crashed, seed, true);
        told += alerts_compare(&straight, &crashed);
        stage_end(&straight);
        stage_end(&crashed);
    }
    assert_true(told > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_when_it_is_found_and_ends_when_it_is_back),
        cmocka_unit_test(only_bad_news_of_who_is_asked_for_alerts),
        cmocka_unit_test(what_stays_is_usual_after_a_while),
        cmocka_unit_test(a_further_step_is_another_alert),
        cmocka_unit_test(minutes_and_hours_tell_of_a_step_once),
        cmocka_unit_test(what_minutes_have_told_hours_do_not_tell_again),
        cmocka_unit_test(a_spike_is_over_with_its_bucket),
        cmocka_unit_test(history_calls_nobody),
        cmocka_unit_test(what_the_settings_no_longer_want_ends),
        cmocka_unit_test(it_ends_in_silence),
        cmocka_unit_test(through_crashes_each_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
