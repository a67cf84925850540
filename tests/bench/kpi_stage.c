/* What an addition costs in the kpi stage, and how large a series is. Prints one line a measurement.
 *
 *     build/release/tests/bench/bench-kpi_stage */
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "processors/kpi/task.h"
#include "schemas/records.h"
#include "schemas/wire.h"
#include "tests/stage/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A stretch of event time with additions every so often, each a minute bucket of one item. */
static void measure_series(enum kpi_id kpi, const char *name, int64_t days, int64_t pause_ms)
{
    struct time_zone *utc = time_zone_create("UTC", NULL, 0);
    struct series series;
    struct random random;
    random_init(&random, 1);
    series_init(&series, kpi, utc);
    int64_t start_ms = INT64_C(1780000000000), count = 0;
    double began = cpu_seconds();
    for (int64_t at_ms = start_ms; at_ms < start_ms + DAYS(days); at_ms += pause_ms, count++) {
        int64_t value = random_below(&random, 1 << 28);
        struct kpi_sums sums = kpi == KPI_RESOLUTION_TIME ? kpi_sums_of_duration(value) : kpi_sums_of_rate(value & 1, false);
        series_advance(&series, at_ms);
        series_add(&series, (int32_t)(at_ms / 60000), &sums);
        if (kpi == KPI_RESOLUTION_TIME)
            series_add_bin(&series, (int32_t)(at_ms / 60000), kpi_duration_bin(value), 1);
    }
    double seconds = cpu_seconds() - began;
    struct series_state state = {.series = series, .key = (char[]){0}};
    struct bytes saved = {0};
    series_state_save(&state, &saved);
    printf("series %-18s %3lld days, one each %6.1f s: %6.0f ns an addition (sliding included), %8zu bytes, %zu in a checkpoint\n", name,
           (long long)days, (double)pause_ms / 1000, seconds / (double)count * 1e9, series_memory_bytes(&series), saved.size);
    bytes_finish(&saved);
    series_finish(&series);
    time_zone_destroy(utc);
}

struct encoded {
    char key[48];
    struct bytes value;
};

static void encode_delta(struct encoded *out, const char *kpi, int series, int64_t minute)
{
    char dimension[24];
    snprintf(dimension, sizeof dimension, "product=P%d", series);
    snprintf(out->key, sizeof out->key, "%s|%s", kpi, dimension);
    struct kpi_delta_bucket bucket = {.minute = minute, .n = 12, .num = 9};
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = view_of_text(kpi), .dimension = view_of_text(dimension)};
    delta.buckets.items = &bucket;
    delta.buckets.count = 1;
    bytes_clear(&out->value);
    wire_begin(&out->value, 9);
    kpi_delta_encode(&out->value, &delta);
}

/* The whole stage on the driver, which adds some 200 ns a record of its own (a copy of it, for its log). */
static void measure_stage(struct kpi_shared *shared, int series_count, int deltas, int flush_each)
{
    struct driver *driver = driver_create(&kpi_processor, shared, 8);
    struct encoded encoded = {0}, clock = {0};
    int64_t start_ms = INT64_C(1780000000000);
    int64_t flushes = 0;
    double began = cpu_seconds();
    for (int i = 0; i < deltas; i++) {
        int64_t at_ms = start_ms + (int64_t)i * 1000 / flush_each;
        encode_delta(&encoded, "csat_top2", i % series_count, at_ms / 60000);
        driver_feed(driver, view_of_text(encoded.key), bytes_view(&encoded.value), at_ms);
        if (i % flush_each)
            continue;
        struct kpi_delta delta = {.kind = DELTA_KIND_CLOCK, .kpi = VIEW_LITERAL(""), .dimension = VIEW_LITERAL(""), .clock_at_ms = at_ms};
        bytes_clear(&clock.value);
        wire_begin(&clock.value, 9);
        kpi_delta_encode(&clock.value, &delta);
        driver_feed(driver, VIEW_LITERAL(KPI_CLOCK_KEY), bytes_view(&clock.value), at_ms);
        flushes += (int64_t)driver_output_count(driver);
        driver_forget_outputs(driver);
        driver_commit(driver);
    }
    double seconds = cpu_seconds() - began;
    printf("stage: %d series, %d deltas, %lld records of kpis: %.0f ns a delta all in all, %.0f ns by record published\n",
           series_count, deltas, (long long)flushes, seconds / deltas * 1e9, seconds / (double)(flushes ? flushes : 1) * 1e9);
    began = cpu_seconds();
    driver_checkpoint_begin(driver);
    driver_checkpoint_write(driver, SIZE_MAX);
    printf("checkpoint: %.1f us and %.0f bytes a series\n", (cpu_seconds() - began) / series_count * 1e6,
           (double)driver_checkpoint_bytes(driver) / series_count);
    driver_destroy(driver);
    bytes_finish(&encoded.value);
    bytes_finish(&clock.value);
}

int main(void)
{
    char *utc = memory_copy_text("UTC"), *all = memory_copy_text("all");
    struct kpi_settings settings = {.time_zone = utc, .publish_interval_ms = 1000, .lead_ms = 60000, .trend_enabled = true,
                                    .trend_news_ms = DAYS(30), .trend_false_alarms_per_month = 4, .trend_series = 500, .trend_dimensions = all};
    struct kpi_shared shared = {.settings = &settings, .deltas = record_reader_create(&kpi_delta_shape, NULL), .ids = {1, 2, 3, 4}};
    struct bytes error = {0};
    record_reader_learn(shared.deltas, 9);
    if (!kpi_shared_init(&shared, &error))
        return 1;
    measure_series(KPI_CSAT_TOP2, "csat_top2", 100, 60000);
    measure_series(KPI_CSAT_TOP2, "csat_top2", 100, 3600000);
    measure_series(KPI_RESOLUTION_TIME, "resolution_time", 100, 60000);
    measure_series(KPI_RESOLUTION_TIME, "resolution_time", 100, 3600000);
    measure_series(KPI_RESOLUTION_TIME, "resolution_time", 100, 600);
    measure_stage(&shared, 1000, 2000000, 1000000);
    measure_stage(&shared, 1000, 1000000, 1000);
    kpi_shared_finish(&shared);
    record_reader_destroy(shared.deltas);
    free(utc);
    free(all);
    return 0;
}
