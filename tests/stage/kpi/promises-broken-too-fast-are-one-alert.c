/* The error budget of promises: an alert while two windows agree that it burns too fast. */
#include "processors/kpi/task.h"
#include "tests/stage/kpi/alerts.h"

static char *sets[] = {(char[]){"all"}, (char[]){"channel"}};

static int64_t noon_ms(void)
{
    return at("2026-05-04T12:00:00Z");
}

static void begin(struct stage_under_test *stage)
{
    stage_begin(stage, "UTC", NULL);
    stage->settings.alert_dimensions = (struct text_list){sets, 2};
    stage->settings.burn_objective = 0.9;
    stage->settings.burn_least_n = 10;
    feed_clock(stage, noon_ms());
}

static void says(const struct alert *alert, enum alert_state state, enum severity severity, int32_t revision)
{
    alert_is(alert, ALERT_KIND_SLA_BURN, "sla.burn", state, severity, revision);
}

/* So many a minute, of which so many of ten are kept; gives the minute after. */
static int64_t feed_minutes(struct stage_under_test *stage, const char *key, int64_t from_ms, int minutes, int each, int kept_of_ten)
{
    for (int minute = 0; minute < minutes; minute++) {
        int kept = 0;
        for (int i = 0; i < each; i++)
            kept += (minute * each + i) * 7 % 10 < kept_of_ten;
        feed_add(stage, key, from_ms + MINUTES(minute), (struct kpi_sums){.n = each, .num = kept}, -1);
        feed_clock(stage, from_ms + MINUTES(minute) + SECONDS(59));
    }
    return from_ms + MINUTES(minutes);
}

static void half_of_all_broken_is_told_within_minutes_and_over_soon_after(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    int64_t now_ms = feed_minutes(&stage, "sla_first_response|all", noon_ms(), 120, 2, 9);
    assert_int_equal(alerts_of(&stage, alerts), 0); /* just what the budget allows */
    int64_t worse_ms = now_ms;
    now_ms = feed_minutes(&stage, "sla_first_response|all", now_ms, 60, 2, 2);
    size_t count = alerts_of(&stage, alerts);
    assert_true(count >= 1 && count <= 2); /* slow before it is fast, perhaps */
    says(&alerts[count - 1], ALERT_STATE_OPEN, SEVERITY_CRITICAL, (int32_t)count);
    assert_true(alerts[0].opened_at_ms > worse_ms + MINUTES(20) && alerts[count - 1].changed_at_ms < worse_ms + MINUTES(55));
    assert_true(view_equal_text(alerts[0].kpi, "sla_first_response") && view_equal_text(alerts[0].dimension, "all"));
    assert_false(alerts[0].historical);
    const char *said = arena_text(&stage.arena, alerts[count - 1].text);
    assert_non_null(strstr(said, "sla_first_response over 1h, all, burns its error budget "));
    assert_non_null(strstr(said, " times too fast: "));
    assert_non_null(strstr(said, " of promises were broken where 90.0 % are to be kept"));
    assert_non_null(strstr(arena_text(&stage.arena, alerts[count - 1].reasons.items[0].text), " in 5m; the line is 50.0 %"));

    int64_t better_ms = now_ms;
    feed_minutes(&stage, "sla_first_response|all", now_ms, 60, 2, 10);
    count = alerts_of(&stage, alerts);
    says(&alerts[count - 1], ALERT_STATE_RESOLVED, alerts[count - 1].severity, (int32_t)count);
    for (size_t i = 1; i < count; i++)
        assert_true(view_equal(alerts[i].alert_id, alerts[0].alert_id));
    bool is_over_soon = false; /* the fast one, with the hour still full of what was broken */
    for (size_t i = 0; i < count; i++)
        is_over_soon |= alerts[i].changed_at_ms > better_ms && alerts[i].changed_at_ms < better_ms + MINUTES(8);
    assert_true(is_over_soon);
    stage_end(&stage);
}

/* A third of a day's promises: a warning, and a channel is a step less grave. */
static void what_burns_slowly_is_a_warning(void **unused)
{
    (void)unused;
    static const char *const keys[] = {"sla_resolution|all", "sla_resolution|channel=WEB"};
    for (int k = 0; k < 2; k++) {
        struct stage_under_test stage;
        struct alert alerts[ALERTS_MOST];
        begin(&stage);
        feed_minutes(&stage, keys[k], noon_ms(), 300, 1, 6); /* 40 % broken: between 30 and 50 */
        assert_int_equal(alerts_of(&stage, alerts), 1);
        says(&alerts[0], ALERT_STATE_OPEN, k ? SEVERITY_INFO : SEVERITY_WARNING, 1);
        assert_non_null(strstr(arena_text(&stage.arena, alerts[0].reasons.items[0].text), "the line is 30.0 %"));
        stage_end(&stage);
    }
}

static void few_other_kpis_and_other_sets_alert_nobody(void **unused)
{
    (void)unused;
    static const struct {
        const char *key;
        int minutes;
        double objective;
    } cases[] = {{"sla_first_response|all", 9, 0.9}, {"sla_first_response|product=P1", 60, 0.9}, {"fcr|all", 60, 0.9}, {"sla_first_response|all", 60, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage_under_test stage;
        struct alert alerts[ALERTS_MOST];
        begin(&stage);
        stage.settings.burn_objective = cases[i].objective;
        feed_minutes(&stage, cases[i].key, noon_ms(), cases[i].minutes, 1, 0);
        assert_int_equal(alerts_of(&stage, alerts), 0);
        stage_end(&stage);
    }
}

static void an_accident_proves_nothing(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    feed_minutes(&stage, "sla_first_response|all", noon_ms(), 1, 10, 5); /* half of ten: 24 to 76 % of many */
    assert_int_equal(alerts_of(&stage, alerts), 0);
    stage_end(&stage);
}

static void the_same_trouble_soon_after_is_the_same_alert(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    int64_t now_ms = feed_minutes(&stage, "sla_first_response|all", noon_ms(), 30, 1, 0);
    now_ms = feed_minutes(&stage, "sla_first_response|all", now_ms, 200, 1, 10);
    size_t count = alerts_of(&stage, alerts);
    says(&alerts[count - 1], ALERT_STATE_RESOLVED, alerts[count - 1].severity, (int32_t)count);
    feed_minutes(&stage, "sla_first_response|all", now_ms, 60, 1, 0);
    size_t more = alerts_of(&stage, alerts);
    assert_true(more > count);
    says(&alerts[more - 1], ALERT_STATE_OPEN, SEVERITY_CRITICAL, (int32_t)more);
    assert_true(view_equal(alerts[more - 1].alert_id, alerts[0].alert_id));
    stage_end(&stage);
}

/* Of 99 % the lines are those of the book. */
static void a_high_objective_has_the_burn_rates_of_the_book(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    stage.shared.has_target[KPI_SLA_FIRST_RESPONSE] = true; /* over the setting */
    stage.shared.targets[KPI_SLA_FIRST_RESPONSE] = 0.99;
    feed_minutes(&stage, "sla_first_response|all", noon_ms(), 60, 20, 7);
    size_t count = alerts_of(&stage, alerts);
    size_t burns = 0;
    for (size_t i = 0; i < count; i++) {
        if (alerts[i].kind != ALERT_KIND_SLA_BURN)
            continue;
        says(&alerts[i], ALERT_STATE_OPEN, SEVERITY_CRITICAL, 1);
        assert_non_null(strstr(arena_text(&stage.arena, alerts[i].text), "burns its error budget 30.0 times too fast: 30.0 % of"));
        assert_non_null(strstr(arena_text(&stage.arena, alerts[i].reasons.items[0].text), "the line is 14.4 %"));
        burns++;
    }
    assert_int_equal(burns, 1);
    stage_end(&stage);
}

/* Nobody writes any more: what was broken leaves the windows, and nobody is left waiting for the end of it. */
static void it_ends_in_silence(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    int64_t now_ms = feed_minutes(&stage, "sla_first_response|all", noon_ms(), 30, 1, 0);
    size_t count = alerts_of(&stage, alerts);
    says(&alerts[count - 1], ALERT_STATE_OPEN, SEVERITY_CRITICAL, (int32_t)count);
    for (int hour = 0; hour < 26; hour++)
        feed_clock(&stage, now_ms + HOURS(hour));
    count = alerts_of(&stage, alerts);
    says(&alerts[count - 1], ALERT_STATE_RESOLVED, SEVERITY_WARNING, (int32_t)count);
    stage_end(&stage);
}

static void recover(struct stage_under_test *stage)
{
    driver_checkpoint_begin(stage->driver);
    while (!driver_checkpoint_write(stage->driver, 100))
        continue;
    driver_recover(stage->driver);
}

static void history_is_news_when_it_has_caught_up_and_settings_end_it(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct alert alerts[ALERTS_MOST];
    begin(&stage);
    stage.record_ms = noon_ms() + HOURS(3); /* read three hours later */
    int64_t now_ms = feed_minutes(&stage, "sla_first_response|all", noon_ms(), 40, 1, 0);
    size_t count = alerts_of(&stage, alerts);
    assert_true(count >= 1 && alerts[count - 1].historical);
    recover(&stage);
    now_ms = feed_minutes(&stage, "sla_first_response|all", now_ms, 100, 1, 0);
    assert_int_equal(alerts_of(&stage, alerts), count + 1);
    says(&alerts[count], ALERT_STATE_OPEN, SEVERITY_CRITICAL, (int32_t)count + 1);
    assert_false(alerts[count].historical);
    stage.settings.burn_objective = 0;
    feed_minutes(&stage, "sla_first_response|all", now_ms, 3, 1, 0);
    assert_int_equal(alerts_of(&stage, alerts), count + 2);
    says(&alerts[count + 1], ALERT_STATE_EXPIRED, SEVERITY_CRITICAL, (int32_t)count + 2);
    stage_end(&stage);
}

/* --- crashes --- */

static void play(struct stage_under_test *stage, uint64_t seed, bool crashes)
{
    static const char *const keys[] = {"sla_first_response|all", "sla_resolution|channel=WEB", "sla_resolution|all"};
    struct random traffic;
    struct chaos chaos;
    random_init(&traffic, seed);
    chaos_init(&chaos, seed, 10, 60);
    for (int minute = 0; minute < 4 * 1440; minute += 2) {
        const char *key = keys[random_below(&traffic, 3)];
        int64_t now_ms = noon_ms() + MINUTES(minute);
        bool is_kept = random_below(&traffic, 10) < (minute / 200 % 3 == 1 ? 2 : 9);
        feed_add(stage, key, now_ms, (struct kpi_sums){.n = 1, .num = is_kept}, -1);
        feed_clock(stage, now_ms + SECONDS(30));
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
        cmocka_unit_test(half_of_all_broken_is_told_within_minutes_and_over_soon_after),
        cmocka_unit_test(what_burns_slowly_is_a_warning),
        cmocka_unit_test(few_other_kpis_and_other_sets_alert_nobody),
        cmocka_unit_test(an_accident_proves_nothing),
        cmocka_unit_test(the_same_trouble_soon_after_is_the_same_alert),
        cmocka_unit_test(a_high_objective_has_the_burn_rates_of_the_book),
        cmocka_unit_test(it_ends_in_silence),
        cmocka_unit_test(history_is_news_when_it_has_caught_up_and_settings_end_it),
        cmocka_unit_test(through_crashes_each_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
