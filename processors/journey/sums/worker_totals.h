/* The series of one worker: what its tasks' contributions roll up to, and the KpiDelta records they go out in.
 *
 * A transaction is a worker's, so the additions of all its partitions can leave as one record a series: with eight partitions
 * that is a third of the records or less. Tasks that send to the same outbox share these; they all belong to one
 * thread, are asked for their sums in one commit, and are only ever lost together (engine/recovery.c), so an addition
 * of a lost batch is lost with it. */
#ifndef TS_JOURNEY_WORKER_TOTALS_H
#define TS_JOURNEY_WORKER_TOTALS_H

#include "engine/outbox.h"
#include "processors/journey/matters/contributions.h"
#include "processors/journey/sums/bins.h"

struct worker_totals;
struct totals;

/* The one for this outbox, made by the first who asks. Any thread. */
struct worker_totals *worker_totals_join(const struct outbox *outbox, struct totals *member);
void worker_totals_leave(struct worker_totals *worker, struct totals *member);

/* Everybody's contributions are due: the members whose cells are to be added. */
size_t worker_totals_members(const struct worker_totals *worker, struct totals *const **members);

/* The number of a dimension's text, which is not borrowed. */
uint32_t worker_totals_dimension(struct worker_totals *worker, struct view text);

/* From now on `whole` has all that is added to `part`, of KPIs by configured rollups; nobody adds that to it. Only until sums are sent are they
 * apart: a part is added to often, and then added up once. `rank` of a part is larger than those of what it is a part of. */
void worker_totals_include(struct worker_totals *worker, uint32_t part, uint8_t rank, uint32_t whole);

/* What happened in one minute, and the durations among it: a chain of bins (bins.h). */
struct worker_addition {
    int32_t minute;
    int32_t first_bin; /* −1: none */
    const struct bin *bins;
    struct kpi_sums sums;
};

/* To the series of a KPI by each of these dimensions. */
void worker_totals_add(struct worker_totals *worker, enum kpi_id kpi, const uint32_t *dimensions, uint32_t count,
                       const struct worker_addition *what);

struct totals_target {
    struct outbox *outbox;
    int topic;
    uint32_t schema_id;
    int32_t partition; /* of the input: who speaks */
    int64_t clock_ms;  /* nothing that happened later is in the additions */
    int64_t timestamp_ms; /* of the records: when they are made, not what they speak of, or retention would eat history */
};

/* One record a changed series, in the order in which they were first changed; then all is zero. */
void worker_totals_send(struct worker_totals *worker, const struct totals_target *target);

#endif
