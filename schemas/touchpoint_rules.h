/* The rules a touchpoint must keep beyond its form: sizes, ranges, plausible times (docs/INGEST.md, «Rejected»; READINGS 44, 56).
 *
 * Ingest asks them of what it is sent, and the journey stage of every record: others may produce to the topic, too.
 * The form itself (fields, types, symbols) is schemas/json_form.h's. Nothing is ever repaired or clamped. */
#ifndef TS_SCHEMAS_TOUCHPOINT_RULES_H
#define TS_SCHEMAS_TOUCHPOINT_RULES_H

#include "schemas/json_form.h"

enum { ID_BYTES_MAX = 256, NAME_BYTES_MAX = 256, TEXT_BYTES_MAX = 16 << 10 };

/* Ten million millions in a currency of two places: nobody pays that, and thousands of them add up within 64 bits. */
#define AMOUNT_MINOR_MAX INT64_C(1000000000000000)

#define FUTURE_MS_MAX ((int64_t)5 * 60 * 1000)
#define OLDEST_AT_MS  INT64_C(946684800000) /* 2000-01-01 */

/* false: `fault` names the first rule broken; its texts live in `arena`. */
bool check_touchpoint(const struct touchpoint *touch, struct arena *arena, struct json_fault *fault);

/* Apart from the rest because `import --rebase` moves times first. */
bool check_time(const struct touchpoint *touch, int64_t now_ms, struct arena *arena, struct json_fault *fault);

/* All of it for a record of the topic. No clock: `timestamp_ms` is the record's, which the broker keeps from lying ahead. */
bool check_record(const struct touchpoint *touch, int64_t timestamp_ms, struct arena *arena, struct json_fault *fault);

#endif
