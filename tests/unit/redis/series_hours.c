/* What reaches Redis of closed hours that are told: not more than needed, and the last word. */
#include "sinks/redis/series_hours.h"
#include "tests/unit/cmocka_all.h"

#include <stdlib.h>

enum { HOURS_MAX = 400 };

struct desk {
    struct series_hours hours;
    struct resp commands;
    struct arena arena;
    struct series_questions questions;
};

static int open_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    arena_init(&desk->arena);
    *state = desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    series_hours_finish(&desk->hours);
    resp_finish(&desk->commands);
    arena_finish(&desk->arena);
    free(desk);
    return 0;
}

/* Hours first … last of one series, all with one value; 0: nothing is in them. */
static void tell(struct desk *desk, const char *kpi, int first, int last, double value)
{
    struct kpi record = {.kpi = view_of_text(kpi), .dimension = VIEW_LITERAL("all")};
    record.closed.items = arena_alloc(&desk->arena, HOURS_MAX * sizeof *record.closed.items);
    for (int hour = first; hour <= last; hour++)
        record.closed.items[record.closed.count++] =
            (struct kpi_closed_hour){.end_at_ms = hour * INT64_C(3600000), .value = value, .n = value != 0};
    series_hours_tell(&desk->hours, &record, &desk->arena);
}

/* How often a word stands in the commands that come of it. */
static size_t written(struct desk *desk, const char *word)
{
    size_t count = 0;
    const char *text = bytes_text(&desk->commands.bytes);
    for (const char *at = text; (at = strstr(at, word)); at++)
        count++;
    return count;
}

static void write_batch(struct desk *desk)
{
    resp_clear(&desk->commands);
    series_hours_write(&desk->hours, &desk->commands, "p:", &desk->arena, &desk->questions);
}

/* Redis did it; its newest hour is `newest`. */
static void answer_all(struct desk *desk, int newest)
{
    struct redis_answer answers[8];
    for (size_t i = 0; i < 8; i++)
        answers[i] = (struct redis_answer){.kind = REDIS_INTEGER, .integer = newest * INT64_C(3600000)};
    assert_true(desk->commands.command_count <= 8);
    series_hours_learn(&desk->hours, &desk->questions, answers);
}

/* The same, and Redis has it already. */
static void tell_and_write(struct desk *desk, const char *kpi, int first, int last, double value)
{
    tell(desk, kpi, first, last, value);
    write_batch(desk);
    answer_all(desk, last);
}

static void what_is_told_again_costs_nothing(void **state)
{
    struct desk *desk = *state;
    tell(desk, "nps", 1, 168, 5);
    write_batch(desk);
    assert_int_equal(desk->commands.command_count, 1);
    answer_all(desk, 168);
    tell(desk, "nps", 1, 168, 5);
    write_batch(desk);
    assert_int_equal(desk->commands.command_count, 0);
}

static void what_has_ended_begins_anew(void **state)
{
    struct desk *desk = *state;
    tell_and_write(desk, "nps", 1, 10, 5);
    tell(desk, "nps", 11, 11, 5);
    series_hours_gone(&desk->hours, VIEW_LITERAL("nps:all"));
    write_batch(desk);
    assert_int_equal(desk->commands.command_count, 0);
    tell(desk, "nps", 1, 10, 5); /* as before, but Redis has it no more */
    write_batch(desk);
    assert_int_equal(written(desk, "p:series:nps:all"), 1);
    assert_int_equal(written(desk, "\r\n36000000\r\n"), 1);
}

static void a_new_hour_is_one_plain_command(void **state)
{
    struct desk *desk = *state;
    tell_and_write(desk, "nps", 1, 168, 5);
    tell(desk, "nps", 2, 169, 5);
    write_batch(desk);
    assert_int_equal(desk->commands.command_count, 1);
    assert_int_equal(written(desk, "EVAL"), 0);
    assert_int_equal(written(desk, "p:series:nps:all"), 1);
    assert_int_equal(written(desk, "608400000"), 1); /* 169 h in ms */
}

static void a_revision_goes_by_the_script_and_holds_only_what_changed(void **state)
{
    struct desk *desk = *state;
    tell_and_write(desk, "nps", 1, 10, 5);
    tell(desk, "nps", 4, 4, 6);
    write_batch(desk);
    assert_int_equal(written(desk, "EVAL"), 1);
    assert_int_equal(written(desk, "\r\n14400000\r\n"), 1);
    assert_int_equal(written(desk, "\r\n18000000\r\n"), 0);
}

static void an_hour_that_has_lost_all_is_taken_out_once(void **state)
{
    struct desk *desk = *state;
    tell_and_write(desk, "nps", 1, 10, 5);
    tell(desk, "nps", 4, 4, 0);
    write_batch(desk);
    assert_int_equal(written(desk, "EVAL"), 1);
    assert_int_equal(written(desk, "\r\n14400000\r\n$0\r\n\r\n$1\r\n0\r\n"), 1); /* its value is "" */
    answer_all(desk, 10);
    tell(desk, "nps", 4, 4, 0);
    tell(desk, "nps", 11, 11, 0); /* closed, and nothing in it */
    write_batch(desk);
    assert_int_equal(desk->commands.command_count, 0);
}

static void a_gauge_at_nothing_is_a_value(void **state)
{
    struct desk *desk = *state;
    tell_and_write(desk, "backlog", 1, 2, 3);
    tell(desk, "backlog", 3, 3, 0);
    write_batch(desk);
    assert_int_equal(written(desk, "XADD"), 1);
    tell(desk, "backlog", 2, 2, 0);
    write_batch(desk);
    assert_int_equal(written(desk, "\r\n7200000\r\n$1\r\n0\r\n$1\r\n0\r\n"), 1);
}

static void until_redis_has_answered_nothing_is_appended(void **state)
{
    struct desk *desk = *state;
    tell(desk, "nps", 4, 4, 6); /* Redis may hold newer hours */
    write_batch(desk);
    tell(desk, "nps", 5, 5, 6);
    write_batch(desk);
    assert_int_equal(written(desk, "EVAL"), 1);
}

static void redis_may_hold_newer_hours_than_were_told(void **state)
{
    struct desk *desk = *state;
    tell(desk, "nps", 4, 4, 6);
    write_batch(desk);
    answer_all(desk, 9);
    tell(desk, "nps", 8, 8, 6);
    write_batch(desk);
    assert_int_equal(written(desk, "EVAL"), 1);
    tell(desk, "nps", 10, 10, 6);
    write_batch(desk);
    assert_int_equal(written(desk, "EVAL"), 0);
    assert_int_equal(desk->commands.command_count, 1);
}

static void in_one_batch_the_last_word_on_an_hour_stands(void **state)
{
    struct desk *desk = *state;
    tell(desk, "nps", 1, 3, 5);
    tell(desk, "ces", 1, 1, 2);
    tell(desk, "nps", 2, 4, 7);
    tell(desk, "nps", 2, 2, 8);
    write_batch(desk);
    assert_int_equal(desk->commands.command_count, 2); /* one a series */
    assert_int_equal(written(desk, "\r\n7200000\r\n$1\r\n8\r\n"), 1);
    assert_int_equal(written(desk, "\r\n10800000\r\n$1\r\n7\r\n"), 1);
    assert_int_equal(written(desk, "\r\n10800000\r\n"), 1);
}

static void what_was_forgotten_is_asked_again(void **state)
{
    struct desk *desk = *state;
    tell(desk, "nps", 1, 10, 5);
    write_batch(desk);
    series_hours_forget(&desk->hours);
    answer_all(desk, 10); /* of a book that is gone */
    tell(desk, "nps", 1, 11, 5);
    write_batch(desk);
    assert_int_equal(written(desk, "EVAL"), 1);
}

static void a_long_series_keeps_its_newest_hours_in_mind(void **state)
{
    struct desk *desk = *state;
    tell_and_write(desk, "nps", 1, 300, 5);
    tell(desk, "nps", 132, 300, 5); /* a week */
    write_batch(desk);
    assert_int_equal(desk->commands.command_count, 0);
    tell(desk, "nps", 1, 300, 5); /* too long ago to be sure: the script looks */
    write_batch(desk);
    assert_int_equal(written(desk, "EVAL"), 1);
}

static void an_hour_leaves_when_it_is_older_than_the_longest_window_however_few_there_are(void **state)
{
    struct desk *desk = *state;
    tell_and_write(desk, "nps", 1000, 1000, 5);
    tell(desk, "nps", 5000, 5000, 5);
    write_batch(desk);
    assert_int_equal(written(desk, "MINID\r\n$11\r\n10051200000\r\n$11\r\n18000000000\r\n"), 1); /* 5000 h, 92 days after 2792 h */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_told_again_costs_nothing, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(what_has_ended_begins_anew, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_new_hour_is_one_plain_command, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_revision_goes_by_the_script_and_holds_only_what_changed, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(an_hour_that_has_lost_all_is_taken_out_once, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_gauge_at_nothing_is_a_value, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(until_redis_has_answered_nothing_is_appended, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(redis_may_hold_newer_hours_than_were_told, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(in_one_batch_the_last_word_on_an_hour_stands, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(what_was_forgotten_is_asked_again, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_long_series_keeps_its_newest_hours_in_mind, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(an_hour_leaves_when_it_is_older_than_the_longest_window_however_few_there_are, open_desk, close_desk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
