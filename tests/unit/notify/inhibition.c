/* What somebody is not told while another alert says it already, or puts it in doubt; and what then. */
#include "sinks/notify/inhibition.h"

#include "base/clock.h"
#include "sinks/notify/waiting.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

static const int64_t start_ms = INT64_C(1790000000000);

static const struct receiver desk = {.name = "desk", .inhibits = true}, stubborn = {.name = "stubborn"};

static struct alert about(const char *id, int32_t revision, const char *kpi, const char *dimension, enum alert_state state, int64_t at_ms)
{
    return (struct alert){.alert_id = view_of_text(id), .revision = revision, .rule = VIEW_LITERAL("kpi.target"), .kind = ALERT_KIND_KPI_THRESHOLD,
                          .severity = SEVERITY_WARNING, .state = state, .kpi = view_of_text(kpi), .dimension = view_of_text(dimension),
                          .changed_at_ms = start_ms + at_ms};
}

static struct alert about_data(int32_t revision, enum alert_state state, enum severity severity, int64_t at_ms)
{
    struct alert alert = about("data", revision, "", "", state, at_ms);
    alert.kind = ALERT_KIND_DATA_QUALITY;
    alert.severity = severity;
    return alert;
}

static int64_t end_of(const struct inhibition *inhibition, const struct alert *alert, int64_t at_ms)
{
    struct subject subject = subject_of(alert);
    int64_t end_ms = inhibition_end_ms(inhibition, &subject, start_ms + at_ms);
    return end_ms == INT64_MAX ? INT64_MAX : end_ms - start_ms;
}

static void the_whole_speaks_for_its_parts(void **unused)
{
    (void)unused;
    struct inhibition inhibition = {0};
    struct alert whole = about("w", 1, "nps", "all", ALERT_STATE_OPEN, 10), part = about("p", 1, "nps", "product=kettle", ALERT_STATE_OPEN, 20),
                 other = about("o", 1, "csat", "product=kettle", ALERT_STATE_OPEN, 20), trend = part;
    trend.kind = ALERT_KIND_TREND_SHIFT;
    assert_false(inhibition_takes(&inhibition, &part));
    assert_true(inhibition_takes(&inhibition, &whole));
    assert_false(inhibition_takes(&inhibition, &whole)); /* again */
    assert_int_equal(end_of(&inhibition, &part, 20), INT64_MAX);
    assert_int_equal(end_of(&inhibition, &part, 9), 9);
    assert_int_equal(end_of(&inhibition, &whole, 20), 20);
    assert_int_equal(end_of(&inhibition, &other, 20), 20);
    assert_int_equal(end_of(&inhibition, &trend, 20), 20); /* that it fell is another matter than that it is low */
    struct alert over = about("w", 2, "nps", "all", ALERT_STATE_RESOLVED, 50);
    assert_true(inhibition_takes(&inhibition, &over));
    assert_int_equal(end_of(&inhibition, &part, 20), 50);
    assert_int_equal(end_of(&inhibition, &part, 60), 60);
    inhibition_finish(&inhibition);
}

static void doubtful_data_keep_every_kpi_back(void **unused)
{
    (void)unused;
    struct inhibition inhibition = {0};
    struct alert slight = about_data(1, ALERT_STATE_OPEN, SEVERITY_INFO, 0), grave = about_data(2, ALERT_STATE_OPEN, SEVERITY_WARNING, 10),
                 slight_again = about_data(3, ALERT_STATE_OPEN, SEVERITY_INFO, 30), whole = about("w", 1, "nps", "all", ALERT_STATE_OPEN, 10);
    struct alert of_case = whole;
    of_case.kind = ALERT_KIND_HOT_TICKET;
    assert_false(inhibition_takes(&inhibition, &slight));
    assert_true(inhibition_takes(&inhibition, &grave));
    static const enum alert_kind kinds[] = {ALERT_KIND_KPI_THRESHOLD, ALERT_KIND_TREND_SHIFT, ALERT_KIND_SLA_BURN};
    for (int i = 0; i < 3; i++) {
        whole.kind = kinds[i];
        assert_int_equal(end_of(&inhibition, &whole, 20), INT64_MAX);
    }
    assert_int_equal(end_of(&inhibition, &of_case, 20), 20);
    assert_int_equal(end_of(&inhibition, &grave, 20), 20);
    assert_true(inhibition_takes(&inhibition, &slight_again));
    assert_int_equal(end_of(&inhibition, &whole, 20), 30);
    inhibition_finish(&inhibition);
}

static void history_inhibits_nothing(void **unused)
{
    (void)unused;
    struct inhibition inhibition = {0};
    struct alert whole = about("w", 1, "nps", "all", ALERT_STATE_OPEN, 0), part = about("p", 1, "nps", "channel=CHAT", ALERT_STATE_OPEN, 0);
    whole.historical = true;
    assert_false(inhibition_takes(&inhibition, &whole));
    assert_int_equal(end_of(&inhibition, &part, 0), 0);
    whole.revision = 2;
    whole.historical = false;
    assert_true(inhibition_takes(&inhibition, &whole));
    assert_int_equal(end_of(&inhibition, &part, 0), INT64_MAX);
    inhibition_finish(&inhibition);
}

/* --- telling --- */

/* Tells what is due and says what: «id STATE», a comma behind each. The record of a revision is its place in the log. */
static const char *told_at(struct waiting *waiting, int64_t at_ms, const struct alert *log)
{
    static char said[200];
    struct due due;
    said[0] = '\0';
    while (waiting_due(waiting, start_ms + at_ms, DAYS(1), &due)) {
        const struct alert *alert = &log[(unsigned char)due.items[0].record.data[0]];
        assert_true(due.count > 0 && due.items[0].waited_ms == 0 && due.group.size == 0);
        snprintf(said + strlen(said), sizeof said - strlen(said), "%.*s %s,", VIEW_ARGUMENTS(alert->alert_id), alert_state_name(alert->state));
        waiting_told(waiting, alert, NOTE_TOLD, start_ms + at_ms);
    }
    return said;
}

static void takes(struct waiting *waiting, const struct alert *log, unsigned char which)
{
    waiting_takes(waiting, &log[which], view_of(&which, 1), log[which].changed_at_ms);
}

/* Minute 0: a part. 10: the whole. 11: another part. 20: the first one is over. 30: the whole is over. */
static void what_was_told_is_ended_and_what_was_not_is_told_at_the_end(void **unused)
{
    (void)unused;
    const struct alert log[] = {about("early", 1, "nps", "product=pot", ALERT_STATE_OPEN, 0), about("whole", 1, "nps", "all", ALERT_STATE_OPEN, MINUTES(10)),
                                about("late", 1, "nps", "product=kettle", ALERT_STATE_OPEN, MINUTES(11)), about("brief", 1, "nps", "channel=CHAT", ALERT_STATE_OPEN, MINUTES(12)),
                                about("brief", 2, "nps", "channel=CHAT", ALERT_STATE_RESOLVED, MINUTES(15)), about("early", 2, "nps", "product=pot", ALERT_STATE_RESOLVED, MINUTES(20)),
                                about("whole", 2, "nps", "all", ALERT_STATE_RESOLVED, MINUTES(30)), about("late", 2, "nps", "product=kettle", ALERT_STATE_RESOLVED, MINUTES(40))};
    static const char *const heard[] = {"early OPEN,", "whole OPEN,", "", "", "", "early RESOLVED,", "whole RESOLVED,late OPEN,", "late RESOLVED,"};
    struct waiting waiting;
    waiting_init(&waiting, &desk);
    for (unsigned char i = 0; i < 8; i++) {
        takes(&waiting, log, i);
        assert_string_equal(told_at(&waiting, log[i].changed_at_ms - start_ms + INHIBITION_WAIT_MS, log), heard[i]);
        assert_int_equal(waiting.inhibited, i == 2 || i == 4 || i == 5 ? 1 : i == 3 ? 2 : 0);
    }
    assert_int_equal(waiting.tracks.count, 0);
    waiting_finish(&waiting);
}

static void who_opts_out_hears_all_at_once(void **unused)
{
    (void)unused;
    struct alert whole = about("w", 1, "nps", "all", ALERT_STATE_OPEN, 0), part = about("p", 1, "nps", "product=kettle", ALERT_STATE_OPEN, 1);
    for (int is_stubborn = 0; is_stubborn < 2; is_stubborn++) {
        struct waiting waiting;
        waiting_init(&waiting, is_stubborn ? &stubborn : &desk);
        assert_int_equal(waiting_takes_live(&waiting, &whole, whole.alert_id, start_ms + 1, DAYS(1)), is_stubborn);
        assert_int_equal(waiting_takes_live(&waiting, &part, part.alert_id, start_ms + 1, DAYS(1)), is_stubborn);
        waiting_finish(&waiting);
    }
}

/* The part is read before the whole, which is in another partition, though it is a second younger. */
static void it_waits_a_moment_for_what_may_inhibit_it(void **unused)
{
    (void)unused;
    const struct alert log[] = {about("part", 1, "nps", "product=kettle", ALERT_STATE_OPEN, 1000), about("whole", 1, "nps", "all", ALERT_STATE_OPEN, 0)};
    struct waiting waiting;
    waiting_init(&waiting, &desk);
    takes(&waiting, log, 0);
    assert_string_equal(told_at(&waiting, 1000 + INHIBITION_WAIT_MS - 1, log), "");
    waiting_takes(&waiting, &log[1], VIEW_LITERAL("\1"), start_ms + 2000);
    assert_string_equal(told_at(&waiting, HOURS(1), log), "whole OPEN,");
    waiting_finish(&waiting);
}

/* Open for three days, inhibited by what ends now, and the process restarts: that it changed long ago does not make it too old. */
static void a_restart_knows_what_was_held_back(void **unused)
{
    (void)unused;
    const struct alert log[] = {about("whole", 1, "nps", "all", ALERT_STATE_OPEN, 0), about("part", 1, "nps", "product=kettle", ALERT_STATE_OPEN, 1000),
                                about("whole", 2, "nps", "all", ALERT_STATE_RESOLVED, DAYS(3))};
    static const unsigned char orders[2][3] = {{0, 1, 2}, {1, 0, 2}};
    for (int order = 0; order < 2; order++) {
        struct waiting waiting;
        waiting_init(&waiting, &desk);
        waiting_remember(&waiting, &log[0], NOTE_TOLD, 0);
        takes(&waiting, log, orders[order][0]);
        takes(&waiting, log, orders[order][1]);
        assert_string_equal(told_at(&waiting, DAYS(2), log), "");
        waiting_reset(&waiting);
        waiting_remember(&waiting, &log[0], NOTE_TOLD, 0);
        for (int i = 0; i < 3; i++)
            takes(&waiting, log, orders[order][i]);
        const char *told = told_at(&waiting, DAYS(3) + MINUTES(5), log);
        assert_true(strstr(told, "whole RESOLVED,") && strstr(told, "part OPEN,"));
        waiting_reset(&waiting);
        waiting_remember(&waiting, &log[1], NOTE_TOLD, 0);
        waiting_remember(&waiting, &log[2], NOTE_TOLD, 0);
        for (int i = 0; i < 3; i++)
            takes(&waiting, log, orders[order][i]);
        assert_string_equal(told_at(&waiting, DAYS(3) + MINUTES(10), log), "");
        waiting_finish(&waiting);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_whole_speaks_for_its_parts),
                                       cmocka_unit_test(doubtful_data_keep_every_kpi_back),
                                       cmocka_unit_test(history_inhibits_nothing),
                                       cmocka_unit_test(what_was_told_is_ended_and_what_was_not_is_told_at_the_end),
                                       cmocka_unit_test(who_opts_out_hears_all_at_once),
                                       cmocka_unit_test(it_waits_a_moment_for_what_may_inhibit_it),
                                       cmocka_unit_test(a_restart_knows_what_was_held_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
