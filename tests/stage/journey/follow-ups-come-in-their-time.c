/* What to send to whom and when: in its time, once, and not to somebody with an open case. */
#include "tests/stage/journey/desk.h"

static void order(struct desk *desk, int64_t at_ms, const char *id)
{
    char data[128];
    snprintf(data, sizeof data, "\"order_id\":\"%s\",\"amount_minor\":4900,\"currency\":\"EUR\"", id);
    desk_add(desk, at_ms, "OrderPlaced", data);
}

static void delivered(struct desk *desk, int64_t at_ms, const char *id)
{
    char data[128];
    snprintf(data, sizeof data, "\"order_id\":\"%s\"", id);
    desk_add(desk, at_ms, "OrderDelivered", data);
}

static void an_order_is_confirmed_once(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    order(&desk, 0, "o1");
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_ORDER_CONFIRMATION), 1);
    const struct follow_up *told = &desk.followups[0];
    assert_int_equal(told->due_at_ms, DESK_START_MS);
    assert_int_equal(told->channel, CHANNEL_EMAIL);
    assert_true(view_equal_text(told->variables.items[1].key, "order_id") && view_equal_text(told->variables.items[1].value, "o1"));
    desk_add_as(&desk, 0, 0, "OrderPlaced", "\"order_id\":\"o1\",\"amount_minor\":4900,\"currency\":\"EUR\""); /* sent again */
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_ORDER_CONFIRMATION), 1);
    order(&desk, DAYS(1), "o2");
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_ORDER_CONFIRMATION), 2);
    desk_close(&desk);
}

static void check_in_comes_three_days_after_delivery(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    delivered(&desk, 0, "o1");
    delivered(&desk, 1, "o2");
    desk_tick(&desk, DAYS(3) - 1);
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_DELIVERY_CHECK_IN), 0);
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_THANK_YOU), 2);
    desk_add(&desk, DAYS(3) - 1, "ProductReturned", "\"order_id\":\"o2\",\"reason\":\"broken\"");
    desk_tick(&desk, DAYS(3) + 1);
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_DELIVERY_CHECK_IN), 1); /* nobody asks about what went back */
    assert_int_equal(desk.followups[desk.followup_count - 1].due_at_ms, DESK_START_MS + DAYS(3));
    desk_tick(&desk, DAYS(8));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_SURVEY_INVITATION), 2);
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_DELIVERY_CHECK_IN), 1);
    desk_close(&desk);
}

/* An order in two parcels is one order: nobody is asked twice how it was. */
static void an_order_in_two_parcels_is_asked_about_once(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    delivered(&desk, HOURS(2), "o1");
    delivered(&desk, HOURS(1), "o1"); /* the first one, heard of later */
    delivered(&desk, HOURS(30), "o1");
    desk_tick(&desk, DAYS(10));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_THANK_YOU), 1);
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_DELIVERY_CHECK_IN), 1);
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_SURVEY_INVITATION), 1);
    assert_int_equal(desk.followups[desk.followup_count - 1].due_at_ms, DESK_START_MS + HOURS(1) + DAYS(7));
    desk_close(&desk);
}

static void a_tip_for_who_has_not_begun(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    order(&desk, 0, "o1");
    desk_tick(&desk, DAYS(3));
    desk_tick(&desk, DAYS(4));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_ONBOARDING_TIP), 1);
    desk_close(&desk);
    desk_open(&desk);
    order(&desk, 0, "o1");
    desk_add(&desk, DAYS(1), "ProductUsed", "\"feature\":\"light\",\"seconds\":60");
    desk_tick(&desk, DAYS(4));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_ONBOARDING_TIP), 0);
    desk_close(&desk);
}

static void nobody_in_trouble_is_asked(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "t1", "OPENED");
    desk_ticket(&desk, HOURS(1), "t1", "RESOLVED");
    desk_nps(&desk, HOURS(1) + 1, "s0", 0);
    desk_add(&desk, HOURS(2), "DeviceReported", "\"device_id\":\"d1\",\"code\":\"E7\",\"severity\":\"CRITICAL\"");
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_SERVICE_ALERT), 1); /* a danger waits for nobody's mood */
    delivered(&desk, HOURS(3), "o1");
    desk_tick(&desk, DAYS(3) + HOURS(4));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_DELIVERY_CHECK_IN), 0);
    desk_act(&desk, DAYS(3) + HOURS(5), desk_case(&desk)->case_id, "CLOSED", "replaced the device");
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_FEEDBACK_RESPONSE), 1);
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_DELIVERY_CHECK_IN), 1); /* held, not lost */
    desk_close(&desk);
}

static void support_asks_how_it_was(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "t1", "OPENED");
    desk_ticket(&desk, MINUTES(9), "t1", "RESOLVED");
    desk_tick(&desk, HOURS(2));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_SURVEY_INVITATION), 1);
    desk_close(&desk);
}

/* READINGS 20: what resolves a ticket that is not open is ignored. */
static void a_ticket_resolved_once_is_asked_about_once(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_ticket(&desk, 0, "t1", "OPENED");
    desk_ticket(&desk, MINUTES(9), "t1", "RESOLVED");
    desk_ticket(&desk, MINUTES(10), "t1", "RESOLVED"); /* two systems tell it */
    desk_ticket(&desk, MINUTES(11), "t2", "RESOLVED");
    desk_ticket(&desk, MINUTES(12), "t3", "RESOLVED");
    desk_ticket(&desk, 1, "t3", "OPENED"); /* came late */
    desk_tick(&desk, HOURS(2));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_SURVEY_INVITATION), 2);
    desk_close(&desk);
}

static void who_is_happy_no_more_is_not_asked_for_friends(void **state)
{
    struct desk desk;
    (void)state;
    for (int then = 5; then <= 9; then += 4) {
        desk_open(&desk);
        order(&desk, 0, "o1");
        order(&desk, DAYS(1), "o2");
        desk_nps(&desk, DAYS(2), "s1", 10);
        desk_nps(&desk, DAYS(2) + MINUTES(5), "s1", then); /* the same survey: thought again */
        desk_tick(&desk, DAYS(4));
        desk_tick(&desk, DAYS(6));
        assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_THANK_YOU), then == 9 ? 2 : 0);
        assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_REFERRAL_INVITE), then == 9 ? 2 : 0);
        assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_UPSELL), then == 9 ? 2 : 0);
        desk_close(&desk);
    }
}

/* Not angry, but no longer somebody who would recommend us: the latest score is asked, of whatever survey. */
static void who_has_cooled_is_not_asked_for_friends(void **state)
{
    static const struct {
        const char *survey;
        int then, later; /* NPS; -1: none */
        size_t invites;
    } lives[] = {{"s1", 8, -1, 0}, {"s2", 8, -1, 0}, {"s2", 9, -1, 2}, {"s2", 8, 10, 2}, {"s2", 10, 7, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        struct desk desk;
        desk_open(&desk);
        order(&desk, 0, "o1");
        desk_nps(&desk, DAYS(2), "s1", 10);
        desk_nps(&desk, DAYS(2) + MINUTES(5), lives[i].survey, lives[i].then);
        if (lives[i].later >= 0)
            desk_nps(&desk, DAYS(2) + MINUTES(9), "s3", lives[i].later);
        desk_tick(&desk, DAYS(4));
        size_t invites = desk_followups(&desk, FOLLOW_UP_KIND_REFERRAL_INVITE);
        if (lives[i].later < 0)
            assert_int_equal(invites, lives[i].invites);
        else
            assert_int_equal(invites > 0, lives[i].invites > 0);
        desk_close(&desk);
    }
}

static void silence_is_noticed_once(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    order(&desk, 0, "o1");
    desk_tick(&desk, DAYS(60) - 1);
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_WIN_BACK), 0);
    desk_tick(&desk, DAYS(60));
    desk_tick(&desk, DAYS(70));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_WIN_BACK), 1);
    desk_add(&desk, DAYS(71), "ProductUsed", "\"feature\":\"light\",\"seconds\":60");
    desk_tick(&desk, DAYS(132));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_WIN_BACK), 2); /* another silence */
    desk_close(&desk);
}

static void the_term_is_about_to_end(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    const char *started = "\"subscription_id\":\"%s\",\"action\":\"STARTED\",\"term_ends_at\":\"2026-04-01T00:00:00.000Z\"";
    char data[256];
    snprintf(data, sizeof data, started, "kept");
    desk_add(&desk, 0, "SubscriptionChanged", data);
    snprintf(data, sizeof data, started, "cancelled");
    desk_add(&desk, 1, "SubscriptionChanged", data);
    desk_add(&desk, DAYS(10), "SubscriptionChanged", "\"subscription_id\":\"cancelled\",\"action\":\"CANCELLED\"");
    desk_tick(&desk, DAYS(59));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_RENEWAL_REMINDER), 0);
    desk_tick(&desk, DAYS(60));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_RENEWAL_REMINDER), 1);
    desk_close(&desk);
}

static void imported_history_sends_nothing(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk.received_late_ms = DAYS(400);
    order(&desk, 0, "o1");
    delivered(&desk, DAYS(2), "o1");
    desk_ticket(&desk, DAYS(3), "t1", "OPENED");
    desk_ticket(&desk, DAYS(4), "t1", "RESOLVED");
    desk_nps(&desk, DAYS(90), "s1", 10);
    desk_tick(&desk, DAYS(490));
    assert_int_equal(desk.followup_count, 0);
    desk_close(&desk);
}

static void rules_are_configured(void **state)
{
    (void)state;
    char path[] = "/tmp/touchstream-rules-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    FILE *out = fdopen(file, "w");
    fputs("followups:\n  rules:\n    order_confirmation: {enabled: false}\n"
          "    my_own: {trigger: order_placed, kind: THANK_YOU, delay: 2h, conditions: [unused]}\n", out);
    fclose(out);
    struct desk desk;
    desk_open_with(&desk, path);
    order(&desk, 0, "o1");
    desk_tick(&desk, HOURS(3));
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_ORDER_CONFIRMATION), 0);
    assert_int_equal(desk_followups(&desk, FOLLOW_UP_KIND_THANK_YOU), 1);
    desk_close(&desk);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_confirmed_once),
        cmocka_unit_test(check_in_comes_three_days_after_delivery),
        cmocka_unit_test(an_order_in_two_parcels_is_asked_about_once),
        cmocka_unit_test(a_tip_for_who_has_not_begun),
        cmocka_unit_test(nobody_in_trouble_is_asked),
        cmocka_unit_test(support_asks_how_it_was),
        cmocka_unit_test(a_ticket_resolved_once_is_asked_about_once),
        cmocka_unit_test(who_is_happy_no_more_is_not_asked_for_friends),
        cmocka_unit_test(who_has_cooled_is_not_asked_for_friends),
        cmocka_unit_test(silence_is_noticed_once),
        cmocka_unit_test(the_term_is_about_to_end),
        cmocka_unit_test(imported_history_sends_nothing),
        cmocka_unit_test(rules_are_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
