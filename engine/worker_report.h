/* What a worker tells of itself, once a second: metrics, and the rows of runner_status. */
#ifndef TS_ENGINE_WORKER_REPORT_H
#define TS_ENGINE_WORKER_REPORT_H

#include "engine/worker.h"

struct worker_report *worker_report_create(const struct runner_config *config, int thread);
void worker_report_finish(struct worker *worker); /* before its tasks go */
void worker_report_update(struct worker *worker, int64_t now_ms); /* does something once a second only */
void worker_report_leave(struct worker *worker, struct task *task); /* before the task goes */
void worker_report_recovery(struct worker *worker, double seconds);
void worker_report_gone(struct worker *worker, int64_t records);

#endif
