/* Any bytes as a touchpoint: no harm is done, and what is taken can be shown, written and taken again. */
#include "schemas/json_form.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct touchpoint touch, again;
    struct bytes avro = {0}, text = {0};
    arena_init(&arena);
    if (touchpoint_decode(&touch, view_of(data, size), &arena)) {
        record_to_json(&text, &touchpoint_shape, &touch);
        touchpoint_encode(&avro, &touch);
        /* Not longer than what came in: blocks are joined, and all else has one form. */
        if (avro.size > size || !touchpoint_decode(&again, bytes_view(&avro), &arena))
            abort();
    }
    bytes_finish(&avro);
    bytes_finish(&text);
    arena_finish(&arena);
    return 0;
}
