/* Intervals against scipy 1.17.1. The constants were printed by
 *   stats.t.ppf(0.975, df); binomtest(k, n).proportion_ci(method="wilson"); ttest_1samp(xs, 0).confidence_interval(0.95);
 * NPS and differences from the formulas of intervals.h with z = stats.norm.ppf(0.975) and those Wilson limits. The first
 * difference is also the worked example of Newcombe 1998: 56/70 − 48/80, 0.0524 to 0.3339. */
#include "processors/kpi/intervals.h"
#include "tests/unit/cmocka_all.h"

static void is_close(double value, double expected)
{
    if (fabs(value - expected) > 1e-10 * fmax(1, fabs(expected)))
        fail_msg("%.17g, expected %.17g", value, expected);
}

static void is_interval(struct interval interval, double low, double high)
{
    assert_true(interval.exists);
    is_close(interval.low, low);
    is_close(interval.high, high);
}

static void t_quantiles(void **unused)
{
    (void)unused;
    is_close(student_t(1), 12.706204736174694);
    is_close(student_t(2), 4.302652729749462);
    is_close(student_t(3), 3.1824463052837078);
    is_close(student_t(4), 2.7764451051977934);
    is_close(student_t(7), 2.364624251592784);
    is_close(student_t(29), 2.045229642132703);
    is_close(student_t(30), 2.0422724563012378);
    is_close(student_t(100), 1.9839715185235518);
    is_close(student_t(499), 1.9647293909876886);
    is_close(student_t(500), 1.9647198374673676);
    is_close(student_t(501), 1.9647103221754827);
    is_close(student_t(1000), 1.9623390808264083);
    is_close(student_t(1000000), 1.959966356814107);
}

static void rates(void **unused)
{
    (void)unused;
    is_interval(interval_of_rate(0, 1), 0, 0.7934506856227626);
    is_interval(interval_of_rate(3, 10), 0.10779126740630102, 0.6032218525388546);
    is_interval(interval_of_rate(29, 30), 0.8332960900859083, 0.9940914096183875);
    is_interval(interval_of_rate(500, 1000), 0.4690696003681042, 0.5309303996318958);
    is_interval(interval_of_rate(1, 1), 0.20654931437723745, 1);
    assert_false(interval_of_rate(0, 0).exists);
    for (int64_t n = 1; n < 5000; n++) {
        assert_true(interval_of_rate(n, n).high == 1);
        assert_true(interval_of_rate(0, n).low == 0);
    }
}

static void net_promoter_scores(void **unused)
{
    (void)unused;
    is_interval(interval_of_nps(0, 0, 1), -60.01139595444137, 60.01139595444137);
    is_interval(interval_of_nps(5, 3, 10), -30.32599443550416, 61.09522520473494);
    is_interval(interval_of_nps(10, 0, 10), 47.5035515447902, 100);
    is_interval(interval_of_nps(600, 200, 1000), 34.92919367298945, 44.831524173471166);
    assert_false(interval_of_nps(0, 0, 0).exists);
}

static struct interval mean_of(const int64_t *values, int64_t n)
{
    struct kpi_sums sums = {0};
    for (int64_t i = 0; i < n; i++) {
        struct kpi_sums one = kpi_sums_of_mean(values[i]);
        kpi_sums_add(&sums, &one, 1);
    }
    return interval_of_mean(sums.n, sums.sum, sums.sum_squares);
}

static void means(void **unused)
{
    (void)unused;
    is_interval(mean_of((int64_t[]){1, 2}, 2), -4.853102368087347, 7.853102368087347);
    is_interval(mean_of((int64_t[]){4, 5, 3, 5}, 4), 2.7265198191711875, 5.7734801808288125);
    is_interval(mean_of((int64_t[]){0, 0, 10, 1000000, 3}, 5), -355284.6163734064, 755289.8163734063);
    is_interval(mean_of((int64_t[]){7, 7, 7}, 3), 7, 7); /* no spread: no width */
    assert_false(mean_of((int64_t[]){7}, 1).exists);
}

static void a_spread_beyond_128_bits_is_still_about_right(void **unused)
{
    (void)unused;
    int64_t n = INT64_C(10000000000), few = 10000000, large = INT64_C(100000000000); /* a few are large, the rest 0 */
    struct interval interval = interval_of_mean(n, few * large, (kpi_wide)large * large * few);
    double mean = 1e8, deviation = sqrt((1e19 - mean * mean) / 1e10);
    is_close(interval.low, mean - 1.959963984540054 * deviation);
}

static void differences(void **unused)
{
    (void)unused;
    is_interval(interval_of_difference(56, 70, 48, 80), 0.05243147240236484, 0.3338726540369059);
    is_interval(interval_of_difference(9, 10, 3, 10), 0.17052272393450296, 0.8090179735354881);
    is_interval(interval_of_difference(10, 10, 0, 20), 0.6790860371419147, 1);
    assert_false(interval_of_difference(1, 1, 0, 0).exists);
}

static void median_ranks_are_clamped(void **unused)
{
    (void)unused;
    int64_t low, high;
    median_ranks(1, &low, &high);
    assert_true(low == 1 && high == 1);
    median_ranks(5, &low, &high); /* 2.5 ∓ 2.19 */
    assert_true(low == 1 && high == 5);
    median_ranks(100, &low, &high); /* 50 ∓ 9.8 */
    assert_true(low == 41 && high == 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t_quantiles),
        cmocka_unit_test(rates),
        cmocka_unit_test(net_promoter_scores),
        cmocka_unit_test(means),
        cmocka_unit_test(a_spread_beyond_128_bits_is_still_about_right),
        cmocka_unit_test(differences),
        cmocka_unit_test(median_ranks_are_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
