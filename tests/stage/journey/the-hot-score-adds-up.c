/* The hot score, point by point: docs/CASES.md as sums. */
#include "tests/stage/journey/desk.h"

#include "base/utf8.h"

static double points_of(const struct alert *told, const char *code)
{
    for (size_t i = 0; told && i < told->reasons.count; i++) {
        if (view_equal_text(told->reasons.items[i].code, code))
            return told->reasons.items[i].points;
    }
    return 0;
}

static void is_near(double value, double expected)
{
    if (value < expected - 0.15 || value > expected + 0.15)
        fail_msg("%f is not %f", value, expected);
}

static void handed(struct desk *desk, int64_t at_ms, const char *team)
{
    char data[128];
    snprintf(data, sizeof data, "\"ticket_id\":\"t1\",\"action\":\"HANDED_OFF\",\"team\":\"%s\"", team);
    desk_add(desk, at_ms, "TicketChanged", data);
}

static void the_clock_rises_to_20_and_is_25_once_broken(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "t1", "OPENED");
    is_near(desk.last.hot_score, 0);
    desk_ticket(&desk, HOURS(1), "t1", "CUSTOMER_REPLIED");
    is_near(desk.last.hot_score, 0);
    desk_ticket(&desk, MINUTES(90), "t1", "CUSTOMER_REPLIED");
    is_near(desk.last.hot_score, 10);
    desk_ticket(&desk, MINUTES(114), "t1", "CUSTOMER_REPLIED");
    is_near(desk.last.hot_score, 18);
    desk_ticket(&desk, MINUTES(120), "t1", "CUSTOMER_REPLIED");
    is_near(desk.last.hot_score, 25);
    assert_int_equal(desk.last.reasons.count, 1);
    assert_true(view_equal_text(desk.last.reasons.items[0], "The first response of ticket t1 is overdue (+25.0)"));
    desk_ticket(&desk, MINUTES(121), "t1", "AGENT_REPLIED");
    is_near(desk.last.hot_score, 0);
    desk_close(&desk);
}

static void a_long_ticket_id_is_cut_between_characters(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "täöüäöüäöüäöüäöüäöüäöüäöüäöüäöü-x", "OPENED"); /* the sixtieth byte is within an ü */
    desk_ticket(&desk, MINUTES(121), "täöüäöüäöüäöüäöüäöüäöüäöüäöüäöü-x", "CUSTOMER_REPLIED");
    assert_int_equal(desk.last.reasons.count, 1);
    assert_true(utf8_is_valid(desk.last.reasons.items[0]));
    assert_true(view_equal_text(desk.last.reasons.items[0], "The first response of ticket täöüäöüäöüäöüäöüäöüäöüäöüäöüäö is overdue (+25.0)"));
    desk_close(&desk);
}

static void effort_adds_up_to_its_bounds(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "t1", "OPENED");
    handed(&desk, 1, "a");
    is_near(desk.last.hot_score, 0); /* the first is free */
    handed(&desk, 2, "b");
    is_near(desk.last.hot_score, 5);
    handed(&desk, 3, "b"); /* to themselves */
    is_near(desk.last.hot_score, 5);
    for (int i = 0; i < 6; i++)
        handed(&desk, 4 + i, i % 2 ? "b" : "c");
    is_near(desk.last.hot_score, 15);
    desk_ticket(&desk, 20, "t1", "RESOLVED");
    desk_ticket(&desk, 21, "t1", "REOPENED");
    is_near(desk.last.hot_score, 25);
    for (int i = 0; i < 4; i++) {
        desk_ticket(&desk, 30 + 2 * i, "t1", "RESOLVED");
        desk_ticket(&desk, 31 + 2 * i, "t1", "REOPENED");
    }
    is_near(desk.last.hot_score, 35);
    desk_ticket(&desk, 50, "t2", "OPENED"); /* had to come back within a week */
    is_near(desk.last.hot_score, 45);
    desk_close(&desk);
}

static void who_waits_for_us_does_not_cool_down(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    desk_ticket(&desk, 1, "t1", "OPENED");
    desk_tick(&desk, DAYS(3));
    is_near(points_of(desk_case(&desk), "nps_0_3"), 35);
    desk_ticket(&desk, DAYS(3), "t1", "AGENT_REPLIED");
    desk_tick(&desk, DAYS(6));
    is_near(points_of(desk_case(&desk), "nps_0_3"), 17.5);
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_OPEN);
    desk_close(&desk);
}

static void stakes_make_trouble_worse_but_are_none(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_add(&desk, 0, "OrderPlaced", "\"order_id\":\"o1\",\"amount_minor\":50000,\"currency\":\"EUR\"");
    desk_add(&desk, 1, "SubscriptionChanged", "\"subscription_id\":\"x\",\"action\":\"STARTED\",\"term_ends_at\":\"2026-02-01T00:00:00.000Z\"");
    is_near(desk.last.hot_score, 0);
    desk_nps(&desk, 2, "s1", 5);
    is_near(desk.last.hot_score, 25 + 5 + 10);
    assert_null(desk_case(&desk)); /* not clearly negative, and not hot */
    desk_nps(&desk, 3, "s2", 9);
    is_near(desk.last.hot_score, 0); /* a better answer takes the place of the worse */
    desk_close(&desk);
}

static void said(struct desk *desk, int64_t at_ms, const char *text)
{
    char data[256];
    snprintf(data, sizeof data, "\"interviewer\":\"ada\",\"text\":\"%s\"", text);
    desk_add(desk, at_ms, "InterviewHeld", data);
}

static void it_takes_three_texts_to_fall(void **state)
{
    static const char good[] = "I love it, great and easy to use.", dull[] = "It was a bit slow and not very good.",
                      bad[] = "Terrible. The worst service ever, I hate it, awful.";
    struct desk desk;
    (void)state;
    desk_open(&desk);
    said(&desk, 0, dull);
    said(&desk, 1, bad);
    is_near(desk.last.hot_score, 10); /* for the words alone */
    desk_close(&desk);
    desk_open(&desk);
    said(&desk, 0, good);
    said(&desk, 1, dull);
    said(&desk, 2, bad);
    is_near(desk.last.hot_score, 20);
    desk_close(&desk);
}

static void what_was_settled_counts_no_more(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    desk_act(&desk, 1, desk_case(&desk)->case_id, "CLOSED", NULL);
    is_near(desk_case(&desk)->score, 35); /* the case, as it ended */
    is_near(desk.last.hot_score, 0);      /* the customer, as of now */
    desk_close(&desk);
}

static void many_small_troubles_make_a_case(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_add(&desk, 0, "OrderPlaced", "\"order_id\":\"o1\",\"amount_minor\":100000,\"currency\":\"EUR\"");
    desk_ticket(&desk, 1, "t1", "OPENED");
    for (int i = 0; i < 6; i++)
        handed(&desk, 4 + i, i % 2 ? "b" : "c");
    for (int i = 0; i < 2; i++) {
        desk_ticket(&desk, 30 + 2 * i, "t1", "RESOLVED");
        desk_ticket(&desk, 31 + 2 * i, "t1", "REOPENED");
    }
    desk_ticket(&desk, 50, "t2", "OPENED");
    is_near(desk.last.hot_score, 55);
    assert_null(desk_case(&desk));
    desk_tick(&desk, HOURS(2) + 50); /* and now nobody answers in time: 80 */
    assert_non_null(desk_case(&desk));
    assert_int_equal(desk_case(&desk)->kind, ALERT_KIND_HOT_TICKET);
    assert_int_equal(desk_case(&desk)->severity, SEVERITY_CRITICAL);
    is_near(desk_case(&desk)->score, 80);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 1);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_rises_to_20_and_is_25_once_broken), cmocka_unit_test(effort_adds_up_to_its_bounds),
        cmocka_unit_test(who_waits_for_us_does_not_cool_down),         cmocka_unit_test(stakes_make_trouble_worse_but_are_none),
        cmocka_unit_test(what_was_settled_counts_no_more),             cmocka_unit_test(many_small_troubles_make_a_case),
        cmocka_unit_test(it_takes_three_texts_to_fall),                cmocka_unit_test(a_long_ticket_id_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
