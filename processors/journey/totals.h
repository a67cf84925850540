/* What a task has to tell the kpi stage: contributions added up until the batch ends, then one KpiDelta per changed series.
 *
 * Adding costs one look-up: places are added up with all their dimensions first, and rolled up to series only when
 * the batch ends. Nothing is added while the outbox is muted: it was sent before. */
#ifndef TS_JOURNEY_TOTALS_H
#define TS_JOURNEY_TOTALS_H

#include "engine/outbox.h"
#include "processors/journey/contributions.h"

struct totals;

struct totals *totals_create(struct dimensions *dimensions);
void totals_destroy(struct totals *totals);

/* after − before. */
void totals_add_difference(struct totals *totals, const struct tally *before, const struct tally *after);
void totals_add(struct totals *totals, const struct contribution *contribution, int times);

struct totals_target {
    struct outbox *outbox;
    int topic;
    uint32_t schema_id;
    int32_t partition; /* of the input: who speaks */
    int64_t clock_ms;
    int64_t timestamp_ms; /* of the records: when they are made, not what they speak of, or retention would eat history */
};

/* One record a changed series, in the order in which they were first changed; then all is zero. */
void totals_flush(struct totals *totals, const struct totals_target *target, struct arena *arena);

#endif
