/* Whom an alert waits for: told when nobody acts, not when somebody does, once, and the same after any restart. */
#include "sinks/notify/waiting.h"

#include "base/clock.h"
#include "base/random.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

enum { LOG_MOST = 64 };

static const int64_t start_ms = INT64_C(1790000000000), no_limit_ms = DAYS(365);

static const struct receiver boss = {.name = "boss", .escalates = true, .after_ms = {-1, HOURS(2), MINUTES(15)}};

static struct alert revision_of(const char *id, int32_t revision, enum alert_state state, enum severity severity, int64_t at_ms)
{
    return (struct alert){.alert_id = view_of_text(id), .revision = revision, .rule = VIEW_LITERAL("case"), .state = state, .severity = severity,
                          .changed_at_ms = start_ms + at_ms};
}

/* The record that stands for a revision: its id, for this test. */
static void takes(struct waiting *waiting, const struct alert *alert)
{
    waiting_takes(waiting, alert, alert->alert_id, alert->changed_at_ms);
}

/* Tells what is due, and says whom: ids with a space behind each. */
static const char *told_at(struct waiting *waiting, int64_t at_ms, const struct alert *alerts, size_t count)
{
    static char said[200];
    struct due due;
    said[0] = '\0';
    while (waiting_due(waiting, start_ms + at_ms, no_limit_ms, &due)) {
        const struct alert *newest = NULL;
        for (size_t i = 0; i < count; i++)
            if (view_equal(alerts[i].alert_id, due.items[0].record))
                newest = &alerts[i];
        assert_non_null(newest);
        snprintf(said + strlen(said), sizeof said - strlen(said), "%.*s:%lldm ", VIEW_ARGUMENTS(newest->alert_id), (long long)(due.items[0].waited_ms / 60000));
        waiting_told(waiting, newest, NOTE_TOLD, 0);
    }
    return said;
}

static void it_waits_by_severity_and_is_told_once(void **unused)
{
    (void)unused;
    struct waiting waiting;
    waiting_init(&waiting, &boss);
    struct alert alerts[] = {revision_of("grave", 1, ALERT_STATE_OPEN, SEVERITY_CRITICAL, 0),
                             revision_of("so-so", 1, ALERT_STATE_OPEN, SEVERITY_WARNING, MINUTES(1)),
                             revision_of("small", 1, ALERT_STATE_OPEN, SEVERITY_INFO, 0)};
    for (size_t i = 0; i < 3; i++)
        takes(&waiting, &alerts[i]);
    assert_string_equal(told_at(&waiting, MINUTES(15) - 1, alerts, 3), "");
    assert_string_equal(told_at(&waiting, MINUTES(15), alerts, 3), "grave:15m ");
    assert_string_equal(told_at(&waiting, HOURS(2), alerts, 3), "");
    assert_string_equal(told_at(&waiting, HOURS(300), alerts, 3), "so-so:120m ");
    struct alert more = revision_of("grave", 2, ALERT_STATE_OPEN, SEVERITY_CRITICAL, HOURS(1)); /* another score */
    takes(&waiting, &more);
    assert_string_equal(told_at(&waiting, HOURS(301), &more, 1), "");
    waiting_finish(&waiting);
}

static void who_acts_in_time_spares_the_boss(void **unused)
{
    (void)unused;
    struct waiting waiting;
    static const enum alert_state acts[] = {ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_IN_PROGRESS, ALERT_STATE_SNOOZED, ALERT_STATE_RESOLVED, ALERT_STATE_EXPIRED};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        waiting_init(&waiting, &boss);
        struct alert alerts[] = {revision_of("a", 1, ALERT_STATE_OPEN, SEVERITY_CRITICAL, 0), revision_of("a", 2, acts[i], SEVERITY_CRITICAL, MINUTES(14)),
                                 revision_of("a", 3, ALERT_STATE_OPEN, SEVERITY_CRITICAL, MINUTES(30))};
        takes(&waiting, &alerts[0]);
        takes(&waiting, &alerts[1]);
        assert_string_equal(told_at(&waiting, MINUTES(16), alerts, 2), "");
        takes(&waiting, &alerts[2]); /* open again: the clock begins anew */
        assert_string_equal(told_at(&waiting, MINUTES(44), alerts, 3), "");
        assert_string_equal(told_at(&waiting, MINUTES(45), alerts, 3), "a:15m ");
        waiting_finish(&waiting);
    }
}

static void what_grows_worse_waits_no_longer_than_either(void **unused)
{
    (void)unused;
    struct waiting waiting;
    waiting_init(&waiting, &boss);
    struct alert soon[] = {revision_of("a", 1, ALERT_STATE_OPEN, SEVERITY_WARNING, 0), revision_of("a", 2, ALERT_STATE_OPEN, SEVERITY_CRITICAL, HOURS(1)),
                           revision_of("b", 1, ALERT_STATE_OPEN, SEVERITY_WARNING, 0), revision_of("b", 2, ALERT_STATE_OPEN, SEVERITY_CRITICAL, MINUTES(119)),
                           revision_of("c", 1, ALERT_STATE_OPEN, SEVERITY_CRITICAL, 0), revision_of("c", 2, ALERT_STATE_OPEN, SEVERITY_WARNING, MINUTES(10))};
    for (size_t i = 0; i < 6; i++)
        takes(&waiting, &soon[i]);
    assert_string_equal(told_at(&waiting, MINUTES(74), soon, 6), "");
    assert_string_equal(told_at(&waiting, MINUTES(75), soon, 6), "a:15m ");
    assert_true(told_at(&waiting, MINUTES(119), soon, 6)[0] == '\0');
    assert_int_equal(strlen(told_at(&waiting, MINUTES(120), soon, 6)), 2 * strlen("b:120m ")); /* and c, which is less grave by now */
    waiting_finish(&waiting);
}

static void who_was_called_hears_how_it_goes_on_until_it_is_over(void **unused)
{
    (void)unused;
    struct waiting waiting;
    waiting_init(&waiting, &boss);
    struct alert alerts[] = {revision_of("a", 1, ALERT_STATE_OPEN, SEVERITY_CRITICAL, 0), revision_of("a", 2, ALERT_STATE_ACKNOWLEDGED, SEVERITY_CRITICAL, MINUTES(20)),
                             revision_of("a", 3, ALERT_STATE_ACKNOWLEDGED, SEVERITY_CRITICAL, MINUTES(21)),
                             revision_of("a", 4, ALERT_STATE_RESOLVED, SEVERITY_INFO, MINUTES(22)), revision_of("a", 5, ALERT_STATE_VERIFIED, SEVERITY_INFO, MINUTES(23)),
                             revision_of("a", 6, ALERT_STATE_OPEN, SEVERITY_CRITICAL, MINUTES(24))};
    static const char *const heard[] = {"a:15m ", "a:0m ", "", "a:0m ", "", ""};
    for (size_t i = 0; i < 6; i++) {
        takes(&waiting, &alerts[i]);
        assert_string_equal(told_at(&waiting, i == 0 ? MINUTES(15) : MINUTES(19 + (int64_t)i), alerts, i + 1), heard[i]);
    }
    assert_string_equal(told_at(&waiting, MINUTES(38), alerts, 6), "");
    assert_string_equal(told_at(&waiting, MINUTES(39), alerts, 6), "a:15m ");
    waiting_finish(&waiting);
}

/* Told of what is WARNING at least, as it comes: what opens again and is not grave enough to be told has no end to be told either. */
static void who_did_not_hear_of_it_again_does_not_hear_of_its_end(void **unused)
{
    (void)unused;
    static const struct receiver desk = {.name = "desk", .least = SEVERITY_WARNING};
    static const struct {
        enum alert_state state;
        enum severity severity;
        bool is_told;
    } steps[] = {{ALERT_STATE_OPEN, SEVERITY_WARNING, true}, {ALERT_STATE_RESOLVED, SEVERITY_WARNING, true}, {ALERT_STATE_VERIFIED, SEVERITY_INFO, true},
                 {ALERT_STATE_OPEN, SEVERITY_INFO, false}, {ALERT_STATE_RESOLVED, SEVERITY_INFO, false}, {ALERT_STATE_OPEN, SEVERITY_CRITICAL, true},
                 {ALERT_STATE_EXPIRED, SEVERITY_INFO, true}};
    for (int restart_at = 0; restart_at < 7; restart_at++) { /* the process before has told what is due until then */
        struct waiting waiting;
        waiting_init(&waiting, &desk);
        struct alert told = {.revision = 0}, alerts[7];
        for (int i = 0; i < 7; i++) {
            alerts[i] = revision_of("a", i + 1, steps[i].state, steps[i].severity, MINUTES(i));
            if (i < restart_at && steps[i].is_told)
                told = alerts[i];
        }
        if (told.revision)
            waiting_remember(&waiting, &told, NOTE_TOLD, told.changed_at_ms);
        for (int i = 0; i < restart_at; i++)
            takes(&waiting, &alerts[i]);
        for (int i = restart_at; i < 7; i++) {
            bool is_told = waiting_takes_live(&waiting, &alerts[i], alerts[i].alert_id, alerts[i].changed_at_ms, no_limit_ms);
            assert_int_equal(is_told, steps[i].is_told);
            if (is_told)
                waiting_told(&waiting, &alerts[i], NOTE_TOLD, alerts[i].changed_at_ms);
        }
        waiting_finish(&waiting);
    }
}

static void old_and_foreign_and_historical_ones_are_let_be(void **unused)
{
    (void)unused;
    struct waiting waiting;
    struct due due;
    waiting_init(&waiting, &boss);
    struct alert old = revision_of("a", 1, ALERT_STATE_OPEN, SEVERITY_CRITICAL, 0), history = revision_of("b", 1, ALERT_STATE_OPEN, SEVERITY_CRITICAL, DAYS(2));
    history.historical = true;
    takes(&waiting, &old);
    takes(&waiting, &history);
    assert_false(waiting_due(&waiting, start_ms + DAYS(3), DAYS(1), &due));
    struct alert young = revision_of("c", 1, ALERT_STATE_OPEN, SEVERITY_CRITICAL, DAYS(2));
    takes(&waiting, &young);
    assert_true(waiting_due(&waiting, start_ms + DAYS(3), DAYS(1), &due));
    assert_true(view_equal_text(due.items[0].record, "c"));
    waiting_finish(&waiting);
}

/* Each look goes through all that waits: who looks for one at a time among very many is not done for half an hour. */
static void one_look_finds_many_the_longest_due_first(void **unused)
{
    (void)unused;
    enum { MANY = 2 * DUE_MOST + 50 };
    struct waiting waiting;
    struct due due;
    char ids[MANY][16];
    struct alert alerts[MANY];
    size_t told = 0, looks = 0;
    waiting_init(&waiting, &boss);
    for (int i = 0; i < MANY; i++) {
        int number = i * 7 % MANY; /* not in order */
        snprintf(ids[number], sizeof ids[number], "a%03d", number);
        alerts[number] = revision_of(ids[number], 1, ALERT_STATE_OPEN, SEVERITY_CRITICAL, SECONDS(number));
        takes(&waiting, &alerts[number]);
    }
    for (; waiting_due(&waiting, start_ms + HOURS(1), no_limit_ms, &due); looks++)
        for (size_t i = 0; i < due.count; i++, told++) {
            assert_true(view_equal_text(due.items[i].record, ids[told]));
            waiting_told(&waiting, &alerts[told], NOTE_TOLD, 0);
        }
    assert_int_equal(told, MANY);
    assert_int_equal(looks, 3);
    waiting_finish(&waiting);
}

/* A batch that comes again after a failure, or a log that is read again from its beginning: what is known does not become unknown. */
static void what_comes_again_does_no_harm(void **unused)
{
    (void)unused;
    struct waiting waiting;
    waiting_init(&waiting, &boss);
    struct alert alerts[] = {revision_of("a", 1, ALERT_STATE_OPEN, SEVERITY_CRITICAL, 0), revision_of("a", 2, ALERT_STATE_ACKNOWLEDGED, SEVERITY_CRITICAL, MINUTES(1))};
    for (size_t i = 0; i < 3; i++)
        takes(&waiting, &alerts[i % 2]);
    assert_string_equal(told_at(&waiting, HOURS(1), alerts, 2), "");
    waiting_reset(&waiting);
    struct alert over = revision_of("a", 3, ALERT_STATE_RESOLVED, SEVERITY_CRITICAL, MINUTES(20));
    waiting_remember(&waiting, &over, NOTE_TOLD, 0);
    takes(&waiting, &alerts[0]);
    assert_string_equal(told_at(&waiting, HOURS(1), alerts, 2), "");
    waiting_reset(&waiting);
    waiting_remember(&waiting, &alerts[1], NOTE_TOLD, 0);
    takes(&waiting, &alerts[0]);
    assert_string_equal(told_at(&waiting, HOURS(1), alerts, 2), ""); /* it has been told of more than that */
    waiting_finish(&waiting);
}

/* --- restarts --- */

struct history {
    struct alert log[LOG_MOST], told[LOG_MOST];
    size_t log_count, told_count;
};

static void tell(struct history *history, struct waiting *waiting, const struct alert *alert)
{
    assert_true(history->told_count < LOG_MOST);
    history->told[history->told_count++] = *alert;
    waiting_told(waiting, alert, NOTE_TOLD, 0);
}

static void run_until(struct history *history, struct waiting *waiting, int64_t at_ms)
{
    struct due due;
    while (waiting_due(waiting, start_ms + at_ms, no_limit_ms, &due)) {
        const struct alert *newest = NULL;
        for (size_t i = 0; i < history->log_count; i++)
            if (view_equal(history->log[i].alert_id, due.items[0].record))
                newest = &history->log[i];
        tell(history, waiting, newest);
    }
}

static void read_again(struct history *history, struct waiting *waiting, int64_t at_ms)
{
    waiting_reset(waiting);
    for (size_t i = 0; i < history->told_count; i++)
        waiting_remember(waiting, &history->told[i], NOTE_TOLD, 0);
    for (size_t i = 0; i < history->log_count; i++)
        takes(waiting, &history->log[i]);
    run_until(history, waiting, at_ms); /* all of it has been told that was to be */
}

/* Three alerts live random lives; a receiver that restarts after every other step hears what one hears that never does. */
static void a_restart_neither_forgets_nor_repeats(void **unused)
{
    (void)unused;
    static const char *const ids[] = {"a", "b", "c"};
    static const enum alert_state states[] = {ALERT_STATE_OPEN, ALERT_STATE_OPEN, ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_SNOOZED, ALERT_STATE_RESOLVED, ALERT_STATE_VERIFIED};
    size_t told = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct history steady = {0}, shaky = {0};
        struct waiting calm, restarted;
        struct random random;
        int32_t revisions[3] = {0};
        int64_t at_ms = 0;
        random_init(&random, seed);
        waiting_init(&calm, &boss);
        waiting_init(&restarted, &boss);
        for (int step = 0; step < 40; step++) {
            int which = (int)random_below(&random, 3);
            at_ms += MINUTES((int64_t)random_below(&random, 40));
            struct alert alert = revision_of(ids[which], ++revisions[which], states[random_below(&random, 6)], (enum severity)random_below(&random, 3), at_ms);
            run_until(&steady, &calm, at_ms - 1);
            run_until(&shaky, &restarted, at_ms - 1);
            steady.log[steady.log_count++] = shaky.log[shaky.log_count++] = alert;
            takes(&calm, &alert);
            takes(&restarted, &alert);
            run_until(&steady, &calm, at_ms);
            if (random_below(&random, 2))
                run_until(&shaky, &restarted, at_ms);
            if (random_below(&random, 2))
                read_again(&shaky, &restarted, at_ms);
            run_until(&shaky, &restarted, at_ms);
        }
        assert_int_equal(shaky.told_count, steady.told_count);
        for (size_t i = 0; i < steady.told_count; i++)
            assert_true(view_equal(shaky.told[i].alert_id, steady.told[i].alert_id) && shaky.told[i].revision == steady.told[i].revision);
        told += steady.told_count;
        waiting_finish(&calm);
        waiting_finish(&restarted);
    }
    assert_true(told > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_waits_by_severity_and_is_told_once),
        cmocka_unit_test(who_acts_in_time_spares_the_boss),
        cmocka_unit_test(what_grows_worse_waits_no_longer_than_either),
        cmocka_unit_test(who_was_called_hears_how_it_goes_on_until_it_is_over),
        cmocka_unit_test(who_did_not_hear_of_it_again_does_not_hear_of_its_end),
        cmocka_unit_test(old_and_foreign_and_historical_ones_are_let_be),
        cmocka_unit_test(one_look_finds_many_the_longest_due_first),
        cmocka_unit_test(what_comes_again_does_no_harm),
        cmocka_unit_test(a_restart_neither_forgets_nor_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
