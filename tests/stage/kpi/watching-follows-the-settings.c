/* A restart with other settings: who is watched then, and by whose clocks. What was learned of the kept history is not lost. */
#include "processors/kpi/task.h"
#include "tests/stage/kpi/alerts.h"
#include "tests/stage/kpi/shifts.h"

static char *sets[] = {(char[]){"channel"}};
static char *kinds[] = {(char[]){"level"}};
static const char *const key = "csat_top2|channel=WEB";

static int64_t start_ms(void)
{
    return at("2026-02-02T00:00:00Z");
}

static void begin(struct stage_under_test *stage, const char *zone)
{
    stage_begin(stage, zone, "single");
    stage->settings.shift_dimensions = (struct text_list){sets, 1};
    stage->settings.shift_kinds = (struct text_list){kinds, 1};
    feed_clock(stage, start_ms());
}

/* Some hundred an hour, by day three times as many, who are less content at night; `rate` of them by day. */
static int64_t feed_days(struct stage_under_test *stage, struct random *random, int64_t from_ms, int days, double rate)
{
    for (int hour = 0; hour < days * 24; hour++) {
        bool is_day = hour % 24 >= 7 && hour % 24 < 19;
        int n = is_day ? 150 : 50, hits = 0;
        for (int i = 0; i < n; i++)
            hits += random_unit(random) < rate - (is_day ? 0 : 0.2);
        feed_add(stage, key, from_ms + HOURS(hour) + MINUTES(5), (struct kpi_sums){.n = n, .num = hits}, -1);
        feed_clock(stage, from_ms + HOURS(hour + 1) + MINUTES(2));
    }
    return from_ms + DAYS(days);
}

/* By the hour: what may be odd of a single one is not meant. */
static size_t levels_told(struct stage_under_test *stage)
{
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    size_t count = shifts_of(stage, shifts), levels = 0;
    for (size_t i = 0; i < count; i++)
        levels += shifts[i].resolution == RESOLUTION_HOUR && shifts[i].kind == SHIFT_KIND_LEVEL;
    return levels;
}

static void restart(struct stage_under_test *stage)
{
    driver_commit(stage->driver);
    driver_checkpoint_begin(stage->driver);
    while (!driver_checkpoint_write(stage->driver, 10))
        continue;
    driver_recover(stage->driver);
}

static void whom_the_settings_no_longer_watch_tells_nothing(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    struct alert alerts[ALERTS_MOST];
    random_init(&random, 5);
    begin(&stage, "UTC");
    int64_t now_ms = feed_days(&stage, &random, start_ms(), 20, 0.8);
    now_ms = feed_days(&stage, &random, now_ms, 1, 0.5);
    assert_int_equal(alerts_of(&stage, alerts), 1);
    driver_forget_outputs(stage.driver);
    stage.settings.trend_enabled = false;
    restart(&stage);
    now_ms = feed_days(&stage, &random, now_ms, 1, 0.5);
    assert_int_equal(alerts_of(&stage, alerts), 1);
    assert_int_equal(alerts[0].state, ALERT_STATE_EXPIRED);
    assert_non_null(memmem(alerts[0].text.data, alerts[0].text.size, "the settings have changed", 25));
    now_ms = feed_days(&stage, &random, now_ms, 3, 0.2);
    assert_int_equal(levels_told(&stage), 0);

    stage.settings.trend_enabled = true;
    restart(&stage);
    now_ms = feed_days(&stage, &random, now_ms, 1, 0.2);
    driver_forget_outputs(stage.driver);
    feed_days(&stage, &random, now_ms, 2, 0.7);
    assert_true(levels_told(&stage) >= 1);
    stage_end(&stage);
}

/* The detectors have learned the hours of other clocks: they learn anew, from what is kept, not from here on, where a week or two would be silent. What had
 * been told is not told again, and the alert goes on. */
static void who_is_watched_by_other_clocks_is_learned_anew_at_once(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    struct alert alerts[ALERTS_MOST];
    random_init(&random, 6);
    begin(&stage, "UTC");
    int64_t now_ms = feed_days(&stage, &random, start_ms(), 20, 0.8);
    now_ms = feed_days(&stage, &random, now_ms, 2, 0.6);
    assert_int_equal(alerts_of(&stage, alerts), 1);
    driver_forget_outputs(stage.driver);
    struct kpi_shared *shared = &stage.shared;
    stage.settings.time_zone = (char[]){"America/New_York"};
    struct kpi_shared again = {.settings = shared->settings, .deltas = shared->deltas, .ids = shared->ids, .historical_after_ms = shared->historical_after_ms,
                               .sentiment_version = shared->sentiment_version};
    struct bytes error = {0};
    driver_commit(stage.driver);
    driver_checkpoint_begin(stage.driver);
    while (!driver_checkpoint_write(stage.driver, 10))
        continue;
    assert_true(kpi_shared_init(&again, &error));
    struct kpi_shared before = *shared;
    *shared = again; /* the driver's tasks have its address */
    driver_recover(stage.driver);
    kpi_shared_finish(&before);
    now_ms = feed_days(&stage, &random, now_ms, 1, 0.6);
    assert_int_equal(levels_told(&stage), 0);
    assert_int_equal(alerts_of(&stage, alerts), 0);
    feed_days(&stage, &random, now_ms, 1, 0.3);
    assert_true(levels_told(&stage) >= 1);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whom_the_settings_no_longer_watch_tells_nothing),
        cmocka_unit_test(who_is_watched_by_other_clocks_is_learned_anew_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
