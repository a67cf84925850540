/* JSON values one after the other, out of one array or standing free: each a record, cut out but not yet parsed.
 *
 * Only the structure between values is judged here (brackets, strings, commas); what is wrong inside a value is for whoever
 * parses it. A value over RECORD_BYTES_MAX comes out as too large, its rest is skipped without being kept. */
#ifndef TS_INGEST_JSON_READER_H
#define TS_INGEST_JSON_READER_H

#include "ingest/input.h"

struct json_reader {
    struct input *input;
    uint64_t line;
    size_t pending;
    bool has_begun, is_array, is_after_value, is_skipping;
    /* Of the value being skipped or measured: */
    uint32_t depth;
    bool in_string, in_escape, is_bare;
    const char *broken; /* after READ_BROKEN */
};

void json_reader_init(struct json_reader *reader, struct input *input);
enum read_result json_reader_next(struct json_reader *reader, struct raw_record *out);

#endif
