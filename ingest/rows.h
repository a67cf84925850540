/* The rows of a file, whatever its format. */
#ifndef TS_INGEST_ROWS_H
#define TS_INGEST_ROWS_H

#include "ingest/csv_reader.h"
#include "ingest/json_reader.h"
#include "ingest/ndjson_reader.h"
#include "schemas/json_form.h"

enum rows_format {
    ROWS_GUESS, /* by the file's ending, else by its first character */
    ROWS_CSV,
    ROWS_NDJSON,
    ROWS_JSON, /* an array, or values one after the other */
    ROWS_TEXT, /* each line a row; for mappings */
};

struct rows {
    enum rows_format format;
    struct input input;
    int file;
    const char *name; /* for messages; borrowed */
    union {
        struct csv_reader csv;
        struct ndjson_reader lines;
        struct json_reader json;
    };
    uint64_t count; /* rows handed out */
    bool is_empty;
};

bool rows_format_from_name(const char *name, enum rows_format *out); /* csv ndjson json text */

/* `path` "-": standard input. false: `error` names the file and why (not readable, a header that cannot be used). */
bool rows_open(struct rows *rows, const char *path, enum rows_format format, const atomic_bool *stop, struct bytes *error);
void rows_close(struct rows *rows);

/* RECORD: `out` is the row; `fault->code` is not NULL when it is broken as a row (too large, ragged, not UTF-8), with file and line in
 * the reason. BROKEN: nothing more can be read, `error` says why and where. */
enum read_result rows_next(struct rows *rows, struct raw_record *out, struct arena *arena, struct json_fault *fault,
                           struct bytes *error);

/* Bytes read so far, and of the whole file (0: unknown). */
uint64_t rows_position(const struct rows *rows);
uint64_t rows_size(const struct rows *rows);

#endif
