/* What a task has to tell the kpi stage: contributions added up until the next summary.
 *
 * Adding costs one look-up: places are added up with all their dimensions first, and rolled up to series (worker_totals.h) only
 * when they go out, or when there are so many of them that they would leave the caches. Nothing is added while the outbox's sums are muted: it was sent before. */
#ifndef TS_JOURNEY_TOTALS_H
#define TS_JOURNEY_TOTALS_H

#include "processors/journey/sums/worker_totals.h"

struct totals *totals_create(struct dimensions *dimensions);
void totals_destroy(struct totals *totals);

/* after − before. */
void totals_add_difference(struct totals *totals, const struct tally *before, const struct tally *after);
void totals_add(struct totals *totals, const struct contribution *contribution, int times);

/* What is added follows from what happened up to then. */
void totals_reach(struct totals *totals, int64_t at_ms);

/* What is added from now on is for this outbox. While that is muted it waits for this task's own totals_flush, whoever else flushes: it is
 * read again, and its offset is not committed with the others'. */
void totals_hear(struct totals *totals, const struct outbox *outbox);

/* Sends what this task and those that share its outbox have added; then all is zero. Not while the outbox is muted. */
void totals_flush(struct totals *totals, const struct totals_target *target);

#endif
