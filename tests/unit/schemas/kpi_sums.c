/* Names and numbers that both KPI stages must read alike. */
#include "schemas/kpi_names.h"
#include "schemas/kpi_sums.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void every_name_finds_its_kpi(void **unused)
{
    (void)unused;
    for (int id = 0; id < KPI_COUNT_OF_ALL; id++) {
        enum kpi_id found;
        assert_true(kpi_from_name(view_of_text(kpi_names[id].name), &found));
        assert_int_equal(found, id);
        assert_null(strchr(kpi_names[id].name, '|'));
    }
    enum kpi_id found;
    assert_false(kpi_from_name(VIEW_LITERAL("np"), &found));
    assert_false(kpi_from_name(VIEW_LITERAL(""), &found));
}

static void a_duration_is_within_one_percent_of_its_bin(void **unused)
{
    (void)unused;
    for (int64_t ms = 0; ms < INT64_C(100000000000); ms += 1 + ms / 331) {
        int bin = kpi_duration_bin(ms);
        int64_t start = kpi_duration_bin_start(bin), next = kpi_duration_bin_start(bin + 1);
        assert_true(start <= ms && ms < next);
        assert_true(ms <= start + start / 100);
    }
    assert_int_equal(kpi_duration_bin(-5), 0);
    assert_int_equal(kpi_duration_bin(57), 57);
    assert_int_equal(kpi_duration_bin(INT64_MAX), KPI_DURATION_BINS - 1);
}

static void what_was_added_can_be_taken_away(void **unused)
{
    (void)unused;
    struct kpi_sums total = {0}, one = kpi_sums_of_duration(63072000000), two = kpi_sums_of_sentiment(-0.123456789);
    kpi_sums_add(&total, &one, 1000);
    kpi_sums_add(&total, &two, 1);
    assert_true(total.sum_squares == (kpi_wide)1000 * 63072000000 * 63072000000 + (kpi_wide)123456789 * 123456789);
    kpi_sums_add(&total, &one, -1000);
    kpi_sums_add(&total, &two, -1);
    assert_true(kpi_sums_are_zero(&total));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_finds_its_kpi),
        cmocka_unit_test(a_duration_is_within_one_percent_of_its_bin),
        cmocka_unit_test(what_was_added_can_be_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
