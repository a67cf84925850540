/* People keep their hours and weekdays by the clocks on the wall: where those change in spring and autumn, nothing has shifted. */
#include "processors/kpi/grid.h"
#include "tests/stage/kpi/alerts.h"
#include "tests/stage/kpi/shifts.h"

/* By local time: open from 8 to 20, from Monday to Saturday. */
static int share_of(int64_t local_ms)
{
    int64_t day = grid_floor(local_ms, DAYS(1)), hour = grid_floor(local_ms, HOURS(1)) - day * 24;
    bool is_sunday = (day + 3) % 7 == 6; /* 1970-01-01 was a Thursday */
    bool is_open = hour >= 8 && hour < 20 && !is_sunday;
    return is_open ? 60 : 8;
}

static int share_at(const struct stage_under_test *stage, int64_t at_ms)
{
    return share_of(at_ms + time_zone_offset_ms(stage->shared.zone, at_ms));
}

static void feed_hour(struct stage_under_test *stage, struct random *random, const char *key, int64_t at_ms, int share)
{
    int64_t n = 0;
    for (int i = 0; i < 3000; i++) /* nearly a Poisson count */
        n += random_below(random, 1000) < (uint32_t)share;
    feed_add(stage, key, at_ms + MINUTES(30), (struct kpi_sums){.n = n}, -1);
    feed_clock(stage, at_ms + HOURS(1) + MINUTES(2));
}

static void feed_hours(struct stage_under_test *stage, struct random *random, const char *key, int64_t from_ms, int64_t until_ms)
{
    for (int64_t at_ms = from_ms; at_ms < until_ms; at_ms += HOURS(1))
        feed_hour(stage, random, key, at_ms, share_at(stage, at_ms));
}

/* Tells how many shifts there are by that resolution from `since_ms` on. */
static size_t shifts_since(struct stage_under_test *stage, enum resolution resolution, int64_t since_ms)
{
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    size_t count = shifts_of(stage, shifts), of_it = 0;
    for (size_t i = 0; i < count; i++)
        of_it += shifts[i].resolution == resolution && shifts[i].detected_at_ms >= since_ms;
    return of_it;
}

static void neither_hours_nor_days_shift_when_the_clocks_do(void **unused)
{
    (void)unused;
    static const struct {
        const char *zone, *from, *changes, *until;
    } cases[] = {{"Europe/London", "2026-01-05T00:00:00Z", "2026-03-29T01:00:00Z", "2026-04-20T00:00:00Z"},
                 {"Europe/London", "2026-07-06T00:00:00Z", "2026-10-25T01:00:00Z", "2026-11-16T00:00:00Z"},
                 {"Europe/Berlin", "2026-01-05T00:00:00Z", "2026-03-29T01:00:00Z", "2026-04-20T00:00:00Z"},
                 {"America/New_York", "2026-07-06T00:00:00Z", "2026-11-01T06:00:00Z", "2026-11-23T00:00:00Z"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage_under_test stage;
        struct random random;
        random_init(&random, 7);
        stage_begin(&stage, cases[i].zone, "single");
        driver_keep_no_log(stage.driver);
        feed_clock(&stage, at(cases[i].from));
        feed_hours(&stage, &random, "backlog_inflow|product=P1", at(cases[i].from), at(cases[i].until));
        for (enum resolution by = RESOLUTION_HOUR; by <= RESOLUTION_DAY; by++)
            if (shifts_since(&stage, by, at(cases[i].changes)) > 0)
                fail_msg("%s, %s: %zu shifts by the %s", cases[i].zone, cases[i].changes, shifts_since(&stage, by, at(cases[i].changes)), resolution_name(by));
        stage_end(&stage);
    }
}

/* The hours are those of UTC; clocks may be a half or a quarter beside them. */
static void who_opens_an_hour_late_is_odd_by_any_clock(void **unused)
{
    (void)unused;
    static const char *const zones[] = {"UTC", "Asia/Kolkata", "Asia/Kathmandu"};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        struct stage_under_test stage;
        struct random random;
        random_init(&random, 7);
        stage_begin(&stage, zones[i], "single");
        int64_t now_ms = at("2026-03-03T00:00:00Z"); /* a Tuesday */
        feed_clock(&stage, now_ms - DAYS(57));
        feed_hours(&stage, &random, "backlog_inflow|product=P1", now_ms - DAYS(57), now_ms);
        for (; share_at(&stage, now_ms - HOURS(1)) > 8 || share_at(&stage, now_ms) == 8; now_ms += HOURS(1))
            feed_hour(&stage, &random, "backlog_inflow|product=P1", now_ms, share_at(&stage, now_ms));
        assert_int_equal(shifts_since(&stage, RESOLUTION_HOUR, now_ms), 0);
        feed_hour(&stage, &random, "backlog_inflow|product=P1", now_ms, 8);
        if (shifts_since(&stage, RESOLUTION_HOUR, now_ms) != 1)
            fail_msg("%s: %zu shifts", zones[i], shifts_since(&stage, RESOLUTION_HOUR, now_ms));
        stage_end(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(neither_hours_nor_days_shift_when_the_clocks_do), cmocka_unit_test(who_opens_an_hour_late_is_odd_by_any_clock)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
