#include "tests/stage/journey/life.h"

/* Nothing happens for two hours: the deadline itself says so, at its instant, with no event. */
static void a_breach_is_told_in_silence(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_ticket(&life, 0, "OPENED");
    life_tick(&life, HOURS(2) - 1);
    assert_int_equal(life_sums(&life, "sla_first_response all").n, 0);
    life_tick(&life, HOURS(2));
    assert_int_equal(life_sums(&life, "sla_first_response all").n, 1);
    assert_int_equal(life_sums(&life, "sla_first_response all").num, 0);
    life_end(&life);
}

/* The reply had been in time, only its event came later than the deadline: the miss is taken back. */
static void a_reply_that_comes_late_takes_the_miss_back(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_ticket(&life, 0, "OPENED");
    life_tick(&life, HOURS(3));
    life_ticket(&life, HOURS(1), "AGENT_REPLIED");
    struct kpi_sums sums = life_sums(&life, "sla_first_response all");
    assert_int_equal(sums.n, 1);
    assert_int_equal(sums.num, 1);
    assert_int_equal(life_sums(&life, "first_response_time all").sum, HOURS(1));
    life_end(&life);
}

/* While we wait for the customer the team's clock stands, and with it the deadline. */
static void a_pause_moves_the_deadline(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_ticket(&life, 0, "OPENED");
    life_ticket(&life, HOURS(1), "PENDING");
    life_tick(&life, HOURS(30));
    assert_int_equal(life_sums(&life, "sla_first_response all").n, 0);
    assert_true(life.last.sla.first_response_elapsed_ms == HOURS(1) && !life.last.sla.has_first_response_due_at);
    life_ticket(&life, HOURS(31), "CUSTOMER_REPLIED");
    assert_int_equal(life.last.sla.first_response_due_at_ms, LIFE_START_MS + HOURS(32));
    life_tick(&life, HOURS(32));
    assert_int_equal(life_sums(&life, "sla_first_response all").n, 1);
    life_end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_breach_is_told_in_silence),
        cmocka_unit_test(a_reply_that_comes_late_takes_the_miss_back),
        cmocka_unit_test(a_pause_moves_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
