/* A detector's state is bytes that somebody gave back to us. Each number in it is made one that it cannot be: such a state is refused, or whatever it
 * says is reckoned with without anything undefined (the sanitizers watch), and what is told of it are numbers. */
#include "processors/kpi/trend/trend.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct trend_config plain = {.resolution = TREND_OTHER, .false_alarms_per_point = 1e-3},
                                 hourly = {.resolution = TREND_HOUR, .seasonal = true, .scale = TREND_ROOT, .false_alarms_per_point = 1e-3},
                                 daily = {.resolution = TREND_DAY, .seasonal = true, .scale = TREND_SHARE, .least_noise = 0.5, .false_alarms_per_point = 1e-3};

enum { MARK = 16, ROWS_AFTER = 12 };

/* A rhythm, some noise, a level that moves now and then, rows that are missing. */
static double value_of(const struct trend_config *config, int64_t row)
{
    double level = row / 40 % 2 ? 0.8 : 0.6, noise = (double)(row * 7919 % 101) / 1000, value = level + noise + 0.05 * (double)(row % 24 > 8);
    return row % 29 == 17 ? NAN : config->scale == TREND_ROOT ? 100 * value : value;
}

static size_t add(struct trend *trend, const struct trend_config *config, int64_t row, struct trend_change *found)
{
    int64_t length_ms = config->resolution == TREND_DAY ? 86400000 : 3600000;
    return trend_add(trend, INT64_C(1780000000000) + row * length_ms, value_of(config, row), 50, 0, found, TREND_SHIFTS_MOST);
}

static void is_number(double value, size_t at)
{
    if (!isfinite(value))
        fail_msg("what is damaged at %zu makes it tell of %g", at, value);
}

/* false: refused. */
static bool go_on(const struct trend_config *config, struct view saved, int64_t row, size_t at)
{
    struct trend *trend = trend_load(config, saved);
    if (!trend)
        return false;
    for (int64_t end = row + ROWS_AFTER; row < end; row++) {
        struct trend_change found[TREND_SHIFTS_MOST];
        size_t count = add(trend, config, row, found);
        for (size_t i = 0; i < count; i++) {
            is_number(found[i].before, at);
            is_number(found[i].after, at);
            is_number(found[i].low, at);
            is_number(found[i].high, at);
            is_number(found[i].confidence, at);
            assert_true(found[i].confidence >= 0 && found[i].confidence <= 1);
        }
        double level, slope;
        if (trend_stands_at(trend, &level, &slope)) {
            is_number(level, at);
            is_number(slope, at);
        }
        assert_true(trend_score(trend) >= 0 && trend_score(trend) <= 1);
    }
    trend_destroy(trend);
    return true;
}

/* Puts each of them at each place. */
static void damage_each(const struct trend_config *config, struct view saved, int64_t row, const void *numbers, size_t size, size_t count)
{
    char *copy = malloc(saved.size);
    for (size_t at = MARK; at + size <= saved.size; at += size) {
        for (size_t i = 0; i < count; i++) {
            memcpy(copy, saved.data, saved.size);
            memcpy(copy + at, (const char *)numbers + i * size, size);
            go_on(config, view_of(copy, saved.size), row, at);
        }
    }
    free(copy);
}

static void no_number_does_harm(const struct trend_config *config, int64_t rows)
{
    static const int64_t longs[] = {INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1, INT64_MAX / 2 + 1, -1};
    static const int32_t ints[] = {INT32_MAX, INT32_MIN, -1, 23, 24, 25, 4, 3};
    static const double doubles[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 1e155, 0, -1, 5e-324};
    static const float floats[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 0, -1};
    static const unsigned char bytes[] = {2, 255};
    struct trend *trend = trend_create(config);
    struct bytes saved = {0};
    struct trend_change found[TREND_SHIFTS_MOST];
    for (int64_t row = 0; row < rows; row++)
        add(trend, config, row, found);
    trend_save(trend, &saved);
    trend_destroy(trend);
    assert_true(go_on(config, bytes_view(&saved), rows, 0));
    damage_each(config, bytes_view(&saved), rows, longs, sizeof *longs, sizeof longs / sizeof *longs);
    damage_each(config, bytes_view(&saved), rows, doubles, sizeof *doubles, sizeof doubles / sizeof *doubles);
    damage_each(config, bytes_view(&saved), rows, ints, sizeof *ints, sizeof ints / sizeof *ints);
    damage_each(config, bytes_view(&saved), rows, floats, sizeof *floats, sizeof floats / sizeof *floats);
    damage_each(config, bytes_view(&saved), rows, bytes, 1, sizeof bytes);
    bytes_finish(&saved);
}

static void of_a_plain_series(void **state)
{
    (void)state;
    no_number_does_harm(&plain, 3);
    no_number_does_harm(&plain, 500);
}

static void of_hours(void **state)
{
    (void)state;
    no_number_does_harm(&hourly, 0);
    no_number_does_harm(&hourly, 600);
}

static void of_days(void **state)
{
    (void)state;
    no_number_does_harm(&daily, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_a_plain_series), cmocka_unit_test(of_hours), cmocka_unit_test(of_days)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
