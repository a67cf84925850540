/* A KPI that misses its target: one alert, from the proof of it to the value's being good again. */
#include "base/utf8.h"
#include "processors/kpi/task.h"
#include "tests/stage/kpi/alerts.h"

static char *sets[] = {(char[]){"all"}, (char[]){"channel"}, (char[]){"product+channel"}};

static void begin(struct stage_under_test *stage)
{
    stage_begin(stage, "UTC", NULL);
    stage->settings.alert_dimensions = (struct text_list){sets, 3};
    feed_clock(stage, at("2026-05-04T12:00:00Z"));
}

/* So many answers at once, half of them one lower and half of them one higher than twice the mean says. */
static void feed_answers(struct stage_under_test *stage, const char *key, const char *when, int count, int low, int high)
{
    for (int i = 0; i < count; i++)
        feed_add(stage, key, at(when), kpi_sums_of_mean(i % 2 ? low : high), -1);
}

static void says(const struct alert *alert, enum alert_state state, enum severity severity, int32_t revision)
{
    alert_is(alert, ALERT_KIND_KPI_THRESHOLD, "kpi.target", state, severity, revision);
}

static void it_opens_when_the_whole_interval_misses_and_ends_when_the_value_is_good(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    feed_answers(&stage, "csat|all", "2026-05-04T12:00:00Z", 20, 4, 5); /* exactly on target: 4.5 */
    feed_answers(&stage, "csat|all", "2026-05-04T12:00:00Z", 18, 4, 4); /* 4.26, and sure of it: 4.26 ± 0.15 */
    feed_answers(&stage, "csat|channel=WEB", "2026-05-04T12:00:00Z", 29, 1, 2); /* clearly bad, and too few */
    feed_answers(&stage, "csat|product=P1", "2026-05-04T12:00:00Z", 50, 1, 2); /* a set that nobody asked for */
    feed_clock(&stage, at("2026-05-04T12:00:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1);
    assert_true(view_equal_text(alerts[0].kpi, "csat") && view_equal_text(alerts[0].dimension, "all"));
    assert_true(view_equal_text(alerts[0].text, "csat over 24h, all, misses its target of 4.50: 4.26"));
    assert_true(view_equal_text(alerts[0].reasons.items[0].text, "n 38, 95 % interval 4.12 to 4.41"));
    assert_false(alerts[0].historical);
    assert_int_equal(alerts[0].opened_at_ms, at("2026-05-04T12:00:01Z"));

    feed_answers(&stage, "csat|all", "2026-05-04T12:05:00Z", 10, 5, 5); /* 4.42: not provably bad any more, but not good */
    feed_clock(&stage, at("2026-05-04T12:05:01Z"));
    feed_clock(&stage, at("2026-05-04T12:15:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    feed_answers(&stage, "csat|all", "2026-05-04T12:20:00Z", 10, 5, 5); /* 4.52 */
    feed_clock(&stage, at("2026-05-04T12:20:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, 2);
    assert_true(view_equal(alerts[1].alert_id, alerts[0].alert_id));
    assert_true(view_equal_text(alerts[1].text, "csat over 24h, all, is back on its target of 4.50: 4.52"));
    stage_end(&stage);
}

static void an_interval_that_holds_the_target_proves_nothing(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    feed_answers(&stage, "csat|all", "2026-05-04T12:00:00Z", 40, 3, 5); /* 4 ± 0.32 would miss; then */
    feed_answers(&stage, "csat|all", "2026-05-04T12:00:00Z", 60, 5, 5); /* 4.6, */
    feed_answers(&stage, "csat|all", "2026-05-04T12:00:00Z", 8, 3, 3);  /* and 4.48 */
    feed_clock(&stage, at("2026-05-04T12:00:01Z"));
    assert_true(published(&stage, "csat|24h|all").value < 4.5 && published(&stage, "csat|24h|all").high > 4.5);
    assert_int_equal(alerts_of(&stage, alerts), 0);
    stage_end(&stage);
}

static void it_is_critical_when_twice_as_far_off_and_a_part_is_a_step_less_grave(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    const char *keys[] = {"first_response_time|all", "first_response_time|product=P%2C1,channel=WEB"};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 40; i++)
            feed_add(&stage, keys[k], at("2026-05-04T12:00:00Z"), kpi_sums_of_duration(HOURS(3) + MINUTES(i)), HOURS(3) + MINUTES(i));
    feed_clock(&stage, at("2026-05-04T12:00:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[0], ALERT_STATE_OPEN, SEVERITY_WARNING, 1);
    says(&alerts[1], ALERT_STATE_OPEN, SEVERITY_INFO, 1);
    assert_true(view_equal_text(alerts[1].dimension, "product=P%2C1,channel=WEB")); /* for programs; and for people: */
    const char *words = "first_response_time over 24h, product=P,1,channel=WEB, misses";
    assert_true(view_equal_text(view_of(alerts[1].text.data, strlen(words)), words));
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 40; i++)
            feed_add(&stage, keys[k], at("2026-05-04T12:01:00Z"), kpi_sums_of_duration(HOURS(7)), HOURS(7));
    feed_clock(&stage, at("2026-05-04T12:01:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 4); /* 5 h of 2: critical from 4 on */
    says(&alerts[2], ALERT_STATE_OPEN, SEVERITY_CRITICAL, 2);
    says(&alerts[3], ALERT_STATE_OPEN, SEVERITY_WARNING, 2);
    assert_true(alerts[2].score == 100 && alerts[0].score > 60 && alerts[0].score < 80);
    for (int i = 0; i < 80; i++) /* 3.2 h: no longer critical, but still missed */
        feed_add(&stage, keys[0], at("2026-05-04T12:02:00Z"), kpi_sums_of_duration(MINUTES(70)), MINUTES(70));
    feed_clock(&stage, at("2026-05-04T12:02:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 5);
    says(&alerts[4], ALERT_STATE_OPEN, SEVERITY_WARNING, 3);
    stage_end(&stage);
}

static void it_ends_in_silence(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    feed_answers(&stage, "csat|all", "2026-05-04T12:00:00Z", 30, 2, 3);
    feed_answers(&stage, "csat|channel=WEB", "2026-05-04T12:00:00Z", 30, 2, 3);
    feed_answers(&stage, "csat|channel=WEB", "2026-05-04T12:30:00Z", 40, 5, 5);
    feed_clock(&stage, at("2026-05-04T12:30:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    feed_clock(&stage, at("2026-05-05T11:59:59Z"));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    feed_clock(&stage, at("2026-05-05T12:00:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 4);
    for (int i = 2; i < 4; i++) { /* the bad ones have left: nothing is there any more, or the good ones alone */
        bool is_empty = view_equal_text(alerts[i].dimension, "all");
        says(&alerts[i], is_empty ? ALERT_STATE_EXPIRED : ALERT_STATE_RESOLVED, is_empty ? SEVERITY_CRITICAL : SEVERITY_INFO, 2);
    }
    stage_end(&stage);
}

static void the_same_trouble_soon_after_is_the_same_alert(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    const char *days[] = {"2026-05-05T12:00:00Z", "2026-05-06T11:00:00Z", "2026-05-10T12:00:00Z"};
    begin(&stage);
    for (int day = 0; day < 3; day++) {
        feed_answers(&stage, "csat|all", days[day], 40, 4, 4);
        feed_clock(&stage, at(days[day]) + SECONDS(1));
        feed_answers(&stage, "csat|all", days[day], 60, 5, 5);
        feed_clock(&stage, at(days[day]) + SECONDS(2));
    }
    assert_int_equal(alerts_of(&stage, alerts), 4); /* on the second day the first one's answers help */
    stage_end(&stage);

    begin(&stage);
    feed_answers(&stage, "csat|all", days[0], 40, 4, 4);
    feed_clock(&stage, at(days[0]) + SECONDS(1));
    feed_answers(&stage, "csat|all", days[0], 40, 5, 5);
    feed_clock(&stage, at(days[0]) + SECONDS(2));
    feed_answers(&stage, "csat|all", days[1], 90, 4, 4);
    feed_clock(&stage, at(days[1]) + SECONDS(1)); /* a day later, less an hour */
    feed_clock(&stage, at("2026-05-08T12:00:00Z"));
    feed_answers(&stage, "csat|all", days[2], 40, 4, 4);
    feed_clock(&stage, at(days[2]) + SECONDS(1));
    assert_int_equal(alerts_of(&stage, alerts), 5);
    says(&alerts[2], ALERT_STATE_OPEN, SEVERITY_WARNING, 3);
    assert_true(view_equal(alerts[2].alert_id, alerts[0].alert_id));
    says(&alerts[4], ALERT_STATE_OPEN, SEVERITY_WARNING, 1);
    assert_false(view_equal(alerts[4].alert_id, alerts[0].alert_id));
    stage_end(&stage);
}

/* Of the surveys that are out nobody knows yet; a target of 60 % is not missed before they cannot reach it. */
static void what_can_still_turn_out_well_is_no_miss(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    for (int i = 0; i < 100; i++)
        feed_add(&stage, "survey_completion|all", at("2026-05-04T12:00:00Z"), kpi_sums_of_rate(i < 30, i >= 50), -1);
    feed_clock(&stage, at("2026-05-04T12:00:01Z"));
    is_close(published(&stage, "survey_completion|90d|all").high, published(&stage, "survey_completion|24h|all").high);
    assert_true(published(&stage, "survey_completion|90d|all").high < 0.6);
    assert_int_equal(alerts_of(&stage, alerts), 0);
    feed_add(&stage, "survey_completion|all", at("2026-05-04T12:00:00Z"), (struct kpi_sums){.immature = -40}, -1);
    feed_clock(&stage, at("2026-05-18T12:00:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 1); /* 40 % at best */
    assert_true(view_equal_text(alerts[0].text, "survey_completion over 90d, all, misses its target of 60.0 %: 30.0 %"));
    for (int i = 0; i < 100; i++) /* the next hundred go out */
        feed_add(&stage, "survey_completion|all", at("2026-05-18T12:00:02Z"), kpi_sums_of_rate(false, true), -1);
    feed_clock(&stage, at("2026-05-18T12:00:03Z"));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    says(&alerts[1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, 2);
    assert_true(view_equal_text(alerts[1].text, "survey_completion over 90d, all, can reach its target of 60.0 % again: 15.0 % so far"));
    stage_end(&stage);
}

/* A ticket resolved at the first contact counts as such until somebody comes back; one not reopened as not reopened. */
static void what_stands_well_already_is_not_hoped_for_twice(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    stage.shared.has_target[KPI_FCR] = stage.shared.has_target[KPI_REOPEN_RATE] = true;
    stage.shared.targets[KPI_FCR] = 0.8;
    stage.shared.targets[KPI_REOPEN_RATE] = 0.1;
    for (int i = 0; i < 100; i++) {
        feed_add(&stage, "fcr|all", at("2026-05-04T12:00:00Z"), kpi_sums_of_rate(i < 50, i < 50), -1);
        feed_add(&stage, "reopen_rate|all", at("2026-05-04T12:00:00Z"), kpi_sums_of_rate(i < 30, i >= 30), -1);
    }
    feed_clock(&stage, at("2026-05-04T12:00:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 2);
    for (int i = 0; i < 2; i++) /* 50 % at best, and 30 % */
        says(&alerts[i], ALERT_STATE_OPEN, SEVERITY_CRITICAL, 1);
    stage_end(&stage);
}

static void exact_numbers_end_a_twentieth_better(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    stage.shared.has_target[KPI_BACKLOG] = true;
    stage.shared.targets[KPI_BACKLOG] = 100;
    static const int changes[] = {100, 1, -1, 1, -5, 4, -5, -1};
    static const size_t told[] = {0, 1, 1, 1, 1, 1, 2, 2};
    for (size_t i = 0; i < 8; i++) {
        feed_add(&stage, "backlog|all", at("2026-05-04T12:00:00Z") + MINUTES((int64_t)i), (struct kpi_sums){.n = changes[i]}, -1);
        feed_clock(&stage, at("2026-05-04T12:00:01Z") + MINUTES((int64_t)i));
        assert_int_equal(alerts_of(&stage, alerts), told[i]);
    }
    stage_end(&stage);
}

static void history_is_recorded_and_news_when_it_has_caught_up(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    stage.record_ms = at("2026-05-06T09:00:00Z"); /* read today */
    feed_answers(&stage, "csat|all", "2026-05-04T12:00:00Z", 40, 4, 4);
    feed_answers(&stage, "csat|channel=WEB", "2026-05-05T12:00:00Z", 40, 4, 4);
    feed_answers(&stage, "csat|channel=CHAT", "2026-05-05T12:00:00Z", 40, 4, 4);
    feed_clock(&stage, at("2026-05-04T12:00:01Z"));
    feed_clock(&stage, at("2026-05-05T12:00:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 4);
    for (int i = 0; i < 4; i++) /* one of them has ended before anybody read of it */
        assert_true(alerts[i].historical);
    feed_clock(&stage, at("2026-05-06T08:01:00Z"));
    assert_int_equal(alerts_of(&stage, alerts), 6);
    for (int i = 4; i < 6; i++) {
        says(&alerts[i], ALERT_STATE_OPEN, SEVERITY_INFO, 2);
        assert_false(alerts[i].historical);
    }
    feed_answers(&stage, "csat|channel=WEB", "2026-05-06T08:01:00Z", 60, 5, 5);
    feed_clock(&stage, at("2026-05-06T08:02:00Z"));
    assert_int_equal(alerts_of(&stage, alerts), 7);
    says(&alerts[6], ALERT_STATE_RESOLVED, SEVERITY_INFO, 3);
    assert_false(alerts[6].historical);
    stage_end(&stage);
}

static void what_is_behind_by_the_disorder_that_is_allowed_is_no_history(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    stage.shared.behind_ms = HOURS(2);
    stage.record_ms = at("2026-05-04T14:00:00Z");
    feed_answers(&stage, "csat|all", "2026-05-04T12:00:00Z", 40, 4, 4);
    feed_clock(&stage, at("2026-05-04T12:00:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    assert_false(alerts[0].historical);
    stage_end(&stage);
}

static void what_the_settings_no_longer_hold_to_a_target_ends(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    feed_answers(&stage, "csat|all", "2026-05-04T12:00:00Z", 40, 4, 4);
    feed_clock(&stage, at("2026-05-04T12:00:01Z"));
    driver_checkpoint_begin(stage.driver);
    while (!driver_checkpoint_write(stage.driver, 100))
        continue;
    stage.shared.held[KPI_CSAT] = WINDOW_7D;
    driver_recover(stage.driver);
    feed_clock(&stage, at("2026-05-04T12:05:00Z"));
    feed_answers(&stage, "csat|all", "2026-05-04T12:06:00Z", 1, 4, 4);
    feed_clock(&stage, at("2026-05-04T12:06:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 3);
    says(&alerts[1], ALERT_STATE_EXPIRED, SEVERITY_WARNING, 2);
    says(&alerts[2], ALERT_STATE_OPEN, SEVERITY_WARNING, 1);
    assert_true(view_equal_text(alerts[2].text, "csat over 7d, all, misses its target of 4.50: 4.00"));
    stage_end(&stage);
}

/* A text is cut between characters: half of one is nothing that a reader of Avro takes. */
static void a_long_name_is_cut_where_it_may_be(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    char key[700] = "csat|channel=x";
    for (int i = 0; i < 250; i++)
        strcat(key, "\u00e9");
    begin(&stage);
    feed_answers(&stage, key, "2026-05-04T12:00:00Z", 40, 2, 2);
    feed_clock(&stage, at("2026-05-04T12:00:01Z"));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    assert_true(utf8_is_valid(alerts[0].text) && alerts[0].text.size > 400);
    stage_end(&stage);
}

/* Checkpoints were written before there were these alerts: they end where theirs begin. */
static void a_checkpoint_of_before_is_read(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    begin(&stage);
    struct kpi_task task = {.shared = &stage.shared};
    struct kpi_sums answer = kpi_sums_of_mean(4);
    struct bytes saved = {0};
    struct series_state *state = series_state_create(&task, VIEW_LITERAL("csat|all"), KPI_CSAT);
    series_advance(&state->series, at("2026-05-04T12:00:00Z"));
    series_add(&state->series, (int32_t)(at("2026-05-04T12:00:00Z") / 60000), &answer);
    series_state_save(state, &saved);
    series_state_destroy(&task, state);
    state = series_state_load(&task, VIEW_LITERAL("csat|all"), view_of(saved.data, saved.size - FACES_MAX - 2));
    assert_non_null(state);
    assert_int_equal(state->thresholds[0].window, WINDOW_24H);
    assert_int_equal(state->thresholds[0].level, 0);
    series_state_destroy(&task, state);
    free(task.series.items);
    bytes_finish(&saved);
    stage_end(&stage);
}

/* --- crashes --- */

static void play(struct stage_under_test *stage, uint64_t seed, bool crashes)
{
    static const char *const keys[] = {"csat|all", "csat|channel=WEB", "first_response_time|all", "csat|product=P1,channel=WEB"};
    struct random traffic;
    struct chaos chaos;
    int64_t now_ms = at("2026-05-04T12:00:00Z");
    random_init(&traffic, seed);
    chaos_init(&chaos, seed, 20, 60);
    for (int i = 0; i < 6000; i++) {
        int mood = i / 300 % 2;
        const char *key = keys[random_below(&traffic, 4)];
        int64_t when_ms = now_ms - random_below(&traffic, 3600000), duration_ms = HOURS(1) + MINUTES(random_below(&traffic, 90 + 120 * (unsigned)mood));
        bool is_duration = key[0] == 'f';
        feed_add(stage, key, when_ms, is_duration ? kpi_sums_of_duration(duration_ms) : kpi_sums_of_mean(5 - (int)random_below(&traffic, 1 + 2 * (unsigned)mood)),
                 is_duration ? duration_ms : -1);
        now_ms += MINUTES(1 + random_below(&traffic, 20));
        if (i % 3 == 0)
            feed_clock(stage, now_ms);
        if (crashes)
            chaos_strike(&chaos, stage);
    }
}

static void through_crashes_each_is_told_once(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct stage_under_test straight, crashed;
        begin(&straight);
        begin(&crashed);
        straight.settings.alert_least_n = crashed.settings.alert_least_n = 10;
        play(&straight, seed, false);
        play(&crashed, seed, true);
        size_t count = alerts_compare(&straight, &crashed);
        assert_true(count > 20);
        stage_end(&straight);
        stage_end(&crashed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_when_the_whole_interval_misses_and_ends_when_the_value_is_good),
        cmocka_unit_test(an_interval_that_holds_the_target_proves_nothing),
        cmocka_unit_test(it_is_critical_when_twice_as_far_off_and_a_part_is_a_step_less_grave),
        cmocka_unit_test(it_ends_in_silence),
        cmocka_unit_test(the_same_trouble_soon_after_is_the_same_alert),
        cmocka_unit_test(what_can_still_turn_out_well_is_no_miss),
        cmocka_unit_test(what_stands_well_already_is_not_hoped_for_twice),
        cmocka_unit_test(exact_numbers_end_a_twentieth_better),
        cmocka_unit_test(history_is_recorded_and_news_when_it_has_caught_up),
        cmocka_unit_test(what_is_behind_by_the_disorder_that_is_allowed_is_no_history),
        cmocka_unit_test(what_the_settings_no_longer_hold_to_a_target_ends),
        cmocka_unit_test(a_long_name_is_cut_where_it_may_be),
        cmocka_unit_test(a_checkpoint_of_before_is_read),
        cmocka_unit_test(through_crashes_each_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
