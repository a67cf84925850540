/* Settings change from run to run, and alerts live through all of it: each of them is told in its order, and ends, if only for the settings do not want it any more. */
#include "processors/kpi/task.h"
#include "schemas/alert_rules.h"
#include "tests/stage/kpi/alerts.h"

enum { DAYS_TOLD = 40, STEP_MINUTES = 10, LIVES_MOST = 2000 };

static char *whole[] = {(char[]){"all"}};
static char *kinds[] = {(char[]){"level"}, (char[]){"trend"}, (char[]){"spike"}};

static bool flip(struct random *random)
{
    return random_below(random, 2);
}

static void settings_set(struct stage_under_test *stage, bool target, bool dimension, uint8_t window, bool burn, size_t shifts, bool data)
{
    stage->shared.has_target[KPI_CSAT] = target;
    stage->shared.targets[KPI_CSAT] = 4.5;
    stage->shared.held[KPI_CSAT] = window;
    stage->settings.alert_dimensions = (struct text_list){whole, dimension};
    stage->settings.burn_objective = burn ? 0.9 : 0;
    stage->settings.shift_dimensions = (struct text_list){whole, 1};
    stage->settings.shift_kinds = (struct text_list){kinds, shifts};
    stage->settings.rejected_share = data ? 0.05 : 0;
    stage->settings.lag_after_ms = data ? MINUTES(5) : 0;
    stage->settings.silence_after_ms = data ? MINUTES(15) : 0;
}

static void start_anew(struct stage_under_test *stage)
{
    driver_checkpoint_begin(stage->driver);
    while (!driver_checkpoint_write(stage->driver, 10))
        continue;
    driver_recover(stage->driver);
}

static void hear(struct stage_under_test *stage, const char *key, int64_t at_ms, int64_t n, int64_t num)
{
    struct kpi_delta_bucket bucket = {.minute = at_ms / MINUTES(1), .n = n, .num = num};
    struct kpi_delta delta = {.kind = DELTA_KIND_HEARD, .kpi = VIEW_LITERAL("code"), .dimension = VIEW_LITERAL("source=shop"), .source_partition = -1};
    delta.buckets.items = &bucket;
    delta.buckets.count = 1;
    assert_int_equal(feed_delta(stage, key, &delta), OUTCOME_OK);
}

/* Good days and bad ones of everything, each for itself. */
static void feed(struct stage_under_test *stage, struct random *random, int64_t now_ms, unsigned bad)
{
    int64_t answers = 1 + random_below(random, 3), promises = 1 + random_below(random, 4), asked = 30;
    int64_t score = bad & 1 ? 3 : 5, kept = bad & 2 ? 0 : promises, hits = 0;
    for (int64_t i = 0; i < asked; i++)
        hits += random_below(random, 100) < (bad & 4 ? 50u : 80u);
    stage->record_ms = now_ms - 1000;
    for (int64_t i = 0; i < answers; i++)
        feed_add(stage, "csat|all", now_ms, kpi_sums_of_mean(score), -1);
    feed_add(stage, "sla_resolution|all", now_ms, (struct kpi_sums){.n = promises, .num = kept}, -1);
    feed_add(stage, "csat_top2|all", now_ms, (struct kpi_sums){.n = asked, .num = hits}, -1);
    if (!(bad & 8))
        hear(stage, KPI_SOURCE_KEY "source=shop", now_ms, 1, 0);
    hear(stage, KPI_REFUSED_KEY "source=shop", now_ms, 100, bad & 16 ? 50 : 0);
    feed_clock_of(stage, 0, now_ms - (bad & 32 ? MINUTES(30) : 0), false);
}

/* What is told while the stage explains a shift to itself. */
static void carry(struct stage_under_test *stage, size_t *carried)
{
    while (*carried < driver_output_count(stage->driver)) {
        const struct driver_output *output = driver_output(stage->driver, (*carried)++);
        if (strcmp(output->topic, "kpi.deltas") == 0)
            assert_int_equal(driver_feed(stage->driver, output->key, output->value, stage->record_ms), OUTCOME_OK);
    }
}

struct life {
    struct view id, rule;
    int32_t revision;
    enum alert_state state;
};

static size_t read_lives(struct stage_under_test *stage, struct life lives[LIVES_MOST])
{
    size_t count = 0;
    for (size_t i = 0; i < driver_output_count(stage->driver); i++) {
        const struct driver_output *output = driver_output(stage->driver, i);
        struct alert alert;
        struct view avro;
        uint32_t id;
        size_t at = 0;
        if (strcmp(output->topic, "alerts") != 0)
            continue;
        assert_true(wire_split(output->value, &id, &avro) && alert_decode(&alert, avro, &stage->arena));
        while (at < count && !view_equal(lives[at].id, alert.alert_id))
            at++;
        assert_true(at < LIVES_MOST);
        if (at == count)
            lives[count++] = (struct life){.id = alert.alert_id, .rule = alert.rule};
        if (alert.revision != lives[at].revision + 1)
            fail_msg("%.*s: revision %d after %d", VIEW_ARGUMENTS(alert.rule), alert.revision, lives[at].revision);
        if (alert.state != ALERT_STATE_OPEN && lives[at].state != ALERT_STATE_OPEN)
            fail_msg("%.*s: ends twice", VIEW_ARGUMENTS(alert.rule));
        assert_true(alert.opened_at_ms <= alert.changed_at_ms && alert.text.size > 0);
        lives[at].revision = alert.revision;
        lives[at].state = alert.state;
    }
    return count;
}

static bool is_among(const struct life *lives, size_t count, const char *rule)
{
    for (size_t i = 0; i < count; i++)
        if (view_equal_text(lives[i].rule, rule))
            return true;
    return false;
}

static void whatever_the_settings_are_each_alert_has_its_end(void **unused)
{
    (void)unused;
    static struct life lives[LIVES_MOST];
    static const char *const rules[] = {ALERT_RULE_OF_TARGETS, ALERT_RULE_OF_BURN, ALERT_RULE_OF_SHIFTS, ALERT_RULE_OF_SOURCES, ALERT_RULE_OF_REFUSALS, ALERT_RULE_OF_LAG};
    unsigned seen = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct stage_under_test stage;
        struct random random;
        size_t carried = 0;
        unsigned bad = 0;
        random_init(&random, seed);
        stage_begin(&stage, "Europe/Berlin", "single");
        settings_set(&stage, true, true, WINDOW_24H, true, 3, true);
        int64_t now_ms = at("2026-03-02T00:00:00Z");
        for (int64_t left = DAYS_TOLD * 1440 / STEP_MINUTES; left > 0; left--, now_ms += MINUTES(STEP_MINUTES)) {
            if (random_below(&random, 60) == 0)
                bad ^= 1u << random_below(&random, 6);
            feed(&stage, &random, now_ms, bad);
            carry(&stage, &carried);
            if (random_below(&random, 200) != 0)
                continue;
            bool is_on = flip(&random);
            settings_set(&stage, is_on || flip(&random), is_on || flip(&random), is_on || flip(&random) ? WINDOW_24H : flip(&random) ? WINDOW_1H : NO_WINDOW, is_on || flip(&random),
                         is_on ? 3 : random_below(&random, 4), is_on || flip(&random));
            start_anew(&stage);
        }
        settings_set(&stage, false, false, NO_WINDOW, false, 0, false);
        start_anew(&stage);
        for (int64_t left = 3 * 1440 / STEP_MINUTES; left > 0; left--, now_ms += MINUTES(STEP_MINUTES)) {
            stage.record_ms = now_ms - 1000;
            feed_clock(&stage, now_ms);
        }
        size_t count = read_lives(&stage, lives);
        for (size_t i = 0; i < count; i++)
            if (lives[i].state == ALERT_STATE_OPEN)
                fail_msg("seed %d: %.*s is open for good", (int)seed, VIEW_ARGUMENTS(lives[i].rule));
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
            seen |= (unsigned)is_among(lives, count, rules[i]) << i;
        stage_end(&stage);
    }
    assert_int_equal(seen, (1u << sizeof rules / sizeof *rules) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_the_settings_are_each_alert_has_its_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
