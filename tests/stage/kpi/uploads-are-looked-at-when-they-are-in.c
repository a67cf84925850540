/* Whoever sends what happened only when it is over: a file every night, a batch every hour, a sender that was away. */
#include "processors/kpi/task.h"
#include "tests/stage/kpi/alerts.h"
#include "tests/stage/kpi/shifts.h"

static char *whole[] = {(char[]){"all"}};
static char *kinds[] = {(char[]){"level"}};

static const char *const top2 = "csat_top2|all", *const reviews = "review_count|all";

static int64_t start_ms(void)
{
    return at("2026-03-01T00:00:30Z");
}

static void begin(struct stage_under_test *stage)
{
    stage_begin(stage, "UTC", "single");
    stage->settings.shift_dimensions = (struct text_list){whole, 1};
    stage->settings.shift_kinds = (struct text_list){kinds, 1};
    stage->record_ms = start_ms();
    feed_clock(stage, start_ms());
}

/* Clocks as they are in silence, on time, until then. */
static void wait_until(struct stage_under_test *stage, int64_t from_ms, int64_t until_ms)
{
    for (int64_t at_ms = from_ms; at_ms <= until_ms; at_ms += MINUTES(1)) {
        stage->record_ms = at_ms - 1000;
        feed_clock(stage, at_ms);
    }
}

/* Some hundred answers an hour, of which `rate` are good, and some sixty reviews. */
static void feed_hour(struct stage_under_test *stage, struct random *random, int64_t hour_ms, double rate)
{
    for (int minute = 10; minute < 60; minute += 49) {
        int hits = 0;
        for (int i = 0; i < 50; i++)
            hits += random_unit(random) < rate;
        feed_add(stage, top2, hour_ms + MINUTES(minute), (struct kpi_sums){.n = 50, .num = hits}, -1);
        feed_add(stage, reviews, hour_ms + MINUTES(minute), (struct kpi_sums){.n = 20 + (int)random_below(random, 21)}, -1);
    }
}

static void feed_days(struct stage_under_test *stage, struct random *random, int64_t from_ms, int hours, double rate)
{
    for (int hour = 0; hour < hours; hour++)
        feed_hour(stage, random, from_ms + HOURS(hour), rate);
}

/* At one o'clock comes what happened the day before: so many nights of it, from then on. */
static int64_t upload_nights(struct stage_under_test *stage, struct random *random, int64_t from_ms, int nights, double rate)
{
    for (int night = 0; night < nights; night++) {
        int64_t midnight_ms = from_ms + DAYS(night);
        wait_until(stage, midnight_ms, midnight_ms + HOURS(1));
        feed_days(stage, random, midnight_ms - DAYS(1), 24, rate);
        wait_until(stage, midnight_ms + HOURS(1), midnight_ms + DAYS(1));
    }
    return from_ms + DAYS(nights);
}

/* Thirty days of history, and then a file a night; what was late on the first two nights nobody could know. */
static int64_t begin_nights(struct stage_under_test *stage, struct random *random)
{
    random_init(random, 11);
    begin(stage);
    feed_days(stage, random, start_ms() - DAYS(30), 30 * 24, 0.8);
    wait_until(stage, start_ms(), start_ms() + DAYS(1));
    return upload_nights(stage, random, start_ms() + DAYS(1), 3, 0.8);
}

static void a_file_a_night_is_no_fall_to_nothing(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    int64_t now_ms = begin_nights(&stage, &random);
    driver_forget_outputs(stage.driver);
    upload_nights(&stage, &random, now_ms, 20, 0.8);
    assert_int_equal(shifts_told(&stage), 0);
    stage_end(&stage);
}

static void what_a_file_shows_is_told_as_soon_as_it_is_in(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    struct alert alerts[ALERTS_MOST];
    int64_t now_ms = begin_nights(&stage, &random);
    now_ms = upload_nights(&stage, &random, now_ms, 10, 0.8);
    driver_forget_outputs(stage.driver);
    wait_until(&stage, now_ms, now_ms + HOURS(1));
    feed_days(&stage, &random, now_ms - DAYS(1), 10, 0.8);
    feed_days(&stage, &random, now_ms - HOURS(14), 14, 0.5);
    assert_int_equal(shifts_of(&stage, shifts), 0);
    wait_until(&stage, now_ms + HOURS(1), now_ms + HOURS(1) + MINUTES(5));
    size_t count = shifts_of(&stage, shifts);
    assert_true(count >= 1);
    assert_true(view_equal_text(shifts[0].kpi, "csat_top2") && shifts[0].resolution == RESOLUTION_HOUR);
    assert_true(shifts[0].onset_at_ms >= now_ms - HOURS(16) && shifts[0].onset_at_ms <= now_ms - HOURS(12));
    assert_int_equal(alerts_of(&stage, alerts), 1);
    assert_true(alerts[0].state == ALERT_STATE_OPEN && !alerts[0].historical);
    stage_end(&stage);
}

/* Live but for some hours, which come afterwards, half an hour long, within which another hour is over. It may be told that there is nothing; not that it all
 * came back, and it does not make anybody wait afterwards. */
static void a_sender_that_was_away_leaves_no_trace(void **unused)
{
    (void)unused;
    enum { AWAY_HOURS = 12 };
    struct stage_under_test stage;
    struct random random;
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    int64_t away_ms = start_ms() + DAYS(20), back_ms = away_ms + HOURS(AWAY_HOURS), drop_ms = back_ms + DAYS(4);
    random_init(&random, 12);
    begin(&stage);
    for (int64_t hour_ms = start_ms(); hour_ms < drop_ms + HOURS(8); hour_ms += HOURS(1)) {
        if (hour_ms == back_ms)
            driver_forget_outputs(stage.driver);
        if (hour_ms == drop_ms)
            assert_int_equal(shifts_of(&stage, shifts), 0);
        if (hour_ms < away_ms || hour_ms >= back_ms)
            feed_hour(&stage, &random, hour_ms, hour_ms < drop_ms ? 0.8 : 0.5);
        for (int hour = 0; hour_ms == back_ms && hour < AWAY_HOURS; hour++) {
            int64_t now_ms = hour_ms + MINUTES(56 + hour);
            wait_until(&stage, now_ms, now_ms);
            feed_hour(&stage, &random, away_ms + HOURS(hour), 0.8);
        }
        wait_until(&stage, hour_ms + HOURS(1) - MINUTES(1), hour_ms + HOURS(1) + MINUTES(2));
    }
    assert_true(shifts_of(&stage, shifts) >= 1);
    assert_true(shifts[0].onset_at_ms >= drop_ms - HOURS(2) && shifts[0].detected_at_ms <= drop_ms + HOURS(8));
    stage_end(&stage);
}

/* The answers fell, and that was told; then somebody sends what he had kept. Gives what is told of it after that. */
static size_t shifts_after_the_rest(int64_t rest_from_hour, int64_t rest_until_hour)
{
    struct stage_under_test stage;
    struct random random;
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    struct alert alerts[ALERTS_MOST];
    int64_t drop_ms = start_ms() + DAYS(20);
    random_init(&random, 14);
    begin(&stage);
    for (int64_t hour_ms = start_ms(); hour_ms < drop_ms + DAYS(1); hour_ms += HOURS(1)) {
        feed_hour(&stage, &random, hour_ms, hour_ms < drop_ms ? 0.8 : 0.5);
        wait_until(&stage, hour_ms + HOURS(1) - MINUTES(1), hour_ms + HOURS(1) + MINUTES(2));
    }
    assert_true(shifts_of(&stage, shifts) >= 1);
    assert_int_equal(alerts_of(&stage, alerts), 1);
    driver_forget_outputs(stage.driver);
    for (int64_t hour = rest_from_hour; hour < rest_until_hour; hour++)
        feed_add(&stage, top2, drop_ms + HOURS(hour), hour == 0 ? (struct kpi_sums){.n = 60, .num = 50} : (struct kpi_sums){.n = 40, .num = 20}, -1);
    wait_until(&stage, drop_ms + DAYS(1) + MINUTES(3), drop_ms + DAYS(1) + MINUTES(9));
    assert_int_equal(alerts_of(&stage, alerts), 0);
    size_t count = shifts_of(&stage, shifts);
    stage_end(&stage);
    return count;
}

static void what_was_told_is_not_told_again(void **unused)
{
    (void)unused;
    assert_int_equal(shifts_after_the_rest(12, 20), 0);
    assert_true(shifts_after_the_rest(0, 20) > 0); /* it is seen an hour later, but it is the same alert */
}

/* A third of each hour comes a night later, a record at a time; and in the end worse than before. */
static void who_sends_a_part_of_it_at_night_is_waited_for(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    random_init(&random, 13);
    begin(&stage);
    for (int hour = 0; hour < 30 * 24; hour++) {
        int64_t hour_ms = start_ms() + HOURS(hour);
        double of_night = hour < 28 * 24 ? 0.8 : 0.1;
        for (int i = 0; i < 60; i++)
            feed_add(&stage, top2, hour_ms + MINUTES(i), (struct kpi_sums){.n = 1, .num = random_unit(&random) < 0.9}, -1);
        for (int k = 0; hour > 24 && hour % 24 == 1 && k < 24 * 30; k++)
            feed_add(&stage, top2, hour_ms - HOURS(25) + MINUTES(2 * k), (struct kpi_sums){.n = 1, .num = random_unit(&random) < of_night}, -1);
        wait_until(&stage, hour_ms + MINUTES(2), hour_ms + MINUTES(8));
        wait_until(&stage, hour_ms + HOURS(1) - MINUTES(1), hour_ms + HOURS(1) + MINUTES(1));
        if (hour == 5 * 24)
            driver_forget_outputs(stage.driver);
        if (hour == 28 * 24)
            assert_int_equal(shifts_of(&stage, shifts), 0);
    }
    assert_true(shifts_of(&stage, shifts) >= 1);
    assert_int_equal(shifts[0].onset_at_ms / HOURS(1), (start_ms() + DAYS(27)) / HOURS(1));
    stage_end(&stage);
}

/* Telephones that were out of reach: a fifth of each hour comes hours later. Minutes have most of it at once, and say at once what happens. */
static void minutes_do_not_wait_for_a_part(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    int64_t drop_ms = start_ms() + DAYS(20);
    random_init(&random, 16);
    begin(&stage);
    for (int64_t at_ms = start_ms(); at_ms < drop_ms + MINUTES(15); at_ms += MINUTES(1)) {
        double rate = at_ms < drop_ms ? 0.8 : 0.2;
        for (int i = 0; i < 16; i++)
            feed_add(&stage, top2, at_ms, (struct kpi_sums){.n = 1, .num = random_unit(&random) < rate}, -1);
        if ((at_ms - start_ms()) % HOURS(1) == MINUTES(30) && at_ms > start_ms() + HOURS(5))
            feed_add(&stage, top2, at_ms - HOURS(4), (struct kpi_sums){.n = 240, .num = 182 + (int)random_below(&random, 21)}, -1);
        wait_until(&stage, at_ms, at_ms);
    }
    size_t count = shifts_of(&stage, shifts);
    assert_true(count >= 1);
    assert_true(shifts[count - 1].resolution == RESOLUTION_MINUTE && shifts[count - 1].onset_at_ms >= drop_ms - MINUTES(2));
    stage_end(&stage);
}

/* An answer that another one replaces leaves the row it was in, days later: nobody has sent anything late. */
static void what_is_taken_back_is_no_upload(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    int64_t drop_ms = start_ms() + DAYS(25);
    random_init(&random, 16);
    begin(&stage);
    for (int64_t hour_ms = start_ms(); hour_ms < drop_ms + DAYS(1); hour_ms += HOURS(1)) {
        feed_hour(&stage, &random, hour_ms, hour_ms < drop_ms ? 0.8 : 0.5);
        if ((hour_ms - start_ms()) % DAYS(1) == 0 && hour_ms > start_ms() + DAYS(4))
            feed_add(&stage, top2, hour_ms - DAYS(3) + MINUTES(10), (struct kpi_sums){.n = -20, .num = -16}, -1);
        wait_until(&stage, hour_ms + HOURS(1) - MINUTES(1), hour_ms + HOURS(1) + MINUTES(2));
    }
    assert_true(shifts_of(&stage, shifts) >= 1);
    assert_true(shifts[0].onset_at_ms >= drop_ms - HOURS(2) && shifts[0].onset_at_ms <= drop_ms + HOURS(2));
    stage_end(&stage);
}

/* --- crashes */

static void play(struct stage_under_test *stage, uint64_t seed, bool crashes)
{
    struct random traffic;
    struct chaos chaos;
    random_init(&traffic, seed);
    chaos_init(&chaos, seed, 10, 60);
    double rate = 0.8;
    for (int hour = 0; hour < 60 * 24; hour++) {
        int64_t hour_ms = start_ms() + HOURS(hour);
        int period = seed % 2 ? 24 : 5;
        if (hour > 15 * 24 && random_below(&traffic, 60) == 0)
            rate = 0.2 + 0.2 * random_below(&traffic, 4);
        if (hour >= period && hour % period == 0)
            feed_days(stage, &traffic, hour_ms - HOURS(period), period, rate);
        for (int quarter = 0; quarter < 4; quarter++) {
            feed_clock(stage, hour_ms + MINUTES(15 * quarter + 3));
            if (crashes)
                chaos_strike(&chaos, stage);
        }
    }
}

static void through_crashes_the_same_is_told(void **unused)
{
    (void)unused;
    size_t told = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct stage_under_test straight, crashed;
        begin(&straight);
        begin(&crashed);
        play(&straight, seed, false);
        play(&crashed, seed, true);
        static struct trend_shift of_straight[SHIFTS_TOLD_MOST], of_crashed[SHIFTS_TOLD_MOST];
        size_t count = shifts_of(&straight, of_straight);
        assert_int_equal(shifts_of(&crashed, of_crashed), count);
        for (size_t i = 0; i < count; i++)
            assert_true(view_equal(of_straight[i].shift_id, of_crashed[i].shift_id));
        told += alerts_compare(&straight, &crashed) + count;
        stage_end(&straight);
        stage_end(&crashed);
    }
    assert_true(told > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_a_night_is_no_fall_to_nothing),
        cmocka_unit_test(what_a_file_shows_is_told_as_soon_as_it_is_in),
        cmocka_unit_test(a_sender_that_was_away_leaves_no_trace),
        cmocka_unit_test(what_was_told_is_not_told_again),
        cmocka_unit_test(who_sends_a_part_of_it_at_night_is_waited_for),
        cmocka_unit_test(minutes_do_not_wait_for_a_part),
        cmocka_unit_test(what_is_taken_back_is_no_upload),
        cmocka_unit_test(through_crashes_the_same_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
