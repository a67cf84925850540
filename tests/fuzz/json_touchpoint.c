/* Any text as the JSON form of a touchpoint: a verdict with code and reason, or a record that survives its own JSON. */
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
    json_scan_init(&scan, view_of(data, size), JSON_SPLIT_DEPTH_MAX);
    while (json_array_next(&scan, &item) == JSON_STEP_ITEM)
        ;
    arena_finish(&arena);
    return 0;
}
