#include "engine/watch.h"

#include "base/log.h"
#include "engine/worker.h"

enum { LOOK_EVERY_MS = 1000, STILL_MOST_MS = 60000 };

/* Silence is expected only of a partition at its end that gets no ticks. */
static bool is_move_due(const struct worker *worker, const struct task *task)
{
    if (task->stage != TASK_LIVE)
        return true;
    if (worker->settings->tick_after_ms > 0 && worker->settings->tick_after_ms < STILL_MOST_MS / 2)
        return true;
    return worker->broker->port->end_offset(worker->broker, task->partition) > task->next_offset;
}

static bool has_moved(struct worker *worker, struct task *task)
{
    if (task->stage == TASK_LOADING)
        return worker->watch.loaded != worker->watch.loaded_seen;
    if (task->watched_offset == task->next_offset)
        return false;
    task->watched_offset = task->next_offset;
    worker->watch.has_moved = true;
    return true;
}

bool watch_is_stuck(struct worker *worker, int64_t now_ms)
{
    struct watch *watch = &worker->watch;
    if (now_ms - watch->looked_at_ms < LOOK_EVERY_MS)
        return false;
    watch->looked_at_ms = now_ms;
    const struct task *stuck = NULL;
    int64_t still_most = (STILL_MOST_MS + worker->settings->transaction_timeout_ms) / LOOK_EVERY_MS;
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task == NULL)
            continue;
        task->still_looks = has_moved(worker, task) || !is_move_due(worker, task) ? 0 : task->still_looks + 1;
        if (task->still_looks >= still_most)
            stuck = task;
    }
    watch->loaded_seen = watch->loaded;
    if (stuck)
        log_warning("a partition stands still, beginning anew (if Kafka is away, this waits for it)", "worker", worker->name,
                    "partition", LOG_NUMBER(stuck->partition), "stage", task_stage_name(stuck->stage), "offset",
                    LOG_NUMBER(stuck->next_offset), "seconds", LOG_NUMBER(stuck->still_looks), "sending",
                    worker->txn.is_closing ? "yes" : "no", NULL);
    watch->is_stuck = stuck != NULL;
    return watch->is_stuck;
}
