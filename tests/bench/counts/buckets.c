/* Additions to the minutes, hours and days of one series of durations, over some days of event time. */
#include "base/random.h"
#include "processors/kpi/task.h"
#include "tests/bench/counts/counts.h"

enum { ADDITIONS = 10000, PAUSE_MS = 60000 };

static COUNTED void count_bucket_add(struct series *series, int64_t at_ms, int64_t value)
{
    struct kpi_sums sums = kpi_sums_of_duration(value);
    series_advance(series, at_ms);
    series_add(series, (int32_t)(at_ms / 60000), &sums);
    series_add_bin(series, (int32_t)(at_ms / 60000), kpi_duration_bin(value), 1);
}

size_t counts_of_buckets(void)
{
    struct time_zone *utc = time_zone_create("UTC", NULL, 0);
    struct series series;
    struct random random;
    random_init(&random, 1);
    series_init(&series, KPI_RESOLUTION_TIME, utc);
    for (int64_t i = 0; i < ADDITIONS; i++)
        count_bucket_add(&series, INT64_C(1780000000000) + i * PAUSE_MS, (int64_t)random_below(&random, 1 << 28));
    series_finish(&series);
    time_zone_destroy(utc);
    return ADDITIONS;
}
