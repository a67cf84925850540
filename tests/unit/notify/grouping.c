/* Several alerts in one message: which, when, and how it reads. */
#include "sinks/notify/grouping.h"

#include "base/clock.h"
#include "sinks/notify/message.h"
#include "sinks/notify/waiting.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t start_ms = INT64_C(1790000000000);

enum { BY_RULE = 1, BY_KPI = 8 };

static const struct receiver channel = {.name = "channel", .form = RECEIVER_SLACK,
                                        .grouping = {.is_on = true, .labels = BY_RULE | BY_KPI, .wait_ms = SECONDS(30), .interval_ms = MINUTES(5)}};

static struct alert alert_of(const char *id, int32_t revision, const char *kpi, enum alert_state state, int64_t at_ms)
{
    return (struct alert){.alert_id = view_of_text(id), .revision = revision, .rule = VIEW_LITERAL("kpi.target"), .kind = ALERT_KIND_HOT_TICKET,
                          .severity = SEVERITY_WARNING, .state = state, .kpi = view_of_text(kpi), .text = view_of_text(id), .changed_at_ms = start_ms + at_ms};
}

static void takes(struct waiting *waiting, const struct alert *log, unsigned char which)
{
    waiting_takes(waiting, &log[which], view_of(&which, 1), log[which].changed_at_ms);
}

static int compare(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

/* Tells what is due, and says what: of each message the first letters of its alerts in order, a comma behind. */
static const char *told_at(struct waiting *waiting, int64_t at_ms, const struct alert *log)
{
    static char said[1000];
    struct due due;
    size_t size = 0;
    while (waiting_due(waiting, start_ms + at_ms, DAYS(1), &due)) {
        size_t begin = size;
        for (size_t i = 0; i < due.count; i++) {
            const struct alert *alert = &log[(unsigned char)due.items[i].record.data[0]];
            said[size++] = alert->alert_id.data[0];
            waiting_told(waiting, alert, NOTE_TOLD, start_ms + at_ms);
        }
        qsort(said + begin, size - begin, 1, compare);
        said[size++] = ',';
    }
    said[size] = '\0';
    return said;
}

static void what_has_things_in_common_is_told_together(void **unused)
{
    (void)unused;
    const struct alert log[] = {alert_of("a", 1, "nps", ALERT_STATE_OPEN, 0), alert_of("b", 1, "nps", ALERT_STATE_OPEN, SECONDS(20)),
                                alert_of("c", 1, "csat", ALERT_STATE_OPEN, SECONDS(20)), alert_of("d", 1, "nps", ALERT_STATE_OPEN, SECONDS(40)),
                                alert_of("b", 2, "nps", ALERT_STATE_RESOLVED, SECONDS(60)), alert_of("e", 1, "nps", ALERT_STATE_OPEN, MINUTES(20))};
    struct waiting waiting;
    waiting_init(&waiting, &channel);
    takes(&waiting, log, 0);
    takes(&waiting, log, 1);
    takes(&waiting, log, 2);
    assert_string_equal(told_at(&waiting, SECONDS(30) - 1, log), "");
    assert_string_equal(told_at(&waiting, SECONDS(30), log), "ab,");
    assert_string_equal(told_at(&waiting, SECONDS(50), log), "c,");
    takes(&waiting, log, 3);
    takes(&waiting, log, 4);
    assert_string_equal(told_at(&waiting, SECONDS(30) + MINUTES(5) - 1, log), "");
    assert_string_equal(told_at(&waiting, SECONDS(30) + MINUTES(5), log), "bd,");
    takes(&waiting, log, 5); /* long after: it waits for company, not for the interval */
    assert_string_equal(told_at(&waiting, MINUTES(20) + SECONDS(29), log), "");
    assert_string_equal(told_at(&waiting, MINUTES(20) + SECONDS(30), log), "e,");
    waiting_finish(&waiting);
}

static void what_is_over_before_its_message_is_not_told(void **unused)
{
    (void)unused;
    const struct alert log[] = {alert_of("a", 1, "nps", ALERT_STATE_OPEN, 0), alert_of("a", 2, "nps", ALERT_STATE_RESOLVED, SECONDS(10)),
                                alert_of("b", 1, "nps", ALERT_STATE_ACKNOWLEDGED, 0)};
    struct waiting waiting;
    waiting_init(&waiting, &channel);
    for (unsigned char i = 0; i < 3; i++)
        takes(&waiting, log, i);
    assert_string_equal(told_at(&waiting, SECONDS(40), log), "b,"); /* somebody acts on it, which is news, too */
    waiting_finish(&waiting);
}

/* The interval goes on over a restart, and what was told is not told again. */
static void a_restart_keeps_the_interval(void **unused)
{
    (void)unused;
    const struct alert log[] = {alert_of("a", 1, "nps", ALERT_STATE_OPEN, 0), alert_of("b", 1, "nps", ALERT_STATE_OPEN, SECONDS(40))};
    struct waiting waiting;
    waiting_init(&waiting, &channel);
    waiting_remember(&waiting, &log[0], NOTE_TOLD, start_ms + SECONDS(30));
    takes(&waiting, log, 0);
    takes(&waiting, log, 1);
    assert_string_equal(told_at(&waiting, MINUTES(5), log), "");
    assert_string_equal(told_at(&waiting, MINUTES(5) + SECONDS(30), log), "b,");
    waiting_finish(&waiting);
}

static void a_large_group_is_told_whole(void **unused)
{
    (void)unused;
    enum { MANY = 3 * DUE_MOST + 50 };
    static char ids[MANY][16];
    struct waiting waiting;
    struct due due;
    waiting_init(&waiting, &channel);
    for (int i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "%d", i);
        struct alert alert = alert_of(ids[i], 1, "nps", ALERT_STATE_OPEN, 0);
        waiting_takes(&waiting, &alert, alert.alert_id, start_ms);
    }
    int64_t now_ms = start_ms + SECONDS(30);
    assert_true(waiting_due(&waiting, now_ms, DAYS(1), &due));
    assert_int_equal(due.count, MANY);
    for (size_t i = 0; i < due.count; i++) {
        struct alert alert = alert_of("", 1, "nps", ALERT_STATE_OPEN, 0);
        alert.alert_id = due.items[i].record;
        waiting_told(&waiting, &alert, NOTE_TOLD, now_ms);
    }
    assert_false(waiting_due(&waiting, now_ms + DAYS(1), DAYS(2), &due));
    waiting_finish(&waiting);
}

static void groups_come_and_go(void **unused)
{
    (void)unused;
    struct groups groups = {0};
    static char names[5000][24];
    const struct grouping by_kpi = {.is_on = true, .labels = BY_KPI, .interval_ms = MINUTES(5)};
    for (int i = 0; i < 5000; i++) {
        snprintf(names[i], sizeof names[i], "kpi-%d", i);
        struct alert alert = alert_of("a", 1, names[i], ALERT_STATE_OPEN, 0);
        struct group *group = groups_move(&groups, &by_kpi, NULL, &alert);
        assert_true(groups_move(&groups, &by_kpi, group, &alert) == group && group->members == 1);
        group->told_ms = i % 2 ? INT64_MIN : start_ms + i;
        if (i >= 10)
            groups_leave(group);
    }
    groups_sweep(&groups, &by_kpi, start_ms + MINUTES(5) + 2499);
    assert_int_equal(groups.by_key.count, 10 + 1250); /* with members, and those of an interval that runs */
    groups_finish(&groups);
}

/* --- how it reads --- */

static void expect(enum receiver_form form, const struct group_message *group, const char *const *wanted)
{
    struct receiver receiver = channel;
    struct bytes body = {0};
    receiver.form = form;
    message_write_group(&body, &receiver, group, "http://127.0.0.1:8081");
    for (; *wanted; wanted++)
        if (strstr(bytes_text(&body), *wanted) == NULL)
            fail_msg("wanted %s in %s", *wanted, bytes_text(&body));
    bytes_finish(&body);
}

static void a_message_has_what_they_have_in_common_and_each_of_them(void **unused)
{
    (void)unused;
    struct bytes key = {0};
    struct alert alerts[57];
    int64_t waited_ms[57] = {0, 0, 900000};
    for (int i = 0; i < 57; i++)
        alerts[i] = alert_of(i == 1 ? "a & b" : "other", i + 1, "nps", i < 7 ? ALERT_STATE_RESOLVED : ALERT_STATE_OPEN, 0);
    grouping_append_key(&key, &channel.grouping, &alerts[0]);
    assert_string_equal(bytes_text(&key), "{\"rule\":\"kpi.target\",\"kpi\":\"nps\"}");
    struct group_message group = {alerts, waited_ms, 57, bytes_view(&key)}, pair = {alerts, waited_ms, 2, bytes_view(&key)}, one = {alerts, waited_ms, 1, bytes_view(&key)};
    expect(RECEIVER_SLACK, &group, (const char *const[]){"{\"text\":\"57 alerts, 50 of them open · kpi.target · nps\\n• WARNING RESOLVED: other <http://127.0.0.1:8081/#/trends/nps|open>\\n• WARNING RESOLVED: a &amp; b <",
                                                         "\\n• Nobody has acknowledged it for 15.0 min: WARNING RESOLVED: other", "\\nand 37 more <http://127.0.0.1:8081|open>\"}", NULL});
    struct bytes text = {0};
    size_t lines = 0;
    message_write_group(&text, &channel, &group, "http://127.0.0.1:8081");
    for (const char *at = bytes_text(&text); (at = strstr(at, "\\n• ")); at++)
        lines++;
    assert_int_equal(lines, 20);
    bytes_finish(&text);
    expect(RECEIVER_SLACK, &one, (const char *const[]){"{\"text\":\"WARNING RESOLVED: other\\n<", NULL});
    struct group_message second = {alerts, waited_ms, 2, bytes_view(&key), NULL, 2, 3};
    expect(RECEIVER_JSON, &second, (const char *const[]){"\"kpi\":\"nps\"},\"part\":2,\"parts\":3,\"alerts\":[", NULL});
    expect(RECEIVER_JSON, &one, (const char *const[]){"{\"type\":\"touchstream.alerts\",", "\"alerts\":[{\"type\":\"touchstream.alert\",", NULL});
    expect(RECEIVER_JSON, &pair, (const char *const[]){"\"url\":\"http://127.0.0.1:8081\",\"group\":{\"rule\":\"kpi.target\",\"kpi\":\"nps\"},\"alerts\":[{\"type\":\"touchstream.alert\",",
                                                       "\"revision\":1,", "},{\"type\":\"touchstream.alert\",", "\"alert_id\":\"a & b\",\"revision\":2,", "}]}", NULL});
    bytes_finish(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_has_things_in_common_is_told_together),
                                       cmocka_unit_test(what_is_over_before_its_message_is_not_told),
                                       cmocka_unit_test(a_restart_keeps_the_interval),
                                       cmocka_unit_test(a_large_group_is_told_whole),
                                       cmocka_unit_test(groups_come_and_go),
                                       cmocka_unit_test(a_message_has_what_they_have_in_common_and_each_of_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
