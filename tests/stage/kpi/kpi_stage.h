/* The kpi stage on the driver, with words for its tests: add this, the clock says that, what is published? */
#ifndef TS_TESTS_STAGE_KPI_STAGE_H
#define TS_TESTS_STAGE_KPI_STAGE_H

#include "base/clock.h"
#include "base/random.h"
#include "base/time_text.h"
#include "processors/kpi/kpi.h"
#include "schemas/kpi_sums.h"
#include "schemas/records.h"
#include "schemas/wire.h"
#include "tests/stage/driver.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

struct stage_under_test {
    struct kpi_settings settings;
    struct kpi_shared shared;
    struct driver *driver;
    struct arena arena; /* of decoded outputs */
    int64_t record_ms;  /* record time: moves on with each feed_clock, so that each is a flush */
};

/* One of `partitions` of kpi.deltas. */
static inline void stage_begin_partition(struct stage_under_test *stage, const char *zone, const char *trend_dimensions, int32_t partition,
                                         int32_t partitions)
{
    *stage = (struct stage_under_test){
        .settings = {.time_zone = (char *)(uintptr_t)zone, .publish_interval_ms = 1000, .publish_rounds_behind = 2, .lead_ms = 60000,
                     .trend_enabled = trend_dimensions != NULL, .trend_news_ms = DAYS(30), .trend_warm_up_ms = MINUTES(2), .trend_false_alarms_per_month = 4, .trend_series = 4,
                     .trend_dimensions = (char *)(uintptr_t)(trend_dimensions ? trend_dimensions : "all"),
                     .alert_window = (char *)(uintptr_t)"24h", .alert_least_n = 30, .alert_critical_from = 2}, /* of no dimension */
        .record_ms = 1000000};
    struct bytes error = {0};
    stage->shared = (struct kpi_shared){.settings = &stage->settings, .deltas = record_reader_create(&kpi_delta_shape, NULL),
                                        .ids = {1, 2, 3, 4, 5, 9}, .historical_after_ms = HOURS(1), .sentiment_version = "model 7"};
    record_reader_learn(stage->shared.deltas, 9);
    if (!kpi_shared_init(&stage->shared, &error))
        fail_msg("%s", bytes_text(&error));
    arena_init(&stage->arena);
    stage->driver = driver_create_partition(&kpi_processor, &stage->shared, partition, partitions);
}

static inline void stage_begin(struct stage_under_test *stage, const char *zone, const char *trend_dimensions)
{
    stage_begin_partition(stage, zone, trend_dimensions, 0, 1);
}

static inline void stage_end(struct stage_under_test *stage)
{
    driver_destroy(stage->driver);
    record_reader_destroy(stage->shared.deltas);
    kpi_shared_finish(&stage->shared);
    arena_finish(&stage->arena);
}

static inline int64_t at(const char *text)
{
    int64_t at_ms = 0;
    if (!time_text_parse(view_of_text(text), &at_ms))
        fail_msg("%s is not a time", text);
    return at_ms;
}

static inline enum outcome feed_delta(struct stage_under_test *stage, const char *key, const struct kpi_delta *delta)
{
    struct bytes value = {0};
    wire_begin(&value, 9);
    kpi_delta_encode(&value, delta);
    enum outcome outcome = driver_feed(stage->driver, view_of_text(key), bytes_view(&value), stage->record_ms);
    bytes_finish(&value);
    return outcome;
}

/* `key`: "nps|channel=EMAIL"; `duration_ms` < 0: no histogram. */
static inline void feed_add(struct stage_under_test *stage, const char *key, int64_t at_ms, struct kpi_sums sums, int64_t duration_ms)
{
    const char *bar = strchr(key, '|');
    struct kpi_delta_bin bin = {.index = kpi_duration_bin(duration_ms), .count = sums.n};
    struct kpi_delta_bucket bucket = {.minute = at_ms / 60000, .n = sums.n, .num = sums.num, .sum = sums.sum,
                                      .immature = sums.immature, .sum_squares_low = (int64_t)(uint64_t)sums.sum_squares,
                                      .sum_squares_high = (int64_t)(sums.sum_squares >> 64)};
    bucket.histogram.items = &bin;
    bucket.histogram.count = duration_ms >= 0;
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = view_of(key, (size_t)(bar - key)), .dimension = view_of_text(bar + 1)};
    delta.buckets.items = &bucket;
    delta.buckets.count = 1;
    assert_int_equal(feed_delta(stage, key, &delta), OUTCOME_OK);
}

static inline void feed_clock_of(struct stage_under_test *stage, int32_t source, int64_t at_ms, bool is_behind)
{
    struct kpi_delta delta = {.kind = DELTA_KIND_CLOCK, .kpi = VIEW_LITERAL(""), .dimension = VIEW_LITERAL(""),
                              .source_partition = source, .clock_at_ms = at_ms, .has_is_behind = is_behind, .is_behind = is_behind};
    stage->record_ms += 1000;
    assert_int_equal(feed_delta(stage, KPI_CLOCK_KEY, &delta), OUTCOME_OK);
}

static inline void feed_clock(struct stage_under_test *stage, int64_t at_ms)
{
    feed_clock_of(stage, 0, at_ms, false);
}

/* The newest record under "KPI|WINDOW|DIMENSION". false: none, or a tombstone. */
static inline bool find_kpi(struct stage_under_test *stage, const char *key, struct kpi *out)
{
    const struct driver_output *output = driver_latest(stage->driver, "kpis", view_of_text(key));
    if (!output || !output->value.data)
        return false;
    struct view avro;
    uint32_t id;
    assert_true(wire_split(output->value, &id, &avro));
    assert_int_equal(id, 1);
    assert_true(kpi_decode(out, avro, &stage->arena));
    return true;
}

static inline struct kpi published(struct stage_under_test *stage, const char *key)
{
    struct kpi out;
    if (!find_kpi(stage, key, &out))
        fail_msg("%s is not published", key);
    return out;
}

static inline void is_close(double value, double expected)
{
    double difference = value - expected, scale = expected < 0 ? 1 - expected : 1 + expected;
    if (!(difference < 1e-12 * scale && -difference < 1e-12 * scale))
        fail_msg("%.17g, expected %.17g", value, expected);
}

/* Now and then a checkpoint begins, goes on, or all is lost but what it has: one time in so many. */
struct chaos {
    struct random random;
    uint32_t write_in, recover_in;
    bool is_in_pass;
};

static inline void chaos_init(struct chaos *chaos, uint64_t seed, uint32_t write_in, uint32_t recover_in)
{
    *chaos = (struct chaos){.write_in = write_in, .recover_in = recover_in};
    random_init(&chaos->random, seed + 1000);
}

static inline void chaos_strike(struct chaos *chaos, struct stage_under_test *stage)
{
    if (!chaos->is_in_pass && random_below(&chaos->random, 40) == 0) {
        driver_checkpoint_begin(stage->driver);
        chaos->is_in_pass = true;
    } else if (chaos->is_in_pass && random_below(&chaos->random, chaos->write_in) == 0) {
        chaos->is_in_pass = !driver_checkpoint_write(stage->driver, 1 + random_below(&chaos->random, 3));
    }
    if (random_below(&chaos->random, chaos->recover_in) == 0) {
        driver_recover(stage->driver);
        chaos->is_in_pass = false;
    }
}

#endif
