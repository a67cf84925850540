/* `touchstream import`: files of touchpoints, or of anything a mapping understands, to Kafka. */
#ifndef TS_INGEST_IMPORT_H
#define TS_INGEST_IMPORT_H

#include "base/clock.h"
#include "ingest/outlet.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct import_options {
    char **files; /* "-" is standard input */
    size_t file_count;
    const char *format;       /* csv, ndjson, json, text; NULL: by ending */
    const char *mapping;      /* a name or a .jq file; NULL: the JSON form */
    const char *mappings_dir; /* the operator's own mappings; may be NULL or empty */
    int64_t mapping_ms_max;   /* for one row; 0: 10 s */
    const char *tables;       /* NAME=FILE:KEY,…; may be NULL */
    const char *source;       /* for records that name none; NULL: csv:MAPPING, or none */
    const char *rebase;       /* "now" or a time: shift all times so that the newest event is then; NULL: as they are */
    double speed;             /* events at this many times their own pace; 0: as fast as possible */
};

struct import_counts {
    uint64_t rows, accepted, duplicate, rejected;
    atomic_ullong delivered, failed; /* messages of both topics, counted by import_delivered */
};

/* The publisher's callback; message_context is the struct import_counts. */
void import_delivered(void *message_context, bool is_acknowledged, const char *error);

/* Is this a request that can be carried out at all? false: `error` is a line for the user (exit 2). */
bool import_check_options(const struct import_options *options, struct bytes *error);

/* Reads all files in order. What is refused goes to the rejected topic and is counted. Waits while the outlet is full. Ends early
 * when *stop is set. Progress goes to stderr. false: a file could not be read (to its end); `error` says which and why. Delivery is the
 * caller's to wait for. */
bool import_run(const struct import_options *options, const struct outlet *outlet, struct clock *clock,
                atomic_bool *stop, struct import_counts *counts, struct bytes *error);

#endif
