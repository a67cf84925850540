/* The shipped mappings on payloads written from the vendors' documentation, and jq as we run it. */
#include "ingest/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena arena;

static struct mapping *shipped(const char *name)
{
    struct bytes program = {0}, error = {0};
    assert_true(mapping_find(name, "", &program, &error));
    struct mapping *mapping = mapping_create(bytes_view(&program), &(struct mapping_options){.name = name, .file = name}, NULL, &error);
    assert_string_equal(bytes_text(&error), "");
    bytes_finish(&program);
    bytes_finish(&error);
    return mapping;
}

/* What `payload` becomes: touchpoints as the JSON form's type and data, or fault codes, one a line. */
static const char *told(const char *name, const char *payload)
{
    static struct bytes out;
    struct intake intake = {.mapping = shipped(name), .default_source = view_of_text(name), .arena = &arena};
    struct touchpoint touch;
    struct json_fault fault;
    enum intake_step step;
    bytes_clear(&out);
    intake_put_payload(&intake, view_of_text(payload));
    while ((step = intake_take(&intake, &touch, &fault)) != INTAKE_END) {
        if (step == INTAKE_FAULT) {
            bytes_printf(&out, "%s %.*s\n", fault.code, VIEW_ARGUMENTS(fault.path));
            continue;
        }
        struct bytes json = {0};
        record_to_json(&json, &touchpoint_shape, &touch);
        const char *type = strstr(bytes_text(&json), "\"type\":");
        bytes_printf(&out, "%.*s %s\n", VIEW_ARGUMENTS(touch.customer_id), type);
        bytes_finish(&json);
    }
    mapping_destroy(intake.mapping);
    return bytes_text(&out);
}

static void expect(const char *name, const char *payload, const char *expected)
{
    const char *found = told(name, payload);
    if (strcmp(found, expected) != 0)
        print_error("%s:\n%s\nexpected\n%s\n", name, found, expected);
    assert_string_equal(found, expected);
}

#define TICKET(type, event, more)                                                                                      \
    "{\"type\": \"zen:event-type:" type "\", \"id\": \"01H\", \"time\": \"2026-01-01T00:00:00Z\", \"subject\": \"zen:ticket:7\", " \
    "\"event\": " event ", \"detail\": {\"id\": \"7\", \"via\": {\"channel\": \"email\"}, \"requester_id\": \"9\"" more "}}"
#define CHANGED(action, team, agent, priority, text)                                                                   \
    "9 \"type\":\"TicketChanged\",\"data\":{\"ticket_id\":\"7\",\"action\":\"" action "\",\"team\":" team ",\"agent\":" agent   \
    ",\"priority\":" priority ",\"text\":" text "}}\n"

static void zendesk_tells_a_tickets_course(void **state)
{
    (void)state;
    expect("zendesk", TICKET("ticket.created", "{}", ", \"subject\": \"Help\", \"priority\": \"HIGH\", \"group_id\": \"g1\""),
           CHANGED("OPENED", "\"g1\"", "null", "\"HIGH\"", "\"Help\""));
    expect("zendesk", TICKET("ticket.status_changed", "{\"current\": \"SOLVED\", \"previous\": \"OPEN\"}", ""),
           CHANGED("RESOLVED", "null", "null", "null", "null"));
    expect("zendesk", TICKET("ticket.status_changed", "{\"current\": \"Open\", \"previous\": \"Solved\"}", ""),
           CHANGED("REOPENED", "null", "null", "null", "null"));
    expect("zendesk", TICKET("ticket.status_changed", "{\"current\": \"OPEN\", \"previous\": \"NEW\"}", ""), "");
    expect("zendesk", TICKET("ticket.status_changed", "{\"current\": \"CLOSED\", \"previous\": \"SOLVED\"}", ""),
           CHANGED("CLOSED", "null", "null", "null", "null"));
    expect("zendesk", TICKET("ticket.status_changed", "{\"current\": \"PENDING\", \"previous\": \"OPEN\"}", ""),
           CHANGED("PENDING", "null", "null", "null", "null"));
    expect("zendesk", TICKET("ticket.comment_added", "{\"comment\": {\"body\": \"so?\", \"is_public\": true, \"author\": {\"is_staff\": false}}}", ""),
           CHANGED("CUSTOMER_REPLIED", "null", "null", "null", "\"so?\""));
    expect("zendesk", TICKET("ticket.comment_added", "{\"comment\": {\"body\": \"yes\", \"is_public\": true, \"author\": {\"is_staff\": true}}}", ""),
           CHANGED("AGENT_REPLIED", "null", "null", "null", "\"yes\""));
    expect("zendesk", TICKET("ticket.comment_added", "{\"comment\": {\"body\": \"psst\", \"is_public\": false, \"author\": {\"is_staff\": true}}}", ""), "");
    expect("zendesk", TICKET("ticket.group_assignment_changed", "{\"current\": {\"id\": \"5\", \"name\": \"billing\"}}", ""),
           CHANGED("HANDED_OFF", "\"billing\"", "null", "null", "null"));
    expect("zendesk", TICKET("ticket.group_assignment_changed", "{\"current\": \"360\", \"previous\": \"12\"}", ""),
           CHANGED("HANDED_OFF", "\"360\"", "null", "null", "null"));
    expect("zendesk", TICKET("ticket.group_assignment_changed", "{\"current\": \"360\", \"previous\": null}", ""),
           CHANGED("ASSIGNED", "\"360\"", "null", "null", "null"));
    expect("zendesk", TICKET("ticket.group_assignment_changed", "{\"current\": null, \"previous\": \"360\"}", ""), "");
    expect("zendesk", TICKET("ticket.agent_assignment_changed", "{\"current\": {\"id\": \"5\", \"name\": \"ana\"}}", ""),
           CHANGED("ASSIGNED", "null", "\"ana\"", "null", "null"));
    expect("zendesk", "{\"type\": \"zen:event-type:user.created\", \"id\": \"1\"}", "");
}

#define ORDER "\"id\": 820982911946154508, \"email\": \"Jo@Example.com\", \"created_at\": \"2026-01-01T10:00:00-05:00\", \"currency\": \"%s\", " \
              "\"total_price\": \"%s\", \"financial_status\": \"paid\", \"order_number\": 1, \"line_items\": [{\"title\": \"Lamp\"}]%s"

static const char *order(const char *currency, const char *price, const char *more)
{
    static char text[1000];
    snprintf(text, sizeof text, "{" ORDER "}", currency, price, more);
    return text;
}

static void shopify_orders_returns_and_deliveries(void **state)
{
    (void)state;
    expect("shopify", order("EUR", "19.99", ""),
           "jo@example.com \"type\":\"OrderPlaced\",\"data\":{\"order_id\":\"820982911946154508\",\"amount_minor\":1999,\"currency\":\"EUR\",\"offer\":null}}\n");
    expect("shopify", order("JPY", "1500", ""),
           "jo@example.com \"type\":\"OrderPlaced\",\"data\":{\"order_id\":\"820982911946154508\",\"amount_minor\":1500,\"currency\":\"JPY\",\"offer\":null}}\n");
    expect("shopify", order("EUR", "1.00", ", \"refunds\": [{\"id\": 1, \"created_at\": \"2026-01-02T00:00:00Z\", \"note\": null, \"refund_line_items\": [{}]},"
                                           " {\"id\": 2, \"refund_line_items\": []}]"),
           "jo@example.com \"type\":\"OrderPlaced\",\"data\":{\"order_id\":\"820982911946154508\",\"amount_minor\":100,\"currency\":\"EUR\",\"offer\":null}}\n"
           "jo@example.com \"type\":\"ProductReturned\",\"data\":{\"order_id\":\"820982911946154508\",\"reason\":\"refund\"}}\n");
    expect("shopify", "{\"id\": 5, \"order_id\": 6, \"email\": \"a@b.c\", \"tracking_numbers\": [], \"updated_at\": \"2026-01-01T00:00:00Z\", \"shipment_status\": \"in_transit\"}", "");
    expect("shopify", "{\"id\": 5, \"order_id\": 6, \"email\": \"a@b.c\", \"tracking_numbers\": [], \"updated_at\": \"2026-01-01T00:00:00Z\", \"shipment_status\": \"delivered\"}",
           "a@b.c \"type\":\"OrderDelivered\",\"data\":{\"order_id\":\"6\",\"promised_at\":null}}\n");
    expect("shopify", "{\"id\": \"cart\", \"line_items\": []}", "");
    expect("shopify", "[{\"id\": 1, \"kind\": \"sale\"}, {\"id\": 2, \"kind\": \"refund\"}]", "");
    expect("shopify", "{\"id\": 1, \"created_at\": \"2026-01-01T00:00:00Z\", \"order_number\": 4, \"user_id\": 77}", ""); /* the clerk is no customer */
}

static void shopify_lists_are_taken_one_by_one(void **state)
{
    (void)state;
    static const char one[] = "jo@example.com \"type\":\"OrderPlaced\",\"data\":{\"order_id\":\"820982911946154508\",\"amount_minor\":1999,\"currency\":\"EUR\",\"offer\":null}}\n";
    char *text = strdup(order("EUR", "19.99", "")), list[3000], twice[500];
    snprintf(twice, sizeof twice, "%s%s", one, one);
    snprintf(list, sizeof list, "{\"orders\": [%s, %s]}", text, text);
    expect("shopify", list, twice);
    snprintf(list, sizeof list, "[%s, %s]", text, text);
    expect("shopify", list, twice);
    snprintf(list, sizeof list, "{\"order\": %s}", text);
    expect("shopify", list, one);
    free(text);
}

#define FORM(hidden, fields, answers)                                                                                  \
    "{\"event_id\": \"e\", \"form_response\": {\"form_id\": \"f\", \"submitted_at\": \"2026-01-01T00:00:00Z\", \"hidden\": " hidden \
    ", \"definition\": {\"fields\": [" fields "]}, \"answers\": [" answers "]}}"
#define NUMBER(id, type, n) "{\"type\": \"number\", \"number\": " n ", \"field\": {\"id\": \"" id "\", \"type\": \"" type "\"}}"

static void typeform_scores_by_what_is_asked(void **state)
{
    (void)state;
    expect("typeform", FORM("{\"customer_id\": \"c1\", \"about\": \"t9\"}",
                            "{\"id\": \"a\", \"type\": \"opinion_scale\", \"title\": \"Would you recommend us?\"}, {\"id\": \"b\", \"type\": \"number\", \"ref\": \"ces_1\"}",
                            NUMBER("a", "opinion_scale", "0") ", " NUMBER("b", "number", "7") ", {\"type\": \"text\", \"text\": \"meh\", \"field\": {\"id\": \"t\", \"type\": \"long_text\"}}"),
           "c1 \"type\":\"SurveyAnswered\",\"data\":{\"survey_id\":\"f\",\"kind\":\"CES\",\"score\":7,\"comment\":\"meh\",\"about\":\"t9\"}}\n"
           "c1 \"type\":\"SurveyAnswered\",\"data\":{\"survey_id\":\"f\",\"kind\":\"NPS\",\"score\":0,\"comment\":\"meh\",\"about\":\"t9\"}}\n");
    expect("typeform", FORM("{\"email\": \"a@b.c\"}", "", NUMBER("x", "rating", "8")), "out_of_range data.score\n");
    expect("typeform", FORM("{}", "", NUMBER("x", "rating", "3")), "bad_mapping \n");
    expect("typeform", "{\"event_id\": \"e\", \"event_type\": \"other\"}", "");
}

static void satismeter_answers_with_a_metric(void **state)
{
    (void)state;
    expect("satismeter", "{\"response\": {\"id\": \"r\", \"created\": \"2026-01-01T00:00:00Z\", \"feedback\": \"ok\", \"project\": \"p\", "
                         "\"user\": {\"userId\": \"u1\"}, \"answers\": [{\"metric\": \"nps\", \"value\": 9}, {\"value\": 3}, {\"metric\": \"ces\", \"value\": 8}]}}",
           "out_of_range data.score\n"
           "u1 \"type\":\"SurveyAnswered\",\"data\":{\"survey_id\":\"p\",\"kind\":\"NPS\",\"score\":9,\"comment\":\"ok\",\"about\":null}}\n");
    expect("satismeter", "{\"response\": {\"id\": \"r\", \"dismissed\": true, \"answers\": []}}", "");
}

static void segment_tracks(void **state)
{
    (void)state;
    expect("segment", "{\"batch\": [{\"type\": \"track\", \"userId\": 7, \"messageId\": \"m1\", \"event\": \"Export\", \"timestamp\": \"2026-01-01T00:00:00Z\", "
                      "\"properties\": {\"seconds\": 12.7}}, {\"type\": \"identify\", \"userId\": 7}, {\"type\": \"track\", \"userId\": 7, \"messageId\": \"m2\", "
                      "\"event\": \"Order Completed\", \"timestamp\": \"2026-01-01T00:00:00Z\", \"properties\": {\"order_id\": 5, \"total\": 9.99, \"currency\": \"EUR\"}}]}",
           "7 \"type\":\"ProductUsed\",\"data\":{\"feature\":\"Export\",\"seconds\":12}}\n"
           "7 \"type\":\"OrderPlaced\",\"data\":{\"order_id\":\"5\",\"amount_minor\":999,\"currency\":\"EUR\",\"offer\":null}}\n");
}

/* originalTimestamp is what the device's clock showed; timestamp is what Segment made of it. */
static void segment_corrects_the_clocks_of_devices(void **state)
{
    (void)state;
    expect("segment", "{\"type\": \"track\", \"userId\": 7, \"messageId\": \"m1\", \"event\": \"Export\", \"timestamp\": \"2026-01-01T00:00:00Z\", "
                      "\"originalTimestamp\": \"0000-00-00T00:00:00Z\", \"properties\": {}}",
           "7 \"type\":\"ProductUsed\",\"data\":{\"feature\":\"Export\",\"seconds\":0}}\n");
}

static void segment_orders_in_currencies_without_cents(void **state)
{
    (void)state;
    expect("segment", "{\"type\": \"track\", \"userId\": 7, \"messageId\": \"m1\", \"event\": \"Order Completed\", \"timestamp\": \"2026-01-01T00:00:00Z\", "
                      "\"properties\": {\"order_id\": 5, \"total\": 2500, \"currency\": \"jpy\"}}",
           "7 \"type\":\"OrderPlaced\",\"data\":{\"order_id\":\"5\",\"amount_minor\":2500,\"currency\":\"JPY\",\"offer\":null}}\n");
}

static void freshdesk_tells_a_tickets_course(void **state)
{
    (void)state;
    expect("freshdesk", "{\"freshdesk_webhook\": {\"ticket_id\": 7, \"triggered_event\": \"ticket_created\", \"ticket_subject\": \"Help\", \"ticket_priority\": \"Medium\", "
                        "\"ticket_requester_email\": \"A@b.c\", \"ticket_created_at\": \"2026-01-01T00:00:00Z\"}}",
           "a@b.c \"type\":\"TicketChanged\",\"data\":{\"ticket_id\":\"7\",\"action\":\"OPENED\",\"team\":null,\"agent\":null,\"priority\":\"NORMAL\",\"text\":\"Help\"}}\n");
    expect("freshdesk", "{\"freshdesk_webhook\": {\"ticket_id\": 7, \"triggered_event\": \"ticket_status_updated\", \"ticket_old_status\": \"Resolved\", "
                        "\"ticket_new_status\": \"Open\", \"ticket_updated_at\": \"2026-01-01T00:00:00Z\"}}",
           "ticket 7 \"type\":\"TicketChanged\",\"data\":{\"ticket_id\":\"7\",\"action\":\"REOPENED\",\"team\":null,\"agent\":null,\"priority\":null,\"text\":null}}\n");
    expect("freshdesk", "{\"freshdesk_webhook\": {\"ticket_id\": 7, \"triggered_event\": \"ticket_created\", \"ticket_requester_email\": \"a@b.c\", "
                        "\"ticket_created_at\": \"2026-01-01 10:00:00 UTC\"}}",
           "a@b.c \"type\":\"TicketChanged\",\"data\":{\"ticket_id\":\"7\",\"action\":\"OPENED\",\"team\":null,\"agent\":null,\"priority\":null,\"text\":null}}\n");
}

/* What a payload leaves out must not become a customer or ticket named null, which everyone's would be. */
static void what_is_not_there_gets_no_name(void **state)
{
    (void)state;
    expect("zendesk", "{\"type\": \"zen:event-type:ticket.created\", \"id\": \"1\", \"time\": \"2026-01-01T00:00:00Z\", \"detail\": {\"requester_id\": 9}}",
           "bad_mapping \n");
    expect("freshdesk", "{\"triggered_event\": \"ticket_created\", \"ticket_requester_email\": \"a@b.c\", \"ticket_created_at\": \"2026-01-01T00:00:00Z\"}",
           "bad_mapping \n");
    expect("shopify", "{\"email\": \"a@b.c\", \"order_number\": 1, \"created_at\": \"2026-01-01T00:00:00Z\", \"currency\": \"EUR\", \"total_price\": \"1\"}",
           "bad_mapping \n");
    expect("satismeter", "{\"response\": {\"id\": \"r\", \"created\": \"2026-01-01T00:00:00Z\", \"answers\": [{\"metric\": \"nps\", \"value\": 9}]}}", "bad_mapping \n");
    expect("typeform", "{\"form_response\": {\"form_id\": \"f\", \"submitted_at\": \"2026-01-01T00:00:00Z\", \"hidden\": {\"customer_id\": 1}, \"answers\": ["
                       NUMBER("x", "rating", "3") "]}}", "bad_mapping \n");
}

static void a_long_text_is_cut_in_any_script(void **state)
{
    (void)state;
    struct bytes payload = {0};
    bytes_append_text(&payload, "{\"type\": \"zen:event-type:ticket.created\", \"id\": \"1\", \"time\": \"2026-01-01T00:00:00Z\", "
                                "\"detail\": {\"id\": 7, \"requester_id\": 9, \"description\": \"");
    for (int i = 0; i < 9000; i++)
        bytes_append_text(&payload, "\xf0\x9f\x98\xa1");
    bytes_append_text(&payload, "\"}}");
    assert_memory_equal(told("zendesk", bytes_text(&payload)), "9 \"type\":\"TicketChanged\"", 24);
    bytes_finish(&payload);
}

static void payloads_are_read_strictly(void **state)
{
    (void)state;
    expect("shopify", "", "bad_json \n");
    expect("shopify", "{\"a\": NaN}", "bad_json \n");
    expect("shopify", "{} {}", "bad_json \n");
    expect("shopify", "{\"a\": \"\xff\"}", "bad_utf8 \n");
    expect("shopify", "{\"a\": \"\\ud83d\"}", "bad_utf8 \n");
    expect("shopify", "\xEF\xBB\xBF{}", "");
    expect("shopify", "[1, \"a\", null]", "bad_mapping \n");
}

/* The functions every mapping may use. */
static void the_prelude(void **state)
{
    (void)state;
    static const struct {
        const char *program, *expected;
    } cases[] = {
        {"\"2012/10/09 14:50:17.000\" | ts", "\"2012-10-09T14:50:17.000Z\""},
        {"\"2017-07-09\" | ts", "\"2017-07-09T00:00:00Z\""},
        {"\"2017-07-09T10:00:00+02:00\" | ts", "\"2017-07-09T10:00:00+02:00\""},
        {"\"2017-07-09 21:57:05+02:00\" | ts", "\"2017-07-09T21:57:05+02:00\""}, /* as databases write it: it has a zone, so it is no UTC */
        {"[\"2017-07-09 21:57:05z\", \"2017-07-09 21:57:05.5 -0300\", \"2017-07-09 21:57:05 UTC\" | ts]",
         "[\"2017-07-09T21:57:05Z\",\"2017-07-09T21:57:05.5-0300\",\"2017-07-09T21:57:05Z\"]"},
        {"[\"09/07/2017\", \"20170709T215705Z\", \"1499637425\", \"yesterday\" | ts]",
         "[\"09/07/2017\",\"20170709T215705Z\",\"1499637425\",\"yesterday\"]"}, /* refused as what the file has, not as what we made of it */
        {"[\"\", null | ts]", "[null,null]"},
        {"\"19970101\" | ts(\"%Y%m%d\")", "\"1997-01-01T00:00:00Z\""},
        {"\"05.07.2025 13:30\" | ts(\"%d.%m.%Y %H:%M\")", "\"2025-07-05T13:30:00Z\""}, /* in a summer of the machine's zone */
        {"[1700000000, \"1700000000\", 1700000000123 | ts_epoch]", "[\"2023-11-14T22:13:20Z\",\"2023-11-14T22:13:20Z\",\"2023-11-14T22:13:20Z\"]"},
        {"1700000000007 | ts_ms", "\"2023-11-14T22:13:20.007Z\""},
        {"[\"128.45\", \"0.29\", 541.0, \"1.005\" | minor]", "[12845,29,54100,100]"},
        {"[\"\", \"NA\", null, \"x\" | blank]", "[null,null,null,\"x\"]"},
        {"[\"<p>It&#39;s <b>1 &lt; 2</b>&nbsp;&amp;&amp; late</p>\\n\", \"<br>\", \"&amp;lt;\", null | plain]", "[\"It's 1 < 2 && late\",null,\"&lt;\",null]"},
        {"id_of(\"a\", 1)", "\"a/1\""},
        {"[\"EUR\", \"JPY\", \"XOF\", \"KWD\", \"CLF\", null | digits]", "[2,0,0,3,4,2]"},
        {"header(\"x\")", "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes program = {0}, error = {0};
        bytes_printf(&program, "{out: (%s)}", cases[i].program);
        struct mapping *mapping = mapping_create(bytes_view(&program), &(struct mapping_options){.name = "f", .file = "f"}, NULL, &error);
        assert_string_equal(bytes_text(&error), "");
        mapping_put_line(mapping, VIEW_LITERAL("x"), 1);
        struct view json;
        struct json_fault fault;
        assert_int_equal(mapping_take(mapping, &json, &arena, &fault), MAPPING_TOUCHPOINT);
        struct bytes expected = {0};
        bytes_printf(&expected, "{\"out\":%s}", cases[i].expected);
        if (!view_equal(json, bytes_view(&expected)))
            print_error("%s gave %.*s\n", cases[i].program, VIEW_ARGUMENTS(json));
        assert_true(view_equal(json, bytes_view(&expected)));
        mapping_destroy(mapping);
        bytes_finish(&program), bytes_finish(&error), bytes_finish(&expected);
    }
}

/* Whatever does not end, by its own fault or by what it was given, costs its sender an error; the next input goes through as ever. */
static void a_mapping_ends_with_its_input(void **state)
{
    (void)state;
    static const struct {
        const char *program, *reason;
        int64_t time_ms_max;
    } cases[] = {
        {"def f: f; f", "within 0.3 s", 300},
        {"range(1e15) | empty", "within 0.3 s", 300},
        {"[limit(1e12; repeat(1))]", "within 0.3 s", 300},
        {"def f: 1 + f; f", "more than 512 MiB of memory", 60000},
        {"range(1e15) | null", "more than 50000 outputs", 60000},
        {"range(1e15) | {}", "more than 50000 outputs", 60000},
        {"[range(60000) | {}]", "more than 50000 outputs", 60000},
        {"halt", "does not halt", 60000},
        {"\"\\(1)\" | halt_error", "does not halt", 60000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes program = {0}, error = {0};
        bytes_printf(&program, "if .line == \"bad\" then (%s) else {out: 1} end", cases[i].program);
        struct mapping_options options = {.name = "here", .file = "f", .time_ms_max = cases[i].time_ms_max};
        struct mapping *mapping = mapping_create(bytes_view(&program), &options, NULL, &error);
        assert_string_equal(bytes_text(&error), "");
        struct view json;
        struct json_fault fault;
        enum mapping_step step;
        for (int round = 0; round < 2; round++) {
            mapping_put_line(mapping, VIEW_LITERAL("bad"), 1);
            while ((step = mapping_take(mapping, &json, &arena, &fault)) == MAPPING_TOUCHPOINT) {
            }
            assert_int_equal(step, MAPPING_FAILED);
            assert_string_equal(fault.code, "bad_mapping");
            if (!memmem(fault.reason.data, fault.reason.size, cases[i].reason, strlen(cases[i].reason)))
                fail_msg("%s: %.*s", cases[i].program, VIEW_ARGUMENTS(fault.reason));
            assert_int_equal(mapping_take(mapping, &json, &arena, &fault), MAPPING_END);
            mapping_put_line(mapping, VIEW_LITERAL("good"), 1);
            assert_int_equal(mapping_take(mapping, &json, &arena, &fault), MAPPING_TOUCHPOINT);
            assert_true(view_equal_text(json, "{\"out\":1}"));
            assert_int_equal(mapping_take(mapping, &json, &arena, &fault), MAPPING_END);
        }
        mapping_destroy(mapping);
        bytes_finish(&program), bytes_finish(&error);
    }
}

/* Time that goes by between the outputs, while Kafka takes no more, is not the mapping's. */
static void who_waits_is_not_stopped(void **state)
{
    (void)state;
    struct bytes error = {0};
    struct mapping_options options = {.name = "here", .file = "f", .time_ms_max = 200};
    struct mapping *mapping = mapping_create(VIEW_LITERAL("{}, {}, {}"), &options, NULL, &error);
    struct view json;
    struct json_fault fault;
    mapping_put_line(mapping, VIEW_LITERAL("x"), 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mapping_take(mapping, &json, &arena, &fault), MAPPING_TOUCHPOINT);
        usleep(400000);
    }
    assert_int_equal(mapping_take(mapping, &json, &arena, &fault), MAPPING_END);
    mapping_destroy(mapping);
}

static void an_operators_own_mapping_goes_first(void **state)
{
    (void)state;
    char folder[] = "/tmp/touchstream-mappings-XXXXXX", path[100], command[120];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/zendesk.jq", folder);
    FILE *file = fopen(path, "w");
    fputs("null", file);
    fclose(file);
    struct bytes program = {0}, error = {0};
    assert_true(mapping_find("zendesk", folder, &program, &error));
    assert_string_equal(bytes_text(&program), "null");
    bytes_finish(&program), bytes_finish(&error);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

/* Opened it can be, and to be taken for an empty program would refuse every row for another reason. */
static void a_folder_is_no_mapping(void **state)
{
    (void)state;
    struct bytes program = {0}, error = {0};
    assert_false(mapping_find("ingest/mappings/", NULL, &program, &error));
    assert_string_equal(bytes_text(&error), "ingest/mappings/: cannot be read: Is a directory");
    assert_int_equal(program.size, 0);
    bytes_finish(&program);
    bytes_finish(&error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_is_no_mapping),
        TEST(zendesk_tells_a_tickets_course),
        TEST(shopify_orders_returns_and_deliveries),
        TEST(shopify_lists_are_taken_one_by_one),
        TEST(typeform_scores_by_what_is_asked),
        TEST(satismeter_answers_with_a_metric),
        TEST(segment_tracks),
        TEST(segment_corrects_the_clocks_of_devices),
        TEST(segment_orders_in_currencies_without_cents),
        TEST(freshdesk_tells_a_tickets_course),
        TEST(what_is_not_there_gets_no_name),
        TEST(a_long_text_is_cut_in_any_script),
        TEST(payloads_are_read_strictly),
        TEST(the_prelude),
        TEST(a_mapping_ends_with_its_input),
        TEST(who_waits_is_not_stopped),
        TEST(an_operators_own_mapping_goes_first),
    };
    setenv("TZ", "America/New_York", 1);
    mapping_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
