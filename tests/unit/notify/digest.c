/* So many messages a day, and one about the rest. */
#include "sinks/notify/digest.h"

#include "base/clock.h"
#include "base/time_text.h"
#include "sinks/notify/waiting.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

static int64_t at(const char *text)
{
    int64_t at_ms;
    assert_true(time_text_parse(view_of_text(text), &at_ms));
    return at_ms;
}

static void expect_day(const char *zone, int64_t of_day_ms, const char *now, const char *begins, const char *ends)
{
    const struct digest_rules rules = {.daily_max = 1, .at_ms = of_day_ms, .time_zone = zone};
    struct digest digest;
    digest_init(&digest, &rules);
    int64_t day_ms = digest_day_ms(&digest, at(now));
    if (day_ms != at(begins) || digest.next_day_ms != at(ends))
        fail_msg("%s in %s: %lld to %lld", now, zone, (long long)day_ms, (long long)digest.next_day_ms);
    digest_finish(&digest);
}

/* Also on the days on which the clocks change, before and after they do. */
static void a_day_is_from_one_digest_to_the_next(void **unused)
{
    (void)unused;
    expect_day("UTC", 0, "2026-11-26T00:00:00Z", "2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z");
    expect_day("UTC", HOURS(8), "2026-11-26T07:59:59Z", "2026-11-25T08:00:00Z", "2026-11-26T08:00:00Z");
    expect_day("UTC", HOURS(8), "2026-11-26T08:00:00Z", "2026-11-26T08:00:00Z", "2026-11-27T08:00:00Z");
    expect_day("+05:30", HOURS(8), "2026-11-26T02:30:00Z", "2026-11-26T02:30:00Z", "2026-11-27T02:30:00Z");
    expect_day("Europe/Berlin", HOURS(8), "2026-10-25T06:59:00Z", "2026-10-24T06:00:00Z", "2026-10-25T07:00:00Z");
    expect_day("Europe/Berlin", HOURS(8), "2026-10-25T07:00:00Z", "2026-10-25T07:00:00Z", "2026-10-26T07:00:00Z");
    expect_day("Europe/Berlin", HOURS(8), "2026-03-29T05:59:00Z", "2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z");
    expect_day("Europe/Berlin", HOURS(8), "2026-03-29T06:00:00Z", "2026-03-29T06:00:00Z", "2026-03-30T06:00:00Z");
    expect_day("Europe/Berlin", MINUTES(90), "2026-10-25T00:00:00Z", "2026-10-24T23:30:00Z", "2026-10-26T00:30:00Z");
}

static void messages_count_until_the_day_ends_and_none_twice(void **unused)
{
    (void)unused;
    const struct digest_rules rules = {.daily_max = 2, .time_zone = "UTC"}, none = {.daily_max = 0};
    int64_t noon_ms = at("2026-11-26T12:00:00Z");
    struct digest digest;
    digest_init(&digest, &rules);
    digest_counts(&digest, noon_ms - DAYS(1)); /* as the notes have it, in any order */
    digest_counts(&digest, noon_ms);
    digest_counts(&digest, noon_ms); /* two alerts of one message */
    digest_day_ms(&digest, noon_ms);
    assert_false(digest_is_full(&digest));
    assert_int_equal(digest_stamp_ms(&digest, noon_ms), noon_ms + 1);
    digest_counts(&digest, noon_ms + 1);
    assert_true(digest_is_full(&digest));
    digest_day_ms(&digest, noon_ms + HOURS(12) - 1);
    assert_true(digest_is_full(&digest));
    digest_day_ms(&digest, noon_ms + HOURS(12));
    assert_false(digest_is_full(&digest));
    digest_finish(&digest);
    digest_init(&digest, &none);
    digest_counts(&digest, noon_ms);
    assert_false(digest_is_full(&digest));
    digest_finish(&digest);
}

/* Who ran for a moment by a clock that was a month ahead has not used up the month. */
static void a_clock_that_is_set_back_leaves_the_day_as_it_is(void **unused)
{
    (void)unused;
    const struct digest_rules rules = {.daily_max = 2, .time_zone = "UTC"};
    int64_t noon_ms = at("2026-11-26T12:00:00Z");
    struct digest digest;
    digest_init(&digest, &rules);
    digest_day_ms(&digest, noon_ms + DAYS(30));
    digest_forget(&digest); /* as all is read again then (later.c) */
    digest_counts(&digest, noon_ms - DAYS(1));
    digest_counts(&digest, noon_ms);
    digest_counts(&digest, noon_ms + 1);
    assert_int_equal(digest_day_ms(&digest, noon_ms + 2), at("2026-11-26T00:00:00Z"));
    assert_true(digest_is_full(&digest));
    digest_finish(&digest);
}

/* --- what waits for it --- */

static const int64_t start_ms = INT64_C(1790000000000);

static struct alert alert_of(const char *id, int32_t revision, enum alert_state state, enum severity severity)
{
    return (struct alert){.alert_id = view_of_text(id), .revision = revision, .rule = VIEW_LITERAL("case"), .kind = ALERT_KIND_HOT_TICKET, .severity = severity,
                          .state = state, .text = view_of_text(id), .changed_at_ms = start_ms + revision};
}

static const struct receiver channel = {.name = "channel", .digest = {.daily_max = 5}};

static void takes(struct waiting *waiting, const struct alert *alert)
{
    waiting_takes(waiting, alert, alert->alert_id, alert->changed_at_ms);
}

static bool is_due(struct waiting *waiting, const char *id)
{
    struct due due;
    return waiting_due(waiting, start_ms + MINUTES(1), DAYS(1), &due) && view_equal_text(due.items[0].record, id);
}

static size_t put_off(struct waiting *waiting, int64_t before_ms)
{
    struct arena arena;
    size_t count;
    arena_init(&arena);
    waiting_capped(waiting, before_ms, &arena, &count);
    arena_finish(&arena);
    return count;
}

/* One life of an alert that is put off, and the same read again from the logs at every step. */
static void what_is_put_off_is_in_the_digest_once_and_told_no_more(void **unused)
{
    (void)unused;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct alert open = alert_of("a", 1, ALERT_STATE_OPEN, SEVERITY_WARNING), more = alert_of("a", 2, ALERT_STATE_OPEN, SEVERITY_WARNING),
                     again = alert_of("a", 3, ALERT_STATE_OPEN, SEVERITY_WARNING), over = alert_of("a", 4, ALERT_STATE_RESOLVED, SEVERITY_WARNING);
        struct waiting waiting;
        waiting_init(&waiting, &channel);
        takes(&waiting, &open);
        assert_true(is_due(&waiting, "a"));
        waiting_told(&waiting, &open, NOTE_CAPPED, start_ms + 10);
        assert_false(is_due(&waiting, "a"));
        if (restarts) {
            waiting_reset(&waiting);
            waiting_remember(&waiting, &open, NOTE_CAPPED, start_ms + 10);
            takes(&waiting, &open);
        }
        takes(&waiting, &more);
        assert_false(is_due(&waiting, "a"));
        assert_int_equal(put_off(&waiting, start_ms + 10), 0); /* of the next day */
        assert_int_equal(put_off(&waiting, start_ms + 11), 1);
        waiting_told(&waiting, &more, NOTE_DIGEST, start_ms + 20);
        if (restarts) {
            waiting_reset(&waiting);
            waiting_remember(&waiting, &open, NOTE_CAPPED, start_ms + 10);
            waiting_remember(&waiting, &more, NOTE_DIGEST, start_ms + 20);
            takes(&waiting, &open);
            takes(&waiting, &more);
        }
        assert_int_equal(put_off(&waiting, start_ms + 100), 0);
        takes(&waiting, &again); /* another score */
        assert_false(is_due(&waiting, "a"));
        takes(&waiting, &over);
        assert_false(is_due(&waiting, "a")); /* it was one of many, and so is its end */
        assert_int_equal(waiting.tracks.count, 0);
        waiting_finish(&waiting);
    }
}

static void what_ended_before_the_digest_is_in_it_all_the_same(void **unused)
{
    (void)unused;
    struct alert open = alert_of("a", 1, ALERT_STATE_OPEN, SEVERITY_WARNING), over = alert_of("a", 2, ALERT_STATE_RESOLVED, SEVERITY_WARNING);
    struct waiting waiting;
    waiting_init(&waiting, &channel);
    waiting_remember(&waiting, &open, NOTE_CAPPED, start_ms + 10);
    takes(&waiting, &open);
    takes(&waiting, &over);
    assert_false(is_due(&waiting, "a"));
    assert_int_equal(put_off(&waiting, start_ms + 11), 1);
    waiting_told(&waiting, &over, NOTE_DIGEST, start_ms + 20);
    assert_int_equal(waiting.tracks.count, 0);
    waiting_finish(&waiting);
}

static void neither_what_turned_critical_nor_the_end_of_what_was_told_is_put_off(void **unused)
{
    (void)unused;
    struct alert open = alert_of("a", 1, ALERT_STATE_OPEN, SEVERITY_WARNING), grave = alert_of("a", 2, ALERT_STATE_OPEN, SEVERITY_CRITICAL),
                 told = alert_of("b", 1, ALERT_STATE_OPEN, SEVERITY_WARNING), seen = alert_of("b", 2, ALERT_STATE_ACKNOWLEDGED, SEVERITY_WARNING),
                 over = alert_of("b", 3, ALERT_STATE_RESOLVED, SEVERITY_WARNING);
    struct receiver strict = channel;
    struct waiting waiting;
    strict.digest.caps_critical = true;
    for (int is_strict = 0; is_strict < 2; is_strict++) {
        waiting_init(&waiting, is_strict ? &strict : &channel);
        takes(&waiting, &open);
        waiting_told(&waiting, &open, NOTE_CAPPED, start_ms + 10);
        takes(&waiting, &grave);
        assert_int_equal(is_due(&waiting, "a"), !is_strict);
        waiting_finish(&waiting);
    }
    for (int has_digest = 0; has_digest < 2; has_digest++) {
        waiting_init(&waiting, &channel);
        takes(&waiting, &told);
        waiting_told(&waiting, &told, NOTE_TOLD, start_ms + 5);
        takes(&waiting, &seen);
        assert_true(is_due(&waiting, "b"));
        waiting_told(&waiting, &seen, NOTE_CAPPED, start_ms + 10);
        assert_false(is_due(&waiting, "b"));
        if (has_digest)
            waiting_told(&waiting, &seen, NOTE_DIGEST, start_ms + 20);
        takes(&waiting, &over);
        assert_true(is_due(&waiting, "b"));
        waiting_finish(&waiting);
    }
}

/* --- how it reads --- */

static void it_counts_by_rule_and_severity_and_names_the_gravest(void **unused)
{
    (void)unused;
    static char names[60][16];
    static const char *const wanted[] = {
        "{\"text\":\"Digest: 60 alerts beyond 5 messages a day\\n• CRITICAL case: 2, 1 of them open\\n• WARNING sla.resolution.breach: 29, 29 of them open\\n"
        "• WARNING case: 28, 28 of them open\\n• INFO case: 1, 1 of them open\\nThe gravest:\\n• CRITICAL OPEN: n58 <http://d/#/alerts|open>\\n• CRITICAL RESOLVED: n59 <",
        "{\"type\":\"touchstream.digest\",\"timestamp\":\"2026-11-26T08:00:00.000Z\",\"url\":\"http://d\",\"count\":60,\"counts\":[{\"rule\":\"case\",\"severity\":\"CRITICAL\","
        "\"count\":2,\"open\":1},"};
    for (int form = 0; form < 2; form++) {
        struct receiver receiver = channel;
        struct digest_summary summary = {.until_ms = at("2026-11-26T08:00:00Z")};
        struct bytes body = {0};
        size_t gravest = 0;
        receiver.form = form ? RECEIVER_JSON : RECEIVER_SLACK;
        for (int i = 0; i < 60; i++) {
            snprintf(names[i], sizeof names[i], "n%d", i);
            struct alert alert = alert_of(names[i], 1 + i, i == 59 ? ALERT_STATE_RESOLVED : ALERT_STATE_OPEN, i >= 58 ? SEVERITY_CRITICAL : i == 0 ? SEVERITY_INFO : SEVERITY_WARNING);
            if (i > 28 && i < 58)
                alert.rule = VIEW_LITERAL("sla.resolution.breach");
            digest_add(&summary, &alert);
        }
        digest_write(&body, &receiver, &summary, "http://d");
        if (strncmp(bytes_text(&body), wanted[form], strlen(wanted[form])) != 0)
            fail_msg("wanted %s in %s", wanted[form], bytes_text(&body));
        for (const char *from = bytes_text(&body); (from = strstr(from, form ? "\"type\":\"touchstream.alert\"" : "|open>\\n")); from++)
            gravest++;
        assert_int_equal(gravest, DIGEST_GRAVEST_MAX);
        digest_summary_finish(&summary);
        bytes_finish(&body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_day_is_from_one_digest_to_the_next),
                                       cmocka_unit_test(a_clock_that_is_set_back_leaves_the_day_as_it_is),
        cmocka_unit_test(messages_count_until_the_day_ends_and_none_twice),
                                       cmocka_unit_test(what_is_put_off_is_in_the_digest_once_and_told_no_more),
                                       cmocka_unit_test(what_ended_before_the_digest_is_in_it_all_the_same),
                                       cmocka_unit_test(neither_what_turned_critical_nor_the_end_of_what_was_told_is_put_off),
                                       cmocka_unit_test(it_counts_by_rule_and_severity_and_names_the_gravest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
