/* Rejected records once more: the latest attempt of each, under the id it has. */
#include "ingest/replay.h"

#include "base/time_text.h"
#include "schemas/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct replay replay;
    struct outlet outlet;
    struct clock_manual clock;
    atomic_bool stop;
    struct arena arena;
    struct touchpoint touch; /* the last ones sent */
    struct rejected rejected;
    size_t touches, rejects;
};

static enum outcome catch_one(void *target, const char *topic, struct view key, struct view value, int64_t timestamp_ms, void *context)
{
    struct fixture *fixture = target;
    struct view avro;
    uint32_t id;
    (void)key, (void)timestamp_ms, (void)context;
    assert_true(wire_split(arena_copy(&fixture->arena, value), &id, &avro));
    if (strcmp(topic, "touchpoints") == 0) {
        assert_true(touchpoint_decode(&fixture->touch, avro, &fixture->arena));
        fixture->touches++;
    } else {
        assert_true(rejected_decode(&fixture->rejected, avro, &fixture->arena));
        fixture->rejects++;
    }
    return OUTCOME_OK;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    int64_t now_ms;
    time_text_parse(VIEW_LITERAL("2026-11-22T12:00:00Z"), &now_ms);
    clock_manual_init(&fixture->clock, now_ms);
    arena_init(&fixture->arena);
    fixture->outlet = (struct outlet){catch_one, NULL, fixture, "touchpoints", "rejected", 1, 2};
    fixture->replay = (struct replay){.options = {.attempts_max = 10}, .outlet = &fixture->outlet, .clock = &fixture->clock.clock,
                                      .stop = &fixture->stop};
    replay_init(&fixture->replay);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    replay_finish(&fixture->replay);
    arena_finish(&fixture->arena);
    free(fixture);
    return 0;
}

static void both(struct fixture *fixture, const struct rejected *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        replay_note(&fixture->replay, &records[i]);
    for (size_t i = 0; i < count; i++)
        assert_true(replay_send(&fixture->replay, &records[i]));
}

#define EVENT(at, stars)                                                                                               \
    VIEW_LITERAL("{\"event_id\": \"7\", \"customer_id\": \"c\", \"occurred_at\": \"" at "\", \"source\": \"s\","       \
                 " \"channel\": \"WEB\", \"type\": \"ReviewPosted\", \"data\": {\"stars\": " stars ", \"text\": \"\"}}")
#define REJECTED(why, bytes, times) {.source = VIEW_LITERAL("s"), .code = VIEW_LITERAL(why), .payload = bytes, .attempt = times}

static void what_was_too_early_then_is_taken_now(void **state)
{
    struct fixture *fixture = *state;
    struct rejected records[] = {REJECTED("future", EVENT("2026-11-22T11:00:00Z", "5"), 1)};
    both(fixture, records, 1);
    assert_int_equal(fixture->touches, 1);
    struct uuid expected = uuid_of_source(VIEW_LITERAL("s"), VIEW_LITERAL("7"));
    assert_true(uuid_equal(&fixture->touch.event_id, &expected));
}

static void what_is_still_wrong_becomes_the_next_attempt(void **state)
{
    struct fixture *fixture = *state;
    struct rejected records[] = {REJECTED("out_of_range", EVENT("2026-11-22T11:00:00Z", "6"), 1),
                                 REJECTED("out_of_range", EVENT("2026-11-22T11:00:00Z", "6"), 2),
                                 REJECTED("out_of_range", EVENT("2026-11-22T11:00:00Z", "6"), 2)};
    both(fixture, records, 3);
    assert_int_equal(fixture->rejects, 1); /* not once for every time it was rejected */
    assert_int_equal(fixture->rejected.attempt, 3);
    assert_true(view_equal_text(fixture->rejected.code, "out_of_range"));
    assert_true(view_equal(fixture->rejected.payload, records[0].payload));
}

static void only_what_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct rejected records[] = {REJECTED("future", EVENT("2026-11-22T11:00:00Z", "5"), 1),
                                 REJECTED("too_old", EVENT("2026-11-22T11:00:01Z", "5"), 1),
                                 REJECTED("future", EVENT("2026-11-22T11:00:02Z", "5"), 10)};
    fixture->replay.options.code = "future";
    both(fixture, records, 3);
    assert_int_equal(fixture->touches, 1);
    fixture->replay.options.code = NULL;
    fixture->replay.options.source = "other";
    both(fixture, records, 3);
    assert_int_equal(fixture->touches, 1);
}

static void a_webhooks_payload_goes_through_its_mapping(void **state)
{
    struct fixture *fixture = *state;
    struct rejected records[] = {REJECTED("bad_mapping", VIEW_LITERAL("{\"id\": 5, \"who\": \"c9\"}"), 1)};
    both(fixture, records, 1);
    assert_int_equal(fixture->touches + fixture->rejects, 0);
    assert_int_equal(fixture->replay.counts.passed_over, 1);
    struct bytes error = {0};
    fixture->replay.options.mapping = mapping_create(
        VIEW_LITERAL("{event_id: (.id | tostring), customer_id: .who, occurred_at: \"2026-01-01T00:00:00Z\", channel: \"WEB\", "
                     "type: \"CustomerForgotten\", data: {}}"),
        &(struct mapping_options){.name = "here", .file = "replay"}, NULL, &error);
    both(fixture, records, 1);
    assert_int_equal(fixture->touches, 1);
    assert_true(view_equal_text(fixture->touch.customer_id, "c9"));
    assert_true(view_equal_text(fixture->touch.source, "s"));
    mapping_destroy(fixture->replay.options.mapping);
}

static void what_a_processor_parked_is_sent_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct bytes value = {0};
    struct touchpoint touch = {.customer_id = VIEW_LITERAL("c"), .source = VIEW_LITERAL("s"), .occurred_at_ms = INT64_C(1790000000000),
                               .body_kind = TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN};
    touch.event_id.bytes[3] = 9;
    wire_begin(&value, 5);
    touchpoint_encode(&value, &touch);
    fixture->replay.touchpoints = record_reader_create(&touchpoint_shape, NULL);
    record_reader_learn(fixture->replay.touchpoints, 5);
    struct rejected records[] = {REJECTED("too_late", bytes_view(&value), 1)};
    both(fixture, records, 1);
    assert_int_equal(fixture->touches, 1);
    assert_true(uuid_equal(&fixture->touch.event_id, &touch.event_id));
    record_reader_destroy(fixture->replay.touchpoints);
    bytes_finish(&value);
}

static void a_tombstone_has_nothing_to_send(void **state)
{
    struct fixture *fixture = *state;
    struct rejected records[] = {REJECTED("wrong_type", VIEW_LITERAL(""), 1)};
    both(fixture, records, 1);
    assert_int_equal(fixture->replay.counts.passed_over, 1);
    assert_int_equal(fixture->touches + fixture->rejects, 0);
}

static void complains(const char *code, int64_t attempts_max, const char *about, const char *value, const char *allowed)
{
    struct bytes error = {0};
    assert_false(replay_options_are_good(&(struct replay_options){.code = code, .attempts_max = attempts_max}, &error));
    assert_non_null(strstr(bytes_text(&error), about));
    assert_non_null(strstr(bytes_text(&error), value));
    assert_non_null(strstr(bytes_text(&error), allowed));
    bytes_finish(&error);
}

static void options_that_would_find_nothing_are_refused(void **state)
{
    (void)state;
    struct bytes error = {0};
    complains("futur", 10, "--code", "'futur'", " future ");
    complains("", 10, "--code", "''", " bad_json ");
    complains(NULL, -1, "--attempts", "-1", "from 2");
    complains(NULL, 1, "--attempts", "1", "from 2");
    assert_true(replay_options_are_good(&(struct replay_options){.code = "too_late", .attempts_max = 2}, &error));
    assert_true(replay_options_are_good(&(struct replay_options){.attempts_max = 10}, &error));
    bytes_finish(&error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Bytes in the topic that never were a touchpoint stay what they were refused for. */
static void what_cannot_be_read_keeps_its_code(void **state)
{
    struct fixture *fixture = *state;
    static const char *const codes[] = {"wrong_type", "too_large", "bad_json"};
    static const struct view payloads[] = {VIEW_LITERAL("\0\0\0\0\5no touchpoint"), VIEW_LITERAL("\0\0\0\0"), VIEW_LITERAL("plain text")};
    fixture->replay.touchpoints = record_reader_create(&touchpoint_shape, NULL);
    record_reader_learn(fixture->replay.touchpoints, 5);
    for (size_t i = 0; i < 9; i++) {
        struct rejected records[] = {REJECTED("", payloads[i % 3], 1)};
        records[0].code = view_of_text(codes[i / 3]);
        both(fixture, records, 1);
        assert_int_equal(fixture->rejects, i + 1);
        assert_true(view_equal(fixture->rejected.code, records[0].code));
        assert_int_equal(fixture->rejected.attempt, 2);
    }
    record_reader_destroy(fixture->replay.touchpoints);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_too_early_then_is_taken_now),
        TEST(what_is_still_wrong_becomes_the_next_attempt),
        TEST(only_what_is_asked_for),
        TEST(a_tombstone_has_nothing_to_send),
        TEST(a_webhooks_payload_goes_through_its_mapping),
        TEST(what_a_processor_parked_is_sent_as_it_is),
        TEST(what_cannot_be_read_keeps_its_code),
        cmocka_unit_test(options_that_would_find_nothing_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
