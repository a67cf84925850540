#include "engine/gone.h"

#include "base/log.h"
#include "engine/worker_report.h"

/* Between records there are also markers of transactions, which nobody hands out: only the broker can tell the two apart. */
static void gone_look(struct worker *worker, struct task *task)
{
    int64_t begin = worker->broker->port->begin_offset(worker->broker, task->partition);
    if (begin < 0)
        return; /* again at the next turn */
    int64_t resumed = task->gap.offset;
    int64_t gone = begin < resumed + task->gap.length ? begin - resumed : task->gap.length;
    task->gap = (struct task_gap){0};
    if (gone <= 0)
        return;
    worker_report_gone(worker, gone);
    log_warning(
        "input was deleted before it was read, and is missing from the results: keep the topic for longer (retention.ms) than a "
        "stage may stand still; «Retention» in docs/RELIABILITY.md says how to make up for it",
        "worker", worker->name, "topic", worker->config->processor->input, "partition", LOG_NUMBER(task->partition), "records",
        LOG_NUMBER(gone), "from_offset", LOG_NUMBER(resumed), "begins_at", LOG_NUMBER(begin), "committed_offset",
        LOG_NUMBER(task->committed_offset), NULL);
}

void gone_note(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task && task->gap.length > 0)
            gone_look(worker, task);
    }
}
