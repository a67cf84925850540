#include "tests/stage/journey/life.h"

static void an_event_beyond_the_horizon_is_rejected(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_add(&life, DAYS(500), "ProductUsed", "\"feature\":\"f\",\"seconds\":60");
    assert_int_equal(life_add(&life, DAYS(99), "ProductUsed", "\"feature\":\"f\",\"seconds\":60"), OUTCOME_PARK);
    assert_int_equal(life.rejected, 1);
    assert_int_equal(life_add(&life, DAYS(100), "ProductUsed", "\"feature\":\"f\",\"seconds\":60"), OUTCOME_OK);
    assert_int_equal(life_sums(&life, "usage_minutes all").n, 2);
    life_end(&life);
}

static void what_is_no_touchpoint_is_set_aside(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    assert_int_equal(driver_feed(life.driver, VIEW_LITERAL("c-1"), VIEW_LITERAL("garbage"), LIFE_START_MS), OUTCOME_PARK);
    life_commit(&life);
    assert_int_equal(life.rejected, 1);
    assert_int_equal(life.enriched, 0);
    life_end(&life);
}

static void values_beyond_the_cap_are_other(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life.shared.plan.values_max = 2;
    driver_destroy(life.driver);
    life.driver = driver_create(&journey_processor, &life.shared, 1);
    static const char *const products[] = {"\"product\":\"A\",", "\"product\":\"B\",", "\"product\":\"C\",", "\"product\":\"D\",",
                                           "\"product\":\"A\","};
    for (int i = 0; i < 5; i++)
        life_add_with(&life, i, "ProductUsed", "\"feature\":\"f\",\"seconds\":60", products[i]);
    assert_int_equal(life_sums(&life, "usage_minutes product=A").n, 2);
    assert_int_equal(life_sums(&life, "usage_minutes product=_other").n, 2);
    assert_int_equal(life_sums(&life, "usage_minutes all").n, 5);
    life_end(&life);
}

/* A customer with more history than we keep: what was counted stays counted, memory stays bounded, open tickets stay known. */
static void the_oldest_matters_are_sealed(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life.settings.history_max = 64;
    life_ticket(&life, 0, "OPENED");
    for (int i = 0; i < 500; i++) {
        char data[128];
        snprintf(data, sizeof data, "\"survey_id\":\"s%d\",\"kind\":\"NPS\",\"score\":10", i);
        life_add(&life, HOURS(1) + i * SECONDS(60), "SurveyAnswered", data);
        assert_true(life_customer(&life)->history_count <= 64);
    }
    assert_int_equal(life_sums(&life, "nps all").n, 500);
    assert_int_equal(life_sums(&life, "nps all").num, 500);
    assert_int_equal(life.last.customer.open_tickets, 1);
    life_ticket(&life, DAYS(1), "RESOLVED");
    assert_int_equal(life_sums(&life, "resolution_time all").sum, DAYS(1));
    life_end(&life);
}

/* Nobody closes anything: a ticket after the other, or what is never over, like subscriptions. The bound holds all the same, what is
 * refused is told, and tickets can still be closed. */
static void what_stays_open_is_bounded_too(void **state)
{
    (void)state;
    static const char *const types[] = {"TicketChanged", "SubscriptionChanged", "MessageEngaged", "ServiceVisited", "ReferralMade"};
    static const char *const forms[] = {
        "\"ticket_id\":\"t%d\",\"action\":\"OPENED\"", "\"subscription_id\":\"s%d\",\"action\":\"STARTED\"",
        "\"campaign\":\"m%d\",\"kind\":\"OFFER\",\"action\":\"DELIVERED\"",
        "\"visit_id\":\"v%d\",\"kind\":\"REPAIR\",\"fixed\":true", "\"referred_customer_id\":\"r%d\",\"converted\":true"};
    for (size_t kind = 0; kind < sizeof types / sizeof *types; kind++) {
        struct life life;
        life_begin(&life);
        life.settings.history_max = 64;
        for (int i = 0; i < 300; i++) {
            char data[128];
            snprintf(data, sizeof data, forms[kind], i);
            life_add(&life, HOURS(1) + i * SECONDS(1), types[kind], data);
            assert_true(life_customer(&life)->history_count <= 128);
        }
        assert_int_equal(life.rejected, 300 - 128);
        if (kind == 0) {
            assert_int_equal(life.last.customer.open_tickets, 128);
            for (int i = 0; i < 40; i++) {
                char data[128];
                snprintf(data, sizeof data, "\"ticket_id\":\"t%d\",\"action\":\"RESOLVED\"", i);
                assert_int_equal(life_add(&life, HOURS(2) + i, "TicketChanged", data), OUTCOME_OK);
            }
            assert_int_equal(life.last.customer.open_tickets, 88);
        }
        life_end(&life);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_beyond_the_horizon_is_rejected),
        cmocka_unit_test(what_is_no_touchpoint_is_set_aside),
        cmocka_unit_test(values_beyond_the_cap_are_other),
        cmocka_unit_test(the_oldest_matters_are_sealed),
        cmocka_unit_test(what_stays_open_is_bounded_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
