/* How a worker waits: after a failure, and for what the group has decided meanwhile. Its own thread only. */
#ifndef TS_ENGINE_WORKER_WAIT_H
#define TS_ENGINE_WORKER_WAIT_H

#include "engine/worker.h"

int64_t worker_now_ms(const struct worker *worker);  /* monotonic: for all that waits or keeps a pace */
int64_t worker_wall_ms(const struct worker *worker); /* for what bears a date: ticks, the timestamps of records */

/* Counts on `beats`: the worker is there. */
void worker_beat(struct worker *worker);

void worker_pause(struct worker *worker);      /* sets again_at_ms, longer each time */
void worker_pause_over(struct worker *worker); /* it works again */

/* An event that came with a poll is kept until it is answered (recovery.h). */
void worker_note_event(struct worker *worker, const struct broker_batch *batch);
bool worker_event_names(const struct worker *worker, int32_t partition);
void worker_event_done(struct worker *worker);

/* Waits without taking records; events are noted. OK or STOP. */
enum outcome worker_wait_for_events(struct worker *worker, int wait_ms);

#endif
