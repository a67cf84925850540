/* Rows of one series through the detector of shifts: a day's rhythm, noise, and a level that changes half way. */
#include "base/random.h"
#include "processors/kpi/trend/trend.h"
#include "tests/bench/counts/counts.h"

#include <math.h>

enum { ROWS = 2000, HOUR_MS = 3600000 };

static COUNTED void count_detector(struct trend *trend, int64_t at_ms, double value)
{
    struct trend_change shifts[TREND_SHIFTS_MOST];
    trend_add(trend, at_ms, value, 100, 0, shifts, TREND_SHIFTS_MOST);
}

size_t counts_of_detector(void)
{
    const double pi = 3.14159265358979;
    struct random random;
    random_init(&random, 1);
    struct trend *trend = trend_create(&(struct trend_config){.resolution = TREND_HOUR, .seasonal = true, .false_alarms_per_point = 1e-5});
    for (int64_t i = 0; i < ROWS; i++) {
        double noise = (double)random_below(&random, 1000) / 1000, level = i < ROWS / 2 ? 40 : 43;
        count_detector(trend, INT64_C(1780000000000) + i * HOUR_MS, level + 5 * sin((double)i * pi / 12) + noise);
    }
    trend_destroy(trend);
    return ROWS;
}
