/* Scales on which noise is even: there and back again, and what a detector says is in the KPI's own unit. */
#include "processors/kpi/trend/trend.h"
#include "tests/unit/cmocka_all.h"
#include "tests/unit/trend/draws.h"

enum { DRAWS = 40000, ROWS = 600, SHIFTS_MOST = 40 };

static const enum trend_scale scales[] = {TREND_LINEAR, TREND_ROOT, TREND_LOG, TREND_SHARE};

static double share(struct random *random, double p, int n)
{
    int hits = 0;
    for (int i = 0; i < n; i++)
        hits += random_unit(random) < p;
    return (double)hits / n;
}

struct moments {
    double mean, variance, mean_on_scale, variance_on_scale;
};

static void note(struct moments *sums, enum trend_scale scale, double value, double n)
{
    double level = scale_in(scale, value, n);
    sums->mean += value / DRAWS;
    sums->variance += value * value / DRAWS;
    sums->mean_on_scale += level / DRAWS;
    sums->variance_on_scale += level * level / DRAWS;
}

static struct moments closed(struct moments sums)
{
    sums.variance -= sums.mean * sums.mean;
    sums.variance_on_scale -= sums.mean_on_scale * sums.mean_on_scale;
    return sums;
}

static struct moments counts_of(double mean)
{
    struct random random;
    struct moments sums = {0};
    random_init(&random, 3);
    for (int i = 0; i < DRAWS; i++)
        note(&sums, TREND_ROOT, draw_poisson(&random, mean), 0);
    return closed(sums);
}

static struct moments shares_of(double p, int n)
{
    struct random random;
    struct moments sums = {0};
    random_init(&random, 4);
    for (int i = 0; i < DRAWS; i++)
        note(&sums, TREND_SHARE, share(&random, p, n), n);
    return closed(sums);
}

static struct moments durations_of(double mean_ms)
{
    struct random random;
    struct moments sums = {0};
    random_init(&random, 5);
    for (int i = 0; i < DRAWS; i++)
        note(&sums, TREND_LOG, mean_ms * exp(0.4 * random_normal(&random)), 0);
    return closed(sums);
}

static void noise_is_even_on_it(void **unused)
{
    (void)unused;
    for (double mean = 3; mean < 200; mean *= 2)
        assert_true(fabs(counts_of(mean).variance_on_scale - 1) < 0.12);
    for (double p = 0.1; p < 0.95; p += 0.2)
        assert_true(fabs(shares_of(p, 40).variance_on_scale * (4 * 40 + 2) - 1) < 0.06);
    for (double mean_ms = 1e5; mean_ms < 1e9; mean_ms *= 10)
        assert_true(fabs(durations_of(mean_ms).variance_on_scale - 0.16) < 0.01);
}

static void a_mean_comes_back_as_the_mean(void **unused)
{
    (void)unused;
    for (double mean = 0.5; mean < 200; mean *= 2) {
        struct moments is = counts_of(mean);
        assert_true(fabs(scale_mean(TREND_ROOT, is.mean_on_scale, is.variance_on_scale, 0) - is.mean) < 1e-6 * mean);
    }
    for (double p = 0.05; p < 1; p += 0.15)
        for (int n = 10; n <= 160; n *= 4) {
            struct moments is = shares_of(p, n);
            assert_true(fabs(scale_mean(TREND_SHARE, is.mean_on_scale, is.variance_on_scale, 1.0 / n) - is.mean) < 0.004);
        }
    struct moments is = durations_of(7.2e6);
    assert_true(fabs(scale_mean(TREND_LOG, is.mean_on_scale, is.variance_on_scale, 0) / is.mean - 1) < 0.01);
}

/* Without noise nothing is to be put right. */
static void a_value_comes_back_as_it_was(void **unused)
{
    (void)unused;
    static const double values[] = {0, 0.02, 0.5, 0.98, 1, 3, 700, 3.6e6};
    for (size_t k = 0; k < sizeof scales / sizeof *scales; k++)
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            if (scales[k] == TREND_SHARE && values[i] > 1)
                continue;
            double level = scale_in(scales[k], values[i], 0), of_many = scale_in(scales[k], values[i], 50);
            assert_true(fabs(scale_out(scales[k], level) - values[i]) <= 1e-9 * (1 + values[i]));
            assert_true(fabs(scale_mean(scales[k], of_many, 0, 1.0 / 50) - values[i]) <= 1e-9 * (1 + values[i]));
            double slope = scale_slope(scales[k], level), up = scale_out(scales[k], level + 1e-5);
            assert_true(fabs((up - values[i]) / 1e-5 - slope) <= 1e-3 * (1 + slope));
        }
}

static void beyond_the_domain_is_its_end(void **unused)
{
    (void)unused;
    assert_true(scale_in(TREND_ROOT, -4, 0) == scale_in(TREND_ROOT, 0, 0) && scale_in(TREND_LOG, -1, 0) == scale_in(TREND_LOG, 0, 0));
    assert_true(scale_in(TREND_SHARE, 1.2, 9) == scale_in(TREND_SHARE, 1, 9) && scale_in(TREND_SHARE, -0.1, 9) == scale_in(TREND_SHARE, 0, 9));
    assert_true(scale_out(TREND_ROOT, -1) == 0 && scale_out(TREND_LOG, 1) == 0 && scale_out(TREND_SHARE, -1) == 0 && scale_out(TREND_SHARE, 2) == 1);
    assert_true(scale_mean(TREND_ROOT, 0, 0.1, 0) == 0 && scale_mean(TREND_SHARE, 0, 0, 0.1) == 0);
    assert_true(scale_mean(TREND_ROOT, -3, 0, 0) == 0 && scale_mean(TREND_SHARE, -0.5, 0, 0) == 0 && scale_mean(TREND_SHARE, 2, 0, 0) == 1);
}

/* --- a detector on a scale */

static const struct trend_config on_root = {.resolution = TREND_OTHER, .scale = TREND_ROOT, .false_alarms_per_point = 1e-4};
static const struct trend_config on_share = {.resolution = TREND_OTHER, .scale = TREND_SHARE, .false_alarms_per_point = 1e-4};

struct heard {
    struct trend_change change[SHIFTS_MOST];
    size_t count;
};

static void listen(struct trend *trend, int64_t row, double value, double n, struct heard *heard)
{
    heard->count += trend_add(trend, row * 3600000, value, n, 0, &heard->change[heard->count], SHIFTS_MOST - heard->count);
}

static const struct trend_change *first_of(const struct heard *heard, enum trend_kind kind)
{
    for (size_t i = 0; i < heard->count; i++)
        if (heard->change[i].kind == kind)
            return &heard->change[i];
    fail_msg("no %s is said", trend_kind_name(kind));
    return NULL;
}

static void a_count_that_falls_is_said_in_counts(void **unused)
{
    (void)unused;
    struct trend *trend = trend_create(&on_root);
    struct heard heard = {.count = 0};
    struct random random;
    double level, slope;
    random_init(&random, 11);
    for (int64_t row = 0; row < ROWS; row++)
        listen(trend, row, draw_poisson(&random, row < 400 ? 40 : 20), 0, &heard);
    const struct trend_change *fall = first_of(&heard, TREND_KIND_LEVEL);
    assert_true(fall->onset_row >= 398 && fall->onset_row <= 402);
    assert_true(fabs(fall->before - 40) < 3 && fabs(fall->after - 20) < 4);
    assert_true(fall->low > 22 && fall->low < 32 && fall->high > 48 && fall->high < 60);
    assert_true(trend_stands_at(trend, &level, &slope) && fabs(level - 20) < 1.5 && fabs(slope) < 0.1);
    trend_destroy(trend);
}

static void a_climb_that_ends_is_said_in_counts_a_row(void **unused)
{
    (void)unused;
    struct trend *trend = trend_create(&on_root);
    struct heard heard = {.count = 0};
    struct random random;
    double level, slope;
    random_init(&random, 7);
    for (int64_t row = 0; row < 500; row++) {
        double on_scale = 10 + 0.1 * (double)(row < 400 ? row : 400) + random_normal(&random);
        listen(trend, row, scale_out(TREND_ROOT, on_scale), 0, &heard);
        if (row == 399)
            assert_true(trend_stands_at(trend, &level, &slope) && fabs(slope - 0.1 * 50 / 2) < 0.5);
    }
    const struct trend_change *bend = first_of(&heard, TREND_KIND_TREND);
    assert_true(fabs(bend->before - 0.1 * 50 / 2) < 0.5 && bend->after < 1);
    trend_destroy(trend);
}

static void an_odd_share_is_said_as_it_was(void **unused)
{
    (void)unused;
    struct trend *trend = trend_create(&on_share);
    struct heard heard = {.count = 0};
    struct random random;
    random_init(&random, 13);
    for (int64_t row = 0; row < ROWS; row++)
        listen(trend, row, row == 500 ? 0.5 : share(&random, 0.95, 60), 60, &heard);
    const struct trend_change *odd = first_of(&heard, TREND_KIND_SPIKE);
    assert_true(odd->onset_row == 500 && odd->after == 0.5 && fabs(odd->before - 0.95) < 0.01 && odd->low > 0.8 && odd->high <= 1);
    trend_destroy(trend);
}

static void what_was_learned_on_another_scale_is_refused(void **unused)
{
    (void)unused;
    enum { SCALES = sizeof scales / sizeof *scales };
    for (int i = 0; i < SCALES; i++) {
        struct trend_config config = on_root, other = on_root;
        struct bytes saved = {0};
        config.scale = scales[i];
        struct trend *trend = trend_create(&config);
        trend_save(trend, &saved);
        trend_destroy(trend);
        for (int k = 0; k < SCALES; k++) {
            other.scale = scales[k];
            trend = trend_load(&other, bytes_view(&saved));
            assert_int_equal(trend != NULL, i == k);
            trend_destroy(trend);
        }
        bytes_finish(&saved);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_even_on_it),
        cmocka_unit_test(a_mean_comes_back_as_the_mean),
        cmocka_unit_test(a_value_comes_back_as_it_was),
        cmocka_unit_test(beyond_the_domain_is_its_end),
        cmocka_unit_test(a_count_that_falls_is_said_in_counts),
        cmocka_unit_test(a_climb_that_ends_is_said_in_counts_a_row),
        cmocka_unit_test(an_odd_share_is_said_as_it_was),
        cmocka_unit_test(what_was_learned_on_another_scale_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
