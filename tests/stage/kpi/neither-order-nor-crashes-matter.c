/* The same additions, in any order, through any crashes: the same numbers. */
#include "base/map.h"
#include "base/memory.h"
#include "tests/stage/kpi/kpi_stage.h"

enum { SERIES = 6, ITEMS = 2500, SOURCES = 3 };

static const char *const keys[SERIES] = {"csat_top2|all",  "nps|channel=EMAIL", "resolution_time|all",
                                         "backlog|team=A", "churn_rate|all",    "review_count|product=P1,channel=WEB"};

struct item {
    int series;
    int64_t at_ms, duration_ms;
    struct kpi_sums sums;
};

static struct item random_item(struct random *random, int64_t now_ms)
{
    struct item item = {.series = (int)random_below(random, SERIES), .at_ms = now_ms - random_below(random, 20000), .duration_ms = -1};
    if (random_below(random, 5) == 0)
        item.at_ms -= (int64_t)random_below(random, 90) * HOURS(24);
    int64_t duration_ms = random_below(random, 1u << 30);
    switch (item.series) {
    case 0:
        item.sums = kpi_sums_of_rate(random_below(random, 2), random_below(random, 2));
        break;
    case 1:
        item.sums = kpi_sums_of_nps((int)random_below(random, 11));
        break;
    case 2:
        item.sums = kpi_sums_of_duration(duration_ms);
        item.duration_ms = duration_ms;
        break;
    case 4:
        item.sums = (struct kpi_sums){.n = random_below(random, 2) ? 1 : -1, .num = random_below(random, 2)};
        break;
    default:
        item.sums = (struct kpi_sums){.n = random_below(random, 3) ? 1 : -1};
    }
    return item;
}

/* A log of additions with clocks between them: event time runs fast, so that hours and days go by. */
struct scenario {
    struct item items[ITEMS];
    int64_t start_ms, step_ms;
};

static struct scenario *make_scenario(uint64_t seed)
{
    struct scenario *scenario = memory_zeroed(1, sizeof *scenario);
    struct random random;
    random_init(&random, seed);
    scenario->start_ms = at("2026-03-20T00:00:00Z");
    scenario->step_ms = 1 + random_below(&random, 200) * 1000;
    for (int i = 0; i < ITEMS; i++)
        scenario->items[i] = random_item(&random, scenario->start_ms + i * scenario->step_ms);
    return scenario;
}

static void play(struct stage_under_test *stage, const struct scenario *scenario, const int *order, uint64_t crash_seed)
{
    struct chaos chaos;
    chaos_init(&chaos, crash_seed, 20, 60);
    for (int i = 0; i < ITEMS; i++) {
        const struct item *item = &scenario->items[order ? order[i] : i];
        feed_add(stage, keys[item->series], item->at_ms, item->sums, item->duration_ms);
        if (i % 3 == 0)
            feed_clock_of(stage, i % SOURCES, scenario->start_ms + i * scenario->step_ms - 1000 * (i % SOURCES), false);
        if (crash_seed)
            chaos_strike(&chaos, stage);
    }
    for (int source = 0; source < SOURCES; source++)
        feed_clock_of(stage, source, scenario->start_ms + ITEMS * scenario->step_ms + MINUTES(3), false);
}

/* What a reader of the topic sees of one key: each record that differs from the one before it. */
struct story {
    struct bytes text, last;
    bool is_value;
};

static struct story *story_of(struct map *stories, struct view key)
{
    void **place = map_place(stories, key);
    if (!*place)
        *place = memory_zeroed(1, sizeof(struct story));
    return *place;
}

static void story_free(void *thing)
{
    struct story *story = thing;
    bytes_finish(&story->text);
    bytes_finish(&story->last);
    free(story);
}

/* Without what may differ: the watermark, and hours that were told twice. Without times, too, when the order was another. */
static struct bytes content_of(struct stage_under_test *stage, const struct driver_output *output, bool has_times)
{
    struct bytes content = {0};
    struct view avro;
    uint32_t id;
    struct kpi kpi;
    if (!output->value.data)
        return content;
    assert_true(wire_split(output->value, &id, &avro) && kpi_decode(&kpi, avro, &stage->arena));
    kpi.watermark_ms = 0;
    kpi.closed.count = 0;
    kpi.at_ms = has_times ? kpi.at_ms : 0;
    if (kpi.n > 0 || has_times)
        kpi_encode(&content, &kpi);
    return content;
}

static void read_stories(struct stage_under_test *stage, struct map *stories, bool has_times)
{
    for (size_t i = 0; i < driver_output_count(stage->driver); i++) {
        const struct driver_output *output = driver_output(stage->driver, i);
        if (strcmp(output->topic, "kpis") != 0)
            continue;
        struct story *story = story_of(stories, output->key);
        struct bytes content = content_of(stage, output, has_times);
        if (!view_equal(bytes_view(&story->last), bytes_view(&content)))
            bytes_append_view(&story->text, bytes_view(&content));
        bytes_finish(&story->last);
        story->last = content;
    }
    arena_reset(&stage->arena);
}

/* As to every key: the whole story, or only its end. */
static void compare(struct stage_under_test *a, struct stage_under_test *b, bool is_whole)
{
    struct map of_a = {0}, of_b = {0};
    read_stories(a, &of_a, is_whole);
    read_stories(b, &of_b, is_whole);
    size_t at = 0, compared = 0;
    for (struct map_slot *slot; (slot = map_next(&of_a, &at));) {
        struct view key = view_of(slot->key, slot->key_size);
        const struct story *mine = slot->value, *other = story_of(&of_b, key);
        bool is_same = view_equal(bytes_view(&mine->last), bytes_view(&other->last)) &&
                       (!is_whole || view_equal(bytes_view(&mine->text), bytes_view(&other->text)));
        if (!is_same)
            fail_msg("%.*s differs", VIEW_ARGUMENTS(key));
        compared += mine->last.size > 0;
    }
    assert_true(compared > 15);
    map_finish(&of_a, story_free);
    map_finish(&of_b, story_free);
}

static size_t shifts_of(struct stage_under_test *stage, struct map *seen, bool adds)
{
    size_t count = 0;
    for (size_t i = 0; i < driver_output_count(stage->driver); i++) {
        const struct driver_output *output = driver_output(stage->driver, i);
        if (strcmp(output->topic, "trend.shifts") != 0)
            continue;
        count++;
        if (adds)
            *map_place(seen, output->value) = stage;
        else
            assert_non_null(map_find(seen, output->value));
    }
    return count;
}

static void in_any_order(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct scenario *scenario = make_scenario(seed);
        struct random random;
        int order[ITEMS];
        random_init(&random, seed);
        for (int i = 0; i < ITEMS; i++) {
            int other = (int)random_below(&random, (uint32_t)i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        struct stage_under_test straight, shuffled;
        stage_begin(&straight, "UTC", NULL);
        stage_begin(&shuffled, "UTC", NULL);
        play(&straight, scenario, NULL, 0);
        play(&shuffled, scenario, order, 0);
        compare(&straight, &shuffled, false);
        stage_end(&straight);
        stage_end(&shuffled);
        free(scenario);
    }
}

static void through_any_crashes(void **unused)
{
    (void)unused;
    size_t shift_count = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct scenario *scenario = make_scenario(seed);
        struct stage_under_test straight, crashed;
        struct map shifts = {0};
        stage_begin(&straight, "Europe/Berlin", "every");
        stage_begin(&crashed, "Europe/Berlin", "every");
        play(&straight, scenario, NULL, 0);
        play(&crashed, scenario, NULL, seed * 77);
        compare(&straight, &crashed, true);
        compare(&crashed, &straight, true);
        size_t told = shifts_of(&straight, &shifts, true);
        assert_int_equal(shifts_of(&crashed, &shifts, false), told);
        shift_count += told;
        map_finish(&shifts, NULL);
        stage_end(&straight);
        stage_end(&crashed);
        free(scenario);
    }
    assert_true(shift_count > 0); /* or this would prove nothing about them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_any_order), cmocka_unit_test(through_any_crashes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
