#include "tests/stage/journey/life.h"

static void any_dimension_may_be_asked_for(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_configure(&life, "kpi.rollups: [region, source, priority, topic, attributes.plan, region+attributes.plan]\n");
    life_add_with(&life, 0, "TicketChanged", "\"ticket_id\":\"t\",\"action\":\"OPENED\",\"priority\":\"HIGH\"",
                  "\"region\":\"EU, north\",\"attributes\":{\"plan\":\"gold\",\"topic\":\"billing\",\"noise\":\"1\"},");
    static const char *const series[] = {"backlog_inflow all", "backlog_inflow region=EU%2C north", "backlog_inflow source=test",
                                         "backlog_inflow priority=HIGH", "backlog_inflow topic=billing",
                                         "backlog_inflow attributes.plan=gold",
                                         "backlog_inflow region=EU%2C north,attributes.plan=gold"};
    for (size_t i = 0; i < sizeof series / sizeof *series; i++)
        assert_int_equal(life_sums(&life, series[i]).n, 1);
    assert_int_equal(life_sums(&life, "backlog_inflow channel=EMAIL").n, 0);
    /* Null is in none of them. */
    life_add(&life, HOURS(1), "TicketChanged", "\"ticket_id\":\"u\",\"action\":\"OPENED\"");
    assert_int_equal(life_sums(&life, "backlog_inflow all").n, 2);
    assert_int_equal(life_sums(&life, "backlog_inflow attributes.plan=gold").n, 1);
    /* What was added under them survives a crash under the same names. */
    driver_checkpoint_begin(life.driver);
    assert_true(driver_checkpoint_write(life.driver, 100));
    driver_recover(life.driver);
    life_add(&life, HOURS(2), "CustomerForgotten", "");
    assert_int_equal(life_sums(&life, "backlog attributes.plan=gold").n, 0);
    assert_int_equal(life_sums(&life, "backlog topic=billing").n, 0);
    assert_int_equal(life_sums(&life, "backlog priority=HIGH").n, 0);
    life_end(&life);
}

/* `_other` is what is over the cap, and a value may be called that. */
static void who_is_called_other_is_not_all_the_others(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_configure(&life, "kpi:\n  rollups: [product, segment]\n  rollup_values_max: 2\nsla:\n  policies:\n    - {segment: _other, first_response: 15m}\n");
    static const char *const products[] = {"A", "_other", "B", "C", "_other"};
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        char more[80], data[80];
        snprintf(more, sizeof more, "\"product\":\"%s\",\"segment\":\"_other\",", products[i]);
        snprintf(data, sizeof data, "\"ticket_id\":\"t%zu\",\"action\":\"OPENED\"", i);
        life_add_with(&life, HOURS(i), "TicketChanged", data, more);
        if (i == 2) {
            driver_checkpoint_begin(life.driver);
            assert_true(driver_checkpoint_write(life.driver, 100));
            driver_recover(life.driver);
        }
    }
    assert_int_equal(life_sums(&life, "backlog_inflow product=_other").n, 2);
    assert_int_equal(life_sums(&life, "backlog_inflow product=%5Fother").n, 2);
    assert_int_equal(life_sums(&life, "backlog_inflow segment=%5Fother").n, 5);
    assert_true(view_equal_text(life.last.touch.product, "_other"));
    assert_int_equal(life.last.sla.first_response_due_at_ms, LIFE_START_MS + HOURS(4) + MINUTES(15));
    life_end(&life);
}

static void who_is_urgent_is_promised_more(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_configure(&life, "sla:\n  policies:\n    - {priority: URGENT, first_response: 15m, resolution: 4h}\n"
                          "    - {segment: vip, first_response: 30m}\n");
    life_add(&life, 0, "TicketChanged", "\"ticket_id\":\"a\",\"action\":\"OPENED\",\"priority\":\"URGENT\"");
    assert_int_equal(life.last.sla.first_response_due_at_ms, LIFE_START_MS + MINUTES(15));
    assert_int_equal(life.last.sla.resolution_due_at_ms, LIFE_START_MS + HOURS(4));
    life_add_with(&life, 0, "TicketChanged", "\"ticket_id\":\"b\",\"action\":\"OPENED\"", "\"segment\":\"vip\",");
    assert_int_equal(life.last.sla.first_response_due_at_ms, LIFE_START_MS + MINUTES(30));
    assert_int_equal(life.last.sla.resolution_due_at_ms, LIFE_START_MS + HOURS(48));
    life_tick(&life, MINUTES(20));
    assert_int_equal(life_sums(&life, "sla_first_response all").n, 1);
    life_tick(&life, MINUTES(40));
    assert_int_equal(life_sums(&life, "sla_first_response all").n, 2);
    life_end(&life);
}

/* An opening while open, and whatever comes between two episodes, is ignored (READINGS 20): its priority promises nothing, either. */
static void who_is_ignored_changes_no_promise(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_configure(&life, "kpi:\n  rollups: [priority]\nsla:\n  policies:\n    - {priority: URGENT, first_response: 15m, resolution: 4h}\n");
    life_add(&life, 0, "TicketChanged", "\"ticket_id\":\"a\",\"action\":\"OPENED\",\"priority\":\"LOW\"");
    life_add(&life, 1, "TicketChanged", "\"ticket_id\":\"a\",\"action\":\"OPENED\",\"priority\":\"URGENT\"");
    assert_int_equal(life.last.sla.resolution_due_at_ms, LIFE_START_MS + HOURS(48));
    life_tick(&life, HOURS(5));
    assert_int_equal(life_sums(&life, "sla_resolution all").n, 0);
    life_add(&life, HOURS(6), "TicketChanged", "\"ticket_id\":\"a\",\"action\":\"RESOLVED\"");
    assert_int_equal(life_sums(&life, "sla_resolution priority=LOW").num, 1);
    life_add(&life, HOURS(7), "TicketChanged", "\"ticket_id\":\"a\",\"action\":\"AGENT_REPLIED\",\"priority\":\"URGENT\"");
    life_add(&life, HOURS(8), "TicketChanged", "\"ticket_id\":\"a\",\"action\":\"REOPENED\"");
    assert_int_equal(life.last.sla.resolution_due_at_ms, LIFE_START_MS + HOURS(8 + 48));
    life_end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_dimension_may_be_asked_for),
        cmocka_unit_test(who_is_called_other_is_not_all_the_others),
        cmocka_unit_test(who_is_urgent_is_promised_more),
        cmocka_unit_test(who_is_ignored_changes_no_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
