/* Numbers out of what the sink has written of a KPI. */
#include "sinks/redis/stored_kpi.h"
#include "tests/unit/cmocka_all.h"

#define STORED "{\"kpi\":\"nps\",\"dimension\":\"product=\\\"n\\\":7\",\"value\":-12.5,\"exposed_n\":3,\"n\":40,\"low\":null,\"at\":1795341600000}"

static void numbers_are_found_by_their_keys(void **state)
{
    (void)state;
    double value = 0;
    assert_true(stored_kpi_number(view_of_text(STORED), "value", &value) && value == -12.5);
    assert_true(stored_kpi_number(view_of_text(STORED), "n", &value) && value == 40);
    assert_true(stored_kpi_number(view_of_text(STORED), "at", &value) && value == 1795341600000);
}

static void what_is_null_or_not_there_is_none(void **state)
{
    (void)state;
    double value = 8;
    assert_false(stored_kpi_number(view_of_text(STORED), "low", &value));
    assert_false(stored_kpi_number(view_of_text(STORED), "high", &value));
    assert_false(stored_kpi_number(view_of_text(""), "n", &value));
    assert_true(value == 8);
}

static void nothing_is_read_beyond_the_end(void **state)
{
    (void)state;
    static const char text[] = "{\"n\":12345";
    double value = 0;
    assert_true(stored_kpi_number(view_of(text, 7), "n", &value) && value == 12);
    assert_false(stored_kpi_number(view_of(text, 5), "n", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_found_by_their_keys), cmocka_unit_test(what_is_null_or_not_there_is_none),
                                       cmocka_unit_test(nothing_is_read_beyond_the_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
