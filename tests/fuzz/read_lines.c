/* Any bytes as NDJSON and as a JSON array, each record then judged as a touchpoint: no crash, and a verdict with code and reason. */
#include "ingest/accept.h"
#include "ingest/json_reader.h"
#include "ingest/ndjson_reader.h"

#include <stdlib.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct view text, struct arena *arena)
{
    struct touchpoint touch;
    struct json_fault fault = {0};
    struct rejected rejected;
    struct bytes avro = {0};
    arena_reset(arena);
    if (accept_touchpoint(&touch, text, ACCEPT_EITHER, (struct view){NULL, 0}, INT64_C(1795000000000), arena, &fault)) {
        touchpoint_encode(&avro, &touch);
        MUST(touchpoint_decode(&touch, bytes_view(&avro), arena));
    } else {
        MUST(fault.code && fault.reason.size > 0 && fault.path.data);
        accept_rejected(&rejected, &touch, VIEW_LITERAL("fuzz"), text, &fault, 0, 1);
        rejected_encode(&avro, &rejected);
        MUST(rejected_decode(&rejected, bytes_view(&avro), arena));
    }
    bytes_finish(&avro);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    struct arena arena;
    struct input input;
    struct ndjson_reader lines;
    struct json_reader values;
    struct raw_record record;
    arena_init(&arena);
    input_init_memory(&input, view_of(exact, size));
    ndjson_reader_init(&lines, &input);
    while (ndjson_reader_next(&lines, &record) == READ_RECORD)
        judge(record.text, &arena);
    MUST(input.begin == input.end);
    input_init_memory(&input, view_of(exact, size));
    json_reader_init(&values, &input);
    while (json_reader_next(&values, &record) == READ_RECORD)
        judge(record.text, &arena);
    arena_finish(&arena);
    free(exact);
    return 0;
}
