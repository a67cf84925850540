/* Every rule of the contract, one record each: what is taken, what is refused, with which code and path. */
#include "ingest/accept.h"

#include "base/clock.h"
#include "base/time_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int64_t now_ms;
static struct arena arena;

/* A record of `type` with `data`; `more` (may be empty) is put in front of it. */
static struct view record(const char *type, const char *data, const char *more)
{
    struct bytes text = {0};
    bytes_printf(&text,
                 "{%s\"event_id\": \"e1\", \"customer_id\": \"c-42\", \"occurred_at\": \"2026-11-22T10:00:00.000Z\", "
                 "\"source\": \"shop\", \"channel\": \"EMAIL\", \"type\": \"%s\", \"data\": %s}",
                 more, type, data);
    struct view out = arena_copy(&arena, bytes_view(&text));
    bytes_finish(&text);
    return out;
}

static void expect_text(struct view text, const char *code, const char *path)
{
    struct touchpoint touch;
    struct json_fault fault = {0};
    bool is_good = accept_touchpoint(&touch, text, ACCEPT_EITHER, (struct view){NULL, 0}, now_ms, &arena, &fault);
    if (!code) {
        if (!is_good)
            print_error("%.*s: %s %.*s\n", 200, text.data, fault.code, VIEW_ARGUMENTS(fault.reason));
        assert_true(is_good);
        assert_int_equal(touch.received_at_ms, now_ms);
        return;
    }
    assert_false(is_good);
    assert_string_equal(fault.code, code);
    assert_true(view_equal_text(fault.path, path));
    assert_true(fault.reason.size > 0);
}

static void expect(const char *type, const char *data, const char *code, const char *path)
{
    expect_text(record(type, data, ""), code, path);
}

/* `data` of an answer with this score, and so on. */
static const char *filled(const char *format, ...)
{
    static struct bytes text;
    va_list arguments;
    char *made = NULL;
    va_start(arguments, format);
    assert_true(vasprintf(&made, format, arguments) >= 0);
    va_end(arguments);
    bytes_clear(&text);
    bytes_append_text(&text, made);
    free(made);
    return bytes_text(&text);
}

static const char *repeated(char c, int count)
{
    static char text[20000];
    memset(text, c, (size_t)count);
    text[count] = '\0';
    return text;
}

static void scores_are_judged_by_their_kind(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        int least, most;
    } kinds[] = {{"NPS", 0, 10}, {"CSAT", 1, 5}, {"CES", 1, 7}, {"BRAND", 0, 10}};
    for (size_t i = 0; i < 4; i++) {
        for (int score = kinds[i].least - 1; score <= kinds[i].most + 1; score++) {
            bool is_in = score >= kinds[i].least && score <= kinds[i].most;
            expect("SurveyAnswered", filled("{\"survey_id\": \"s\", \"kind\": \"%s\", \"score\": %d}", kinds[i].kind, score),
                   is_in ? NULL : "out_of_range", "data.score");
        }
    }
    for (int stars = 0; stars <= 6; stars++)
        expect("ReviewPosted", filled("{\"stars\": %d, \"text\": \"\"}", stars), stars >= 1 && stars <= 5 ? NULL : "out_of_range",
               "data.stars");
}

static void every_kind_of_body_is_taken(void **state)
{
    (void)state;
    static const char *const bodies[][2] = {
        {"OrderPlaced", "{\"order_id\": \"o\", \"amount_minor\": 1299, \"currency\": \"EUR\", \"offer\": \"UPSELL\"}"},
        {"OrderDelivered", "{\"order_id\": \"o\", \"promised_at\": \"2026-11-25T00:00:00Z\"}"},
        {"ProductReturned", "{\"order_id\": \"o\", \"reason\": \"late\"}"},
        {"ProductUsed", "{\"feature\": \"sync\", \"seconds\": 30}"},
        {"DeviceReported", "{\"device_id\": \"d\", \"code\": \"E1\", \"severity\": \"CRITICAL\"}"},
        {"ServiceVisited", "{\"visit_id\": \"v\", \"ticket_id\": null, \"kind\": \"REPAIR\", \"fixed\": true}"},
        {"MessageEngaged", "{\"campaign\": \"c\", \"kind\": \"OFFER\", \"action\": \"CLICKED\"}"},
        {"SurveySent", "{\"survey_id\": \"s\", \"kind\": \"CES\"}"},
        {"SurveyAnswered", "{\"survey_id\": \"s\", \"kind\": \"CES\", \"score\": 7, \"comment\": \"fine\", \"about\": \"t1\"}"},
        {"TicketChanged", "{\"ticket_id\": \"t\", \"action\": \"HANDED_OFF\", \"team\": \"billing\", \"priority\": \"URGENT\"}"},
        {"ReviewPosted", "{\"stars\": 5, \"text\": \"good\"}"},
        {"SocialMention", "{\"network\": \"x\", \"reach\": 10, \"text\": \"hm\"}"},
        {"InterviewHeld", "{\"interviewer\": \"ana\", \"text\": \"long talk\"}"},
        {"SubscriptionChanged", "{\"subscription_id\": \"b\", \"action\": \"RENEWED\", \"term_ends_at\": \"2027-01-01T00:00:00Z\", "
                                "\"amount_minor\": 999, \"currency\": \"EUR\"}"},
        {"LoyaltyChanged", "{\"action\": \"REDEEMED\", \"points\": -50}"},
        {"ReferralMade", "{\"referred_customer_id\": \"c-43\", \"converted\": false}"},
        {"CaseActed", "{\"case_id\": \"k\", \"action\": \"SNOOZED\", \"actor\": \"ana\"}"},
        {"CustomerForgotten", "{}"},
    };
    assert_int_equal(sizeof bodies / sizeof *bodies, TOUCHPOINT_BODY_COUNT);
    for (size_t i = 0; i < TOUCHPOINT_BODY_COUNT; i++) {
        struct touchpoint touch, again;
        struct json_fault fault;
        struct bytes avro = {0}, json = {0};
        assert_true(accept_touchpoint(&touch, record(bodies[i][0], bodies[i][1], ""), ACCEPT_FORM, (struct view){NULL, 0},
                                      now_ms, &arena, &fault));
        assert_int_equal(touch.body_kind, i);
        touchpoint_encode(&avro, &touch); /* to Kafka and back, as JSON it is the same */
        assert_true(touchpoint_decode(&again, bytes_view(&avro), &arena));
        struct bytes json_again = {0};
        record_to_json(&json, &touchpoint_shape, &touch);
        record_to_json(&json_again, &touchpoint_shape, &again);
        assert_string_equal(bytes_text(&json), bytes_text(&json_again));
        struct touchpoint reread;
        assert_true(accept_touchpoint(&reread, bytes_view(&json), ACCEPT_FORM, (struct view){NULL, 0}, now_ms, &arena, &fault));
        assert_true(uuid_equal(&reread.event_id, &touch.event_id));
        bytes_finish(&avro);
        bytes_finish(&json);
        bytes_finish(&json_again);
    }
}

static void ids_are_given_and_short(void **state)
{
    (void)state;
    expect("OrderDelivered", "{\"order_id\": \"\"}", "empty", "data.order_id");
    expect("OrderDelivered", filled("{\"order_id\": \"%s\"}", repeated('x', 257)), "too_large", "data.order_id");
    expect("OrderDelivered", filled("{\"order_id\": \"%s\"}", repeated('x', 256)), NULL, "");
    expect("TicketChanged", "{\"ticket_id\": \"\", \"action\": \"OPENED\"}", "empty", "data.ticket_id");
    expect("ReferralMade", "{\"referred_customer_id\": \"\", \"converted\": true}", "empty", "data.referred_customer_id");
    struct view text = record("CustomerForgotten", "{}", "");
    char *at = memmem(text.data, text.size, "c-42", 4);
    at[-1] = ' ', memcpy(at, "\"\"  ", 4), at[4] = ' ';
    expect_text(text, "empty", "customer_id");
    text = record("CustomerForgotten", "{}", "");
    at = memmem(text.data, text.size, "\"e1\"", 4);
    memcpy(at, "\"\"  ", 4);
    expect_text(text, "empty", "event_id");
    text = record("CustomerForgotten", "{}", "");
    at = memmem(text.data, text.size, "\"shop\"", 6);
    memcpy(at, "\"\"    ", 6);
    expect_text(text, "empty", "source");
}

static void texts_and_names_are_bounded(void **state)
{
    (void)state;
    expect("ReviewPosted", filled("{\"stars\": 3, \"text\": \"%s\"}", repeated('x', 16384)), NULL, "");
    expect("ReviewPosted", filled("{\"stars\": 3, \"text\": \"%s\"}", repeated('x', 16385)), "too_large", "data.text");
    expect("SurveyAnswered", filled("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": 1, \"comment\": \"%s\"}", repeated('x', 16385)),
           "too_large", "data.comment");
    expect("TicketChanged", filled("{\"ticket_id\": \"t\", \"action\": \"OPENED\", \"team\": \"%s\"}", repeated('x', 257)), "too_large",
           "data.team");
    expect_text(record("CustomerForgotten", "{}", filled("\"product\": \"%s\", ", repeated('p', 257))), "too_large", "product");
    expect_text(record("CustomerForgotten", "{}", filled("\"attributes\": {\"%s\": \"v\"}, ", repeated('k', 257))), "too_large",
                "attributes");
}

static void a_record_is_at_most_a_mebibyte(void **state)
{
    (void)state;
    size_t size = RECORD_BYTES_MAX + 1;
    char *text = malloc(size);
    memset(text, ' ', size);
    struct view small = record("CustomerForgotten", "{}", "");
    memcpy(text, small.data, small.size);
    expect_text(view_of(text, size - 1), NULL, "");
    expect_text(view_of(text, size), "too_large", "");
    free(text);
}

static void amounts_and_lengths(void **state)
{
    (void)state;
    static const char *const bad[] = {"eur", "EU", "EURO", "E1R", ""};
    for (size_t i = 0; i < 5; i++)
        expect("OrderPlaced", filled("{\"order_id\": \"o\", \"amount_minor\": 1, \"currency\": \"%s\"}", bad[i]), "out_of_range",
               "data.currency");
    expect("SubscriptionChanged", "{\"subscription_id\": \"b\", \"action\": \"STARTED\", \"currency\": \"usd\"}", "out_of_range",
           "data.currency");
    static const struct {
        const char *amount, *code, *path;
    } amounts[] = {{"1000000000000000", NULL, ""},
                   {"-1000000000000000", NULL, ""},
                   {"1000000000000001", "out_of_range", "data.amount_minor"},
                   {"-9223372036854775808", "out_of_range", "data.amount_minor"}};
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        expect("OrderPlaced", filled("{\"order_id\": \"o\", \"amount_minor\": %s, \"currency\": \"EUR\"}", amounts[i].amount), amounts[i].code,
               amounts[i].path);
        expect("SubscriptionChanged",
               filled("{\"subscription_id\": \"b\", \"action\": \"STARTED\", \"amount_minor\": %s, \"currency\": \"EUR\"}", amounts[i].amount),
               amounts[i].code, amounts[i].path);
    }
    expect("ProductUsed", "{\"feature\": \"f\", \"seconds\": -1}", "out_of_range", "data.seconds");
    expect("ProductUsed", "{\"feature\": \"f\", \"seconds\": 3000000000}", "out_of_range", "data.seconds");
    expect("SocialMention", "{\"network\": \"x\", \"reach\": -1, \"text\": \"\"}", "out_of_range", "data.reach");
}

static void times_must_be_plausible(void **state)
{
    (void)state;
    static const struct {
        const char *at, *code;
    } times[] = {{"2026-11-22T12:05:00.000Z", NULL},      {"2026-11-22T12:05:00.001Z", "future"},
                 {"2000-01-01T00:00:00Z", NULL},          {"1999-12-31T23:59:59.999Z", "too_old"},
                 {"2026-11-22T13:00:00+02:00", NULL},     {"tomorrow", "bad_time"},
                 {"2026-02-30T00:00:00Z", "bad_time"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct bytes text = {0};
        bytes_printf(&text, "{\"event_id\": \"e1\", \"customer_id\": \"c\", \"occurred_at\": \"%s\", \"source\": \"s\", "
                            "\"channel\": \"WEB\", \"type\": \"CustomerForgotten\", \"data\": {}}", times[i].at);
        expect_text(bytes_view(&text), times[i].code, "occurred_at");
        bytes_finish(&text);
    }
    expect("OrderDelivered", "{\"order_id\": \"o\", \"promised_at\": 1700000000000}", "wrong_type", "data.promised_at");
    expect("OrderDelivered", "{\"order_id\": \"o\", \"promised_at\": \"soon\"}", "bad_time", "data.promised_at");
}

static void form_faults_keep_their_codes(void **state)
{
    (void)state;
    expect_text(record("CustomerForgotten", "{}", "\"colour\": 1, "), "unknown_field", "colour");
    expect("Nonsense", "{}", "unknown_type", "type");
    expect("OrderDelivered", "{}", "missing_field", "data.order_id");
    expect("OrderDelivered", "{\"order_id\": null}", "missing_field", "data.order_id");
    expect("OrderDelivered", "{\"order_id\": 5}", "wrong_type", "data.order_id");
    expect("TicketChanged", "{\"ticket_id\": \"t\", \"action\": \"OPEN\"}", "unknown_symbol", "data.action");
    expect("ReviewPosted", "{\"stars\": 5, \"text\": \"\xff\"}", "bad_utf8", "data.text");
    expect("ReviewPosted", "{\"stars\": 5, \"text\": \"\\ud800\"}", "bad_utf8", "data.text");
    expect_text(VIEW_LITERAL("17"), "bad_json", "");
    expect_text(VIEW_LITERAL("{\"a\""), "bad_json", "");
    expect_text(VIEW_LITERAL(""), "bad_json", "");
}

static void cloud_events_are_the_same_by_other_names(void **state)
{
    (void)state;
    expect_text(VIEW_LITERAL("{\"specversion\": \"1.0\", \"id\": \"e1\", \"source\": \"shop\", \"time\": \"2026-11-22T10:00:00Z\", "
                             "\"subject\": \"c-42\", \"type\": \"touchstream.ReviewPosted\", \"channel\": \"WEB\", "
                             "\"data\": {\"stars\": 4, \"text\": \"ok\"}}"), NULL, "");
    expect_text(VIEW_LITERAL("{\"specversion\": \"1.0\", \"id\": \"e1\", \"source\": \"shop\", \"time\": \"2026-11-22T10:00:00Z\", "
                             "\"subject\": \"c-42\", \"type\": \"touchstream.ReviewPosted\", \"channel\": \"WEB\", "
                             "\"data\": {\"stars\": 9, \"text\": \"ok\"}}"), "out_of_range", "data.stars");
}

static void a_rejected_record_keeps_what_is_known(void **state)
{
    (void)state;
    struct touchpoint touch;
    struct json_fault fault;
    struct rejected rejected;
    struct view text = record("ReviewPosted", "{\"stars\": 9, \"text\": \"\"}", "");
    assert_false(accept_touchpoint(&touch, text, ACCEPT_FORM, (struct view){NULL, 0}, now_ms, &arena, &fault));
    accept_rejected(&rejected, &touch, VIEW_LITERAL("import"), text, &fault, now_ms, 2);
    assert_true(view_equal_text(rejected.source, "shop"));
    assert_true(view_equal(rejected.payload, text));
    assert_int_equal(rejected.attempt, 2);
    struct uuid expected = uuid_of_source(VIEW_LITERAL("shop"), VIEW_LITERAL("e1"));
    assert_true(rejected.has_event_id && uuid_equal(&rejected.event_id, &expected));

    static char huge[RECORD_BYTES_MAX + 100];
    accept_rejected(&rejected, NULL, VIEW_LITERAL("import"), view_of(huge, sizeof huge), &fault, now_ms, 1);
    assert_int_equal(rejected.payload.size, RECORD_BYTES_MAX);
    assert_false(rejected.has_event_id);
    assert_true(view_equal_text(rejected.source, "import"));
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    assert_true(time_text_parse(VIEW_LITERAL("2026-11-22T12:00:00Z"), &now_ms));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scores_are_judged_by_their_kind),
        TEST(every_kind_of_body_is_taken),
        TEST(ids_are_given_and_short),
        TEST(texts_and_names_are_bounded),
        TEST(a_record_is_at_most_a_mebibyte),
        TEST(amounts_and_lengths),
        TEST(times_must_be_plausible),
        TEST(form_faults_keep_their_codes),
        TEST(cloud_events_are_the_same_by_other_names),
        TEST(a_rejected_record_keeps_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
