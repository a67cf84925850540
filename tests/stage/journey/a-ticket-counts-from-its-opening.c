#include "tests/stage/journey/life.h"

/* A history that begins in the middle: the ticket was reopened and resolved before anybody told us of its OPENED. What was
 * resolved before is not the answer to what was opened later. */
static void what_was_resolved_before_the_opening_is_not_its_resolution(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_ticket(&life, 0, "REOPENED");
    life_ticket(&life, HOURS(1), "RESOLVED");
    life_ticket(&life, HOURS(5), "OPENED");
    assert_int_equal(life_sums(&life, "resolution_time all").n, 1);
    assert_int_equal(life_sums(&life, "full_resolution_time all").n, 0);
    assert_int_equal(life_sums(&life, "resolved_72h all").n, 0);
    life_tick(&life, HOURS(5 + 72));
    assert_int_equal(life_sums(&life, "resolved_72h all").n, 1);
    assert_int_equal(life_sums(&life, "resolved_72h all").num, 0);
    life_ticket(&life, HOURS(7), "RESOLVED");
    assert_int_equal(life_sums(&life, "full_resolution_time all").sum, HOURS(2));
    assert_int_equal(life_sums(&life, "resolved_72h all").num, 1);
    life_end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_resolved_before_the_opening_is_not_its_resolution)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
