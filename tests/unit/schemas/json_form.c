/* The JSON form of touchpoints, as strangers write it: what is taken, and for what is not the code and the path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/signature.h"
#include "schemas/json_form.h"
#include <stdio.h>

static struct arena arena;
static struct touchpoint touch;
static struct json_fault fault;

#define HEAD \
    "{\"event_id\": \"e-1\", \"customer_id\": \"c-42\", \"occurred_at\": \"2026-11-22T10:00:00.000Z\", " \
    "\"source\": \"shop\", \"channel\": \"EMAIL\", "
#define ANSWER(data) HEAD "\"type\": \"SurveyAnswered\", \"data\": " data "}"
#define GOOD_ANSWER "{\"survey_id\": \"s1\", \"kind\": \"NPS\", \"score\": 3, \"comment\": \"so slow\"}"

static bool reads_view(struct view text)
{
    fault = (struct json_fault){0};
    return touchpoint_from_json(&touch, text, (struct view){NULL, 0}, &arena, &fault);
}

static void takes(const char *text)
{
    if (!reads_view(view_of_text(text)))
        fail_msg("%s at «%.*s» (%.*s): %s", fault.code, VIEW_ARGUMENTS(fault.path), VIEW_ARGUMENTS(fault.reason), text);
}

static void refuses(const char *text, const char *code, const char *path)
{
    if (reads_view(view_of_text(text)))
        fail_msg("taken, not %s: %s", code, text);
    if (strcmp(fault.code, code) != 0 || !view_equal_text(fault.path, path))
        fail_msg("%s at «%.*s» (%.*s), not %s at «%s»: %s", fault.code, VIEW_ARGUMENTS(fault.path),
                 VIEW_ARGUMENTS(fault.reason), code, path, text);
    assert_true(fault.reason.size > 0);
}

static void the_contracts_example_is_taken(void **state)
{
    (void)state;
    takes("{\"event_id\": \"0195f3d2-0000-7000-8000-00000000ABCD\", \"customer_id\": \"c-42\", \"occurred_at\": "
          "\"2026-11-22T10:00:00.000Z\", \"source\": \"shop\", \"channel\": \"EMAIL\", \"product\": null, \"segment\": "
          "\"smb\", \"attributes\": {}, \"type\": \"SurveyAnswered\", \"data\": " GOOD_ANSWER "}");
    assert_int_equal(touch.event_id.bytes[15], 0xcd);
    assert_int_equal(touch.occurred_at_ms, 1795341600000);
    assert_int_equal(touch.received_at_ms, 0);
    assert_null(touch.product.data);
    assert_true(view_equal_text(touch.segment, "smb"));
    assert_null(touch.region.data);
    assert_int_equal(touch.attributes.count, 0);
    assert_int_equal(touch.body_kind, TOUCHPOINT_BODY_SURVEY_ANSWERED);
    assert_int_equal(touch.body.survey_answered.kind, SURVEY_KIND_NPS);
    assert_int_equal(touch.body.survey_answered.score, 3);
    assert_true(view_equal_text(touch.body.survey_answered.comment, "so slow"));
    assert_null(touch.body.survey_answered.about.data);
}

static void the_order_of_keys_does_not_matter(void **state)
{
    (void)state;
    takes("{\"data\": " GOOD_ANSWER ", \"type\": \"SurveyAnswered\", \"channel\": \"SMS\", \"source\": \"x\", "
          "\"attributes\": {\"b\": \"2\", \"a\": \"1\"}, \"occurred_at\": \"2026-11-22\", \"customer_id\": \"c\", "
          "\"event_id\": \"e\"}");
    assert_int_equal(touch.channel, CHANNEL_SMS);
    assert_int_equal(touch.attributes.count, 2);
    assert_int_equal(touch.body.survey_answered.score, 3);
    refuses("{\"data\": {\"survey_id\": 1}, \"type\": \"SurveyAnswered\", \"channel\": \"SMS\", \"source\": \"x\", "
            "\"occurred_at\": \"2026-11-22\", \"customer_id\": \"c\", \"event_id\": \"e\"}",
            "wrong_type", "data.survey_id");
}

static void an_id_of_the_sources_own_becomes_the_same_uuid_each_time(void **state)
{
    (void)state;
    takes(ANSWER(GOOD_ANSWER));
    struct uuid first = touch.event_id, expected = uuid_of_source(VIEW_LITERAL("shop"), VIEW_LITERAL("e-1"));
    assert_true(uuid_equal(&first, &expected));
    assert_int_equal(first.bytes[6] >> 4, 5);
}

static void a_default_source_stands_in_for_a_missing_one_only(void **state)
{
    (void)state;
    const char *without = "{\"event_id\":\"e\",\"customer_id\":\"c\",\"occurred_at\":\"2026-11-22T10:00:00Z\","
                          "\"channel\":\"WEB\",\"type\":\"CustomerForgotten\"}";
    assert_true(touchpoint_from_json(&touch, view_of_text(without), VIEW_LITERAL("csv:olist"), &arena, &fault));
    assert_true(view_equal_text(touch.source, "csv:olist"));
    struct uuid expected = uuid_of_source(VIEW_LITERAL("csv:olist"), VIEW_LITERAL("e"));
    assert_true(uuid_equal(&touch.event_id, &expected));
    refuses(without, "missing_field", "source");
    assert_true(touchpoint_from_json(&touch, view_of_text(ANSWER(GOOD_ANSWER)), VIEW_LITERAL("other"), &arena, &fault));
    assert_true(view_equal_text(touch.source, "shop"));
}

static void what_the_schema_does_not_know_is_refused_with_its_path(void **state)
{
    (void)state;
    refuses(HEAD "\"colour\": {\"a\": [1, 2]}, \"type\": \"SurveyAnswered\", \"data\": " GOOD_ANSWER "}", "unknown_field",
            "colour");
    refuses(HEAD "\"body\": {}, \"type\": \"SurveyAnswered\", \"data\": " GOOD_ANSWER "}", "unknown_field", "body");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": 3, \"mood\": 1}"), "unknown_field", "data.mood");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"nps\", \"score\": 3}"), "unknown_symbol", "data.kind");
    refuses(HEAD "\"type\": \"SurveyLost\", \"data\": {}}", "unknown_type", "type");
    refuses("{\"event_id\":\"e\",\"customer_id\":\"c\",\"occurred_at\":\"2026-11-22T10:00:00Z\",\"source\":\"s\","
            "\"channel\":\"FAX\",\"type\":\"CustomerForgotten\"}",
            "unknown_symbol", "channel");
}

static void what_is_required_must_be_there_and_not_null(void **state)
{
    (void)state;
    refuses("{}", "missing_field", "event_id");
    refuses(HEAD "\"data\": {}}", "missing_field", "type");
    refuses(HEAD "\"type\": null, \"data\": {}}", "missing_field", "type");
    refuses(HEAD "\"type\": \"SurveyAnswered\"}", "missing_field", "data");
    refuses(HEAD "\"type\": \"SurveyAnswered\", \"data\": null}", "missing_field", "data");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\"}"), "missing_field", "data.score");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": null}"), "missing_field", "data.score");
    takes(HEAD "\"type\": \"CustomerForgotten\"}");
    takes(HEAD "\"type\": \"CustomerForgotten\", \"data\": {}}");
    takes(HEAD "\"attributes\": null, \"type\": \"CustomerForgotten\", \"data\": null}");
}

static void values_of_another_type_are_refused(void **state)
{
    (void)state;
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": \"3\"}"), "wrong_type", "data.score");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": 3.5}"), "wrong_type", "data.score");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": [3]}"), "wrong_type", "data.score");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": 2147483648}"), "out_of_range", "data.score");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": 1e40}"), "out_of_range", "data.score");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": 1e999}"), "out_of_range", "data.score");
    refuses(ANSWER("{\"survey_id\": 7, \"kind\": \"NPS\", \"score\": 3}"), "wrong_type", "data.survey_id");
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": 1, \"score\": 3}"), "wrong_type", "data.kind");
    refuses(ANSWER("[]"), "wrong_type", "data");
    refuses(HEAD "\"attributes\": {\"k\": 1}, \"type\": \"CustomerForgotten\"}", "wrong_type", "attributes.k");
    refuses(HEAD "\"attributes\": [], \"type\": \"CustomerForgotten\"}", "wrong_type", "attributes");
    refuses(HEAD "\"type\": \"ReferralMade\", \"data\": {\"referred_customer_id\": \"x\", \"converted\": \"true\"}}",
            "wrong_type", "data.converted");
}

static void a_whole_number_may_be_written_as_a_decimal(void **state)
{
    (void)state;
    takes(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": 3.0}"));
    assert_int_equal(touch.body.survey_answered.score, 3);
    takes(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": 1e1}"));
    assert_int_equal(touch.body.survey_answered.score, 10);
    takes(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": -2147483648}"));
    assert_int_equal(touch.body.survey_answered.score, INT32_MIN);
    takes(HEAD "\"type\": \"OrderPlaced\", \"data\": {\"order_id\": \"o\", \"amount_minor\": -9223372036854775808, "
               "\"currency\": \"EUR\"}}");
    assert_true(touch.body.order_placed.amount_minor == INT64_MIN);
    refuses(HEAD "\"type\": \"OrderPlaced\", \"data\": {\"order_id\": \"o\", \"amount_minor\": 9223372036854775808, "
                 "\"currency\": \"EUR\"}}",
            "out_of_range", "data.amount_minor");
}

static void times_are_iso_strings(void **state)
{
    (void)state;
    takes(HEAD "\"type\": \"OrderDelivered\", \"data\": {\"order_id\": \"o\", \"promised_at\": "
               "\"2026-11-22T12:00:00.5+02:00\"}}");
    assert_int_equal(touch.body.order_delivered.promised_at_ms, 1795341600500);
    refuses(HEAD "\"type\": \"OrderDelivered\", \"data\": {\"order_id\": \"o\", \"promised_at\": 1795341600500}}",
            "wrong_type", "data.promised_at");
    refuses(HEAD "\"type\": \"OrderDelivered\", \"data\": {\"order_id\": \"o\", \"promised_at\": \"2026-02-30\"}}",
            "bad_time", "data.promised_at");
    refuses("{\"event_id\":\"e\",\"customer_id\":\"c\",\"occurred_at\":\"yesterday\",\"source\":\"s\","
            "\"channel\":\"WEB\",\"type\":\"CustomerForgotten\"}",
            "bad_time", "occurred_at");
}

static void broken_json_is_bad_json_and_wins_over_all_else(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "", " ", "17", "null", "\"text\"", "[]", "{", "{\"event_id\"}", "{\"event_id\": }", "{\"event_id\": \"e\",}",
        "{,}", "{\"event_id\": NaN}", "{\"event_id\": Infinity}", "{\"event_id\": 01}", "{\"event_id\": 1.}",
        "{\"event_id\": .5}", "{\"event_id\": +1}", "{\"event_id\": -}", "{\"event_id\": 1e}", "{\"event_id\": tru}",
        "{\"event_id\": 'e'}", "{event_id: \"e\"}", "{\"event_id\": \"e\"} x", "{\"event_id\": \"e\"}{}",
        "{\"event_id\": \"a\nb\"}", "{\"event_id\": \"\\x\"}", "{\"event_id\": \"\\u12g4\"}", "{\"event_id\": \"\\u12",
        "{\"event_id\": \"e", "{\"event_id\": \"e\\", "{\"a\": [1 2]}", "{\"a\": [1,]}", "{\"a\": {\"b\": 1]}",
        "{\"colour\": 1, \"event_id\": \"e\"", "{\"event_id\": 5, \"event_id\"}",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        refuses(broken[i], "bad_json", "");
    refuses(ANSWER(GOOD_ANSWER) ",", "bad_json", "");
}

static void a_key_stands_once(void **state)
{
    (void)state;
    refuses(HEAD "\"channel\": \"WEB\", \"type\": \"CustomerForgotten\"}", "bad_json", "");
    refuses(HEAD "\"type\": \"CustomerForgotten\", \"type\": \"CustomerForgotten\"}", "bad_json", "");
    refuses(HEAD "\"attributes\": {\"k\": \"1\", \"\\u006b\": \"2\"}, \"type\": \"CustomerForgotten\"}", "bad_json", "");
    refuses(ANSWER("{\"survey_id\": \"s\", \"survey_id\": \"t\", \"kind\": \"NPS\", \"score\": 3}"), "bad_json", "");
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    char text[400] = "{\"a\":";
    memset(text + 5, '[', 31);
    memset(text + 36, ']', 31);
    strcpy(text + 67, "}");
    refuses(text, "unknown_field", "a");
    memset(text + 5, '[', 32);
    memset(text + 37, ']', 32);
    strcpy(text + 69, "}");
    refuses(text, "bad_json", "");
}

static void text_is_utf8_without_lone_surrogates(void **state)
{
    (void)state;
    takes(ANSWER("{\"survey_id\": \"\\ud83d\\ude42 \\u00e4\\u5c4a \\\" \\\\ \\/ \\b\\f\\n\\r\\t\", \"kind\": \"NPS\", "
                 "\"score\": 3}"));
    assert_true(view_equal_text(touch.body.survey_answered.survey_id, "🙂 ä届 \" \\ / \b\f\n\r\t"));
    refuses(ANSWER("{\"survey_id\": \"\\ud83d\", \"kind\": \"NPS\", \"score\": 3}"), "bad_utf8", "data.survey_id");
    refuses(ANSWER("{\"survey_id\": \"\\ude42\\ud83d\", \"kind\": \"NPS\", \"score\": 3}"), "bad_utf8", "data.survey_id");
    refuses(ANSWER("{\"survey_id\": \"\\ud83d\\u0041\", \"kind\": \"NPS\", \"score\": 3}"), "bad_utf8", "data.survey_id");
    refuses(ANSWER("{\"survey_id\": \"a\xff\", \"kind\": \"NPS\", \"score\": 3}"), "bad_utf8", "data.survey_id");
    refuses(HEAD "\"attributes\": {\"k\": \"\xc3\"}, \"type\": \"CustomerForgotten\"}", "bad_utf8", "attributes.k");
    refuses(HEAD "\"attributes\": {\"\xc3\": \"v\"}, \"type\": \"CustomerForgotten\"}", "bad_utf8", "");
    refuses("{\"customer_id\": \"\xed\xa0\x80\"", "bad_utf8", "customer_id");
}

static void an_event_id_has_1_to_256_bytes(void **state)
{
    (void)state;
    char text[1000], id[300];
    const char *rest = "\", \"customer_id\": \"c\", \"occurred_at\": \"2026-11-22\", \"source\": \"s\", \"channel\": "
                       "\"WEB\", \"type\": \"CustomerForgotten\"}";
    memset(id, 'x', sizeof id);
    id[256] = '\0';
    snprintf(text, sizeof text, "{\"event_id\": \"%s%s", id, rest);
    takes(text);
    id[256] = 'x';
    id[257] = '\0';
    snprintf(text, sizeof text, "{\"event_id\": \"%s%s", id, rest);
    refuses(text, "too_large", "event_id");
    snprintf(text, sizeof text, "{\"event_id\": \"%s", rest);
    refuses(text, "empty", "event_id");
}

static void a_refused_record_still_says_whose_it_was(void **state)
{
    (void)state;
    refuses(ANSWER("{\"survey_id\": \"s\", \"kind\": \"NPS\", \"score\": \"3\"}"), "wrong_type", "data.score");
    struct uuid expected = uuid_of_source(VIEW_LITERAL("shop"), VIEW_LITERAL("e-1"));
    assert_true(view_equal_text(touch.source, "shop"));
    assert_true(view_equal_text(touch.customer_id, "c-42"));
    assert_true(uuid_equal(&touch.event_id, &expected));
}

static void any_cut_of_a_good_text_is_bad_json(void **state)
{
    (void)state;
    const char *text = HEAD "\"attributes\": {\"k\": \"\\ud83d\\ude42\"}, \"type\": \"SurveyAnswered\", \"data\": " GOOD_ANSWER "}";
    for (size_t size = 0; size < strlen(text); size++) {
        char *exact = memcpy(arena_alloc(&arena, size + 1), text, size);
        assert_false(reads_view(view_of(exact, size)));
        assert_string_equal(fault.code, "bad_json");
    }
}

static void an_array_is_cut_into_its_elements(void **state)
{
    (void)state;
    struct json_scan scan;
    struct view item;
    const char *text = " [ {\"a\": [1, 2]} , 17,\"x\\\"]\" ] ";
    json_scan_init(&scan, view_of_text(text), JSON_SPLIT_DEPTH_MAX);
    static const char *const expected[] = {"{\"a\": [1, 2]}", "17", "\"x\\\"]\""};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(json_array_next(&scan, &item), JSON_STEP_ITEM);
        assert_true(view_equal_text(item, expected[i]));
    }
    assert_int_equal(json_array_next(&scan, &item), JSON_STEP_END);

    json_scan_init(&scan, view_of_text("[]"), JSON_SPLIT_DEPTH_MAX);
    assert_int_equal(json_array_next(&scan, &item), JSON_STEP_END);
    static const char *const broken[] = {"", "{}", "[", "[,]", "[1,]x", "[1] x", "[1 2]"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        enum json_step step;
        json_scan_init(&scan, view_of_text(broken[i]), JSON_SPLIT_DEPTH_MAX);
        while ((step = json_array_next(&scan, &item)) == JSON_STEP_ITEM)
            ;
        assert_int_equal(step, JSON_STEP_BROKEN);
        assert_non_null(scan.broken);
    }
}

static bool reads_event(const char *text)
{
    fault = (struct json_fault){0};
    return touchpoint_from_cloud_event(&touch, view_of_text(text), (struct view){NULL, 0}, &arena, &fault);
}

static void refuses_event(const char *text, const char *code, const char *path)
{
    if (reads_event(text) || strcmp(fault.code, code) != 0 || !view_equal_text(fault.path, path))
        fail_msg("%s at «%.*s», not %s at «%s»: %s", fault.code ? fault.code : "taken", VIEW_ARGUMENTS(fault.path), code,
                 path, text);
}

#define EVENT(type) \
    "{\"specversion\": \"1.0\", \"id\": \"e-1\", \"time\": \"2026-11-22T10:00:00Z\", \"source\": \"shop\", " \
    "\"type\": \"" type "\", \"channel\": \"EMAIL\", "

static void a_cloud_event_is_the_same_under_other_names(void **state)
{
    (void)state;
    struct uuid expected = uuid_of_source(VIEW_LITERAL("shop"), VIEW_LITERAL("e-1"));
    if (!reads_event(EVENT("touchstream.SurveyAnswered") "\"traceparent\": \"00-1\", \"sequence\": \"7\", \"sampledrate\": 1, \"recordedtime\": "
                     "\"2026-11-22T10:00:01Z\", \"knativearrivaltime\": \"2026-11-22T10:00:02Z\", \"datacontenttype\": \"application/json\", \"subject\": \"c-42\", \"data\": " GOOD_ANSWER "}"))
        fail_msg("%s at %.*s", fault.code, VIEW_ARGUMENTS(fault.path));
    assert_true(view_equal_text(touch.customer_id, "c-42"));
    assert_int_equal(touch.occurred_at_ms, 1795341600000);
    assert_true(uuid_equal(&touch.event_id, &expected));
    assert_int_equal(touch.body.survey_answered.score, 3);

    refuses_event(EVENT("SurveyAnswered") "\"subject\": \"c\", \"data\": " GOOD_ANSWER "}", "unknown_type", "type");
    refuses_event(EVENT("touchstream.Lost") "\"subject\": \"c\", \"data\": {}}", "unknown_type", "type");
    refuses_event(EVENT("touchstream.CustomerForgotten") "\"data\": {}}", "missing_field", "subject");
    refuses_event(EVENT("touchstream.CustomerForgotten") "\"customer_id\": \"c\"}", "unknown_field", "customer_id");
    refuses_event(EVENT("touchstream.CustomerForgotten") "\"subject\": \"c\", \"mood\": 1}", "unknown_field", "mood");
    refuses_event(EVENT("touchstream.CustomerForgotten") "\"subject\": \"c\", \"specversion\": \"1.0\"}", "bad_json", "");
    refuses_event(EVENT("touchstream.CustomerForgotten") "\"subject\": \"c\", \"traceparent\": }", "bad_json", "");
    refuses_event("{\"specversion\": \"0.3\"}", "unknown_symbol", "specversion");
    refuses_event("{\"id\": \"1\"}", "missing_field", "specversion");
    refuses("{\"specversion\": \"1.0\"}", "unknown_field", "specversion");
}

/* An answer that came as base64, with its data content type and what else stands beside it. */
static const char *encoded_answer(const char *data, const char *rest)
{
    static struct bytes text;
    bytes_clear(&text);
    bytes_append_text(&text, EVENT("touchstream.SurveyAnswered") "\"subject\": \"c\", ");
    bytes_append_text(&text, rest);
    bytes_append_text(&text, "\"data_base64\": \"");
    signature_append_base64(&text, view_of_text(data));
    bytes_append_text(&text, "\"}");
    return bytes_text(&text);
}

static void the_data_of_a_cloud_event_may_be_base64(void **state)
{
    (void)state;
    static const char *const types[] = {"", "\"datacontenttype\": null, ", "\"datacontenttype\": \"application/json\", ",
                                        "\"datacontenttype\": \"Application/JSON ; charset=utf-8\", ",
                                        "\"datacontenttype\": \"application/vnd.shop.answer+json\", ", "\"data\": null, "};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!reads_event(encoded_answer(GOOD_ANSWER, types[i])))
            fail_msg("%s at %.*s: %s", fault.code, VIEW_ARGUMENTS(fault.path), types[i]);
        assert_int_equal(touch.body.survey_answered.score, 3);
    }
    assert_true(reads_event(EVENT("touchstream.CustomerForgotten") "\"subject\": \"c\", \"data_base64\": null}"));
    assert_true(reads_event(EVENT("touchstream.CustomerForgotten") "\"subject\": \"c\", \"data_base64\": \"e30=\"}"));
    assert_true(reads_event("{\"data_base64\": \"e30\\u003d\", \"type\": \"touchstream.CustomerForgotten\", \"specversion\": \"1.0\", \"id\": \"1\", "
                            "\"time\": \"2026-11-22T10:00:00Z\", \"source\": \"s\", \"subject\": \"c\", \"channel\": \"WEB\"}"));
}

static void base64_is_refused_for_what_data_would_be_and_for_itself(void **state)
{
    (void)state;
    refuses_event(encoded_answer("{\"survey_id\": \"s\", \"kind\": \"CSAT\", \"score\": \"3\"}", ""), "wrong_type", "data.score");
    refuses_event(encoded_answer("{\"colour\": 1}", ""), "unknown_field", "data.colour");
    refuses_event(encoded_answer("[1]", ""), "wrong_type", "data");
    refuses_event(encoded_answer("{\"survey_id\": ", ""), "bad_json", "data_base64");
    refuses_event(encoded_answer("", ""), "bad_json", "data_base64");
    refuses_event(encoded_answer(GOOD_ANSWER " {}", ""), "bad_json", "data_base64");
    refuses_event(encoded_answer("{\"survey_id\": \"\xff\"}", ""), "bad_utf8", "data_base64");
    refuses_event(encoded_answer("\x1f\x8b", "\"datacontenttype\": \"application/gzip\", "), "wrong_type", "datacontenttype");
    refuses_event(encoded_answer(GOOD_ANSWER, "\"datacontenttype\": \"text/plain\", "), "wrong_type", "datacontenttype");
    refuses_event(encoded_answer(GOOD_ANSWER, "\"data\": " GOOD_ANSWER ", "), "unknown_field", "data_base64");
    refuses_event(encoded_answer(GOOD_ANSWER, "\"data_base64\": \"e30=\", "), "bad_json", "");
    static const char *const broken[] = {"\"e30*\"", "\"e30=e30=\"", "\"e\"", "\"e3 0=\"", "\"=\\u0000\"", "\"-_-_\""};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char text[400];
        snprintf(text, sizeof text, EVENT("touchstream.CustomerForgotten") "\"subject\": \"c\", \"data_base64\": %s}", broken[i]);
        refuses_event(text, "wrong_type", "data_base64");
    }
    refuses_event(EVENT("touchstream.CustomerForgotten") "\"subject\": \"c\", \"data_base64\": {}}", "wrong_type", "data_base64");
    refuses("{\"data_base64\": \"e30=\"}", "unknown_field", "data_base64");
}

static void an_alert_is_shown_whole(void **state)
{
    (void)state;
    struct bytes text = {0};
    struct alert_reason reasons[] = {{.code = VIEW_LITERAL("nps_low"), .points = 35, .text = VIEW_LITERAL("NPS 2")}};
    struct alert alert = {.alert_id = VIEW_LITERAL("a1"), .revision = 2, .rule = VIEW_LITERAL("hot"),
                          .kind = ALERT_KIND_HOT_TICKET, .severity = SEVERITY_CRITICAL, .score = 70.5,
                          .state = ALERT_STATE_IN_PROGRESS, .text = VIEW_LITERAL("</script>\xff"), .opened_at_ms = -1};
    alert.reasons.items = reasons;
    alert.reasons.count = 1;
    record_to_json(&text, &alert_shape, &alert);
    assert_string_equal(
        bytes_text(&text),
        "{\"alert_id\":\"a1\",\"revision\":2,\"case_id\":null,\"rule\":\"hot\",\"kind\":\"HOT_TICKET\",\"severity\":"
        "\"CRITICAL\",\"state\":\"IN_PROGRESS\",\"customer_id\":null,\"ticket_id\":null,\"kpi\":null,\"dimension\":null,"
        "\"score\":70.5,\"reasons\":[{\"code\":\"nps_low\",\"points\":35,\"event_id\":null,\"text\":\"NPS 2\"}],\"text\":"
        "\"</script>\xEF\xBF\xBD\",\"owner\":null,\"opened_at\":\"1969-12-31T23:59:59.999Z\",\"due_at\":null,"
        "\"changed_at\":\"1970-01-01T00:00:00.000Z\",\"actor\":null,\"historical\":false}");
    bytes_finish(&text);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contracts_example_is_taken),
        cmocka_unit_test(the_order_of_keys_does_not_matter),
        cmocka_unit_test(an_id_of_the_sources_own_becomes_the_same_uuid_each_time),
        cmocka_unit_test(a_default_source_stands_in_for_a_missing_one_only),
        cmocka_unit_test(what_the_schema_does_not_know_is_refused_with_its_path),
        cmocka_unit_test(what_is_required_must_be_there_and_not_null),
        cmocka_unit_test(values_of_another_type_are_refused),
        cmocka_unit_test(a_whole_number_may_be_written_as_a_decimal),
        cmocka_unit_test(times_are_iso_strings),
        cmocka_unit_test(broken_json_is_bad_json_and_wins_over_all_else),
        cmocka_unit_test(a_key_stands_once),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(text_is_utf8_without_lone_surrogates),
        cmocka_unit_test(an_event_id_has_1_to_256_bytes),
        cmocka_unit_test(a_refused_record_still_says_whose_it_was),
        cmocka_unit_test(any_cut_of_a_good_text_is_bad_json),
        cmocka_unit_test(an_array_is_cut_into_its_elements),
        cmocka_unit_test(a_cloud_event_is_the_same_under_other_names),
        cmocka_unit_test(the_data_of_a_cloud_event_may_be_base64),
        cmocka_unit_test(base64_is_refused_for_what_data_would_be_and_for_itself),
        cmocka_unit_test(an_alert_is_shown_whole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
