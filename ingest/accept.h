/* From a record's JSON to a touchpoint that may go to Kafka, or to the reason why not. */
#ifndef TS_INGEST_ACCEPT_H
#define TS_INGEST_ACCEPT_H

#include "ingest/input.h"
#include "schemas/touchpoint_rules.h"

/* What a text is written in. */
enum accept_notation {
    ACCEPT_FORM,        /* the JSON form */
    ACCEPT_CLOUD_EVENT, /* a CloudEvent 1.0 in JSON */
    ACCEPT_EITHER,      /* the JSON form, or a CloudEvent that shows itself by its specversion */
};

/* Read and check all but its time. `default_source` (may be null) stands in for a missing source. Strings borrow from `text` or
 * live in `arena`. On false `fault` says why, and event_id, customer_id and source of `out` hold what could be read of them. */
bool accept_form(struct touchpoint *out, struct view text, enum accept_notation notation, struct view default_source,
                 struct arena *arena, struct json_fault *fault);

/* accept_form, then the time; received_at becomes `now_ms`. */
bool accept_touchpoint(struct touchpoint *out, struct view text, enum accept_notation notation,
                       struct view default_source, int64_t now_ms, struct arena *arena, struct json_fault *fault);

/* What goes to touchpoints.rejected: the original bytes up to RECORD_BYTES_MAX, with what is known of the record. Borrows. */
void accept_rejected(struct rejected *out, const struct touchpoint *read, struct view source, struct view original,
                     const struct json_fault *fault, int64_t now_ms, int attempt);

struct json_fault accept_fault(const char *code, struct view path, struct view reason);

#endif
