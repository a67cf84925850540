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

/* It passed before the forgetting, though nothing told us so but the forgetting itself. */
static void a_deadline_that_has_passed_counts(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_ticket(&life, 0, "OPENED");
    life_add(&life, HOURS(3), "CustomerForgotten", "");
    assert_int_equal(life_sums(&life, "sla_first_response all").n, 1);
    assert_int_equal(life_sums(&life, "response_24h all").n, 0);
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

/* The process that comes afterwards has this journey.kept. */
static void crash_into(struct life *life, int64_t kept_ms)
{
    driver_checkpoint_begin(life->driver);
    assert_true(driver_checkpoint_write(life->driver, 100));
    life->settings.kept_ms = kept_ms;
    driver_recover(life->driver);
}

/* journey.kept: of whom nothing comes any more; what was counted stays counted, and whoever comes back is new. */
static void who_is_not_heard_of_is_forgotten(void **state)
{
    (void)state;
    for (int crashes = 0; crashes < 2; crashes++) {
        struct life life;
        life_begin(&life);
        life_configure(&life, "journey:\n  kept: 100d\n");
        life_add(&life, 0, "SurveyAnswered", "\"survey_id\":\"s\",\"kind\":\"NPS\",\"score\":2");
        life_ticket(&life, HOURS(1), "OPENED");
        life_tick(&life, DAYS(60));
        life_add(&life, DAYS(60), "ProductUsed", "\"feature\":\"f\",\"seconds\":60");
        life_tick(&life, DAYS(159));
        if (crashes)
            crash_into(&life, DAYS(100));
        assert_non_null(life_customer(&life));
        assert_int_equal(life_sums(&life, "backlog all").n, 1);
        life_tick(&life, DAYS(160) + MINUTES(1));
        nobody_is_there(&life);
        assert_int_equal(life_sums(&life, "nps all").n, 1);
        assert_int_equal(life_sums(&life, "backlog_inflow all").n, 1);
        size_t enriched = life.enriched;
        life_add(&life, DAYS(159), "ProductUsed", "\"feature\":\"f\",\"seconds\":60"); /* of the life that is over */
        nobody_is_there(&life);
        assert_int_equal(life.enriched, enriched);
        life_add(&life, DAYS(161), "ProductUsed", "\"feature\":\"f\",\"seconds\":60");
        assert_int_equal(life.last.customer.events, 1);
        assert_int_equal(life_sums(&life, "stage_customers all").n, 1);
        life_end(&life);
    }
}

/* It holds for those who were there before, too. */
static void who_is_to_be_forgotten_is_a_matter_of_the_settings_now(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_add(&life, 0, "ProductUsed", "\"feature\":\"f\",\"seconds\":60");
    life_tick(&life, DAYS(120));
    assert_non_null(life_customer(&life));
    crash_into(&life, DAYS(400));
    life_tick(&life, DAYS(399));
    assert_non_null(life_customer(&life));
    crash_into(&life, DAYS(500));
    life_tick(&life, DAYS(499));
    assert_non_null(life_customer(&life));
    life_tick(&life, DAYS(500) + MINUTES(1));
    nobody_is_there(&life);

    life_add(&life, DAYS(600), "ProductUsed", "\"feature\":\"f\",\"seconds\":60");
    life_tick(&life, DAYS(800)); /* churn is decided, and nothing waits but this */
    crash_into(&life, DAYS(300));
    life_tick(&life, DAYS(899));
    assert_non_null(life_customer(&life));
    life_tick(&life, DAYS(900) + MINUTES(1)); /* the shorter time, not the one that held before */
    nobody_is_there(&life);
    life_end(&life);
}

/* A first order is to have a second within a year, and a year's subscription is renewed after it, or not. */
static void what_is_not_decided_yet_is_waited_for(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_configure(&life, "journey:\n  kept: 100d\n");
    life_add(&life, 0, "OrderPlaced", "\"order_id\":\"o\",\"amount_minor\":100,\"currency\":\"EUR\"");
    life_tick(&life, DAYS(364));
    assert_non_null(life_customer(&life));
    assert_int_equal(life_sums(&life, "repeat_purchase_365d all").n, 0);
    life_tick(&life, DAYS(366));
    assert_int_equal(life_sums(&life, "repeat_purchase_365d all").n, 1);
    nobody_is_there(&life);

    life_add(&life, DAYS(400), "SubscriptionChanged",
             "\"subscription_id\":\"b\",\"action\":\"STARTED\",\"term_ends_at\":\"2027-07-20T00:00:00.000Z\"");
    life_tick(&life, DAYS(560));
    assert_non_null(life_customer(&life));
    life_tick(&life, DAYS(600));
    assert_int_equal(life_sums(&life, "renewal_rate all").n, 1);
    nobody_is_there(&life);
    life_end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_stay_and_gauges_do_not),
        cmocka_unit_test(a_deadline_that_has_passed_counts),
        cmocka_unit_test(who_comes_back_is_new),
        cmocka_unit_test(what_comes_late_counts_and_leaves_no_trace),
        cmocka_unit_test(who_was_forgotten_long_ago_is_new),
        cmocka_unit_test(who_is_not_heard_of_is_forgotten),
        cmocka_unit_test(what_is_not_decided_yet_is_waited_for),
        cmocka_unit_test(who_is_to_be_forgotten_is_a_matter_of_the_settings_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
