#include "tests/stage/journey/life.h"

static void totals_stay_and_gauges_do_not(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_ticket(&life, 0, "OPENED");
    life_add(&life, HOURS(1), "SurveyAnswered", "\"survey_id\":\"s\",\"kind\":\"NPS\",\"score\":9");
    assert_int_equal(life_sums(&life, "backlog all").n, 1);
    assert_int_equal(life_sums(&life, "backlog age=0-1d").n, 1);
    assert_int_equal(life_sums(&life, "stage_customers stage=SUPPORT").n, 1);
    assert_int_equal(life_sums(&life, "active_customers channel=EMAIL").n, 1);
    assert_int_equal(life_sums(&life, "churn_rate all").n, 1);
    life_add(&life, HOURS(2), "CustomerForgotten", "");
    static const char *const gauges[] = {"backlog all", "backlog age=0-1d", "stage_customers all", "stage_customers stage=SUPPORT",
                                         "active_customers all", "active_customers channel=EMAIL", "loyalty_share all",
                                         "churn_rate all"};
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        assert_int_equal(life_sums(&life, gauges[i]).n, 0);
    assert_int_equal(life_sums(&life, "nps all").n, 1);
    assert_int_equal(life_sums(&life, "backlog_inflow all").n, 1);
    assert_null(life_customer(&life));
    life_end(&life);
}

static void who_comes_back_is_new(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_add(&life, 0, "ProductUsed", "\"feature\":\"f\",\"seconds\":60");
    life_add(&life, HOURS(2), "CustomerForgotten", "");
    life_add(&life, HOURS(3), "SocialMention", "\"network\":\"n\",\"reach\":1,\"text\":\"\"");
    assert_int_equal(life.last.customer.events, 1);
    assert_int_equal(life.last.stage, STAGE_ONBOARDING);
    assert_int_equal(life_sums(&life, "stage_customers all").n, 1);
    assert_int_equal(life_sums(&life, "active_customers all").n, 1);
    life_end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_stay_and_gauges_do_not),
        cmocka_unit_test(who_comes_back_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
