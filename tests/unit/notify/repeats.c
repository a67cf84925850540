/* repeat_interval: what was told, is open still and nobody has acted on is told again; nothing else is. */
#include "sinks/notify/waiting.h"

#include "base/clock.h"
#include "sinks/notify/silences.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

static const int64_t start_ms = INT64_C(1790000000000);

static const struct receiver desk = {.name = "desk", .repeat_ms = HOURS(4)};

static struct alert revision_of(const char *id, int32_t revision, enum alert_state state, int64_t at_ms)
{
    return (struct alert){.alert_id = view_of_text(id), .revision = revision, .rule = VIEW_LITERAL("case"), .kind = ALERT_KIND_HOT_TICKET, .state = state,
                          .severity = SEVERITY_WARNING, .changed_at_ms = start_ms + at_ms};
}

static void comes(struct waiting *waiting, const struct alert *alert)
{
    if (waiting_takes_live(waiting, alert, alert->alert_id, alert->changed_at_ms, DAYS(1)))
        waiting_told(waiting, alert, NOTE_TOLD, alert->changed_at_ms);
}

/* Tells what is due of these, and says what: «id after so many hours», a comma behind each, a semicolon behind each message. */
static const char *told_at(struct waiting *waiting, int64_t at_ms, const struct alert *alerts, size_t count)
{
    static char said[300];
    struct due due;
    said[0] = '\0';
    while (waiting_due(waiting, start_ms + at_ms, DAYS(1), &due)) {
        for (size_t i = 0; i < due.count; i++) {
            const struct alert *alert = NULL;
            for (size_t k = 0; k < count; k++)
                if (view_equal(alerts[k].alert_id, due.items[i].record))
                    alert = &alerts[k];
            assert_non_null(alert);
            snprintf(said + strlen(said), sizeof said - strlen(said), "%.*s %lldh,", VIEW_ARGUMENTS(alert->alert_id), (long long)(due.items[i].waited_ms / HOURS(1)));
        }
        struct due_item items[8];
        size_t told = due.count;
        assert_true(told <= 8);
        memcpy(items, due.items, told * sizeof *items);
        for (size_t i = 0; i < told; i++)
            for (size_t k = 0; k < count; k++)
                if (view_equal(alerts[k].alert_id, items[i].record)) {
                    waiting_told(waiting, &alerts[k], NOTE_TOLD, start_ms + at_ms);
                    break;
                }
        strcat(said, ";");
    }
    return said;
}

static void it_is_told_again_until_somebody_acts(void **unused)
{
    (void)unused;
    struct waiting waiting;
    struct alert open = revision_of("a", 1, ALERT_STATE_OPEN, 0), worse = revision_of("a", 2, ALERT_STATE_OPEN, HOURS(9)),
                 seen = revision_of("a", 3, ALERT_STATE_ACKNOWLEDGED, HOURS(14)), again = revision_of("a", 4, ALERT_STATE_OPEN, HOURS(30)),
                 over = revision_of("a", 5, ALERT_STATE_RESOLVED, HOURS(31));
    waiting_init(&waiting, &desk);
    comes(&waiting, &open);
    assert_string_equal(told_at(&waiting, HOURS(4) - 1, &open, 1), "");
    assert_string_equal(told_at(&waiting, HOURS(4), &open, 1), "a 4h,;");
    assert_string_equal(told_at(&waiting, HOURS(8) - 1, &open, 1), "");
    assert_string_equal(told_at(&waiting, HOURS(8), &open, 1), "a 8h,;");
    worse.severity = SEVERITY_CRITICAL; /* which is news, and counts anew */
    comes(&waiting, &worse);
    assert_string_equal(told_at(&waiting, HOURS(12), &worse, 1), "");
    assert_string_equal(told_at(&waiting, HOURS(13), &worse, 1), "a 4h,;");
    comes(&waiting, &seen);
    assert_string_equal(told_at(&waiting, HOURS(29), &seen, 1), "");
    comes(&waiting, &again);
    comes(&waiting, &over);
    assert_string_equal(told_at(&waiting, HOURS(99), &over, 1), "");
    waiting_finish(&waiting);
}

static void without_the_setting_it_is_told_once(void **unused)
{
    (void)unused;
    static const struct receiver plain = {.name = "plain"};
    struct waiting waiting;
    struct alert open = revision_of("a", 1, ALERT_STATE_OPEN, 0);
    waiting_init(&waiting, &plain);
    comes(&waiting, &open);
    assert_string_equal(told_at(&waiting, DAYS(30), &open, 1), "");
    waiting_finish(&waiting);
}

/* Down for three days, or told by whoever had other settings: once at the start, then as ever. */
static void a_restart_keeps_the_time(void **unused)
{
    (void)unused;
    struct waiting waiting;
    struct alert open = revision_of("a", 1, ALERT_STATE_OPEN, 0);
    waiting_init(&waiting, &desk);
    waiting_remember(&waiting, &open, NOTE_TOLD, start_ms);
    waiting_takes(&waiting, &open, open.alert_id, start_ms + HOURS(3));
    assert_string_equal(told_at(&waiting, HOURS(3), &open, 1), "");
    assert_string_equal(told_at(&waiting, HOURS(4), &open, 1), "a 4h,;");
    waiting_reset(&waiting);
    waiting_remember(&waiting, &open, NOTE_TOLD, start_ms);
    waiting_remember(&waiting, &open, NOTE_TOLD, start_ms + HOURS(4));
    waiting_takes(&waiting, &open, open.alert_id, start_ms + DAYS(3));
    assert_string_equal(told_at(&waiting, DAYS(3), &open, 1), "a 72h,;");
    assert_string_equal(told_at(&waiting, DAYS(3) + HOURS(4) - 1, &open, 1), "");
    assert_string_equal(told_at(&waiting, DAYS(3) + HOURS(4), &open, 1), "a 76h,;");
    waiting_finish(&waiting);
}

static void each_time_is_another_message(void **unused)
{
    (void)unused;
    struct waiting waiting;
    struct due due;
    struct alert open = revision_of("a", 1, ALERT_STATE_OPEN, 0);
    waiting_init(&waiting, &desk);
    comes(&waiting, &open);
    assert_true(waiting_due(&waiting, start_ms + HOURS(5), DAYS(1), &due) && due.items[0].told_again_ms == start_ms);
    waiting_told(&waiting, &open, NOTE_TOLD, start_ms + HOURS(5));
    assert_true(waiting_due(&waiting, start_ms + HOURS(10), DAYS(1), &due) && due.items[0].told_again_ms == start_ms + HOURS(5));
    waiting_finish(&waiting);
}

static void a_silence_holds_it_back(void **unused)
{
    (void)unused;
    const struct silences silences = {.items = {{.from_ms = start_ms + HOURS(1), .until_ms = start_ms + HOURS(20)}}, .count = 1};
    struct receiver quiet = desk;
    struct waiting waiting;
    struct alert open = revision_of("a", 1, ALERT_STATE_OPEN, 0);
    quiet.silences = &silences;
    waiting_init(&waiting, &quiet);
    comes(&waiting, &open);
    assert_string_equal(told_at(&waiting, HOURS(20) - 1, &open, 1), "");
    assert_string_equal(told_at(&waiting, HOURS(20), &open, 1), "a 20h,;");
    waiting_finish(&waiting);
}

/* Told in one message, though noted a moment apart, and so again. */
static void a_group_is_told_again_together(void **unused)
{
    (void)unused;
    struct receiver channel = desk;
    struct waiting waiting;
    struct alert alerts[] = {revision_of("a", 1, ALERT_STATE_OPEN, 0), revision_of("b", 1, ALERT_STATE_OPEN, 0), revision_of("c", 1, ALERT_STATE_OPEN, 0)};
    channel.grouping = (struct grouping){.is_on = true, .wait_ms = SECONDS(30), .interval_ms = MINUTES(5)};
    waiting_init(&waiting, &channel);
    for (int i = 0; i < 3; i++) {
        waiting_remember(&waiting, &alerts[i], NOTE_TOLD, start_ms + SECONDS(i));
        waiting_takes(&waiting, &alerts[i], alerts[i].alert_id, start_ms);
    }
    const char *told = told_at(&waiting, HOURS(4), alerts, 3);
    assert_true(strlen(told) == strlen("a 4h,b 4h,c 4h,;"));
    assert_string_equal(told_at(&waiting, HOURS(8) - 1, alerts, 3), "");
    waiting_finish(&waiting);
}

/* Who is told change by change hears that the customer says so, too, once; who waits does not, as ever. */
static void how_it_ended_is_told_to_who_hears_each_change(void **unused)
{
    (void)unused;
    static const struct receiver plain = {.name = "plain", .least = SEVERITY_WARNING};
    struct waiting waiting;
    struct alert open = revision_of("a", 1, ALERT_STATE_OPEN, 0), over = revision_of("a", 2, ALERT_STATE_RESOLVED, 1), scored = revision_of("a", 3, ALERT_STATE_RESOLVED, 2),
                 verified = revision_of("a", 4, ALERT_STATE_VERIFIED, 3), other = revision_of("b", 1, ALERT_STATE_RESOLVED, 4);
    verified.severity = SEVERITY_INFO;
    for (int restarts = 0; restarts < 2; restarts++) {
        waiting_init(&waiting, &plain);
        comes(&waiting, &open);
        comes(&waiting, &over);
        if (restarts) {
            waiting_reset(&waiting);
            waiting_remember(&waiting, &open, NOTE_TOLD, start_ms);
            waiting_remember(&waiting, &over, NOTE_TOLD, start_ms + 1);
            waiting_takes(&waiting, &open, open.alert_id, start_ms + 2);
            waiting_takes(&waiting, &over, over.alert_id, start_ms + 2);
        }
        assert_false(waiting_takes_live(&waiting, &scored, scored.alert_id, start_ms + 2, DAYS(1)));
        assert_true(waiting_takes_live(&waiting, &verified, verified.alert_id, start_ms + 3, DAYS(1)));
        waiting_told(&waiting, &verified, NOTE_TOLD, start_ms + 3);
        assert_false(waiting_takes_live(&waiting, &other, other.alert_id, start_ms + 4, DAYS(1))); /* nobody was told of that one */
        waiting_finish(&waiting);
    }
}

/* What is settled is remembered, but not for ever. */
static void memory_has_a_bound(void **unused)
{
    (void)unused;
    static const struct receiver plain = {.name = "plain"};
    struct waiting waiting;
    char id[16];
    waiting_init(&waiting, &plain);
    struct alert still_open = revision_of("open", 1, ALERT_STATE_OPEN, 0);
    comes(&waiting, &still_open);
    for (int i = 0; i < 150000; i++) {
        snprintf(id, sizeof id, "%d", i);
        struct alert open = revision_of(id, 1, ALERT_STATE_OPEN, 0), over = revision_of(id, 2, ALERT_STATE_RESOLVED, 1);
        comes(&waiting, &open);
        comes(&waiting, &over);
    }
    assert_true(waiting.tracks.count < 60000);
    struct alert over = revision_of("open", 2, ALERT_STATE_RESOLVED, 1);
    assert_true(waiting_takes_live(&waiting, &over, over.alert_id, start_ms + 2, DAYS(1)));
    waiting_reset(&waiting); /* and after a restart */
    waiting_remember(&waiting, &still_open, NOTE_TOLD, start_ms);
    for (int i = 0; i < 150000; i++) {
        snprintf(id, sizeof id, "%d", i);
        struct alert ended = revision_of(id, 2, ALERT_STATE_RESOLVED, 1);
        waiting_remember(&waiting, &ended, NOTE_TOLD, start_ms + 1);
    }
    assert_true(waiting.tracks.count < 60000);
    assert_true(waiting_takes_live(&waiting, &over, over.alert_id, start_ms + 2, DAYS(1)));
    waiting_finish(&waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_told_again_until_somebody_acts),
                                       cmocka_unit_test(without_the_setting_it_is_told_once),
                                       cmocka_unit_test(a_restart_keeps_the_time),
                                       cmocka_unit_test(each_time_is_another_message),
                                       cmocka_unit_test(a_silence_holds_it_back),
                                       cmocka_unit_test(a_group_is_told_again_together),
                                       cmocka_unit_test(how_it_ended_is_told_to_who_hears_each_change),
                                       cmocka_unit_test(memory_has_a_bound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
