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

static const char *const gauges_of_all[] = {"backlog all", "stage_customers all", "active_customers all", "loyalty_share all", "churn_rate all"};

static void nobody_is_there(struct life *life)
{
    for (size_t i = 0; i < sizeof gauges_of_all / sizeof *gauges_of_all; i++)
        if (life_sums(life, gauges_of_all[i]).n != 0)
            fail_msg("%s: %lld", gauges_of_all[i], (long long)life_sums(life, gauges_of_all[i]).n);
    assert_null(life_customer(life));
}

/* Dated before the forgetting, and heard of after it: it counts where it would have counted, and begins no life. */
static void what_comes_late_counts_and_leaves_no_trace(void **state)
{
    (void)state;
    for (int crashes = 0; crashes < 2; crashes++) {
        struct life life;
        life_begin(&life);
        life_add(&life, HOURS(1), "SurveyAnswered", "\"survey_id\":\"s\",\"kind\":\"NPS\",\"score\":9");
        life_add(&life, HOURS(5), "CustomerForgotten", "");
        if (crashes) {
            driver_checkpoint_begin(life.driver);
            assert_true(driver_checkpoint_write(life.driver, 100));
            driver_recover(life.driver);
        }
        size_t enriched = life.enriched;
        life_add(&life, HOURS(2), "SurveyAnswered", "\"survey_id\":\"s2\",\"kind\":\"NPS\",\"score\":10,\"comment\":\"I love it\"");
        life_ticket(&life, HOURS(2) + MINUTES(30), "OPENED");
        life_add(&life, HOURS(5), "SocialMention", "\"network\":\"n\",\"reach\":1,\"text\":\"awful\"");
        assert_int_equal(life_sums(&life, "nps all").n, 2);
        assert_int_equal(life_sums(&life, "sentiment all").n, 2);
        assert_int_equal(life_sums(&life, "backlog_inflow all").n, 1);
        assert_int_equal(life_sums(&life, "sla_first_response all").n, 1); /* the two hours had passed before the forgetting */
        nobody_is_there(&life);
        assert_int_equal(life.enriched, enriched);
        life_tick(&life, DAYS(20));
        assert_int_equal(life_sums(&life, "sla_resolution all").n, 0); /* the two days had not */
        nobody_is_there(&life);
        life_end(&life);
    }
}

/* Known until they come back, and as long as a tombstone lasts. */
static void who_was_forgotten_long_ago_is_new(void **state)
{
    (void)state;
    for (int comes_back = 0; comes_back < 2; comes_back++) {
        struct life life;
        life_begin(&life);
        life_add(&life, HOURS(5), "CustomerForgotten", "");
        if (comes_back)
            life_add(&life, HOURS(6), "SocialMention", "\"network\":\"n\",\"reach\":1,\"text\":\"\"");
        else
            life_tick(&life, DAYS(31));
        life_add(&life, HOURS(1), "SocialMention", "\"network\":\"n\",\"reach\":1,\"text\":\"\"");
        assert_non_null(life_customer(&life));
        assert_int_equal(life.last.customer.events, 1 + comes_back);
        life_end(&life);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_stay_and_gauges_do_not),
        cmocka_unit_test(who_comes_back_is_new),
        cmocka_unit_test(what_comes_late_counts_and_leaves_no_trace),
        cmocka_unit_test(who_was_forgotten_long_ago_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
