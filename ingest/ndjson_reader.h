/* Lines: each a record. LF or CRLF ends one; the last may lack it; a byte order mark in front is skipped; blank lines are
 * passed over. A line over RECORD_BYTES_MAX comes out as too large, its rest is skipped without being kept. */
#ifndef TS_INGEST_NDJSON_READER_H
#define TS_INGEST_NDJSON_READER_H

#include "ingest/input.h"

struct ndjson_reader {
    struct input *input;
    uint64_t line;      /* of what the window begins with */
    size_t pending;     /* bytes of the record handed out last, still in the window */
    bool has_begun, is_skipping;
};

void ndjson_reader_init(struct ndjson_reader *reader, struct input *input);
enum read_result ndjson_reader_next(struct ndjson_reader *reader, struct raw_record *out); /* RECORD or END */

#endif
