/* Quantiles by rank: the smallest value of that rank, within its bin. */
#include "processors/kpi/bins.h"
#include "schemas/kpi_sums.h"
#include "tests/unit/cmocka_all.h"

static void ranks_find_the_bin_of_their_item(void **unused)
{
    (void)unused;
    struct histogram histogram = {0};
    const int64_t durations[] = {7200000, 50, 50, 3600000, 86400000};
    for (size_t i = 0; i < 5; i++)
        histogram_add(&histogram, kpi_duration_bin(durations[i]), 1);
    const int64_t ranks[] = {1, 2, 3, 4, 5};
    double found[5];
    histogram_at_ranks(&histogram, ranks, found, 5);
    const double expected[] = {50, 50, 3600000, 7200000, 86400000};
    for (size_t i = 0; i < 5; i++)
        assert_true(found[i] >= expected[i] * 0.99 && found[i] <= expected[i] * 1.01);
    histogram_finish(&histogram);
}

static void what_was_taken_away_has_no_rank(void **unused)
{
    (void)unused;
    struct histogram histogram = {0};
    histogram_add(&histogram, 10, 3);
    histogram_add(&histogram, 40, 1);
    histogram_add(&histogram, 10, -3);
    double found[2];
    histogram_at_ranks(&histogram, (const int64_t[]){1, 99}, found, 2);
    assert_true(found[0] == 40 && found[1] == 40); /* a rank beyond the end is the last */
    histogram_finish(&histogram);
}

static void counts_go_beyond_32_bits(void **unused)
{
    (void)unused;
    struct histogram histogram = {0};
    for (int bin = 20; bin > 10; bin--)
        histogram_add(&histogram, bin, bin);
    histogram_add(&histogram, 15, (int64_t)5 << 32);
    histogram_add(&histogram, 14, -((int64_t)5 << 32));
    for (int bin = 30; bin > 20; bin--)
        histogram_add(&histogram, bin, bin);
    for (uint32_t i = 0; i < histogram.list.count; i++) {
        int bin = (int)i + 11;
        int64_t beyond = bin == 15 ? (int64_t)5 << 32 : bin == 14 ? -((int64_t)5 << 32) : 0;
        assert_int_equal(bin_list_count(&histogram.list, i), bin + beyond);
    }
    assert_int_equal(histogram.list.count, 20);
    histogram_finish(&histogram);
}

static void buckets_keep_their_order_and_forget_the_oldest(void **unused)
{
    (void)unused;
    struct bins bins = {0};
    for (int when = 100; when > 0; when--)
        for (int bin = 5; bin > 0; bin--)
            bins_add(&bins, when, bin, when);
    bins_add(&bins, 50, 3, -50);
    assert_int_equal(bins.count, 100);
    assert_int_equal(bins.list.count, 500);
    for (uint32_t bucket = 0; bucket < bins.count; bucket++) {
        assert_int_equal(bins_when(&bins, bucket), bucket + 1);
        assert_int_equal(bins_end(&bins, bucket) - bins_begin(&bins, bucket), 5);
        for (int bin = 1; bin <= 5; bin++) {
            uint32_t at = bins_begin(&bins, bucket) + (uint32_t)bin - 1;
            assert_int_equal(bin_list_bins(&bins.list)[at], bin);
            assert_int_equal(bin_list_count(&bins.list, at), bucket + 1 == 50 && bin == 3 ? 0 : bucket + 1);
        }
    }
    bins_drop_before(&bins, 51);
    assert_int_equal(bins.count, 50);
    assert_int_equal(bins_when(&bins, 0), 51);
    bins_add(&bins, 60, 3, 1000000); /* no longer two bytes */
    assert_int_equal(bin_list_count(&bins.list, bins_begin(&bins, 9) + 2), 1000060);
    assert_int_equal(bin_list_count(&bins.list, bins_begin(&bins, 49)), 100);
    bins_drop_before(&bins, 1000);
    assert_int_equal(bins.count, 0);
    bins_add(&bins, 1, 1, 1); /* and goes on */
    assert_int_equal(bins.count, 1);
    assert_int_equal(bins.list.count, 1);
    bins_finish(&bins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_find_the_bin_of_their_item),
        cmocka_unit_test(what_was_taken_away_has_no_rank),
        cmocka_unit_test(counts_go_beyond_32_bits),
        cmocka_unit_test(buckets_keep_their_order_and_forget_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
