/* The parts that a shift comes from are named in its record, wherever in kpi.deltas they lie, and in the alert of it. */
#include "processors/kpi/drivers.h"
#include "tests/stage/kpi/alerts.h"

#include <math.h>

enum { PARTITIONS = 2, DAYS_BEFORE = 20, HOURS_AFTER = 12, ITEMS = 100, SHIFTS_MOST = 16 };

/* What answers of an hour say of a product: so many of them, so many good. */
struct hour_of_part {
    int64_t n, good;
};

struct story {
    struct hour_of_part a_before, b_before, a_after, b_after;
};

/* Partition 0 has the whole, partition 1 its parts (with one partition: all of it). */
struct parts {
    struct stage_under_test stages[PARTITIONS];
    size_t count, carried[PARTITIONS]; /* outputs of each that have been looked at */
    bool is_cut[PARTITIONS];           /* nothing of it reaches the others */
    struct arena arena;
    struct trend_shift shifts[SHIFTS_MOST];
    size_t shift_count;
};

static const char start[] = "2026-02-02T00:00:00Z"; /* a Monday */

static void parts_begin(struct parts *parts, size_t count)
{
    *parts = (struct parts){.count = count};
    arena_init(&parts->arena);
    for (size_t i = 0; i < count; i++)
        stage_begin_partition(&parts->stages[i], "UTC", "all", (int32_t)i, (int32_t)count);
}

static void parts_end(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        stage_end(&parts->stages[i]);
    arena_finish(&parts->arena);
}

static struct stage_under_test *stage_of_parts(struct parts *parts)
{
    return &parts->stages[parts->count - 1];
}

static void take(struct parts *parts, const struct driver_output *output)
{
    struct view avro;
    uint32_t id;
    struct trend_shift shift;
    assert_true(wire_split(output->value, &id, &avro) && trend_shift_decode(&shift, avro, &parts->arena));
    assert_int_equal(id, 2);
    if (!view_equal_text(shift.dimension, "all"))
        return;
    assert_true(parts->shift_count < SHIFTS_MOST);
    parts->shifts[parts->shift_count++] = shift;
}

/* The next thing that one of the stages says to another. false: there is none. */
static bool carry_one(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        while (parts->carried[i] < driver_output_count(parts->stages[i].driver)) {
            const struct driver_output *output = driver_output(parts->stages[i].driver, parts->carried[i]++);
            if (strcmp(output->topic, "trend.shifts") == 0)
                take(parts, output);
            if (strcmp(output->topic, "kpi.deltas") != 0 || ((size_t)output->partition != i && parts->is_cut[i]))
                continue;
            struct stage_under_test *to = &parts->stages[output->partition];
            assert_int_equal(driver_feed(to->driver, output->key, output->value, to->record_ms), OUTCOME_OK);
            return true;
        }
    }
    return false;
}

static void carry(struct parts *parts)
{
    while (carry_one(parts))
        continue;
}

static void clocks(struct parts *parts, int64_t at_ms)
{
    for (size_t i = 0; i < parts->count; i++)
        feed_clock(&parts->stages[i], at_ms);
    carry(parts);
}

static void feed_part(struct stage_under_test *stage, const char *key, int64_t at_ms, struct hour_of_part hour, int64_t wobble)
{
    if (hour.n)
        feed_add(stage, key, at_ms, (struct kpi_sums){.n = hour.n, .num = hour.good + wobble}, -1);
}

/* Only the odd hours wobble a little, so that there is noise. */
static void feed_hour(struct parts *parts, const struct story *story, int hour)
{
    bool is_after = hour >= DAYS_BEFORE * 24;
    struct hour_of_part a = is_after ? story->a_after : story->a_before, b = is_after ? story->b_after : story->b_before;
    int64_t at_ms = at(start) + HOURS(hour) + MINUTES(5), wobble = hour * hour % 7 % 3 - 1;
    feed_part(stage_of_parts(parts), "csat_top2|product=a", at_ms, a, 0);
    feed_part(stage_of_parts(parts), "csat_top2|product=b", at_ms, b, wobble);
    feed_part(stage_of_parts(parts), "csat_top2|channel=WEB", at_ms, (struct hour_of_part){a.n + b.n, a.good + b.good}, wobble); /* everything */
    feed_part(&parts->stages[0], "csat_top2|all", at_ms, (struct hour_of_part){a.n + b.n, a.good + b.good}, wobble);
}

static void tell(struct parts *parts, const struct story *story)
{
    clocks(parts, at(start));
    for (int hour = 0; hour < DAYS_BEFORE * 24 + HOURS_AFTER; hour++) {
        feed_hour(parts, story, hour);
        clocks(parts, at(start) + HOURS(hour + 1) + MINUTES(2));
    }
}

static const struct trend_shift *the_level(const struct parts *parts)
{
    const struct trend_shift *found = NULL;
    for (size_t i = 0; i < parts->shift_count; i++) {
        if (parts->shifts[i].kind != SHIFT_KIND_LEVEL || parts->shifts[i].resolution != RESOLUTION_HOUR)
            continue;
        assert_null(found); /* each is said once */
        found = &parts->shifts[i];
    }
    if (!found)
        fail_msg("no LEVEL among %zu shifts", parts->shift_count);
    return found;
}

static void one_product_falls(size_t partitions)
{
    static const struct story story = {{40, 32}, {60, 48}, {40, 8}, {60, 48}};
    struct parts parts;
    parts_begin(&parts, partitions);
    tell(&parts, &story);
    const struct trend_shift *shift = the_level(&parts);
    assert_int_equal(shift->direction, DIRECTION_DOWN);
    assert_int_equal(shift->drivers.count, 1); /* not b, which stays, nor the channel, which is all there is */
    const struct shift_driver *driver = &shift->drivers.items[0];
    assert_true(view_equal_text(driver->dimension, "product=a"));
    assert_true(fabs(driver->share - 1) < 0.05);
    assert_true(fabs(driver->rate_effect - (0.2 - 0.8) * 0.4) < 0.01 && fabs(driver->mix_effect) < 0.01);
    parts_end(&parts);
}

static void what_falls_is_named(void **unused)
{
    (void)unused;
    one_product_falls(1);
}

static void what_falls_is_named_though_it_lies_in_another_partition(void **unused)
{
    (void)unused;
    one_product_falls(PARTITIONS);
}

/* Each product is as good as before, but there is more of the bad one. */
static void more_of_a_bad_one_is_its_mix(void **unused)
{
    (void)unused;
    static const struct story story = {{5, 1}, {95, 86}, {50, 10}, {50, 45}};
    struct parts parts;
    parts_begin(&parts, PARTITIONS);
    tell(&parts, &story);
    const struct trend_shift *shift = the_level(&parts);
    assert_int_equal(shift->drivers.count, 1);
    const struct shift_driver *driver = &shift->drivers.items[0];
    assert_true(view_equal_text(driver->dimension, "product=a"));
    assert_true(fabs(driver->rate_effect) < 0.01 && fabs(driver->mix_effect - 0.45 * (0.2 - (0.87 + 0.55) / 2)) < 0.02);
    assert_true(fabs(driver->share - driver->mix_effect / (0.55 - 0.87)) < 0.05);
    parts_end(&parts);
}

static void where_all_fall_alike_nobody_is_named(void **unused)
{
    (void)unused;
    static const struct story story = {{40, 32}, {60, 48}, {40, 18}, {60, 27}};
    struct parts parts;
    parts_begin(&parts, PARTITIONS);
    tell(&parts, &story);
    assert_int_equal(the_level(&parts)->drivers.count, 0);
    parts_end(&parts);
}

static void all_name_a(const struct parts *parts)
{
    assert_true(parts->shift_count >= 1);
    for (size_t i = 0; i < parts->shift_count; i++) {
        assert_int_equal(parts->shifts[i].drivers.count, 1);
        assert_true(view_equal_text(parts->shifts[i].drivers.items[0].dimension, "product=a"));
    }
}

static const struct story fall = {{40, 32}, {60, 48}, {40, 8}, {60, 48}};

/* Until the whole has asked; returns the hour. */
static int tell_until_asked(struct parts *parts)
{
    int hour = 0;
    clocks(parts, at(start));
    for (parts->is_cut[1] = true; driver_entry_count(parts->stages[0].driver) < 3; hour++) { /* the whole, the clock, the question */
        assert_true(hour < DAYS_BEFORE * 24 + HOURS_AFTER);
        feed_hour(parts, &fall, hour);
        clocks(parts, at(start) + HOURS(hour + 1) + MINUTES(2));
    }
    return hour;
}

static void who_does_not_hear_from_all_waits_five_minutes(void **unused)
{
    (void)unused;
    struct parts parts;
    parts_begin(&parts, PARTITIONS);
    int64_t asked_ms = at(start) + HOURS(tell_until_asked(&parts)) + MINUTES(2);
    clocks(&parts, asked_ms + MINUTES(5) - 1);
    assert_int_equal(parts.shift_count, 0);
    clocks(&parts, asked_ms + MINUTES(5));
    assert_true(parts.shift_count >= 1);
    for (size_t i = 0; i < parts.shift_count; i++)
        assert_int_equal(parts.shifts[i].drivers.count, 0);
    assert_int_equal(driver_entry_count(parts.stages[0].driver), 2);
    parts_end(&parts);
}

static void a_question_outlives_a_crash_on_both_sides(void **unused)
{
    (void)unused;
    struct parts parts;
    parts_begin(&parts, PARTITIONS);
    tell_until_asked(&parts);
    for (size_t i = 0; i < PARTITIONS; i++) {
        driver_checkpoint_begin(parts.stages[i].driver);
        while (!driver_checkpoint_write(parts.stages[i].driver, 10))
            continue;
        driver_recover(parts.stages[i].driver);
    }
    assert_int_equal(parts.shift_count, 0);
    parts.is_cut[1] = false; /* its answer was lost on the way: what it said is said to the whole now */
    parts.carried[1] = 0;
    carry(&parts);
    all_name_a(&parts);
    parts_end(&parts);
}

/* Its answer is about what the whole knew when it asked. */
static void a_partition_that_is_behind_answers_when_its_clock_gets_there(void **unused)
{
    (void)unused;
    struct parts parts;
    int hour = 0;
    parts_begin(&parts, PARTITIONS);
    clocks(&parts, at(start));
    for (; driver_entry_count(parts.stages[0].driver) < 3; hour++) {
        feed_hour(&parts, &fall, hour);
        feed_clock(&parts.stages[0], at(start) + HOURS(hour + 1) + MINUTES(2));
        carry(&parts);
    }
    int64_t asked_ms = at(start) + HOURS(hour) + MINUTES(2);
    feed_clock(&parts.stages[1], asked_ms - 1);
    carry(&parts);
    assert_int_equal(parts.shift_count, 0);
    feed_clock(&parts.stages[1], asked_ms);
    carry(&parts);
    all_name_a(&parts);
    parts_end(&parts);
}

/* --- the alert of it */

static char *all[] = {(char[]){"all"}};
static char *levels[] = {(char[]){"level"}};

static void tell_with_alerts(struct parts *parts, int64_t record_ms)
{
    for (size_t i = 0; i < parts->count; i++) {
        parts->stages[i].settings.shift_dimensions = (struct text_list){all, 1};
        parts->stages[i].settings.shift_kinds = (struct text_list){levels, 1};
        parts->stages[i].record_ms = record_ms;
    }
    tell(parts, &fall);
}

static void lose_all_but_the_checkpoint(struct stage_under_test *stage)
{
    driver_checkpoint_begin(stage->driver);
    while (!driver_checkpoint_write(stage->driver, 10))
        continue;
    driver_recover(stage->driver);
}

static bool ends_with(struct view text, const char *end)
{
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

/* At once without, for the answers are a moment away; and then with. */
static void the_alert_is_told_again_with_what_drives_it(void **unused)
{
    (void)unused;
    struct parts parts;
    struct alert alerts[ALERTS_MOST];
    parts_begin(&parts, PARTITIONS);
    tell_with_alerts(&parts, at(start));
    assert_int_equal(alerts_of(&parts.stages[1], alerts), 0);
    assert_int_equal(alerts_of(&parts.stages[0], alerts), 2);
    for (int32_t i = 0; i < 2; i++)
        alert_is(&alerts[i], ALERT_KIND_TREND_SHIFT, "trend.shift", ALERT_STATE_OPEN, SEVERITY_WARNING, i + 1);
    assert_true(ends_with(alerts[0].text, " UTC"));
    assert_true(ends_with(alerts[1].text, " UTC, all of it from product=a"));
    assert_int_equal(alerts[1].changed_at_ms, alerts[0].changed_at_ms);
    parts_end(&parts);
}

static void history_that_becomes_news_says_what_drives_it(void **unused)
{
    (void)unused;
    struct parts parts;
    struct alert alerts[ALERTS_MOST];
    parts_begin(&parts, 1);
    struct stage_under_test *stage = &parts.stages[0];
    tell_with_alerts(&parts, at(start) + DAYS(DAYS_BEFORE + 1)); /* read a day later */
    assert_int_equal(alerts_of(stage, alerts), 2);
    assert_true(alerts[1].historical && ends_with(alerts[1].text, ", all of it from product=a"));
    lose_all_but_the_checkpoint(stage);
    for (int hour = DAYS_BEFORE * 24 + HOURS_AFTER; alerts_of(stage, alerts) == 2; hour++) {
        assert_true(hour < DAYS_BEFORE * 24 + 40);
        feed_hour(&parts, &fall, hour);
        clocks(&parts, at(start) + HOURS(hour + 1) + MINUTES(2));
    }
    alert_is(&alerts[2], ALERT_KIND_TREND_SHIFT, "trend.shift", ALERT_STATE_OPEN, SEVERITY_WARNING, 3);
    assert_true(!alerts[2].historical && ends_with(alerts[2].text, ", all of it from product=a"));
    parts_end(&parts);
}

static struct hour_of_part hour_of(struct random *random, double rate)
{
    struct hour_of_part hour = {.n = 50};
    for (int i = 0; i < 50; i++)
        hour.good += random_unit(random) < rate;
    return hour;
}

static void feed_rates(struct parts *parts, struct random *random, int from_hour, int until_hour, double rate_of_a, double rate_of_b)
{
    for (int hour = from_hour; hour < until_hour; hour++) {
        int64_t at_ms = at(start) + HOURS(hour) + MINUTES(5);
        struct hour_of_part a = hour_of(random, rate_of_a), b = hour_of(random, rate_of_b);
        feed_part(&parts->stages[0], "csat_top2|product=a", at_ms, a, 0);
        feed_part(&parts->stages[0], "csat_top2|product=b", at_ms, b, 0);
        feed_part(&parts->stages[0], "csat_top2|all", at_ms, (struct hour_of_part){a.n + b.n, a.good + b.good}, 0);
        clocks(parts, at(start) + HOURS(hour + 1) + MINUTES(2));
    }
}

/* A slide that ends in a fall: the hour that shows that the level has moved is an odd one, too. Each is a shift with drivers of its own. */
static bool tell_level_and_spike(uint64_t seed)
{
    struct parts parts;
    struct alert alerts[ALERTS_MOST];
    struct random random;
    random_init(&random, seed);
    parts_begin(&parts, 1);
    struct stage_under_test *stage = &parts.stages[0];
    stage->settings.shift_dimensions = (struct text_list){all, 1};
    stage->settings.shift_kinds = (struct text_list){levels, 1};
    clocks(&parts, at(start));
    feed_rates(&parts, &random, 0, DAYS_BEFORE * 24, 0.8, 0.8);
    feed_rates(&parts, &random, DAYS_BEFORE * 24, DAYS_BEFORE * 24 + 4, 0.6, 0.8);
    feed_rates(&parts, &random, DAYS_BEFORE * 24 + 4, DAYS_BEFORE * 24 + 12, 0.2, 0.7);
    size_t told = alerts_of(stage, alerts), drivers = 0;
    bool is_both = false;
    for (size_t i = 0; i < parts.shift_count && told > 0; i++) {
        bool is_of_alert = parts.shifts[i].detected_at_ms == alerts[0].opened_at_ms;
        is_both |= is_of_alert && parts.shifts[i].kind == SHIFT_KIND_SPIKE;
        drivers += is_of_alert && parts.shifts[i].kind == SHIFT_KIND_LEVEL ? parts.shifts[i].drivers.count : 0;
    }
    if (is_both)
        assert_int_equal(told, 1 + (drivers > 0));
    parts_end(&parts);
    return is_both;
}

static void an_alert_names_what_its_own_shift_comes_from(void **unused)
{
    (void)unused;
    size_t both = 0;
    for (uint64_t seed = 1; seed <= 40; seed++)
        both += tell_level_and_spike(seed);
    assert_true(both >= 5);
}

/* --- crashes */

/* The days before as they were, then hour by hour, and between any two records one of them may lose all but its checkpoint. */
static void tell_through_crashes(struct parts *parts, uint64_t seed)
{
    struct chaos chaos[PARTITIONS];
    for (size_t i = 0; i < PARTITIONS; i++) {
        chaos_init(&chaos[i], seed * PARTITIONS + i, 3, 10);
        parts->stages[i].settings.shift_dimensions = (struct text_list){all, 1};
        parts->stages[i].settings.shift_kinds = (struct text_list){levels, 1};
    }
    clocks(parts, at(start));
    for (int hour = 0; hour < DAYS_BEFORE * 24 + HOURS_AFTER; hour++) {
        feed_hour(parts, &fall, hour);
        for (size_t i = 0; i < PARTITIONS; i++) {
            size_t other = (i + (size_t)hour) % PARTITIONS; /* now the one is ahead, now the other */
            feed_clock(&parts->stages[other], at(start) + HOURS(hour + 1) + MINUTES(2));
            if (seed)
                chaos_strike(&chaos[other], &parts->stages[other]);
        }
        for (bool is_more = true; is_more;) {
            is_more = carry_one(parts);
            for (size_t i = 0; seed && i < PARTITIONS; i++)
                chaos_strike(&chaos[i], &parts->stages[i]);
        }
    }
}

static void all_is_told_alike(struct parts *straight, struct parts *crashed)
{
    assert_int_equal(crashed->shift_count, straight->shift_count);
    for (size_t i = 0; i < straight->shift_count; i++) {
        struct bytes wanted = {0}, got = {0};
        trend_shift_encode(&wanted, &straight->shifts[i]);
        trend_shift_encode(&got, &crashed->shifts[i]);
        assert_true(view_equal(bytes_view(&wanted), bytes_view(&got)));
        bytes_finish(&wanted);
        bytes_finish(&got);
    }
    assert_int_equal(alerts_compare(&straight->stages[0], &crashed->stages[0]), 2);
}

static void crashes_on_either_side_change_nothing(void **unused)
{
    (void)unused;
    struct parts straight, crashed;
    parts_begin(&straight, PARTITIONS);
    tell_through_crashes(&straight, 0);
    assert_true(straight.shift_count >= 1);
    for (uint64_t seed = 1; seed <= 30; seed++) {
        parts_begin(&crashed, PARTITIONS);
        tell_through_crashes(&crashed, seed);
        all_is_told_alike(&straight, &crashed);
        parts_end(&crashed);
    }
    parts_end(&straight);
}

/* Whatever stands in the topic under such a key. */
static void bytes_that_make_no_sense_are_parked(void **unused)
{
    (void)unused;
    static const char junk[] = "\x04\x0c" "csat_top2";
    struct stage_under_test stage;
    stage_begin_partition(&stage, "UTC", "all", 0, PARTITIONS);
    for (int kind = DELTA_KIND_ASKED; kind <= DELTA_KIND_TOLD; kind++) {
        for (size_t size = 1; size < sizeof junk; size++) {
            struct kpi_delta delta = {.kind = (enum delta_kind)kind, .kpi = VIEW_LITERAL(""), .dimension = VIEW_LITERAL(""), .comparison = view_of(junk, size)};
            assert_int_equal(feed_delta(&stage, KPI_SHIFT_KEY "x", &delta), OUTCOME_PARK);
            if (size > 1) /* one byte is a time, and nobody drives it */
                assert_int_equal(feed_delta(&stage, "csat_top2|all", &delta), OUTCOME_PARK);
        }
    }
    struct kpi_delta none = {.kind = DELTA_KIND_ASKED, .kpi = VIEW_LITERAL(""), .dimension = VIEW_LITERAL("")};
    assert_int_equal(feed_delta(&stage, KPI_SHIFT_KEY "x", &none), OUTCOME_PARK);
    assert_int_equal(driver_entry_count(stage.driver), 0);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_falls_is_named),
        cmocka_unit_test(what_falls_is_named_though_it_lies_in_another_partition),
        cmocka_unit_test(more_of_a_bad_one_is_its_mix),
        cmocka_unit_test(where_all_fall_alike_nobody_is_named),
        cmocka_unit_test(who_does_not_hear_from_all_waits_five_minutes),
        cmocka_unit_test(a_question_outlives_a_crash_on_both_sides),
        cmocka_unit_test(a_partition_that_is_behind_answers_when_its_clock_gets_there),
        cmocka_unit_test(the_alert_is_told_again_with_what_drives_it),
        cmocka_unit_test(history_that_becomes_news_says_what_drives_it),
        cmocka_unit_test(an_alert_names_what_its_own_shift_comes_from),
        cmocka_unit_test(crashes_on_either_side_change_nothing),
        cmocka_unit_test(bytes_that_make_no_sense_are_parked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
