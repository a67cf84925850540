/* From a bad rating to a customer who is glad again: the case, what people do to it, and what the KPIs make of it. */
#include "tests/stage/journey/desk.h"

static void angry_answer_opens_a_case(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 2);
    const struct alert *told = desk_case(&desk);
    assert_non_null(told);
    assert_int_equal(told->revision, 1);
    assert_int_equal(told->state, ALERT_STATE_OPEN);
    assert_int_equal(told->kind, ALERT_KIND_NEGATIVE_FEEDBACK);
    assert_int_equal(told->severity, SEVERITY_WARNING);
    assert_true(told->score == 35 && desk.last.hot_score == 35);
    assert_int_equal(told->reasons.count, 1);
    assert_true(view_equal_text(told->reasons.items[0].code, "nps_0_3") && told->reasons.items[0].has_event_id);
    assert_int_equal(told->opened_at_ms, DESK_START_MS);
    assert_int_equal(told->due_at_ms, DESK_START_MS + DAYS(1));
    assert_false(told->historical);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 1);
    desk_nps(&desk, HOURS(1), "s1", 2); /* says it again: the same case */
    assert_true(view_equal(desk_case(&desk)->case_id, desk.alerts[0].case_id));
    desk_close(&desk);
}

static void people_act_and_the_next_score_verifies(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    struct view id = desk_case(&desk)->case_id;
    desk_act(&desk, MINUTES(5), id, "ACKNOWLEDGED", NULL);
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_ACKNOWLEDGED);
    assert_true(view_equal_text(desk_case(&desk)->actor, "ada"));
    desk_act_by(&desk, MINUTES(6), id, "ASSIGNED", "grace", "chief"); /* every step has its own actor, this one too */
    assert_true(view_equal_text(desk_case(&desk)->owner, "grace"));
    assert_true(view_equal_text(desk_case(&desk)->actor, "chief"));
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_ACKNOWLEDGED);
    desk_act(&desk, HOURS(3), id, "CONTACTED", NULL);
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_IN_PROGRESS);
    assert_int_equal(desk_num(&desk, KPI_LOOP_CONTACT_24H), 1);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 1);
    desk_act(&desk, HOURS(5), id, "CLOSED", "sent a new one");
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_RESOLVED);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 0);
    assert_int_equal(desk_n(&desk, KPI_LOOP_CLOSE_TIME), 1);
    desk_nps(&desk, DAYS(3), "s1", 9); /* the same survey, another answer */
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_VERIFIED);
    assert_true(view_equal(desk_case(&desk)->case_id, id));
    assert_int_equal(desk_n(&desk, KPI_LOOP_RECOVERED), 1);
    assert_int_equal(desk_num(&desk, KPI_LOOP_RECOVERED), 1);
    desk_nps(&desk, DAYS(5), "s2", 1); /* that story is over: a new case */
    assert_false(view_equal(desk_case(&desk)->case_id, id));
    desk_close(&desk);
}

static void still_angry_after_closing_opens_it_again(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    struct view id = desk_case(&desk)->case_id;
    desk_act(&desk, HOURS(1), id, "CLOSED", NULL);
    desk_nps(&desk, HOURS(2), "s2", 5); /* not clearly negative, but no recovery */
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_OPEN);
    assert_true(view_equal(desk_case(&desk)->case_id, id));
    assert_int_equal(desk_n(&desk, KPI_LOOP_RECOVERED), 1);
    assert_int_equal(desk_num(&desk, KPI_LOOP_RECOVERED), 0);
    desk_act(&desk, HOURS(3), id, "CLOSED", NULL);
    desk_act(&desk, HOURS(4), id, "REOPENED", NULL);
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_OPEN);
    desk_close(&desk);
}

static void a_snoozed_case_comes_back_in_its_time(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 3);
    desk_act(&desk, MINUTES(1), desk_case(&desk)->case_id, "SNOOZED", "2h");
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_SNOOZED);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 0);
    desk_tick(&desk, HOURS(2));
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_SNOOZED);
    desk_tick(&desk, HOURS(2) + MINUTES(1));
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_OPEN);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 1);
    desk_close(&desk);
}

/* REOPENED is open, whatever it was: who takes a case out of its sleep, or gives it back to the others, says so by this verb. */
static void reopening_makes_any_case_open(void **state)
{
    static const struct {
        const char *verb;
        enum alert_state before;
    } cases[] = {{"SNOOZED", ALERT_STATE_SNOOZED}, {"ACKNOWLEDGED", ALERT_STATE_ACKNOWLEDGED}, {"CONTACTED", ALERT_STATE_IN_PROGRESS}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct desk desk;
        desk_open(&desk);
        desk_nps(&desk, 0, "s1", 3);
        desk_act(&desk, MINUTES(1), desk_case(&desk)->case_id, cases[i].verb, NULL);
        assert_int_equal(desk_case(&desk)->state, cases[i].before);
        desk_act(&desk, MINUTES(2), desk_case(&desk)->case_id, "REOPENED", NULL);
        assert_int_equal(desk_case(&desk)->state, ALERT_STATE_OPEN);
        assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 1);
        size_t told = desk.alert_count;
        desk_act(&desk, MINUTES(3), desk_case(&desk)->case_id, "REOPENED", NULL); /* it is open: nothing to tell */
        assert_int_equal(desk.alert_count, told);
        desk_act(&desk, HOURS(2), desk_case(&desk)->case_id, "CLOSED", NULL);
        assert_int_equal(desk_n(&desk, KPI_LOOP_CLOSE_TIME), 1);
        assert_int_equal(desk_case(&desk)->state, ALERT_STATE_RESOLVED);
        desk_close(&desk);
    }
}

/* The first event after a long silence moves the clock to shortly before itself, and what was due meanwhile fires then: as of an instant
 * at which the answer had not been given. It must not take back what the answer said. */
static void what_was_due_before_an_answer_does_not_unsay_it(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 10); /* an invitation to refer somebody waits for its time */
    desk_nps(&desk, DAYS(30), "s2", 0);
    desk_tick(&desk, DAYS(30) + 1);
    assert_int_equal(desk.alert_count, 1);
    assert_true(desk_case(&desk)->score > 34.9);
    assert_int_equal(desk_case(&desk)->reasons.count, 1);
    desk_close(&desk);
}

static void an_earlier_event_heard_of_later_does_not_unsay_it(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, HOURS(1), "s1", 0);
    desk_nps(&desk, HOURS(1) - 300, "s2", 8);
    assert_int_equal(desk.alert_count, 1);
    assert_true(desk_case(&desk)->score > 34.9);
    assert_true(desk.last.hot_score > 34.9);
    desk_close(&desk);
}

/* The older ticket is nearer to its end in proportion, the newer one is due sooner. */
static void a_case_is_due_with_the_soonest_of_its_tickets(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    desk_act(&desk, MINUTES(1), desk_case(&desk)->case_id, "CONTACTED", NULL);
    desk_ticket(&desk, MINUTES(2), "t1", "OPENED");
    desk_ticket(&desk, MINUTES(3), "t1", "AGENT_REPLIED");
    assert_int_equal(desk_case(&desk)->due_at_ms, DESK_START_MS + MINUTES(2) + HOURS(48));
    desk_ticket(&desk, HOURS(40), "t2", "OPENED");
    assert_int_equal(desk_case(&desk)->due_at_ms, DESK_START_MS + HOURS(42));
    assert_true(view_equal_text(desk_case(&desk)->ticket_id, "t1"));
    desk_close(&desk);
}

static void three_days_of_silence_halve_the_score(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    desk_tick(&desk, MINUTES(30));
    assert_int_equal(desk.alert_count, 1);
    size_t before = desk.alert_count;
    for (int hour = 1; hour <= 72; hour++)
        desk_tick(&desk, HOURS(hour));
    assert_true(desk.alert_count - before <= 25); /* 17 points down: told by the point, not by the hour */
    assert_true(desk_case(&desk)->score > 17 && desk_case(&desk)->score < 19);
    assert_int_equal(desk_num(&desk, KPI_LOOP_CONTACT_24H), 0);
    assert_int_equal(desk_n(&desk, KPI_LOOP_CONTACT_24H), 1); /* nobody called within a day */
    desk_tick(&desk, DAYS(40));
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_EXPIRED);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 0);
    desk_close(&desk);
}

static void hot_from_70_no_longer_below_60(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    desk_add(&desk, MINUTES(1), "SurveyAnswered", "\"survey_id\":\"s2\",\"kind\":\"CSAT\",\"score\":1");
    assert_true(desk_case(&desk)->score >= 69.9);
    desk_add(&desk, MINUTES(2), "SurveyAnswered", "\"survey_id\":\"s3\",\"kind\":\"CES\",\"score\":1");
    assert_int_equal(desk_case(&desk)->severity, SEVERITY_CRITICAL);
    assert_int_equal(desk_case(&desk)->kind, ALERT_KIND_HOT_TICKET);
    for (int hour = 1; hour <= 30; hour++) {
        desk_tick(&desk, HOURS(hour));
        const struct alert *told = desk_case(&desk);
        assert_int_equal(told->severity, told->score >= 60 ? SEVERITY_CRITICAL : SEVERITY_WARNING);
    }
    desk_tick(&desk, HOURS(48));
    assert_true(desk_case(&desk)->score < 60);
    assert_int_equal(desk_case(&desk)->severity, SEVERITY_WARNING);
    assert_int_equal(desk_case(&desk)->kind, ALERT_KIND_HOT_TICKET);
    desk_close(&desk);
}

static void words_of_safety_are_always_hot(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_add(&desk, 0, "TicketChanged", "\"ticket_id\":\"t1\",\"action\":\"OPENED\",\"text\":\"The charger caught fire. Terrible.\"");
    assert_non_null(desk_case(&desk));
    assert_int_equal(desk_case(&desk)->severity, SEVERITY_CRITICAL);
    assert_true(desk_case(&desk)->score >= 70);
    assert_true(view_equal_text(desk_case(&desk)->ticket_id, "t1"));
    double sum = 0;
    for (size_t i = 0; i < desk_case(&desk)->reasons.count; i++)
        sum += desk_case(&desk)->reasons.items[i].points;
    assert_true(sum > desk_case(&desk)->score - 0.5 && sum < desk_case(&desk)->score + 0.5);
    desk_close(&desk);
}

/* Said in so few words they are taken for faintly positive; praise that mentions a hospital or a lawyer is not. */
static void danger_and_law_need_no_bad_mood(void **state)
{
    static const struct {
        const char *text;
        bool is_case;
    } said[] = {{"The battery exploded in my hand", true}, {"it caught fire", true}, {"I got an electric shock", true},
                {"I will sue you", true}, {"I will SUE you!", true}, {"see you in court", true},
                {"The hospital staff love your device", false}, {"my lawyer friend loves it, great product", false},
                {"Thank you for helping me after I was in hospital", false}};
    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct desk desk;
        char data[200];
        desk_open(&desk);
        snprintf(data, sizeof data, "\"ticket_id\":\"t1\",\"action\":\"OPENED\",\"text\":\"%s\"", said[i].text);
        desk_add(&desk, 0, "TicketChanged", data);
        assert_int_equal(desk_case(&desk) != NULL, said[i].is_case);
        if (said[i].is_case)
            assert_int_equal(desk_case(&desk)->severity, SEVERITY_CRITICAL);
        desk_close(&desk);
    }
}

static void what_an_agent_writes_is_not_the_customers_trouble(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_add(&desk, 0, "TicketChanged", "\"ticket_id\":\"t1\",\"action\":\"OPENED\",\"text\":\"Where is my order?\"");
    desk_add(&desk, MINUTES(1), "TicketChanged", "\"ticket_id\":\"t1\",\"action\":\"AGENT_REPLIED\","
             "\"text\":\"A terrible mistake, I am so sorry. Our legal department and the police look into it; it is dangerous.\"");
    assert_null(desk_case(&desk));
    desk_nps(&desk, MINUTES(2), "s1", 1);
    desk_add(&desk, MINUTES(3), "TicketChanged",
             "\"ticket_id\":\"t1\",\"action\":\"CUSTOMER_REPLIED\",\"text\":\"My lawyer will call you\"");
    desk_add(&desk, MINUTES(4), "TicketChanged", "\"ticket_id\":\"t1\",\"action\":\"RESOLVED\",\"text\":\"Refunded.\"");
    desk_act(&desk, MINUTES(5), desk_case(&desk)->case_id, "ACKNOWLEDGED", NULL);
    assert_true(view_equal_text(desk_case(&desk)->text, "My lawyer will call you"));
    desk_close(&desk);
}

static void imported_history_is_recorded_quietly(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk.received_late_ms = DAYS(200);
    desk_nps(&desk, 0, "s1", 0);
    desk_ticket(&desk, HOURS(1), "t1", "OPENED");
    desk_nps(&desk, DAYS(100), "s2", 0);
    assert_true(desk.alert_count >= 5);
    for (size_t i = 0; i < desk.alert_count; i++)
        assert_true(desk.alerts[i].historical);
    desk_close(&desk);
}

static void a_forgotten_customer_leaves_nothing_behind(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 1);
    desk_add(&desk, HOURS(1), "CustomerForgotten", "");
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 0);
    const struct alert *told = desk_case(&desk);
    assert_int_equal(told->state, ALERT_STATE_EXPIRED);
    assert_null(told->customer_id.data);
    assert_int_equal(told->reasons.count, 0);
    assert_int_equal(driver_entry_count(desk.driver), 0);
    desk_close(&desk);
}

static void whose_turn_it_is(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    desk_act(&desk, 1, desk_case(&desk)->case_id, "CONTACTED", NULL);
    desk_ticket(&desk, 2, "t1", "OPENED");
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_IN_PROGRESS);
    desk_ticket(&desk, 3, "t1", "AGENT_REPLIED");
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_WAITING_CUSTOMER);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 1);
    desk_ticket(&desk, 4, "t1", "CUSTOMER_REPLIED");
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_IN_PROGRESS);
    desk_close(&desk);
}

static void an_earlier_answer_heard_of_later_keeps_the_case(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, HOURS(5), "s2", 0);
    struct view id = desk_case(&desk)->case_id;
    desk_nps(&desk, HOURS(1), "s1", 1);
    assert_true(view_equal(desk_case(&desk)->case_id, id)); /* people know it by that name */
    assert_int_equal(desk_case(&desk)->opened_at_ms, DESK_START_MS + HOURS(1));
    desk_act(&desk, HOURS(6), id, "ACKNOWLEDGED", NULL);
    assert_int_equal(desk_case(&desk)->state, ALERT_STATE_ACKNOWLEDGED);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 1);
    desk_close(&desk);
}

/* Two cases that turn out to be one: closing the first was a mistake that somebody had taken back, as we hear later. */
static void two_cases_turn_out_to_be_one(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk_nps(&desk, 0, "s1", 0);
    struct view first = desk_case(&desk)->case_id;
    desk_act(&desk, HOURS(1), first, "CLOSED", NULL);
    desk_nps(&desk, HOURS(2), "s2", 9);
    desk_nps(&desk, HOURS(9), "s3", 0);
    struct view second = desk_case(&desk)->case_id;
    assert_false(view_equal(first, second));
    desk_act(&desk, HOURS(3), first, "REOPENED", NULL);
    size_t open = 0;
    const struct view ids[] = {first, second};
    for (int i = 0; i < 2; i++) {
        const struct alert *last = NULL;
        for (size_t j = 0; j < desk.alert_count; j++)
            last = view_equal(desk.alerts[j].alert_id, ids[i]) ? &desk.alerts[j] : last;
        open += last->state == ALERT_STATE_OPEN;
    }
    assert_int_equal(open, 1);
    assert_int_equal(desk_n(&desk, KPI_HOT_OPEN), 1);
    desk_close(&desk);
}

/* Somebody may act on a case of another life of theirs; of those who were forgotten nothing else may be known. */
static void who_is_only_worked_on_was_seen_then(void **state)
{
    (void)state;
    struct desk desk;
    struct journey journey;
    uint32_t id;
    struct view avro;
    desk_open(&desk);
    desk_act(&desk, HOURS(2), VIEW_LITERAL("0191d2a0-0000-7000-8000-000000000001"), "CONTACTED", NULL);
    desk_act(&desk, HOURS(3), VIEW_LITERAL("0191d2a0-0000-7000-8000-000000000001"), "CLOSED", NULL);
    assert_int_equal(desk.last.customer.first_seen_at_ms, DESK_START_MS + HOURS(2));
    driver_checkpoint_begin(desk.driver);
    assert_true(driver_checkpoint_write(desk.driver, 10));
    assert_true(wire_split(driver_saved(desk.driver, VIEW_LITERAL("c-1")), &id, &avro));
    assert_true(journey_decode(&journey, avro, &desk.arena));
    assert_int_equal(journey.first_seen_at_ms, DESK_START_MS + HOURS(2));
    assert_int_equal(journey.last_seen_at_ms, DESK_START_MS + HOURS(2));
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(angry_answer_opens_a_case),
        cmocka_unit_test(people_act_and_the_next_score_verifies),
        cmocka_unit_test(still_angry_after_closing_opens_it_again),
        cmocka_unit_test(a_snoozed_case_comes_back_in_its_time),
        cmocka_unit_test(reopening_makes_any_case_open),
        cmocka_unit_test(what_was_due_before_an_answer_does_not_unsay_it),
        cmocka_unit_test(an_earlier_event_heard_of_later_does_not_unsay_it),
        cmocka_unit_test(a_case_is_due_with_the_soonest_of_its_tickets),
        cmocka_unit_test(three_days_of_silence_halve_the_score),
        cmocka_unit_test(hot_from_70_no_longer_below_60),
        cmocka_unit_test(words_of_safety_are_always_hot),
        cmocka_unit_test(danger_and_law_need_no_bad_mood),
        cmocka_unit_test(what_an_agent_writes_is_not_the_customers_trouble),
        cmocka_unit_test(imported_history_is_recorded_quietly),
        cmocka_unit_test(a_forgotten_customer_leaves_nothing_behind),
        cmocka_unit_test(whose_turn_it_is),
        cmocka_unit_test(an_earlier_answer_heard_of_later_keeps_the_case),
        cmocka_unit_test(two_cases_turn_out_to_be_one),
        cmocka_unit_test(who_is_only_worked_on_was_seen_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
