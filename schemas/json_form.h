/* The JSON form of records: what HTTP, files and `inspect` show and take.
 *
 * Touchpoints, and whatever else has a union body, say "type" and "data". Times are ISO 8601 in UTC with milliseconds, ids
 * the text of a UUID, enums their symbols. Reading is strict:
 *  - an unknown field, type or symbol is refused, and so is a key that stands twice in an object;
 *  - a missing optional field is null, a missing `attributes` is {}; null for a required field counts as missing;
 *  - 3.0 and 3e0 are the integer 3 (JSON has one kind of number); 3.5 is of the wrong type, 3e10 for an int out of range;
 *  - numbers in quotes, quotes around true, and times as numbers are of the wrong type;
 *  - an escaped lone surrogate is bad UTF-8; NaN, a bare value, text after the record and nesting over 32 are bad JSON.
 * Sizes, ranges of scores and the plausibility of times are not checked here; see touchpoint_rules.h. */
#ifndef TS_SCHEMAS_JSON_FORM_H
#define TS_SCHEMAS_JSON_FORM_H

#include "schemas/json_scan.h"
#include "schemas/records.h"

/* Appends one JSON object without line breaks: a line of NDJSON once the caller adds '\n'. Nulls are written out.
 * Bytes are base64, but `payload` is text when it is valid UTF-8 and else stands under "payload_base64". */
void record_to_json(struct bytes *out, const struct record_shape *shape, const void *record);

/* Why a text was refused. `code` is static; path and reason live in the arena. */
struct json_fault {
    const char *code;    /* bad_json bad_utf8 unknown_field unknown_type unknown_symbol missing_field wrong_type
                            out_of_range bad_time empty too_large */
    struct view path;    /* "data.score", "attributes.colour"; empty: the record as a whole */
    struct view reason;  /* for people */
};

/* Read one touchpoint out of its JSON form.
 *
 * An event id that is no UUID becomes UUIDv5 of source and id (READINGS 1). `default_source` (may be null) stands in for
 * a missing source. `received_at` is optional and 0 when missing: the collector's to set. Strings borrow from `text`
 * or live in `arena`. On false `fault` says why, and event_id, customer_id and source hold what could be read of them
 * (else zero, null). Broken JSON wins over any other fault, so that one text has one verdict; of several other
 * faults the first in the text is told. */
bool touchpoint_from_json(struct touchpoint *out, struct view text, struct view default_source, struct arena *arena,
                          struct json_fault *fault);

/* The same out of a CloudEvent 1.0 in JSON: id, time and subject stand for event_id, occurred_at and customer_id, type is
 * "touchstream.SurveyAnswered"; channel, product, segment, region and attributes are extensions of these names. The
 * extensions for tracing and partitioning are stepped over, others refused. data_base64 may hold the JSON of data, whose faults have the
 * paths of data then. Paths are the sender's: "subject". */
bool touchpoint_from_cloud_event(struct touchpoint *out, struct view text, struct view default_source,
                                 struct arena *arena, struct json_fault *fault);

#endif
