/* A worker's batch: when it is ripe, what goes into it last, and its commit, tried until it is through. Worker's thread only. */
#ifndef TS_ENGINE_WORKER_BATCH_H
#define TS_ENGINE_WORKER_BATCH_H

#include "engine/worker.h"

/* Is it to be closed now? It may be opened by this, with nothing in it: for sums or entries that wait while no record comes. */
bool batch_is_due(struct worker *worker, int64_t now_ms);

/* How long the next poll may take, with an open batch. */
int batch_wait_ms(const struct worker *worker, int64_t now_ms);

/* From here on it takes no more: what the processors added up goes in if it is time (or must be, before partitions go), a share of the
 * checkpoint, the offsets. */
void batch_close(struct worker *worker, bool must_summarise);

/* One try at the closed batch. OK also when it must be tried again (txn.is_closing), STOP. */
enum outcome batch_try_commit(struct worker *worker);

/* Commits what there is, waiting as long as it takes. OK or STOP. */
enum outcome batch_commit_now(struct worker *worker);

/* The same, and then what is dirty of all partitions, or only of those that the event names: the next owner has nothing to read again. */
enum outcome batch_commit_checkpoints(struct worker *worker, bool is_event_only);

#endif
