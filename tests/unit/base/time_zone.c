/* The offsets were computed by Python's zoneinfo: datetime.fromtimestamp(t, ZoneInfo(name)).utcoffset(). */
#include "base/time_zone.h"

#include "base/time_text.h"
#include "base/view.h"
#include "tests/unit/cmocka_all.h"

static struct time_zone *zone_of(const char *name)
{
    char error[256] = "";
    struct time_zone *zone = time_zone_create(name, error, sizeof error);
    if (!zone)
        fail_msg("%s", error);
    return zone;
}

static int64_t at(const char *text)
{
    int64_t at_ms = 0;
    assert_true(time_text_parse(view_of_text(text), &at_ms));
    return at_ms;
}

static void offsets_are_those_of_the_tz_database(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        int64_t at_s, offset_s;
    } cases[] = {
        {"Europe/Berlin", 1277985600, 7200},         {"Europe/Berlin", 1774745940, 3600},
        {"Europe/Berlin", 1774746000, 7200},         {"Europe/Berlin", 1792888200, 7200},
        {"Europe/Berlin", 1792891800, 3600},         {"Europe/Berlin", 3802550400, 7200},
        {"Europe/Berlin", -302486400, 3600},         {"America/New_York", 1796101200, -18000},
        {"America/New_York", 3802550400, -14400},    {"Australia/Lord_Howe", 1277985600, 37800},
        {"Australia/Lord_Howe", 3802550400, 37800},  {"Australia/Lord_Howe", 1796101200, 39600},
        {"America/Sao_Paulo", 3802550400, -10800},   {"Asia/Kolkata", 3802550400, 19800},
        {"Africa/Cairo", 1792888200, 10800},         {"Africa/Cairo", 1796101200, 7200},
        {"America/Santiago", 1774746000, -10800},    {"America/Santiago", 3802550400, -14400},
        {"UTC", 1774746000, 0},                      {"+05:30", 1774746000, 19800},
        {"-03:00", 1774746000, -10800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct time_zone *zone = zone_of(cases[i].name);
        assert_int_equal(time_zone_offset_ms(zone, cases[i].at_s * 1000), cases[i].offset_s * 1000);
        time_zone_destroy(zone);
    }
}

static void days_begin_at_local_midnight_whatever_the_clocks_do(void **unused)
{
    (void)unused;
    struct time_zone *berlin = zone_of("Europe/Berlin");
    int64_t sunday = time_days_from_civil(2026, 3, 29); /* 23 hours */
    assert_int_equal(time_zone_day_start_ms(berlin, sunday), at("2026-03-28T23:00:00Z"));
    assert_int_equal(time_zone_day_start_ms(berlin, sunday + 1), at("2026-03-29T22:00:00Z"));
    assert_int_equal(time_zone_day(berlin, at("2026-03-29T21:59:59.999Z")), sunday);
    assert_int_equal(time_zone_day(berlin, at("2026-03-29T22:00:00Z")), sunday + 1);
    time_zone_destroy(berlin);

    struct time_zone *santiago = zone_of("America/Santiago"); /* clocks jump at midnight: that day begins at 1:00 */
    int64_t jump = time_days_from_civil(2026, 9, 6);
    assert_int_equal(time_zone_day_start_ms(santiago, jump), at("2026-09-06T04:00:00Z"));
    assert_int_equal(time_zone_day(santiago, at("2026-09-06T04:00:00Z")), jump);
    assert_int_equal(time_zone_day(santiago, at("2026-09-06T03:59:59Z")), jump - 1);
    time_zone_destroy(santiago);
}

static void a_local_time_shown_twice_is_the_first_and_one_never_shown_is_the_jump(void **unused)
{
    (void)unused;
    struct time_zone *berlin = zone_of("Europe/Berlin");
    assert_int_equal(time_zone_from_local(berlin, at("2026-10-25T02:30:00Z")), at("2026-10-25T00:30:00Z"));
    assert_int_equal(time_zone_from_local(berlin, at("2026-03-29T02:30:00Z")), at("2026-03-29T01:00:00Z"));
    assert_int_equal(time_zone_from_local(berlin, at("2026-07-01T12:00:00Z")), at("2026-07-01T10:00:00Z"));
    time_zone_destroy(berlin);
}

static void a_wrong_name_is_refused_with_a_reason(void **unused)
{
    (void)unused;
    const char *wrong[] = {"Europe/Berlinn", "../../etc/passwd", "/etc/passwd", "+99:00", "", "Europe"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char error[256] = "";
        assert_null(time_zone_create(wrong[i], error, sizeof error));
        assert_true(error[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_those_of_the_tz_database),
        cmocka_unit_test(days_begin_at_local_midnight_whatever_the_clocks_do),
        cmocka_unit_test(a_local_time_shown_twice_is_the_first_and_one_never_shown_is_the_jump),
        cmocka_unit_test(a_wrong_name_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
