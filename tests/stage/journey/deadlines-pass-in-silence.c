/* Promises: a warning at three quarters, a breach at the very instant of the deadline, and nothing for what was kept. */
#include "tests/stage/journey/desk.h"

#include "base/utf8.h"

static void breach_fires_in_silence(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "t1", "OPENED");
    desk_tick(&desk, MINUTES(89));
    assert_int_equal(desk.alert_count, 0);
    desk_tick(&desk, MINUTES(90));
    const struct alert *warning = desk_rule(&desk, "sla.first_response.warning");
    assert_non_null(warning);
    assert_int_equal(warning->kind, ALERT_KIND_SLA_WARNING);
    assert_int_equal(warning->opened_at_ms, DESK_START_MS + MINUTES(90));
    assert_int_equal(warning->due_at_ms, DESK_START_MS + HOURS(2));
    desk_tick(&desk, HOURS(2) - 1);
    assert_null(desk_rule(&desk, "sla.first_response.breach"));
    desk_tick(&desk, HOURS(2) + SECONDS(3));
    const struct alert *breach = desk_rule(&desk, "sla.first_response.breach");
    assert_non_null(breach);
    assert_int_equal(breach->kind, ALERT_KIND_SLA_BREACH);
    assert_int_equal(breach->severity, SEVERITY_CRITICAL);
    assert_int_equal(breach->opened_at_ms, DESK_START_MS + HOURS(2));
    assert_true(view_equal_text(breach->ticket_id, "t1"));
    assert_false(breach->historical);
    assert_int_equal(desk_rule(&desk, "sla.first_response.warning")->state, ALERT_STATE_RESOLVED);
    size_t told = desk.alert_count;
    desk_tick(&desk, HOURS(5));
    assert_int_equal(desk.alert_count, told); /* once */
    desk_ticket(&desk, HOURS(6), "t1", "AGENT_REPLIED");
    assert_int_equal(desk_rule(&desk, "sla.first_response.breach")->state, ALERT_STATE_RESOLVED);
    assert_int_equal(desk_rule(&desk, "sla.first_response.breach")->revision, 2);
    desk_close(&desk);
}

/* The very event that moves the clock past a deadline comes after it. */
static void who_answers_too_late_does_not_undo_the_breach(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "t1", "OPENED");
    desk_ticket(&desk, HOURS(3), "t1", "AGENT_REPLIED");
    const struct alert *breach = desk_rule(&desk, "sla.first_response.breach");
    assert_non_null(breach);
    assert_int_equal(breach->opened_at_ms, DESK_START_MS + HOURS(2));
    assert_int_equal(breach->state, ALERT_STATE_RESOLVED);
    assert_int_equal(breach->revision, 2);
    desk_close(&desk);
}

static void answered_at_the_deadline_is_met(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "t1", "OPENED");
    desk_ticket(&desk, HOURS(2), "t1", "AGENT_REPLIED");
    desk_tick(&desk, HOURS(3));
    assert_null(desk_rule(&desk, "sla.first_response.breach"));
    desk_tick(&desk, HOURS(36) - 1);
    assert_null(desk_rule(&desk, "sla.resolution.warning"));
    desk_tick(&desk, HOURS(36));
    assert_non_null(desk_rule(&desk, "sla.resolution.warning"));
    desk_ticket(&desk, HOURS(40), "t1", "RESOLVED");
    assert_int_equal(desk_rule(&desk, "sla.resolution.warning")->state, ALERT_STATE_RESOLVED);
    desk_tick(&desk, HOURS(60));
    assert_null(desk_rule(&desk, "sla.resolution.breach"));
    desk_close(&desk);
}

static void say(struct desk *desk, int64_t at_ms, const char *action)
{
    char data[256];
    snprintf(data, sizeof data, "\"ticket_id\":\"t1\",\"action\":\"%s\",\"text\":\"Terrible service. I will cancel my account.\"", action);
    desk_add(desk, at_ms, "TicketChanged", data);
}

/* However far the clock leaps past it. */
static void a_promise_that_makes_hot_opens_the_case_when_it_breaks(void **state)
{
    (void)state;
    for (int leaps = 0; leaps < 2; leaps++) {
        struct desk desk;
        desk_open(&desk);
        say(&desk, 0, "OPENED");
        desk_ticket(&desk, HOURS(1), "t1", "RESOLVED");
        say(&desk, HOURS(2), "REOPENED");
        desk_ticket(&desk, HOURS(3), "t1", "RESOLVED");
        say(&desk, HOURS(4), "REOPENED");
        assert_null(desk_case(&desk));
        for (int64_t at_ms = HOURS(5); !leaps && at_ms < DAYS(9); at_ms += MINUTES(15))
            desk_tick(&desk, at_ms);
        desk_ticket(&desk, DAYS(9), "t1", "CUSTOMER_REPLIED");
        assert_non_null(desk_case(&desk));
        assert_int_equal(desk_case(&desk)->kind, ALERT_KIND_HOT_TICKET);
        assert_int_equal(desk_case(&desk)->opened_at_ms, DESK_START_MS + HOURS(52));
        assert_int_equal(desk_n(&desk, KPI_LOOP_CONTACT_24H), 1);
        desk_close(&desk);
    }
}

static void a_paused_clock_warns_later(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "t1", "OPENED");
    desk_ticket(&desk, HOURS(1), "t1", "PENDING");
    desk_tick(&desk, HOURS(9));
    assert_null(desk_rule(&desk, "sla.first_response.warning"));
    desk_ticket(&desk, HOURS(10), "t1", "CUSTOMER_REPLIED");
    desk_tick(&desk, HOURS(10) + MINUTES(30));
    assert_non_null(desk_rule(&desk, "sla.first_response.warning"));
    desk_tick(&desk, HOURS(11));
    assert_int_equal(desk_rule(&desk, "sla.first_response.breach")->opened_at_ms, DESK_START_MS + HOURS(11));
    desk_close(&desk);
}

static void device_in_trouble_is_one_alert(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_add(&desk, 0, "DeviceReported", "\"device_id\":\"d1\",\"code\":\"E7\",\"severity\":\"CRITICAL\"");
    desk_add(&desk, MINUTES(1), "DeviceReported", "\"device_id\":\"d1\",\"code\":\"E7\",\"severity\":\"CRITICAL\"");
    const struct alert *told = desk_rule(&desk, "device.critical");
    assert_int_equal(told->kind, ALERT_KIND_DEVICE);
    assert_int_equal(told->revision, 2);
    assert_null(told->case_id.data);
    desk_add(&desk, MINUTES(9), "DeviceReported", "\"device_id\":\"d1\",\"code\":\"E7\",\"severity\":\"INFO\"");
    assert_int_equal(desk_rule(&desk, "device.critical")->state, ALERT_STATE_RESOLVED);
    desk_close(&desk);
}

static void a_device_with_a_long_name_is_cut_between_characters(void **state)
{
    struct desk desk;
    char id[256] = "d", data[400];
    (void)state;
    for (int i = 0; i < 100; i++)
        strcat(id, "ü"); /* the 120th byte is within one */
    snprintf(data, sizeof data, "\"device_id\":\"%s\",\"code\":\"E7\",\"severity\":\"CRITICAL\"", id);
    desk_open(&desk);
    desk_add(&desk, 0, "DeviceReported", data);
    assert_true(utf8_is_valid(desk_rule(&desk, "device.critical")->text));
    desk_close(&desk);
}

static void a_crash_changes_nothing(void **state)
{
    struct desk calm, crashed;
    struct desk *desks[] = {&calm, &crashed};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct desk *desk = desks[i];
        desk_open(desk);
        desk_nps(desk, 0, "s1", 1);
        desk_ticket(desk, MINUTES(1), "t1", "OPENED");
        desk_add(desk, MINUTES(2), "OrderPlaced", "\"order_id\":\"o1\",\"amount_minor\":4900,\"currency\":\"EUR\"");
        driver_checkpoint_begin(desk->driver);
        assert_true(driver_checkpoint_write(desk->driver, 10));
        desk_act(desk, MINUTES(30), desk_case(desk)->case_id, "ACKNOWLEDGED", NULL);
        desk_tick(desk, MINUTES(95));
        size_t told = desk->alert_count;
        if (i == 1)
            driver_recover(desk->driver);
        desk_commit(desk);
        assert_int_equal(desk->alert_count, told); /* nothing is sent twice */
        desk_tick(desk, HOURS(3));
        desk_act(desk, HOURS(4), desk_case(desk)->case_id, "CLOSED", "called them");
        desk_tick(desk, DAYS(4));
    }
    assert_true(calm.alert_count >= 6);
    assert_string_equal(bytes_text(&calm.told), bytes_text(&crashed.told));
    desk_close(&calm);
    desk_close(&crashed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breach_fires_in_silence),      cmocka_unit_test(answered_at_the_deadline_is_met),
        cmocka_unit_test(who_answers_too_late_does_not_undo_the_breach),
        cmocka_unit_test(a_promise_that_makes_hot_opens_the_case_when_it_breaks),
        cmocka_unit_test(a_paused_clock_warns_later),   cmocka_unit_test(device_in_trouble_is_one_alert),
        cmocka_unit_test(a_device_with_a_long_name_is_cut_between_characters),
        cmocka_unit_test(a_crash_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
