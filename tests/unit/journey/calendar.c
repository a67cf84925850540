#include "processors/journey/tickets/calendar.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/time_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int64_t at(const char *text)
{
    int64_t at_ms;
    assert_true(time_text_parse(view_of_text(text), &at_ms));
    return at_ms;
}

static struct settings_node scalar(const char *key, const char *value)
{
    return (struct settings_node){.kind = SETTINGS_SCALAR, .key = key, .scalar = value, .line = 7};
}

/* Berlin, weekdays 9–12 and 13–17, but 2026-12-25; nights on Saturday. */
static void calendar_make(struct calendar *calendar)
{
    struct settings_node hours[] = {scalar(NULL, "09:00-12:00"), scalar(NULL, "13:00-17:00")};
    struct settings_node holidays[] = {scalar(NULL, "2026-12-25")};
    struct settings_node keys[8];
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri"};
    keys[0] = scalar("zone", "Europe/Berlin");
    for (int i = 0; i < 5; i++)
        keys[1 + i] = (struct settings_node){.kind = SETTINGS_LIST, .key = days[i], .children = hours, .child_count = 2};
    keys[6] = scalar("sat", "22:00-26:00");
    keys[7] = (struct settings_node){.kind = SETTINGS_LIST, .key = "holidays", .children = holidays, .child_count = 1};
    struct settings_node root = {.kind = SETTINGS_MAP, .key = "office", .children = keys, .child_count = 8};
    struct bytes error = {0};
    assert_true(calendar_parse(calendar, &root, &error));
    bytes_finish(&error);
}

static void only_working_hours_count(void **state)
{
    struct calendar *calendar = *state;
    /* Thursday noon to Monday: Thursday 4 h, Friday is Christmas, Saturday night 4 h, Monday 1 h. */
    assert_int_equal(calendar_elapsed_ms(calendar, at("2026-12-24T12:00:00+01:00"), at("2026-12-28T10:00:00+01:00")), HOURS(9));
    assert_int_equal(calendar_elapsed_ms(calendar, at("2026-12-24T12:15:00+01:00"), at("2026-12-24T12:45:00+01:00")), 0);
    assert_int_equal(calendar_elapsed_ms(calendar, 5000, 4000), 0);
}

/* On 2026-10-25 clocks in Berlin go back at 3:00; the Saturday night shift of 22–02 ends before, a Sunday 1–4 would not. */
static void a_night_of_the_clock_change_has_an_hour_more(void **state)
{
    (void)state;
    struct settings_node keys[] = {scalar("zone", "Europe/Berlin"), scalar("sun", "01:00-04:00")};
    struct settings_node root = {.kind = SETTINGS_MAP, .key = "night", .children = keys, .child_count = 2};
    struct calendar calendar;
    struct bytes error = {0};
    assert_true(calendar_parse(&calendar, &root, &error));
    assert_int_equal(calendar_elapsed_ms(&calendar, at("2026-10-24"), at("2026-10-27")), HOURS(4));
    assert_int_equal(calendar_elapsed_ms(&calendar, at("2026-03-28"), at("2026-03-31")), HOURS(2));
    assert_int_equal(calendar_elapsed_ms(&calendar, at("2026-05-02"), at("2026-05-05")), HOURS(3));
    calendar_finish(&calendar);
    bytes_finish(&error);
}

static void the_deadline_is_the_first_instant_with_so_much_work(void **state)
{
    struct calendar *calendar = *state;
    assert_int_equal(calendar_reach_ms(calendar, at("2026-12-24T16:00:00+01:00"), HOURS(1)), at("2026-12-24T17:00:00+01:00"));
    assert_int_equal(calendar_reach_ms(calendar, at("2026-12-24T16:00:00+01:00"), HOURS(2)), at("2026-12-26T23:00:00+01:00"));
    struct random random;
    random_init(&random, 5);
    for (int i = 0; i < 3000; i++) {
        int64_t from_ms = at("2026-03-20") + (int64_t)random_below(&random, 2000000) * 10000 / 3;
        int64_t worked_ms = 1 + random_below(&random, 100000000);
        int64_t due_ms = calendar_reach_ms(calendar, from_ms, worked_ms);
        assert_int_equal(calendar_elapsed_ms(calendar, from_ms, due_ms), worked_ms);
        assert_int_equal(calendar_elapsed_ms(calendar, from_ms, due_ms - 1), worked_ms - 1);
    }
}

static void around_the_clock_is_no_calendar(void **state)
{
    (void)state;
    assert_int_equal(calendar_elapsed_ms(NULL, 1000, 5000), 4000);
    assert_int_equal(calendar_reach_ms(NULL, 1000, 4000), 5000);
}

static void a_wrong_calendar_says_what_is_wrong(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"mon", "9-17"}, {"mon", "17:00-09:00"}, {"mon", "09:00-12:00x"}, {"zone", "Europe/Berlim"}, {"monday", "09:00-12:00"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct settings_node key = scalar(wrong[i][0], wrong[i][1]);
        struct settings_node root = {.kind = SETTINGS_MAP, .key = "office", .children = &key, .child_count = 1};
        struct calendar calendar;
        struct bytes error = {0};
        assert_false(calendar_parse(&calendar, &root, &error));
        assert_non_null(strstr(bytes_text(&error), "line 7"));
        calendar_finish(&calendar);
        bytes_finish(&error);
    }
}

/* Tuesday's eighth hour would be worked twice, and a team's time run faster than the clock. */
static void nights_do_not_reach_into_the_next_days_hours(void **state)
{
    (void)state;
    static const struct {
        const char *monday, *tuesday;
        bool is_good;
    } cases[] = {{"20:00-32:00", "06:00-10:00", false}, {"20:00-30:00", "06:00-10:00", true}, {"20:00-32:00", "12:00-13:00", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings_node days[] = {scalar("mon", cases[i].monday), scalar("tue", cases[i].tuesday)};
        struct settings_node root = {.kind = SETTINGS_MAP, .key = "night", .children = days, .child_count = 2};
        struct calendar calendar;
        struct bytes error = {0};
        assert_int_equal(calendar_parse(&calendar, &root, &error), cases[i].is_good);
        assert_int_equal(strstr(bytes_text(&error), "next day") == NULL, cases[i].is_good);
        calendar_finish(&calendar);
        bytes_finish(&error);
    }
}

static int make(void **state)
{
    static struct calendar calendar;
    calendar_make(&calendar);
    *state = &calendar;
    return 0;
}

static int finish(void **state)
{
    calendar_finish(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_working_hours_count),
        cmocka_unit_test(a_night_of_the_clock_change_has_an_hour_more),
        cmocka_unit_test(the_deadline_is_the_first_instant_with_so_much_work),
        cmocka_unit_test(around_the_clock_is_no_calendar),
        cmocka_unit_test(a_wrong_calendar_says_what_is_wrong),
        cmocka_unit_test(nights_do_not_reach_into_the_next_days_hours),
    };
    return cmocka_run_group_tests(tests, make, finish);
}
