/* From which sources touchpoints came, and in which minutes: told to the kpi stage with the sums, which watches for sources that fall silent
 * (processors/kpi/source_watch.c). That a source was heard of in a minute is told once by a partition; after a crash perhaps once more, which changes
 * nothing there. A minute long before the last is told when several such have come: a collector's clock was ahead, and is right again. One thread. */
#ifndef TS_JOURNEY_HEARD_H
#define TS_JOURNEY_HEARD_H

#include "processors/journey/sums/worker_totals.h"

struct heard *heard_create(void);
void heard_destroy(struct heard *heard);

/* `at_ms`: when the touchpoint arrived. Not while the outbox's sums are muted. */
void heard_note(struct heard *heard, struct view source, int64_t at_ms);

/* Sends what was heard since the last time. */
void heard_send(struct heard *heard, const struct totals_target *target);

#endif
