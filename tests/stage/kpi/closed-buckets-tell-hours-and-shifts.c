/* What closes: hours for the series in Redis, and rows for the detectors. */
#include "base/map.h"
#include "base/random.h"
#include "tests/stage/kpi/shifts.h"

/* A reader that keeps the last that it was told about each hour, as a sink does. */
struct hour_told {
    int64_t end_at_ms, n;
    double value;
};

static size_t told_hours(struct stage_under_test *stage, const char *key, struct hour_told *hours, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < driver_output_count(stage->driver); i++) {
        const struct driver_output *output = driver_output(stage->driver, i);
        struct view avro;
        uint32_t id;
        struct kpi kpi;
        if (!view_equal_text(output->key, key) || !output->value.data)
            continue;
        assert_true(wire_split(output->value, &id, &avro) && kpi_decode(&kpi, avro, &stage->arena));
        for (size_t k = 0; k < kpi.closed.count; k++) {
            size_t at_place = 0;
            while (at_place < count && hours[at_place].end_at_ms != kpi.closed.items[k].end_at_ms)
                at_place++;
            assert_true(at_place < most);
            count += at_place == count;
            hours[at_place] = (struct hour_told){kpi.closed.items[k].end_at_ms, kpi.closed.items[k].n, kpi.closed.items[k].value};
        }
    }
    return count;
}

static void an_hour_is_told_when_it_has_closed_and_when_it_is_revised(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct hour_told hours[50];
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T12:10:00Z"));
    feed_add(&stage, "csat|all", at("2026-05-04T12:10:00Z"), kpi_sums_of_mean(4), -1);
    feed_add(&stage, "csat|all", at("2026-05-04T12:20:00Z"), kpi_sums_of_mean(5), -1);
    feed_clock(&stage, at("2026-05-04T13:00:30Z"));
    assert_int_equal(told_hours(&stage, "csat|90d|all", hours, 50), 0); /* stragglers have a minute */
    feed_clock(&stage, at("2026-05-04T13:01:00Z"));
    assert_int_equal(told_hours(&stage, "csat|90d|all", hours, 50), 1);
    assert_int_equal(hours[0].end_at_ms, at("2026-05-04T13:00:00Z"));
    assert_true(hours[0].value == 4.5 && hours[0].n == 2);

    feed_add(&stage, "csat|all", at("2026-05-04T12:20:00Z"), kpi_sums_of_mean(0), -1);
    feed_add(&stage, "csat|all", at("2026-04-01T07:59:00Z"), kpi_sums_of_mean(1), -1);
    for (int i = 1; i <= 11; i++)
        feed_clock(&stage, at("2026-05-04T13:01:00Z") + i * 1000);
    assert_int_equal(told_hours(&stage, "csat|90d|all", hours, 50), 2);
    assert_true(hours[0].value == 3 && hours[0].n == 3);
    assert_int_equal(hours[1].end_at_ms, at("2026-04-01T08:00:00Z"));
    struct hour_told none[50];
    assert_int_equal(told_hours(&stage, "csat|24h|all", none, 50), 0); /* the 90d record alone carries them */
    stage_end(&stage);
}

/* Its only answer was replaced by another, of a later hour or of another dimension: a reader must learn that there is nothing any more. */
static void an_hour_that_has_lost_all_is_told_to_be_empty(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct hour_told hours[50];
    struct kpi_sums answer = kpi_sums_of_nps(9), none = {0};
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T12:10:00Z"));
    feed_add(&stage, "nps|all", at("2026-05-04T12:10:00Z"), answer, -1);
    feed_clock(&stage, at("2026-05-04T13:01:00Z"));
    assert_int_equal(told_hours(&stage, "nps|90d|all", hours, 50), 1);
    assert_int_equal(hours[0].n, 1);
    kpi_sums_add(&none, &answer, -1);
    feed_add(&stage, "nps|all", at("2026-05-04T12:10:00Z"), none, -1);
    for (int i = 1; i <= 11; i++)
        feed_clock(&stage, at("2026-05-04T13:01:00Z") + i * 1000);
    assert_int_equal(told_hours(&stage, "nps|90d|all", hours, 50), 1);
    assert_int_equal(hours[0].n, 0);
    stage_end(&stage);
}

/* History read by a new installation: most of it is added before the first clock is heard, which is that of the newest of it; some follows. */
static void hours_from_before_the_first_clock_are_told_whatever_follows_it(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct hour_told hours[50];
    const char *before[] = {"2026-05-04T01:10:00Z", "2026-05-04T11:10:00Z", "2026-05-04T12:30:00Z"};
    const char *ends[] = {"2026-05-04T02:00:00Z", "2026-05-04T06:00:00Z", "2026-05-04T12:00:00Z"};
    stage_begin(&stage, "UTC", NULL);
    for (int i = 0; i < 3; i++)
        feed_add(&stage, "nps|all", at(before[i]), kpi_sums_of_nps(9), -1);
    feed_clock(&stage, at("2026-05-04T12:30:00Z"));
    feed_add(&stage, "nps|all", at("2026-05-04T05:10:00Z"), kpi_sums_of_nps(9), -1);
    for (int second = 1; second <= 11; second++)
        feed_clock(&stage, at("2026-05-04T12:30:00Z") + SECONDS(second));
    size_t count = told_hours(&stage, "nps|90d|all", hours, 50), found = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 3; k++)
            found += hours[i].end_at_ms == at(ends[k]) && hours[i].n == 1;
    assert_true(count == 3 && found == 3);
    stage_end(&stage);
}

static void a_gauge_has_every_hour_from_its_first_on(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct hour_told hours[400];
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T12:10:00Z"));
    feed_add(&stage, "backlog|all", at("2026-05-04T12:10:00Z"), (struct kpi_sums){.n = 3}, -1);
    feed_clock(&stage, at("2026-05-04T14:30:00Z"));
    feed_add(&stage, "backlog|all", at("2026-05-04T14:30:00Z"), (struct kpi_sums){.n = -1}, -1);
    feed_clock(&stage, at("2026-05-04T16:02:00Z"));
    size_t count = told_hours(&stage, "backlog|90d|all", hours, 400);
    const char *ends[] = {"2026-05-04T13:00:00Z", "2026-05-04T14:00:00Z", "2026-05-04T15:00:00Z", "2026-05-04T16:00:00Z"};
    const double values[] = {3, 3, 2, 2};
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 4; k++)
            found += hours[i].end_at_ms == at(ends[k]) && hours[i].value == values[k];
    assert_int_equal(found, 4);
    stage_end(&stage);
}

static void distinct_customers_are_told_as_they_were_at_the_close(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct hour_told hours[50];
    stage_begin(&stage, "UTC", NULL);
    feed_clock(&stage, at("2026-05-04T12:10:00Z"));
    feed_add(&stage, "active_customers|all", at("2026-05-04T12:10:00Z"), kpi_sums_of_count(), -1);
    feed_clock(&stage, at("2026-05-04T13:00:00Z"));
    feed_add(&stage, "active_customers|all", at("2026-05-04T12:10:00Z"), (struct kpi_sums){.n = -1}, -1); /* it moves on */
    feed_add(&stage, "active_customers|all", at("2026-05-04T13:01:00Z"), kpi_sums_of_count(), -1);
    feed_clock(&stage, at("2026-05-04T14:01:00Z"));
    assert_int_equal(told_hours(&stage, "active_customers|90d|all", hours, 50), 2);
    assert_true(hours[0].value == 1 && hours[1].value == 1);
    assert_int_equal(published(&stage, "active_customers|24h|all").n, 1);
    stage_end(&stage);
}

static void feed_hours(struct stage_under_test *stage, struct random *random, int64_t from_ms, int hours, double rate)
{
    for (int hour = 0; hour < hours; hour++) {
        for (int i = 0; i < 100; i++)
            feed_add(stage, "csat_top2|channel=WEB", from_ms + HOURS(hour) + MINUTES(random_below(random, 60)),
                     kpi_sums_of_rate(random_unit(random) < rate, false), -1);
        feed_clock(stage, from_ms + HOURS(hour + 1) + MINUTES(2));
    }
}

static void a_drop_is_found_with_its_onset_and_called_bad(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    random_init(&random, 7);
    stage_begin(&stage, "UTC", "single");
    int64_t start_ms = at("2026-02-01T00:00:00Z"), drop_ms = start_ms + DAYS(20);
    feed_clock(&stage, start_ms);
    feed_hours(&stage, &random, start_ms, 20 * 24, 0.8);
    for (size_t i = 0; i < driver_output_count(stage.driver); i++)
        assert_string_equal(driver_output(stage.driver, i)->topic, "kpis"); /* no shift where none is */
    feed_hours(&stage, &random, drop_ms, 24, 0.55);
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    size_t count = shifts_of(&stage, shifts);
    for (size_t i = 0; i < count; i++) {
        struct trend_shift shift = shifts[i];
        assert_true(view_equal_text(shift.kpi, "csat_top2") && view_equal_text(shift.dimension, "channel=WEB"));
        assert_true(shift.resolution == RESOLUTION_HOUR && shift.direction == DIRECTION_DOWN && shift.has_good && !shift.good);
        assert_true(shift.onset_at_ms >= drop_ms - HOURS(3) && shift.onset_at_ms <= drop_ms + HOURS(3));
        assert_true(shift.detected_at_ms > shift.onset_at_ms && shift.detected_at_ms <= drop_ms + HOURS(24));
        assert_true(shift.before > 0.7 && shift.after < 0.7);
    }
    assert_true(count >= 1); /* the level, or before it the first odd hour: how well is for tests/quality to say */
    stage_end(&stage);
}

/* Where nothing ever went wrong a single miss is no news, and many are. */
static void a_rate_that_never_missed_is_watched(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    random_init(&random, 8);
    stage_begin(&stage, "UTC", "single");
    int64_t start_ms = at("2026-02-01T00:00:00Z"), miss_ms = start_ms + DAYS(20), drop_ms = miss_ms + DAYS(3);
    feed_clock(&stage, start_ms);
    feed_hours(&stage, &random, start_ms, 20 * 24, 1);
    feed_add(&stage, "csat_top2|channel=WEB", miss_ms + MINUTES(5), kpi_sums_of_rate(false, false), -1);
    feed_hours(&stage, &random, miss_ms, 3 * 24, 1);
    assert_int_equal(shifts_told(&stage), 0);
    feed_hours(&stage, &random, drop_ms, 12, 0.8);
    assert_true(shifts_of(&stage, shifts) >= 1);
    for (size_t i = 0; i < shifts_told(&stage); i++) {
        assert_true(shifts[i].resolution == RESOLUTION_HOUR && shifts[i].direction == DIRECTION_DOWN && !shifts[i].good);
        assert_true(shifts[i].onset_at_ms >= drop_ms - HOURS(1) && shifts[i].onset_at_ms <= drop_ms + HOURS(1));
        assert_true(shifts[i].before > 0.99 && shifts[i].after < 0.9 && shifts[i].after > 0.7);
    }
    stage_end(&stage);
}

static void feed_stars(struct stage_under_test *stage, int64_t from_ms, int hours, int stars)
{
    for (int hour = 0; hour < hours; hour++) {
        for (int i = 0; i < 10; i++)
            feed_add(stage, "csat|channel=WEB", from_ms + HOURS(hour) + MINUTES(5 * i), kpi_sums_of_mean(stars), -1);
        feed_clock(stage, from_ms + HOURS(hour + 1) + MINUTES(2));
    }
}

static void one_star_among_nothing_but_five_is_no_news(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    stage_begin(&stage, "UTC", "single");
    int64_t start_ms = at("2026-02-01T00:00:00Z"), one_ms = start_ms + DAYS(20), fall_ms = one_ms + DAYS(3);
    feed_clock(&stage, start_ms);
    feed_stars(&stage, start_ms, 20 * 24, 5);
    feed_add(&stage, "csat|channel=WEB", one_ms + MINUTES(1), kpi_sums_of_mean(1), -1);
    feed_stars(&stage, one_ms, 3 * 24, 5);
    assert_int_equal(shifts_told(&stage), 0);
    feed_stars(&stage, fall_ms, 12, 4);
    size_t count = shifts_of(&stage, shifts);
    assert_true(count >= 1 && shifts[count - 1].kind == SHIFT_KIND_LEVEL && shifts[count - 1].onset_at_ms == fall_ms);
    for (size_t i = 0; i < count; i++) {
        assert_true(shifts[i].direction == DIRECTION_DOWN && !shifts[i].good && shifts[i].onset_at_ms >= fall_ms);
        assert_true(shifts[i].before > 4.95 && shifts[i].before <= 5 && shifts[i].after >= 4 && shifts[i].after < 4.1);
    }
    stage_end(&stage);
}

/* Seven in a month are too few to be watched; when they are many it is told, and that they were few. */
static void a_count_out_of_nearly_nothing_is_told_by_the_day(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    stage_begin(&stage, "UTC", "single");
    int64_t start_ms = at("2026-02-01T00:00:00Z"), rise_ms = start_ms + DAYS(28);
    feed_clock(&stage, start_ms);
    for (int64_t at_ms = start_ms; at_ms < rise_ms + DAYS(4); at_ms += HOURS(1)) {
        int64_t n = at_ms >= rise_ms ? 40 : (at_ms - start_ms) % DAYS(4) == 0;
        if (n > 0)
            feed_add(&stage, "review_count|all", at_ms + MINUTES(30), (struct kpi_sums){.n = n}, -1);
        feed_clock(&stage, at_ms + HOURS(1) + MINUTES(2));
    }
    size_t count = shifts_of(&stage, shifts);
    assert_true(count >= 1 && shifts[0].resolution == RESOLUTION_DAY && shifts[0].direction == DIRECTION_UP);
    assert_true(shifts[0].onset_at_ms == rise_ms && shifts[0].before < 2 && shifts[0].after > 800);
    stage_end(&stage);
}

/* One open case for weeks, then none; thirty for weeks, then sixty. */
static void what_is_open_moves_by_one_without_a_word(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", "single");
    int64_t start_ms = at("2026-02-01T00:00:30Z");
    feed_clock(&stage, start_ms);
    for (int day = 0; day < 60; day++) {
        if (day == 0 || day == 40) {
            feed_add(&stage, "hot_open|channel=WEB", start_ms + DAYS(day), (struct kpi_sums){.n = day == 0 ? 1 : -1}, -1);
            feed_add(&stage, "hot_open|channel=CHAT", start_ms + DAYS(day), (struct kpi_sums){.n = 30}, -1);
        }
        feed_add(&stage, "hot_open|channel=CHAT", start_ms + DAYS(day), (struct kpi_sums){.n = day % 2 ? 1 : -1}, -1);
        feed_clock(&stage, start_ms + DAYS(day + 1) + MINUTES(2));
    }
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    size_t count = shifts_of(&stage, shifts);
    for (size_t i = 0; i < count; i++)
        assert_true(view_equal_text(shifts[i].kpi, "hot_open") && view_equal_text(shifts[i].dimension, "channel=CHAT"));
    assert_true(count >= 1);
    stage_end(&stage);
}

/* An import: everything is there before time moves, and the clock is far beyond it. */
static void history_that_comes_at_once_is_looked_through(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    random_init(&random, 6);
    stage_begin(&stage, "UTC", "single");
    int64_t now_ms = at("2026-02-25T00:00:30Z");
    feed_clock(&stage, now_ms);
    for (int hour = 24 * 24; hour > 0; hour--)
        for (int i = 0; i < 60; i++)
            feed_add(&stage, "csat_top2|all", now_ms - HOURS(hour), kpi_sums_of_rate(random_unit(&random) < (hour > 48 ? 0.8 : 0.5), false), -1);
    feed_clock(&stage, now_ms + MINUTES(1));
    feed_clock(&stage, now_ms + MINUTES(3));
    assert_true(shifts_told(&stage) >= 1);
    stage_end(&stage);
}

static void feed_history(struct stage_under_test *stage, int64_t from_ms, int hours, int64_t n)
{
    for (int hour = 0; hour < hours; hour++) {
        int64_t odd = hour * hour % 7 % 2, hits = n * (hour < hours - 48 ? 8 + odd : 5 + odd) / 10;
        feed_add(stage, "csat_top2|all", from_ms + HOURS(hour), (struct kpi_sums){.n = n, .num = hits}, -1);
    }
}

/* An import again, but the journey stage reads its partitions one after the other: the first one's clock is here, and only
 * an eighth of the history with it. */
static void history_that_comes_partition_by_partition_is_looked_through_when_it_is_all_there(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", "single");
    int64_t now_ms = at("2026-02-25T00:00:30Z"), from_ms = now_ms - HOURS(14 * 24);
    feed_history(&stage, from_ms, 1, 10); /* before any clock */
    feed_clock_of(&stage, 0, from_ms + MINUTES(1), false);
    feed_history(&stage, from_ms, 14 * 24, 10);
    feed_clock_of(&stage, 0, now_ms, false);
    feed_history(&stage, from_ms, 14 * 24, 70);
    feed_clock_of(&stage, 1, now_ms, false);
    assert_int_equal(shifts_told(&stage), 0);
    for (int second = 1; second <= 180; second++)
        for (int source = 0; source < 2; source++)
            feed_clock_of(&stage, source, now_ms + SECONDS(second), false);
    assert_true(shifts_told(&stage) >= 1);
    stage_end(&stage);
}

/* The same, slow enough for the watch to have begun. */
static void history_that_pours_in_when_the_watch_has_just_begun_makes_it_begin_anew(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", "single");
    int64_t now_ms = at("2026-02-25T00:00:30Z"), from_ms = now_ms - HOURS(14 * 24);
    feed_clock(&stage, now_ms);
    feed_history(&stage, from_ms, 14 * 24, 10);
    for (int second = 1; second <= 150; second++)
        feed_clock(&stage, now_ms + SECONDS(second));
    feed_history(&stage, from_ms, 14 * 24, 70);
    for (int second = 151; second <= 330; second++)
        feed_clock(&stage, now_ms + SECONDS(second));
    assert_true(shifts_told(&stage) >= 1);
    stage_end(&stage);
}

/* The same by the minute, an hour a record, as the journey stage sends it. */
static void feed_history_by_minutes(struct stage_under_test *stage, int64_t from_ms, int hours)
{
    for (int hour = 0; hour < hours; hour++) {
        struct kpi_delta_bucket minutes[60];
        int of_ten = (hour < hours - 48 ? 8 : 5) + hour * hour % 7 % 2;
        for (int minute = 0; minute < 60; minute++)
            minutes[minute] = (struct kpi_delta_bucket){.minute = (from_ms + HOURS(hour)) / MINUTES(1) + minute / 2, .n = 1, .num = minute % 10 < of_ten};
        struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = VIEW_LITERAL("csat_top2"), .dimension = VIEW_LITERAL("all")};
        delta.buckets.items = minutes;
        delta.buckets.count = 60;
        assert_int_equal(feed_delta(stage, "csat_top2|all", &delta), OUTCOME_OK);
    }
}

/* And fast: the last minutes of it, in which the watch begins, pass within a moment, with most of it still on its way. */
static void history_whose_last_minutes_fly_by_is_looked_through(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    stage_begin(&stage, "UTC", "single");
    int64_t now_ms = at("2026-02-25T00:00:30Z"), from_ms = now_ms - HOURS(14 * 24);
    feed_clock(&stage, now_ms - SECONDS(330));
    feed_history(&stage, from_ms, 14 * 24, 10);
    feed_clock(&stage, now_ms - SECONDS(200));
    feed_clock(&stage, now_ms);
    feed_history_by_minutes(&stage, from_ms, 14 * 24);
    for (int second = 1; second <= 180; second++)
        feed_clock(&stage, now_ms + SECONDS(second));
    assert_true(shifts_told(&stage) >= 1);
    stage_end(&stage);
}

/* Ten minutes long, from the oldest on: what has not come yet is no fall. */
static void history_that_takes_its_time_is_looked_through_when_it_is_all_there(void **unused)
{
    (void)unused;
    enum { HISTORY_HOURS = 20 * 24, IMPORT_SECONDS = 600 };
    struct stage_under_test stage;
    struct random random;
    int64_t now_ms = at("2026-02-25T00:00:30Z"), from_ms = now_ms - HOURS(HISTORY_HOURS);
    random_init(&random, 7);
    stage_begin(&stage, "UTC", "single");
    feed_clock(&stage, now_ms);
    for (int second = 0, hour = 0; second < IMPORT_SECONDS + 300; second++) {
        for (; second < IMPORT_SECONDS && hour < HISTORY_HOURS * (second + 1) / IMPORT_SECONDS; hour++)
            feed_add(&stage, "review_count|all", from_ms + HOURS(hour), (struct kpi_sums){.n = 60 + (int)random_below(&random, 21)}, -1);
        feed_clock(&stage, now_ms + SECONDS(second));
    }
    assert_int_equal(shifts_told(&stage), 0);
    stage_end(&stage);
}

/* An upload an hour: every hour comes when it is over, and is a part of the series all the same. */
static void who_always_comes_late_is_watched_in_the_end(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    int64_t start_ms = at("2026-02-01T00:00:00Z");
    random_init(&random, 7);
    stage_begin(&stage, "UTC", "single");
    feed_clock(&stage, start_ms);
    for (int hour = 0; hour < 20 * 24; hour++) {
        for (int minute = 0; minute < 60; minute++) {
            feed_clock(&stage, start_ms + HOURS(hour) + MINUTES(minute));
            if (minute == 5)
                feed_add(&stage, "csat_top2|all", start_ms + HOURS(hour - 1) + MINUTES(30),
                         (struct kpi_sums){.n = 100, .num = (hour < 19 * 24 ? 75 : 40) + (int)random_below(&random, 11)}, -1);
        }
    }
    assert_true(shifts_told(&stage) >= 1);
    stage_end(&stage);
}

static int hits_of_a_hundred(struct random *random, double rate)
{
    int hits = 0;
    for (int i = 0; i < 100; i++)
        hits += random_unit(random) < rate;
    return hits;
}

/* A hundred surveys an hour go out; `rate` of them are answered, a day later each. History is all there from the start. */
static void send_surveys(struct stage_under_test *stage, struct random *random, int64_t from_ms, int hours, double rate)
{
    for (int hour = 0; hour < hours; hour++) {
        int answered = hits_of_a_hundred(random, rate);
        feed_add(stage, "survey_completion|all", from_ms + HOURS(hour), (struct kpi_sums){.n = 100, .immature = 100}, -1);
        feed_add(stage, "survey_completion|all", from_ms + HOURS(hour - 24), (struct kpi_sums){.num = answered, .immature = -answered}, -1);
        feed_clock(stage, from_ms + HOURS(hour + 1) + MINUTES(2));
    }
}

/* An hour that closes has few answers yet, or none (theirs come from the day after on), and it is no news that one of last month has more. */
static void what_settles_later_is_looked_at_when_it_has_settled(void **unused)
{
    (void)unused;
    struct stage_under_test stage;
    struct random random;
    int64_t now_ms = at("2026-02-25T00:00:30Z");
    random_init(&random, 3);
    stage_begin(&stage, "UTC", "single");
    feed_clock(&stage, now_ms);
    for (int hour = 1; hour <= 60 * 24; hour++) {
        int answered = hour > 24 ? hits_of_a_hundred(&random, 0.6) : 0;
        feed_add(&stage, "survey_completion|all", now_ms - HOURS(hour), (struct kpi_sums){.n = 100, .num = answered, .immature = 100 - answered}, -1);
    }
    send_surveys(&stage, &random, now_ms, 20 * 24, 0.6);
    assert_int_equal(shifts_told(&stage), 0);
    send_surveys(&stage, &random, now_ms + DAYS(20), 10 * 24, 0.3);
    assert_int_equal(shifts_told(&stage), 0);
    send_surveys(&stage, &random, now_ms + DAYS(30), 6 * 24, 0.3); /* after fourteen days it shows, and is news of now */
    assert_true(shifts_told(&stage) >= 1);
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    assert_true(shifts_of(&stage, shifts) >= 1);
    const struct trend_shift shift = shifts[0];
    assert_true(shift.onset_at_ms >= now_ms + DAYS(18) && shift.onset_at_ms <= now_ms + DAYS(21));
    assert_true(shift.detected_at_ms >= shift.onset_at_ms + DAYS(14) && shift.detected_at_ms <= now_ms + DAYS(36));
    stage_end(&stage);
}

/* Who was active each day of `days`. Of the last day a third are left when it closes: the others were seen again since. */
static size_t shifts_of_active_customers(bool is_backlog_at_the_end)
{
    struct stage_under_test stage;
    struct random random;
    int64_t start_ms = at("2026-02-01T00:00:00Z");
    random_init(&random, 9);
    stage_begin(&stage, "UTC", "single");
    feed_clock(&stage, start_ms);
    for (int day = 0; day < 60; day++) {
        bool is_last = day == 59;
        int active = (is_last ? 70 : 195) + (int)random_below(&random, 11);
        feed_add(&stage, "active_customers|all", start_ms + DAYS(day) + HOURS(9), (struct kpi_sums){.n = active}, -1);
        feed_clock_of(&stage, 0, start_ms + DAYS(day + 1) - MINUTES(1), is_last && is_backlog_at_the_end);
        feed_clock_of(&stage, 0, start_ms + DAYS(day + 1) + MINUTES(2), is_last && is_backlog_at_the_end);
    }
    size_t shifts = shifts_told(&stage);
    stage_end(&stage);
    return shifts;
}

static void days_that_fly_by_in_a_backlog_are_no_news_of_who_was_active(void **unused)
{
    (void)unused;
    assert_int_equal(shifts_of_active_customers(false), 1);
    assert_int_equal(shifts_of_active_customers(true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_is_told_when_it_has_closed_and_when_it_is_revised),
        cmocka_unit_test(an_hour_that_has_lost_all_is_told_to_be_empty),
        cmocka_unit_test(hours_from_before_the_first_clock_are_told_whatever_follows_it),
        cmocka_unit_test(a_gauge_has_every_hour_from_its_first_on),
        cmocka_unit_test(distinct_customers_are_told_as_they_were_at_the_close),
        cmocka_unit_test(a_drop_is_found_with_its_onset_and_called_bad),
        cmocka_unit_test(a_rate_that_never_missed_is_watched),
        cmocka_unit_test(one_star_among_nothing_but_five_is_no_news),
        cmocka_unit_test(a_count_out_of_nearly_nothing_is_told_by_the_day),
        cmocka_unit_test(what_is_open_moves_by_one_without_a_word),
        cmocka_unit_test(history_that_comes_at_once_is_looked_through),
        cmocka_unit_test(history_that_comes_partition_by_partition_is_looked_through_when_it_is_all_there),
        cmocka_unit_test(history_that_pours_in_when_the_watch_has_just_begun_makes_it_begin_anew),
        cmocka_unit_test(history_whose_last_minutes_fly_by_is_looked_through),
        cmocka_unit_test(history_that_takes_its_time_is_looked_through_when_it_is_all_there),
        cmocka_unit_test(who_always_comes_late_is_watched_in_the_end),
        cmocka_unit_test(what_settles_later_is_looked_at_when_it_has_settled),
        cmocka_unit_test(days_that_fly_by_in_a_backlog_are_no_news_of_who_was_active),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
