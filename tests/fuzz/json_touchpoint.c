/* Any text as the JSON form of a touchpoint: a verdict with code and reason, or a record that survives its own JSON. */
#include "base/signature.h"
#include "schemas/json_form.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct touchpoint *touch, struct arena *arena)
{
    struct touchpoint again;
    struct json_fault fault;
    struct bytes avro = {0}, text = {0}, avro_again = {0};
    record_to_json(&text, &touchpoint_shape, touch);
    if (!touchpoint_from_json(&again, bytes_view(&text), (struct view){NULL, 0}, arena, &fault))
        abort();
    touchpoint_encode(&avro, touch);
    touchpoint_encode(&avro_again, &again);
    if (!view_equal(bytes_view(&avro), bytes_view(&avro_again)))
        abort();
    bytes_finish(&avro);
    bytes_finish(&avro_again);
    bytes_finish(&text);
}

/* A good event of the type with that number, but for its data. false: refused. */
static bool reads_with_data(struct bytes *avro, unsigned type, const char *key, struct view data, struct arena *arena)
{
    static const char *const types[] = {"SurveyAnswered", "ReviewPosted", "TicketOpened", "OrderPlaced", "CustomerForgotten"};
    struct bytes text = {0};
    struct touchpoint touch;
    struct json_fault fault = {0};
    bytes_printf(&text, "{\"specversion\": \"1.0\", \"id\": \"1\", \"time\": \"2026-11-22T10:00:00Z\", \"source\": \"s\", \"subject\": \"c\", "
                        "\"channel\": \"WEB\", \"type\": \"touchstream.%s\", \"%s\": ", types[type % 5], key);
    bytes_append_view(&text, data);
    bytes_append_byte(&text, '}');
    bool is_good = touchpoint_from_cloud_event(&touch, bytes_view(&text), VIEW_LITERAL("fuzz"), arena, &fault);
    if (is_good)
        touchpoint_encode(avro, &touch);
    else if (fault.code == NULL || fault.reason.size == 0)
        abort();
    bytes_finish(&text);
    return is_good;
}

/* An object says the same as `data` and, encoded, as `data_base64`; any other text is no data. And the text as it is, for base64. */
static void check_base64(struct view text, struct arena *arena)
{
    struct bytes quoted = {0}, plain_avro = {0}, encoded_avro = {0};
    struct json_scan scan;
    unsigned type = text.size ? (unsigned char)text.data[text.size - 1] : 0;
    json_scan_init(&scan, text, JSON_RECORD_DEPTH_MAX - 1);
    bool is_object = json_scan_peek(&scan) == '{' && json_scan_skip(&scan, NULL) && json_scan_ended(&scan);
    bytes_append_byte(&quoted, '"');
    signature_append_base64(&quoted, text);
    bytes_append_byte(&quoted, '"');
    for (unsigned i = 0; i < 5; i++) {
        bool is_good = reads_with_data(&encoded_avro, i, "data_base64", bytes_view(&quoted), arena);
        if (is_good ? !is_object : is_object && reads_with_data(&plain_avro, i, "data", text, arena))
            abort();
        if (is_good && !(reads_with_data(&plain_avro, i, "data", text, arena) && view_equal(bytes_view(&plain_avro), bytes_view(&encoded_avro))))
            abort();
        bytes_clear(&plain_avro);
        bytes_clear(&encoded_avro);
    }
    reads_with_data(&plain_avro, type, "data_base64", text, arena);
    bytes_finish(&quoted);
    bytes_finish(&plain_avro);
    bytes_finish(&encoded_avro);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct touchpoint touch;
    struct json_fault fault = {0};
    struct json_scan scan;
    struct view item;
    arena_init(&arena);
    if (touchpoint_from_json(&touch, view_of(data, size), VIEW_LITERAL("fuzz"), &arena, &fault))
        check_round_trip(&touch, &arena);
    else if (fault.code == NULL || fault.reason.size == 0)
        abort();
    fault = (struct json_fault){0};
    if (touchpoint_from_cloud_event(&touch, view_of(data, size), VIEW_LITERAL("fuzz"), &arena, &fault))
        check_round_trip(&touch, &arena);
    else if (fault.code == NULL || fault.reason.size == 0)
        abort();
    check_base64(view_of(data, size), &arena);
    json_scan_init(&scan, view_of(data, size), JSON_SPLIT_DEPTH_MAX);
    while (json_array_next(&scan, &item) == JSON_STEP_ITEM)
        ;
    arena_finish(&arena);
    return 0;
}
