/* Partitions come and go: what a worker does about it. Its thread only. */
#ifndef TS_ENGINE_RECOVERY_H
#define TS_ENGINE_RECOVERY_H

#include "engine/worker.h"

/* Answers the event. OK (also when it must be tried again later: the event stays) or STOP. */
enum outcome recovery_answer_event(struct worker *worker);

/* Reads on in the checkpoint partitions of tasks in TASK_LOADING. OK or STOP. */
enum outcome recovery_load(struct worker *worker, int wait_ms);

#endif
