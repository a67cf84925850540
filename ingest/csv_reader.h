/* CSV (RFC 4180) as a stream: quoted fields with line breaks and doubled quotes in them, LF or CRLF, a byte order mark.
 *
 * The first row is the header. The separator is whichever of , ; tab occurs most in it outside quotes, or what a line «sep=;» before it says, as Excel has it. A row with another number of
 * fields than the header is ragged: handed out, for the caller to reject. Two columns may have one name where they say the same in every row;
 * a row in which they differ breaks the file off, for whoever asks by name would get one of them. A quote inside an unquoted
 * field stands for itself. Rows without any character are passed over. */
#ifndef TS_INGEST_CSV_READER_H
#define TS_INGEST_CSV_READER_H

#include "base/arena.h"
#include "ingest/input.h"

struct csv_twins {
    size_t first, second; /* columns of one name */
};

struct csv_reader {
    struct input *input;
    char separator;
    struct view *columns; /* the header, owned; an empty name stays empty */
    size_t column_count;
    struct csv_twins *twins;
    size_t twin_count;
    struct view *fields;  /* of the row read last */
    size_t field_count, field_capacity;
    struct arena arena;   /* fields with doubled quotes */
    char *header;
    uint64_t line, header_line;
    size_t pending;
    bool is_skipping, in_quotes; /* of a row that was too large, */
    uint64_t skipped_line;       /* which began here */
    bool is_open;                /* the line read last opens a quote that nothing closes; it has no fields */
    char broken[200];
};

/* Reads the header. END: the file is empty. BROKEN: the header cannot be used, `broken` says why. */
enum read_result csv_reader_init(struct csv_reader *reader, struct input *input);
void csv_reader_finish(struct csv_reader *reader);

/* `fields` and `field_count` are the row's. A too large row has no fields. BROKEN: it was too large for its quote is never closed,
 * or columns of one name differ; `broken` says which. */
enum read_result csv_reader_next(struct csv_reader *reader, struct raw_record *out);

/* −1: no such column. */
int csv_reader_column(const struct csv_reader *reader, const char *name);

#endif
