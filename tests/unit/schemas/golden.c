/* Bytes written by another Avro implementation (tests/golden/make_golden.py): we read them, show what it showed, and
 * write the same bytes again. After a change of a schema, run the maker again. */
#include "schemas/json_form.h"
#include "tests/unit/schemas/ndjson.h"

static const struct record_shape *shape_called(const char *name)
{
    for (size_t i = 0; i < record_shape_count; i++) {
        if (strcmp(record_shapes[i]->name, name) == 0)
            return record_shapes[i];
    }
    fail_msg("no record %s", name);
    return NULL;
}

static struct arena arena;
static unsigned bodies_seen;

static void check_row(json_t *row)
{
    const struct record_shape *shape = shape_called(row_text(row, "record"));
    struct bytes avro = bytes_of_hex(row_text(row, "avro")), again = {0}, text = {0};
    void *record = arena_zeroed(&arena, 1, shape->size);
    if (!shape->decode(record, bytes_view(&avro), &arena))
        fail_msg("a golden %s does not decode (schema changed? see tests/golden/make_golden.py)", shape->name);

    record_to_json(&text, shape, record);
    json_t *shown = json_loadb(text.data, text.size, 0, NULL);
    assert_non_null(shown);
    if (!json_equal(shown, json_object_get(row, "json")))
        fail_msg("%s shows as %s", shape->name, bytes_text(&text));
    json_decref(shown);

    shape->encode(&again, record);
    assert_int_equal(again.size, avro.size);
    assert_memory_equal(again.data, avro.data, avro.size);
    if (shape == &touchpoint_shape)
        bodies_seen |= 1u << ((struct touchpoint *)record)->body_kind;
    bytes_finish(&avro);
    bytes_finish(&again);
    bytes_finish(&text);
    arena_reset(&arena);
}

static void every_record_and_body_reads_shows_and_writes_as_fastavro_does(void **state)
{
    (void)state;
    assert_true(ndjson_each("tests/golden/records.ndjson", check_row) > record_shape_count);
    assert_int_equal(bodies_seen, (1u << TOUCHPOINT_BODY_COUNT) - 1);
}

static void check_enriched_row(json_t *row)
{
    if (strcmp(row_text(row, "record"), "EnrichedTouchpoint") != 0)
        return;
    struct bytes avro = bytes_of_hex(row_text(row, "avro")), raw = {0}, again = {0};
    struct enriched_touchpoint enriched;
    assert_true(enriched_touchpoint_decode(&enriched, bytes_view(&avro), &arena));
    touchpoint_encode(&raw, &enriched.touch);
    bytes_append_text(&again, "before");
    enriched_touchpoint_encode_after(&again, bytes_view(&raw), &enriched);
    assert_int_equal(again.size, avro.size + strlen("before"));
    assert_memory_equal(again.data + strlen("before"), avro.data, avro.size);
    bytes_finish(&avro);
    bytes_finish(&raw);
    bytes_finish(&again);
    arena_reset(&arena);
}

static void an_enriched_touchpoint_is_its_raw_bytes_and_what_was_added(void **state)
{
    (void)state;
    ndjson_each("tests/golden/records.ndjson", check_enriched_row);
}

static void a_golden_touchpoint_survives_json(void **state)
{
    (void)state;
    struct bytes avro = {0}, text = {0}, again = {0};
    struct attribute attributes[] = {{VIEW_LITERAL("tier"), VIEW_LITERAL("gold \xF0\x9F\x99\x82 \"\\\n")}};
    struct touchpoint touch = {.event_id.bytes = {1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16},
                               .customer_id = VIEW_LITERAL("c-1"), .occurred_at_ms = 1795341600123,
                               .received_at_ms = 1795341601000, .source = VIEW_LITERAL("shop"), .channel = CHANNEL_POST,
                               .region = VIEW_LITERAL(""), .body_kind = TOUCHPOINT_BODY_TICKET_CHANGED,
                               .body.ticket_changed = {.ticket_id = VIEW_LITERAL("t"), .action = TICKET_ACTION_CLOSED,
                                                       .has_priority = true, .priority = PRIORITY_URGENT}};
    touch.attributes.items = attributes;
    touch.attributes.count = 1;
    struct touchpoint read;
    struct json_fault fault;
    touchpoint_encode(&avro, &touch);
    record_to_json(&text, &touchpoint_shape, &touch);
    assert_true(touchpoint_from_json(&read, bytes_view(&text), (struct view){NULL, 0}, &arena, &fault));
    touchpoint_encode(&again, &read);
    assert_int_equal(again.size, avro.size);
    assert_memory_equal(again.data, avro.data, avro.size);
    bytes_finish(&avro);
    bytes_finish(&text);
    bytes_finish(&again);
    arena_reset(&arena);
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
        cmocka_unit_test(every_record_and_body_reads_shows_and_writes_as_fastavro_does),
        cmocka_unit_test(an_enriched_touchpoint_is_its_raw_bytes_and_what_was_added),
        cmocka_unit_test(a_golden_touchpoint_survives_json),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
