#include "engine/worker_report.h"

#include "base/memory.h"
#include "base/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPORT_EVERY_MS = 1000 };

/* --- runner_status */

struct runner_status {
    pthread_mutex_t lock;
    struct partition_status *rows;
    size_t count, capacity;
};

struct runner_status *runner_status_create(void)
{
    struct runner_status *status = memory_zeroed(1, sizeof *status);
    pthread_mutex_init(&status->lock, NULL);
    return status;
}

void runner_status_destroy(struct runner_status *status)
{
    if (status == NULL)
        return;
    pthread_mutex_destroy(&status->lock);
    free(status->rows);
    free(status);
}

size_t runner_status_read(struct runner_status *status, struct partition_status *rows, size_t rows_max)
{
    pthread_mutex_lock(&status->lock);
    size_t count = status->count;
    if (count && rows_max) /* rows may be NULL for none: who asks how many there are */
        memcpy(rows, status->rows, (count < rows_max ? count : rows_max) * sizeof *rows);
    pthread_mutex_unlock(&status->lock);
    return count;
}

static int compare_partitions(const void *a, const void *b)
{
    const struct partition_status *one = a, *other = b;
    return (one->partition > other->partition) - (one->partition < other->partition);
}

static void status_forget_thread(struct runner_status *status, int thread)
{
    size_t kept = 0;
    for (size_t i = 0; i < status->count; i++) {
        if (status->rows[i].thread != thread)
            status->rows[kept++] = status->rows[i];
    }
    status->count = kept;
}

static void status_add(struct runner_status *status, const struct partition_status *row)
{
    if (status->count == status->capacity) {
        status->capacity = status->capacity ? status->capacity * 2 : 16;
        status->rows = memory_resize(status->rows, status->capacity * sizeof *status->rows);
    }
    status->rows[status->count++] = *row;
}

/* --- metrics */

struct partition_metrics {
    struct metric *lag, *entries, *clock, *memory;
    int64_t records;
};

struct worker_report {
    char role[48];
    int thread;
    struct runner_status *status;
    struct metric *records, *parked, *gone, *commits, *aborts, *checkpoint_bytes, *recovery;
    struct partition_metrics *partitions; /* by partition */
    size_t partition_count;
};

struct worker_report *worker_report_create(const struct runner_config *config, int thread)
{
    struct worker_report *report = memory_zeroed(1, sizeof *report);
    char labels[96];
    snprintf(report->role, sizeof report->role, "%s", config->processor->name);
    snprintf(labels, sizeof labels, "role=\"%s\",thread=\"%d\"", report->role, thread);
    report->thread = thread;
    report->status = config->status;
    report->records = metrics_counter("touchstream_engine_records_total", labels, "Records applied.");
    report->parked = metrics_counter("touchstream_engine_parked_total", labels, "Records that can never work, set aside.");
    report->gone = metrics_counter("touchstream_engine_gone_total", labels, "Records deleted by retention before they were read.");
    report->commits = metrics_counter("touchstream_engine_commits_total", labels, "Transactions committed.");
    report->aborts = metrics_counter("touchstream_engine_aborts_total", labels, "Transactions aborted and sent again.");
    report->checkpoint_bytes =
        metrics_counter("touchstream_engine_checkpoint_bytes_total", labels, "Bytes of entries written to the checkpoint topic.");
    report->recovery =
        metrics_seconds("touchstream_engine_recovery_seconds", labels, "From taking a partition over to reading its input.");
    return report;
}

static struct partition_metrics *partition_metrics_of(struct worker_report *report, int32_t partition)
{
    if ((size_t)partition >= report->partition_count) {
        size_t count = (size_t)partition + 1;
        report->partitions = memory_resize(report->partitions, count * sizeof *report->partitions);
        memset(report->partitions + report->partition_count, 0,
               (count - report->partition_count) * sizeof *report->partitions);
        report->partition_count = count;
    }
    struct partition_metrics *metrics = &report->partitions[partition];
    if (metrics->lag == NULL) {
        char labels[96];
        snprintf(labels, sizeof labels, "role=\"%s\",partition=\"%d\"", report->role, partition);
        metrics->lag = metrics_gauge("touchstream_engine_lag_records", labels, "Records not applied yet.");
        metrics->entries = metrics_gauge("touchstream_engine_entries", labels, "Entries (customers, series) in memory.");
        metrics->clock = metrics_gauge("touchstream_engine_clock_seconds", labels,
                                       "The partition's clock (watermark), as seconds since the epoch.");
        metrics->memory = metrics_gauge("touchstream_engine_entry_table_bytes", labels,
                                        "Memory of the table of entries, their states not counted.");
    }
    return metrics;
}

static void report_destroy(struct worker_report *report)
{
    if (report->status) {
        pthread_mutex_lock(&report->status->lock);
        status_forget_thread(report->status, report->thread);
        pthread_mutex_unlock(&report->status->lock);
    }
    free(report->partitions);
    free(report);
}

static void take_counts(struct worker_report *report, struct task *task, struct partition_metrics *metrics)
{
    metric_add(report->records, (double)task->applied);
    metric_add(report->parked, (double)task->parked);
    metric_add(report->checkpoint_bytes, (double)task->checkpoint.bytes_written);
    metrics->records += task->applied;
    task->applied = task->parked = task->checkpoint.bytes_written = 0;
}

/* Another worker, of another process as a rule, tells of it from now on: what we knew last would stand beside that for ever. */
void worker_report_leave(struct worker *worker, struct task *task)
{
    struct partition_metrics *metrics = partition_metrics_of(worker->report, task->partition);
    take_counts(worker->report, task, metrics);
    metric_hide(metrics->lag);
    metric_hide(metrics->entries);
    metric_hide(metrics->clock);
    metric_hide(metrics->memory);
}

static void take_transactions(struct worker *worker)
{
    metric_add(worker->report->commits, (double)worker->txn.committed);
    metric_add(worker->report->aborts, (double)worker->txn.aborted);
    worker->txn.committed = worker->txn.aborted = 0;
}

void worker_report_finish(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        if (worker->tasks.tasks[i])
            worker_report_leave(worker, worker->tasks.tasks[i]);
    }
    take_transactions(worker);
    report_destroy(worker->report);
}

static struct partition_status row_of(struct worker *worker, const struct task *task)
{
    int64_t end = worker->broker->port->end_offset(worker->broker, task->partition);
    return (struct partition_status){
        .partition = task->partition,
        .thread = worker->report->thread,
        .is_live = task->stage == TASK_LIVE,
        .offset = task->next_offset,
        .lag = end < 0 ? -1 : end > task->next_offset ? end - task->next_offset : 0,
        .clock_ms = task->clock_ms == CLOCK_UNSET ? INT64_MIN : task->clock_ms,
        .entries = (int64_t)task->entries.count,
        .memory_bytes = (int64_t)entries_memory_bytes(&task->entries),
    };
}

static void report_task(struct worker *worker, struct task *task)
{
    struct worker_report *report = worker->report;
    struct partition_metrics *metrics = partition_metrics_of(report, task->partition);
    take_counts(report, task, metrics);
    struct partition_status row = row_of(worker, task);
    row.records = metrics->records;
    if (row.lag >= 0) /* else Kafka has not said yet where it ends */
        metric_set(metrics->lag, (double)row.lag);
    metric_set(metrics->entries, (double)row.entries);
    metric_set(metrics->memory, (double)row.memory_bytes);
    if (row.clock_ms != INT64_MIN)
        metric_set(metrics->clock, (double)row.clock_ms / 1000);
    if (report->status)
        status_add(report->status, &row);
}

void worker_report_update(struct worker *worker, int64_t now_ms)
{
    struct worker_report *report = worker->report;
    if (now_ms - worker->reported_at_ms < REPORT_EVERY_MS)
        return;
    worker->reported_at_ms = now_ms;
    take_transactions(worker);

    if (report->status) {
        pthread_mutex_lock(&report->status->lock);
        status_forget_thread(report->status, report->thread);
    }
    for (size_t i = 0; i < worker->tasks.count; i++) {
        if (worker->tasks.tasks[i])
            report_task(worker, worker->tasks.tasks[i]);
    }
    if (report->status) {
        if (report->status->count)
            qsort(report->status->rows, report->status->count, sizeof *report->status->rows, compare_partitions);
        pthread_mutex_unlock(&report->status->lock);
    }
}

void worker_report_recovery(struct worker *worker, double seconds)
{
    metric_observe(worker->report->recovery, seconds);
}

void worker_report_gone(struct worker *worker, int64_t records)
{
    metric_add(worker->report->gone, (double)records);
}
