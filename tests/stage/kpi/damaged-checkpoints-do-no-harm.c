/* What a checkpoint says is bytes that somebody gave back to us. Each number of each kind of entry is made one that it cannot be: such an entry is refused, or
 * whatever it says is added up and compared without anything undefined (the sanitizers watch). */
#include "processors/kpi/packed.h"
#include "tests/stage/kpi/kpi_stage.h"

#define NOW "2026-03-02T12:00:00Z"

static const char *const keys[] = {KPI_CLOCK_KEY, KPI_SOURCE_KEY "source=shop", KPI_REFUSED_KEY "source=shop", "csat_top2|all", "csat|all", "nps|all", "first_response_time|all", "backlog|all",
                                   "churn_rate|all", "upsell_revenue|all", "active_customers|all", "uplift_onboarding|all"};
enum { KEYS = sizeof keys / sizeof *keys };

static const int64_t extremes[] = {INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1, INT64_MAX / 2, INT64_MIN / 2, INT64_MAX / 60000, INT64_MIN / 60000,
                                   (int64_t)1 << 50, -((int64_t)1 << 50), INT32_MAX, INT32_MIN, INT32_MAX - 1, INT32_MIN + 1, INT32_MAX / 2 + 1, -1};

static void feed_kind(struct stage_under_test *stage, const char *key, int64_t at_ms, int64_t n)
{
    struct kpi_delta_bin bin = {.index = 200, .count = n};
    struct kpi_delta_bucket bucket = {.minute = at_ms / 60000, .n = n, .num = n, .sum = 50 * n, .immature = n, .sum_squares_low = 2500 * n};
    bool is_heard = key[0] == '\001';
    struct kpi_delta delta = {.kind = is_heard ? DELTA_KIND_HEARD : DELTA_KIND_ADD, .kpi = VIEW_LITERAL("bad_json"), .dimension = VIEW_LITERAL(""),
                              .clock_at_ms = at_ms};
    bucket.histogram.items = &bin;
    bucket.histogram.count = strncmp(key, "first_response", 14) == 0;
    delta.buckets.items = &bucket;
    delta.buckets.count = 1;
    assert_int_equal(feed_delta(stage, key, &delta), OUTCOME_OK);
}

/* `key` NULL: all of them. */
static void live(struct stage_under_test *stage, const char *key, int64_t from_ms, int minutes, int step)
{
    for (int minute = 0; minute < minutes; minute += step) {
        for (size_t i = 1; i < KEYS; i++)
            if (!key || strcmp(key, keys[i]) == 0)
                feed_kind(stage, keys[i], from_ms + MINUTES(minute), 30);
        for (int32_t source = 0; source < 2; source++)
            feed_clock_of(stage, source, from_ms + MINUTES(minute), minute % 7 == 0);
    }
}

static void write_all(struct stage_under_test *stage)
{
    driver_checkpoint_begin(stage->driver);
    while (!driver_checkpoint_write(stage->driver, 100))
        continue;
}

/* The saved value, with its number at `place` another one. false: it has none there. */
static bool damage(struct view saved, size_t place, int64_t number, struct bytes *out, struct arena *arena)
{
    struct kpi_state state;
    struct view avro;
    uint32_t id = 0;
    assert_true(wire_split(saved, &id, &avro) && kpi_state_decode(&state, avro, arena));
    struct unpacker in = {state.private.data + 1, state.private.data + state.private.size, false};
    struct bytes private = {0};
    bytes_append_byte(&private, (unsigned char)state.private.data[0]);
    for (; place > 0; place--)
        unpack(&in);
    bytes_append(&private, state.private.data + 1, (size_t)(in.at - state.private.data) - 1);
    bool is_there = in.at < in.end;
    unpack(&in);
    pack(&private, number);
    bytes_append(&private, in.at, (size_t)(in.end - in.at));
    state.private = bytes_view(&private);
    bytes_clear(out);
    wire_begin(out, id);
    kpi_state_encode(out, &state);
    bytes_finish(&private);
    return is_there;
}

static bool begin_with(struct stage_under_test *stage, struct stage_under_test *first, const char *key, struct view value)
{
    struct driver *driver = driver_create(&kpi_processor, &first->shared, 1);
    *stage = *first;
    stage->driver = driver;
    if (driver_load(driver, view_of_text(key), value)) {
        live(stage, key, at(NOW), 4, 1);
        live(stage, key, at(NOW) + DAYS(2), 2, 1);
        driver_tick(driver, stage->record_ms + 5000);
        write_all(stage);
        driver_recover(driver); /* what it has made of it loads again */
        driver_destroy(driver);
        return true;
    }
    driver_destroy(driver);
    return false;
}

static void no_number_of_an_entry_does_harm(void **state)
{
    (void)state;
    struct stage_under_test first, again;
    stage_begin(&first, "Europe/Berlin", NULL);
    first.settings.rejected_share = 0.05;
    first.settings.silence_after_ms = MINUTES(15);
    first.settings.lag_after_ms = MINUTES(5);
    live(&first, NULL, at(NOW) - HOURS(3), 180, 3);
    write_all(&first);
    struct bytes damaged = {0};
    for (size_t i = 0; i < KEYS; i++) {
        struct view saved = driver_saved(first.driver, view_of_text(keys[i]));
        assert_non_null(saved.data);
        assert_true(begin_with(&again, &first, keys[i], saved));
        for (size_t place = 0; damage(saved, place, 0, &damaged, &first.arena); place++) {
            for (size_t k = 0; k < sizeof extremes / sizeof *extremes; k++) {
                damage(saved, place, extremes[k], &damaged, &first.arena);
                begin_with(&again, &first, keys[i], bytes_view(&damaged));
                arena_reset(&first.arena);
            }
        }
    }
    bytes_finish(&damaged);
    stage_end(&first);
}

/* Whatever anybody writes to kpi.deltas: a stage that could not read its own checkpoint would never start again. */
static void what_deltas_say_can_be_read_again(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof extremes / sizeof *extremes; k++) {
        struct stage_under_test stage;
        stage_begin(&stage, "Europe/Berlin", NULL);
        live(&stage, NULL, at(NOW), 2, 1);
        for (size_t i = 0; i < KEYS; i++) {
            for (int field = 0; field < 7; field++) {
                int64_t value = extremes[k];
                struct kpi_delta_bin bin = {.index = 200, .count = field == 0 ? value : 1};
                struct kpi_delta_bucket bucket = {.minute = field == 1 ? value : at(NOW) / 60000, .n = field == 2 ? value : 1, .num = field == 3 ? value : 0,
                                                  .sum = field == 4 ? value : 1, .immature = field == 5 ? value : 0};
                struct kpi_delta delta = {.kind = i == 0 ? DELTA_KIND_CLOCK : keys[i][0] == '\001' ? DELTA_KIND_HEARD : DELTA_KIND_ADD, .kpi = VIEW_LITERAL("x"),
                                          .dimension = VIEW_LITERAL(""), .clock_at_ms = field == 6 ? value : at(NOW)};
                bucket.histogram.items = &bin;
                bucket.histogram.count = field == 0;
                delta.buckets.items = &bucket;
                delta.buckets.count = 1;
                feed_delta(&stage, keys[i], &delta);
            }
        }
        live(&stage, NULL, at(NOW) + HOURS(3), 2, 1);
        write_all(&stage);
        driver_recover(stage.driver);
        live(&stage, NULL, at(NOW) + HOURS(5), 2, 1);
        stage_end(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_deltas_say_can_be_read_again),
                                       cmocka_unit_test(no_number_of_an_entry_does_harm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
