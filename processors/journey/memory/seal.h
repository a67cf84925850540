/* The bound on what is remembered of one customer (journey.history_max): beyond it the oldest closed matters are sealed.
 * What they contributed stays as it was sent; they are no longer known. Where nothing is closed there may be twice as many; then what
 * would have to be remembered too is refused, but for what closes a ticket. */
#ifndef TS_JOURNEY_SEAL_H
#define TS_JOURNEY_SEAL_H

#include "processors/journey/task.h"

void seal_oldest(struct journey_task *task, struct customer *customer);

/* Would remembering this touchpoint of theirs go beyond twice the bound? */
bool seal_is_full(const struct journey_task *task, const struct customer *customer, const struct touchpoint *touch);

#endif
