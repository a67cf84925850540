/* One row, line or payload in; its touchpoints, read and checked, out: through a mapping, or as the JSON form itself. */
#ifndef TS_INGEST_INTAKE_H
#define TS_INGEST_INTAKE_H

#include "ingest/accept.h"
#include "ingest/mapping.h"
#include "ingest/rows.h"

struct intake {
    struct mapping *mapping;    /* NULL: the text is the JSON form */
    struct view default_source; /* null: a record must name its own */
    struct arena *arena;        /* what touchpoints and faults point into */
    struct view text;           /* what was put in */
    struct json_fault fault;    /* of the whole input, told by the first intake_take */
    bool is_pending;
};

enum intake_step { INTAKE_TOUCHPOINT, INTAKE_FAULT, INTAKE_END };

void intake_put_row(struct intake *intake, const struct rows *rows, const struct raw_record *row,
                    const struct json_fault *fault);
void intake_put_payload(struct intake *intake, struct view text);

/* TOUCHPOINT: form and rules are kept; the time is not judged and received_at not set. FAULT: what was refused and why; more may come.
 * `out` then holds what could be read of its ids. */
enum intake_step intake_take(struct intake *intake, struct touchpoint *out, struct json_fault *fault);

#endif
