/* What a person watching a KPI would want to hear from the detector, and what not. */
#include "processors/kpi/trend/trend.h"

#include "base/time_zone.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SHIFTS_MOST = 64 };

struct heard {
    struct trend_change shift[SHIFTS_MOST];
    int count;
};

static const struct trend_config plain = {.resolution = TREND_OTHER, .false_alarms_per_point = 1e-4};
static const struct trend_config hourly = {.resolution = TREND_HOUR, .seasonal = true, .false_alarms_per_point = 1e-5};

static uint64_t dice;

static double uniform(void)
{
    dice += 0x9e3779b97f4a7c15u;
    uint64_t x = dice;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return ((double)((x ^ (x >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* The same, saved and loaded: what we have written is never refused. */
static struct trend *renewed(struct trend *trend, const struct trend_config *config)
{
    struct bytes saved = {0};
    trend_save(trend, &saved);
    trend_destroy(trend);
    trend = trend_load(config, bytes_view(&saved));
    assert_non_null(trend);
    bytes_finish(&saved);
    return trend;
}

static void add(struct trend *trend, int64_t row, double value, struct heard *heard)
{
    heard->count += (int)trend_add(trend, row * 3600000, value, 0, 0, &heard->shift[heard->count],
                                   (size_t)(SHIFTS_MOST - heard->count));
}

static struct heard listen(const struct trend_config *config, const double *values, int64_t rows)
{
    struct trend *trend = trend_create(config);
    struct heard heard = {.count = 0};
    for (int64_t row = 0; row < rows; row++)
        add(trend, row, values[row], &heard);
    trend_destroy(trend);
    return heard;
}

static int count_of(const struct heard *heard, enum trend_kind kind)
{
    int count = 0;
    for (int k = 0; k < heard->count; k++)
        count += heard->shift[k].kind == kind;
    return count;
}

static void noise(double *values, int rows, double level, double sigma, uint64_t seed)
{
    dice = seed;
    for (int row = 0; row < rows; row++)
        values[row] = level + sigma * normal();
}

static void a_level_shift_is_said_once_with_onset_and_levels(void **state)
{
    (void)state;
    double values[300];
    noise(values, 300, 50, 2, 1);
    for (int row = 200; row < 300; row++)
        values[row] += 12;
    struct heard heard = listen(&plain, values, 300);
    assert_int_equal(count_of(&heard, TREND_KIND_LEVEL), 1);
    for (int k = 0; k < heard.count; k++) {
        const struct trend_change *shift = &heard.shift[k];
        if (shift->kind != TREND_KIND_LEVEL)
            continue;
        assert_in_range(shift->onset_row, 199, 201);
        assert_in_range(shift->detected_row, shift->onset_row, 210);
        assert_int_equal(shift->onset_at_ms, shift->onset_row * 3600000);
        assert_true(fabs(shift->before - 50) < 2 && fabs(shift->after - 62) < 4);
        assert_true(shift->confidence > 0.5 && shift->confidence <= 1);
    }
}

/* Shares of n: where one falls from 0.95 it scatters more for that alone, sqrt(p(1-p)/n). */
static double share_of(double share, int of)
{
    int count = 0;
    for (int k = 0; k < of; k++)
        count += uniform() < share;
    return (double)count / of;
}

static void a_rate_that_falls_has_changed_its_level_though_it_scatters_more(void **state)
{
    (void)state;
    int levels = 0, spreads = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        double values[160];
        dice = seed;
        for (int row = 0; row < 160; row++)
            values[row] = share_of(row < 120 ? 0.95 : 0.75, 40);
        struct heard heard = listen(&plain, values, 160);
        levels += count_of(&heard, TREND_KIND_LEVEL) > 0;
        spreads += count_of(&heard, TREND_KIND_VARIANCE) > 0;
    }
    assert_true(levels >= 190);
    assert_true(spreads <= 10);
}

static void one_odd_point_is_a_spike_and_no_level(void **state)
{
    (void)state;
    double values[300];
    noise(values, 300, 50, 2, 2);
    values[200] = 90;
    struct heard heard = listen(&plain, values, 300);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.shift[0].kind, TREND_KIND_SPIKE);
    assert_int_equal(heard.shift[0].onset_row, 200);
    assert_int_equal(heard.shift[0].detected_row, 200);
}

static void the_unit_does_not_matter(void **state)
{
    (void)state;
    double values[400], scaled[400];
    noise(values, 400, 50, 2, 3);
    for (int row = 250; row < 400; row++)
        values[row] += 8;
    struct heard one = listen(&plain, values, 400);
    assert_true(one.count > 0);
    for (int exponent = -6; exponent <= 9; exponent += 15) {
        for (int row = 0; row < 400; row++)
            scaled[row] = values[row] * pow(10, exponent);
        struct heard other = listen(&plain, scaled, 400);
        assert_int_equal(other.count, one.count);
        for (int k = 0; k < one.count; k++)
            assert_int_equal(other.shift[k].onset_row, one.shift[k].onset_row);
    }
}

static void a_daily_and_weekly_rhythm_is_no_shift_but_a_drop_in_it_is(void **state)
{
    (void)state;
    enum { ROWS = 24 * 7 * 8 };
    double *values = malloc(ROWS * sizeof *values);
    noise(values, ROWS, 0, 4, 4);
    for (int row = 0; row < ROWS; row++) {
        int hour = row % 24, day = row / 24 % 7;
        values[row] += 100 + 40 * sin(2 * M_PI * hour / 24.0) - (day >= 5 ? 30 : 0);
    }
    struct heard calm = listen(&hourly, values, ROWS);
    for (int k = 0; k < calm.count; k++) /* the second weekend may surprise */
        assert_true(calm.shift[k].onset_row < 24 * 14);
    for (int row = 24 * 7 * 6; row < ROWS; row++)
        values[row] -= 25;
    struct heard heard = listen(&hourly, values, ROWS);
    int late = 0;
    for (int k = 0; k < heard.count; k++)
        late += heard.shift[k].kind == TREND_KIND_LEVEL && llabs(heard.shift[k].onset_row - 24 * 7 * 6) <= 2;
    assert_int_equal(late, 1);
    free(values);
}

static double count_around(double mean) /* about Poisson */
{
    return fmax(0, round(mean + sqrt(mean) * normal()));
}

/* Where nothing happens, alarms come as often as allowed and not much more: also where nights and weekends are quieter in
 * level and in noise, and where samples are small at night. */
static void alarms_keep_to_the_budget_where_noise_has_a_rhythm_too(void **state)
{
    (void)state;
    enum { ROWS = 24 * 364, YEARS = 3 };
    const double budget = 1 / 730.5;
    const struct trend_config config = {.resolution = TREND_HOUR, .seasonal = true, .false_alarms_per_point = budget};
    for (int has_samples = 0; has_samples < 2; has_samples++) {
        int alarms = 0;
        dice = 17;
        for (int year = 0; year < YEARS; year++) {
            struct trend *trend = trend_create(&config);
            for (int64_t row = 0; row < ROWS; row++) {
                double traffic = 60 * (1 + 0.8 * sin(2 * M_PI * (double)(row % 24) / 24)) * (row / 24 % 7 >= 5 ? 0.5 : 1);
                double n = 1 + count_around(traffic), value = has_samples ? 0.8 + 0.4 / sqrt(n) * normal() : count_around(traffic);
                struct trend_change shifts[4];
                alarms += (int)trend_add(trend, row * 3600000, value, has_samples ? n : 0, 0, shifts, 4);
            }
            trend_destroy(trend);
        }
        assert_in_range(alarms, (int)(0.6 * YEARS * ROWS * budget), (int)(1.4 * YEARS * ROWS * budget));
    }
}

/* The hours of three days differ by chance alone; that is no rhythm to wait for. */
static void a_step_in_the_first_week_of_a_series_without_a_rhythm_is_said(void **state)
{
    (void)state;
    int placed = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        double values[168];
        int step = seed % 2 ? 60 : 100;
        noise(values, 168, 10, 1, seed);
        for (int row = step; row < 168; row++)
            values[row] += 6;
        struct heard heard = listen(&hourly, values, 168);
        bool is_said = false, is_placed = false;
        for (int k = 0; k < heard.count; k++) {
            is_said |= heard.shift[k].kind == TREND_KIND_LEVEL;
            is_placed |= heard.shift[k].kind == TREND_KIND_LEVEL && llabs(heard.shift[k].onset_row - step) <= 1;
        }
        assert_true(is_said);
        placed += is_placed;
    }
    assert_in_range(placed, 36, 40); /* the hours are still being learned, and may take in some of it first */
}

static void gaps_and_constants_are_calm(void **state)
{
    (void)state;
    double values[500];
    for (int row = 0; row < 500; row++)
        values[row] = row % 7 == 3 ? NAN : 45;
    assert_int_equal(listen(&plain, values, 500).count, 0);
    for (int row = 0; row < 500; row++)
        values[row] = NAN;
    assert_int_equal(listen(&plain, values, 500).count, 0);
}

static void leaving_a_constant_is_said(void **state)
{
    (void)state;
    double values[200];
    for (int row = 0; row < 200; row++)
        values[row] = row < 100 ? 45 : 60;
    struct heard heard = listen(&plain, values, 200);
    assert_int_equal(count_of(&heard, TREND_KIND_LEVEL), 1);
}

/* The same odd value: from 4 answers it is chance, from 4,000 it is not. */
static void a_small_sample_may_be_far_off_a_large_one_may_not(void **state)
{
    (void)state;
    for (int large = 0; large < 2; large++) {
        struct trend *trend = trend_create(&plain);
        struct trend_change shift[TREND_SHIFTS_MOST];
        size_t said = 0;
        dice = 11;
        for (int64_t row = 0; row < 300; row++) {
            double n = row == 250 ? (large ? 4000 : 4) : 100, value = 0.3 + 0.46 / sqrt(n) * normal();
            if (row == 250)
                value = 0.8;
            said += trend_add(trend, row * 60000, value, n, 0, shift, TREND_SHIFTS_MOST);
        }
        assert_int_equal(said, large);
        trend_destroy(trend);
    }
}

static void a_series_that_begins_to_climb_has_a_trend_shift(void **state)
{
    (void)state;
    double values[400];
    noise(values, 400, 50, 1, 12);
    for (int row = 200; row < 400; row++)
        values[row] += 0.2 * (row - 200);
    struct heard heard = listen(&plain, values, 400);
    assert_true(heard.count >= 1);
    assert_in_range(heard.shift[0].onset_row, 195, 225);
    assert_true(heard.shift[0].detected_row < 260);
}

static void a_series_that_begins_to_wobble_has_a_variance_shift(void **state)
{
    (void)state;
    double values[400];
    noise(values, 400, 50, 1, 13);
    for (int row = 200; row < 400; row++)
        values[row] = 50 + 5 * (values[row] - 50);
    struct heard heard = listen(&plain, values, 400);
    assert_int_equal(count_of(&heard, TREND_KIND_VARIANCE), 1);
    for (int k = 0; k < heard.count; k++)
        if (heard.shift[k].kind == TREND_KIND_VARIANCE) {
            assert_in_range(heard.shift[k].onset_row, 195, 215);
            assert_true(heard.shift[k].after > 2 * heard.shift[k].before);
        }
}

static void a_closed_weekend_is_no_news_in_a_series_by_the_day(void **state)
{
    (void)state;
    const struct trend_config daily = {.resolution = TREND_DAY, .seasonal = true, .false_alarms_per_point = 1e-4};
    struct trend *trend = trend_create(&daily);
    struct trend_change shift[TREND_SHIFTS_MOST];
    size_t said = 0;
    dice = 14;
    for (int64_t day = 0; day < 200; day++) {
        double value = (day % 7 == 2 || day % 7 == 3 ? 20 : 100) + 3 * normal();
        size_t count = trend_add(trend, day * 86400000, value, 0, 0, shift, TREND_SHIFTS_MOST);
        said += day >= 21 ? count : 0;
    }
    assert_int_equal(said, 0);
    trend_destroy(trend);
}

/* What an installation allows a series is one alarm in decades: rarer than any series can teach. */
static void a_tight_budget_is_kept(void **state)
{
    (void)state;
    enum { ROWS = 24 * 365, YEARS = 60 };
    const struct trend_config config = {.resolution = TREND_HOUR, .seasonal = true, .false_alarms_per_point = trend_budget(4, 0.4, 500, TREND_HOUR)};
    int alarms = 0; /* 2.3 are allowed */
    dice = 31;
    for (int year = 0; year < YEARS; year++) {
        struct trend *trend = trend_create(&config);
        struct trend_change shifts[TREND_SHIFTS_MOST];
        for (int64_t row = 0; row < ROWS; row++)
            alarms += (int)trend_add(trend, row * 3600000, count_around(30), 0, 0, shifts, TREND_SHIFTS_MOST);
        trend_destroy(trend);
    }
    assert_in_range(alarms, 0, 5);
}

/* The worth of weekdays once wandered against the level, and after two years a steady series had «risen». */
static void days_with_a_rhythm_stay_calm_for_years(void **state)
{
    (void)state;
    enum { DAYS = 4 * 365, SERIES = 60 };
    const struct trend_config config = {.resolution = TREND_DAY, .seasonal = true, .false_alarms_per_point = trend_budget(4, 0.4, 500, TREND_DAY)};
    int said = 0;
    dice = 32;
    for (int series = 0; series < SERIES; series++) {
        struct trend *trend = trend_create(&config);
        for (int64_t day = 0; day < DAYS; day++) {
            struct trend_change shifts[TREND_SHIFTS_MOST];
            size_t count = trend_add(trend, day * 86400000, count_around(day % 7 == 2 || day % 7 == 3 ? 15 : 36), 0, 0, shifts, TREND_SHIFTS_MOST);
            for (size_t k = 0; k < count; k++)
                said += shifts[k].kind == TREND_KIND_LEVEL;
        }
        trend_destroy(trend);
    }
    assert_in_range(said, 0, 8);
}

static void the_budget_is_shared_by_series_and_points(void **state)
{
    (void)state;
    assert_true(fabs(trend_budget(30.4375, 1, 1, TREND_DAY) - 1) < 1e-9);
    assert_true(fabs(trend_budget(2, 0.5, 100, TREND_HOUR) * 730.5 * 100 - 1) < 1e-9);
    assert_true(trend_budget(1, 1, 0, TREND_MINUTE) == trend_budget(1, 1, 1, TREND_MINUTE));
}

static void a_series_of_zeros_that_comes_to_life_is_said(void **state)
{
    (void)state;
    double values[300];
    noise(values, 300, 40, 2, 15);
    for (int row = 0; row < 200; row++)
        values[row] = 0;
    struct heard heard = listen(&plain, values, 300);
    assert_int_equal(count_of(&heard, TREND_KIND_LEVEL), 1);
}

/* One value of a strange series: steps, spikes, ties, tails, tiny and huge, gaps and infinities. */
static double strange_value(int manner, int row, double *walk)
{
    double chance = uniform();
    *walk += uniform() - 0.5;
    if (chance < 0.05)
        return chance < 0.002 ? INFINITY : chance < 0.004 ? 1e308 * (uniform() - 0.5) : NAN;
    switch (manner) {
    case 0: return *walk;
    case 1: return chance < 0.98 ? 0 : 1 / (uniform() * uniform());
    case 2: return floor(3 * uniform());
    case 3: return tan(M_PI * (uniform() - 0.5));
    case 4: return row / 200 % 2 ? 1e6 : 1e-6;
    case 5: return 1e30 + *walk;
    default: return 1e-20 * exp(10 * uniform() * uniform());
    }
}

static void whatever_comes_in_what_comes_out_are_numbers(void **state)
{
    (void)state;
    dice = 16;
    for (int series = 0; series < 84; series++) {
        struct trend_config config = {.resolution = (enum trend_resolution)(series % 4), .seasonal = series % 3 > 0,
                                      .false_alarms_per_point = pow(10, -8 * uniform())};
        struct trend *trend = trend_create(&config);
        double walk = 0;
        int64_t at_ms = (int64_t)(1e12 * uniform());
        for (int row = 0; row < 1000; row++) {
            struct trend_change shift[TREND_SHIFTS_MOST];
            at_ms += uniform() < 0.02 ? -86400000 : 3600000;
            size_t count = trend_add(trend, at_ms, strange_value(series % 7, row, &walk), uniform() < 0.3 ? 9 : 0, 0, shift,
                                     TREND_SHIFTS_MOST);
            assert_true(trend_score(trend) >= 0 && trend_score(trend) <= 1);
            for (size_t k = 0; k < count; k++) {
                assert_true(shift[k].onset_row >= 0 && shift[k].onset_row <= shift[k].detected_row);
                assert_true(shift[k].confidence >= 0 && shift[k].confidence <= 1);
                assert_false(isnan(shift[k].before) || isnan(shift[k].after) || isnan(shift[k].low) || isnan(shift[k].high));
            }
            if (row % 10 == 0)
                trend = renewed(trend, &config);
        }
        trend_destroy(trend);
    }
}

static void saved_and_loaded_it_says_the_same(void **state)
{
    (void)state;
    double values[600];
    noise(values, 600, 1000, 30, 5);
    for (int row = 300; row < 600; row++)
        values[row] += row < 450 ? 200 : -100;
    struct heard straight = listen(&hourly, values, 600), broken = {.count = 0};
    struct trend *trend = trend_create(&hourly);
    for (int64_t row = 0; row < 600; row++) {
        add(trend, row, values[row], &broken);
        if (row % 50 == 7)
            trend = renewed(trend, &hourly);
    }
    trend_destroy(trend);
    assert_true(straight.count >= 2);
    assert_int_equal(straight.count, broken.count);
    for (int k = 0; k < straight.count; k++) {
        assert_int_equal(straight.shift[k].onset_row, broken.shift[k].onset_row);
        assert_int_equal(straight.shift[k].detected_row, broken.shift[k].detected_row);
        assert_true(straight.shift[k].confidence == broken.shift[k].confidence);
    }
}

static void a_state_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_null(trend_load(&plain, VIEW_LITERAL("not a state")));
    struct trend *trend = trend_create(&plain);
    struct bytes saved = {0};
    trend_save(trend, &saved);
    assert_null(trend_load(&plain, view_of(saved.data, saved.size - 1)));
    bytes_finish(&saved);
    trend_destroy(trend);
}

/* Its hours and weekdays would be others. */
static void what_was_learned_by_other_clocks_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"UTC", "Europe/London", "Europe/Berlin", "America/New_York"};
    enum { ZONES = sizeof names / sizeof *names };
    struct trend_config configs[ZONES];
    struct time_zone *zones[ZONES];
    char error[200];
    for (int i = 0; i < ZONES; i++) {
        configs[i] = hourly;
        configs[i].zone = zones[i] = time_zone_create(names[i], error, sizeof error);
        assert_non_null(zones[i]);
    }
    for (int i = 0; i < ZONES; i++) {
        struct trend *trend = trend_create(&configs[i]);
        struct bytes saved = {0};
        trend_save(trend, &saved);
        trend_destroy(trend);
        for (int k = 0; k < ZONES; k++) {
            trend = trend_load(&configs[k], bytes_view(&saved));
            assert_int_equal(trend != NULL, i == k);
            trend_destroy(trend);
        }
        trend = trend_load(&hourly, bytes_view(&saved)); /* as it was without any zone */
        assert_int_equal(trend != NULL, i == 0);
        trend_destroy(trend);
        bytes_finish(&saved);
    }
    for (int i = 0; i < ZONES; i++)
        time_zone_destroy(zones[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_shift_is_said_once_with_onset_and_levels),
        cmocka_unit_test(a_rate_that_falls_has_changed_its_level_though_it_scatters_more),
        cmocka_unit_test(one_odd_point_is_a_spike_and_no_level),
        cmocka_unit_test(the_unit_does_not_matter),
        cmocka_unit_test(a_daily_and_weekly_rhythm_is_no_shift_but_a_drop_in_it_is),
        cmocka_unit_test(alarms_keep_to_the_budget_where_noise_has_a_rhythm_too),
        cmocka_unit_test(a_step_in_the_first_week_of_a_series_without_a_rhythm_is_said),
        cmocka_unit_test(gaps_and_constants_are_calm),
        cmocka_unit_test(leaving_a_constant_is_said),
        cmocka_unit_test(a_small_sample_may_be_far_off_a_large_one_may_not),
        cmocka_unit_test(a_series_that_begins_to_climb_has_a_trend_shift),
        cmocka_unit_test(a_series_that_begins_to_wobble_has_a_variance_shift),
        cmocka_unit_test(a_closed_weekend_is_no_news_in_a_series_by_the_day),
        cmocka_unit_test(a_tight_budget_is_kept),
        cmocka_unit_test(days_with_a_rhythm_stay_calm_for_years),
        cmocka_unit_test(the_budget_is_shared_by_series_and_points),
        cmocka_unit_test(a_series_of_zeros_that_comes_to_life_is_said),
        cmocka_unit_test(whatever_comes_in_what_comes_out_are_numbers),
        cmocka_unit_test(saved_and_loaded_it_says_the_same),
        cmocka_unit_test(a_state_that_is_none_is_refused),
        cmocka_unit_test(what_was_learned_by_other_clocks_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
