/* What was told is known whatever a receiver's settings are by now: nobody hears of it twice, everybody hears that it is over. */
#include "sinks/notify/waiting.h"

#include "base/clock.h"
#include "base/random.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

enum { LOG_MOST = 64, ALERTS = 4, MODES = 6 };

static const int64_t start_ms = INT64_C(1790000000000);

static const struct receiver modes[MODES] = {
    {.name = "r"},
    {.name = "r", .inhibits = true},
    {.name = "r", .grouping = {.is_on = true, .wait_ms = SECONDS(30), .interval_ms = MINUTES(5)}},
    {.name = "r", .digest = {.daily_max = 1000, .time_zone = "UTC"}},
    {.name = "r", .escalates = true, .after_ms = {MINUTES(2), MINUTES(2), MINUTES(2)}},
    {.name = "r", .inhibits = true, .least = SEVERITY_WARNING, .repeat_ms = DAYS(20)},
};

/* What is written down, in Kafka: it outlives the process and its settings. */
struct logs {
    struct alert alerts[LOG_MOST], notes[10 * LOG_MOST];
    int64_t told_ms[10 * LOG_MOST];
    size_t alert_count, note_count;
};

static struct alert alert_of(const char *id, int32_t revision, enum alert_state state, int64_t at_ms)
{
    bool is_kpi = id[0] == 'k';
    return (struct alert){.alert_id = view_of_text(id), .revision = revision, .rule = VIEW_LITERAL("case"), .state = state, .severity = SEVERITY_WARNING,
                          .kind = is_kpi ? ALERT_KIND_KPI_THRESHOLD : ALERT_KIND_HOT_TICKET, .kpi = view_of_text(is_kpi ? "nps" : ""),
                          .dimension = view_of_text(is_kpi ? "product=pot" : ""), .changed_at_ms = at_ms};
}

static void tell(struct logs *logs, struct waiting *waiting, const struct alert *alert, int64_t now_ms)
{
    assert_true(logs->note_count < 10 * LOG_MOST);
    logs->told_ms[logs->note_count] = now_ms;
    logs->notes[logs->note_count++] = *alert;
    waiting_told(waiting, alert, NOTE_TOLD, now_ms);
}

static const struct alert *newest_of(const struct logs *logs, struct view id)
{
    const struct alert *newest = NULL;
    for (size_t i = 0; i < logs->alert_count; i++)
        if (view_equal(logs->alerts[i].alert_id, id))
            newest = &logs->alerts[i];
    return newest;
}

static void run(struct logs *logs, struct waiting *waiting, int64_t now_ms)
{
    struct due due;
    while (waiting_due(waiting, now_ms, DAYS(1), &due))
        for (size_t i = 0; i < due.count; i++) {
            assert_true(due.items[i].record.size > 0);
            tell(logs, waiting, newest_of(logs, due.items[i].record), now_ms);
        }
}

static void comes(struct logs *logs, struct waiting *waiting, const struct alert *alert, int64_t now_ms)
{
    logs->alerts[logs->alert_count++] = *alert;
    if (waiting_takes_live(waiting, alert, alert->alert_id, now_ms, DAYS(1)))
        tell(logs, waiting, alert, now_ms);
}

static void start_in(struct logs *logs, struct waiting *waiting, const struct receiver *mode, int64_t now_ms)
{
    waiting_init(waiting, mode);
    for (size_t i = 0; i < logs->note_count; i++)
        waiting_remember(waiting, &logs->notes[i], NOTE_TOLD, logs->told_ms[i]);
    for (size_t i = 0; i < logs->alert_count; i++)
        waiting_takes(waiting, &logs->alerts[i], logs->alerts[i].alert_id, now_ms);
}

/* Told before, and the end comes three days later, when the alert is far older than what is told; or came while nobody ran, for longer than that. */
static void whoever_was_told_hears_the_end_in_every_other_mode(void **unused)
{
    (void)unused;
    static const char *const ids[] = {"case", "kpi"};
    for (int first = 0; first < MODES; first++)
        for (int second = 0; second < MODES; second++)
            for (int which = 0; which < 4; which++) {
                bool ends_unseen = which & 1;
                struct logs logs = {0};
                struct waiting waiting;
                struct alert open = alert_of(ids[which / 2], 1, ALERT_STATE_OPEN, start_ms), over = open;
                over.revision = 2;
                over.state = ALERT_STATE_RESOLVED;
                over.changed_at_ms = start_ms + DAYS(3);
                start_in(&logs, &waiting, &modes[first], start_ms);
                comes(&logs, &waiting, &open, start_ms);
                run(&logs, &waiting, start_ms + MINUTES(10));
                assert_int_equal(logs.note_count, 1);
                waiting_finish(&waiting);
                int64_t later_ms = start_ms + DAYS(ends_unseen ? 6 : 3);
                if (ends_unseen)
                    logs.alerts[logs.alert_count++] = over;
                start_in(&logs, &waiting, &modes[second], later_ms);
                run(&logs, &waiting, later_ms + MINUTES(10));
                if (!ends_unseen) {
                    assert_int_equal(logs.note_count, 1); /* not a second time */
                    comes(&logs, &waiting, &over, later_ms + MINUTES(11));
                }
                run(&logs, &waiting, later_ms + MINUTES(20));
                if (logs.note_count != 2 || logs.notes[1].revision != 2)
                    fail_msg("mode %d, then %d, %s: told %zu", first, second, ids[which / 2], logs.note_count);
                waiting_finish(&waiting);
            }
}

/* It waited for somebody to acknowledge it, or for company, and no longer has to. */
static void what_waited_under_the_old_settings_is_told_under_the_new(void **unused)
{
    (void)unused;
    for (int second = 0; second < MODES; second++) {
        struct logs logs = {0};
        struct waiting waiting;
        struct alert open = alert_of("case", 1, ALERT_STATE_OPEN, start_ms);
        start_in(&logs, &waiting, &modes[4], start_ms);
        comes(&logs, &waiting, &open, start_ms);
        run(&logs, &waiting, start_ms + SECONDS(5));
        assert_int_equal(logs.note_count, 0);
        waiting_finish(&waiting);
        start_in(&logs, &waiting, &modes[second], start_ms + SECONDS(6));
        run(&logs, &waiting, start_ms + MINUTES(10));
        assert_int_equal(logs.note_count, 1);
        waiting_finish(&waiting);
    }
}

/* Without a limit on a day's messages there is no digest either. */
static void what_was_put_off_is_told_when_there_is_no_cap_any_more(void **unused)
{
    (void)unused;
    struct logs logs = {0};
    struct waiting waiting;
    struct alert open = alert_of("case", 1, ALERT_STATE_OPEN, start_ms);
    logs.alerts[logs.alert_count++] = open;
    waiting_init(&waiting, &modes[0]);
    waiting_remember(&waiting, &open, NOTE_CAPPED, start_ms + 1);
    waiting_takes(&waiting, &open, open.alert_id, start_ms + 2);
    run(&logs, &waiting, start_ms + 3);
    assert_int_equal(logs.note_count, 1);
    waiting_finish(&waiting);
}

/* Its end has been told, and how well it ended is not grave at all: it is told to who hears each change. */
static void what_follows_the_end_is_known_too(void **unused)
{
    (void)unused;
    struct logs logs = {0};
    struct waiting waiting;
    struct receiver channel = modes[2], plain = modes[0];
    channel.least = plain.least = SEVERITY_WARNING;
    struct alert open = alert_of("case", 1, ALERT_STATE_OPEN, start_ms), over = alert_of("case", 2, ALERT_STATE_RESOLVED, start_ms + MINUTES(10)),
                 verified = alert_of("case", 3, ALERT_STATE_VERIFIED, start_ms + MINUTES(20));
    verified.severity = SEVERITY_INFO;
    start_in(&logs, &waiting, &channel, start_ms);
    comes(&logs, &waiting, &open, start_ms);
    run(&logs, &waiting, start_ms + MINUTES(9));
    comes(&logs, &waiting, &over, start_ms + MINUTES(10));
    run(&logs, &waiting, start_ms + MINUTES(19));
    comes(&logs, &waiting, &verified, start_ms + MINUTES(20));
    run(&logs, &waiting, start_ms + MINUTES(30));
    assert_int_equal(logs.note_count, 2);
    waiting_finish(&waiting);
    start_in(&logs, &waiting, &plain, start_ms + MINUTES(31));
    run(&logs, &waiting, start_ms + MINUTES(31));
    assert_int_equal(logs.note_count, 3);
    waiting_finish(&waiting);
}

/* Alerts live random lives, and each restart is in another mode: no alert is told twice in one state, and none that was told stays open. */
static void whatever_the_settings_are_each_change_is_told_once(void **unused)
{
    (void)unused;
    static const char *const ids[ALERTS] = {"a", "b", "k1", "k2"};
    static const enum alert_state states[] = {ALERT_STATE_OPEN, ALERT_STATE_OPEN, ALERT_STATE_ACKNOWLEDGED, ALERT_STATE_IN_PROGRESS, ALERT_STATE_RESOLVED};
    size_t told = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct logs logs = {0};
        struct waiting waiting;
        struct random random;
        int32_t revisions[ALERTS] = {0};
        int64_t now_ms = start_ms;
        random_init(&random, seed);
        start_in(&logs, &waiting, &modes[random_below(&random, MODES)], now_ms);
        for (int step = 0; step < 40; step++) {
            int which = (int)random_below(&random, ALERTS);
            now_ms += SECONDS((int64_t)random_below(&random, 400));
            run(&logs, &waiting, now_ms);
            struct alert alert = alert_of(ids[which], ++revisions[which], states[random_below(&random, 5)], now_ms);
            comes(&logs, &waiting, &alert, now_ms);
            if (random_below(&random, 3) == 0) {
                waiting_finish(&waiting);
                start_in(&logs, &waiting, &modes[random_below(&random, MODES)], now_ms);
            }
        }
        for (int i = 0; i < ALERTS; i++) {
            struct alert over = alert_of(ids[i], ++revisions[i], ALERT_STATE_RESOLVED, now_ms);
            comes(&logs, &waiting, &over, now_ms);
        }
        run(&logs, &waiting, now_ms + MINUTES(30));
        for (int i = 0; i < ALERTS; i++) {
            const struct alert *last = NULL;
            for (size_t note = 0; note < logs.note_count; note++) {
                if (!view_equal_text(logs.notes[note].alert_id, ids[i]))
                    continue;
                assert_true(!last || (logs.notes[note].revision > last->revision && logs.notes[note].state != last->state));
                last = &logs.notes[note];
            }
            assert_true(!last || last->state == ALERT_STATE_RESOLVED);
        }
        told += logs.note_count;
        waiting_finish(&waiting);
    }
    assert_true(told > 5000);
}

/* Its first note has left the topic, and so has what the alert was then; the second note is all that is left. */
static void what_was_noted_again_is_known_when_the_first_note_is_gone(void **unused)
{
    (void)unused;
    struct waiting waiting;
    struct arena arena;
    size_t count;
    struct alert open = alert_of("kpi", 1, ALERT_STATE_OPEN, start_ms), over = alert_of("kpi", 2, ALERT_STATE_RESOLVED, start_ms + DAYS(100));
    arena_init(&arena);
    waiting_init(&waiting, &modes[0]);
    waiting_remember(&waiting, &open, NOTE_TOLD, start_ms);
    waiting_fading(&waiting, start_ms, &arena, &count);
    assert_int_equal(count, 0);
    struct alert kept = *waiting_fading(&waiting, start_ms + 1, &arena, &count);
    assert_int_equal(count, 1);
    assert_true(view_equal(kept.alert_id, open.alert_id));
    waiting_remember(&waiting, &kept, NOTE_KEPT, start_ms + DAYS(60));
    waiting_fading(&waiting, start_ms + DAYS(30), &arena, &count);
    assert_int_equal(count, 0);

    kept.alert_id = open.alert_id; /* it was borrowed */
    waiting_reset(&waiting);
    waiting_remember(&waiting, &kept, NOTE_KEPT, start_ms + DAYS(60));
    assert_true(waiting_takes_live(&waiting, &over, over.alert_id, start_ms + DAYS(100), DAYS(1)));

    waiting_reset(&waiting); /* by a process that has not heard of the end: it does not count */
    waiting_remember(&waiting, &open, NOTE_TOLD, start_ms);
    waiting_remember(&waiting, &over, NOTE_TOLD, start_ms + DAYS(59));
    waiting_remember(&waiting, &kept, NOTE_KEPT, start_ms + DAYS(60));
    waiting_fading(&waiting, INT64_MAX, &arena, &count);
    assert_int_equal(count, 0);
    assert_false(waiting_takes_live(&waiting, &over, over.alert_id, start_ms + DAYS(60), DAYS(90)));
    waiting_finish(&waiting);
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whoever_was_told_hears_the_end_in_every_other_mode),
                                       cmocka_unit_test(what_waited_under_the_old_settings_is_told_under_the_new),
                                       cmocka_unit_test(what_was_put_off_is_told_when_there_is_no_cap_any_more),
                                       cmocka_unit_test(what_follows_the_end_is_known_too),
                                       cmocka_unit_test(whatever_the_settings_are_each_change_is_told_once),
                                       cmocka_unit_test(what_was_noted_again_is_known_when_the_first_note_is_gone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
