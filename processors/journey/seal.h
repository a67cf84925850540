/* The bound on what is remembered of one customer (journey.history_max): beyond it the oldest closed matters are sealed.
 * What they contributed stays as it was sent; they are no longer known. */
#ifndef TS_JOURNEY_SEAL_H
#define TS_JOURNEY_SEAL_H

#include "processors/journey/task.h"

void seal_oldest(struct journey_task *task, struct customer *customer);

#endif
