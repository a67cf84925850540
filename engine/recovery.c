/* Partitions come and go.
 *
 * Coming: the committed offset C, with the marker (offset O, clock) in its metadata, says where we stand. The checkpoint
 * partition is read to its end, then the input from O; up to C muted (sums up to S ≤ C only), then live. A few thousand entries a
 * turn: partitions that stay with this worker go on meanwhile.
 *
 * Going: commit what is applied, write what is dirty, so that the next owner has nothing to read again. Lost: somebody else may
 * own it already; whatever is in the batch is his to do, so nothing is committed, and since a batch holds all partitions
 * together, all of them are dropped and recovered. */
#include "engine/recovery.h"

#include "base/log.h"
#include "base/memory.h"
#include "engine/mutation.h"
#include "engine/origin.h"
#include "engine/worker_batch.h"
#include "engine/worker_report.h"
#include "engine/worker_wait.h"

#include <stdlib.h>

enum { LOAD_RECORDS_MAX = 4096 };

/* --- coming */

static void task_add(struct worker *worker, struct task *task)
{
    struct task_table *table = &worker->tasks;
    size_t wanted = (size_t)task->partition + 1;
    if (table->count < wanted) {
        table->tasks = memory_resize(table->tasks, wanted * sizeof(struct task *));
        memset(table->tasks + table->count, 0, (wanted - table->count) * sizeof(struct task *));
        table->count = wanted;
    }
    table->tasks[task->partition] = task;
    worker->loading_count++;
}

static void task_place(struct worker *worker, struct task *task, const struct broker_commit *commit)
{
    struct checkpoint_marker marker;
    task->ids = worker->ids;
    task->committed_offset = commit->offset;
    task->next_offset = task->summed_offset = commit->offset > 0 ? commit->offset : 0;
    if (commit->offset >= 0 && checkpoint_marker_parse(commit->metadata, &marker)) {
        broker_ids_update(&task->ids, &marker.ids);
        task->clock_ms = MUTANT(CLOCK_NOT_RESTORED) ? CLOCK_UNSET : marker.clock_ms;
        if (marker.offset < task->next_offset)
            task->next_offset = marker.offset;
        if (marker.summed_offset >= 0)
            task->summed_offset = marker.summed_offset;
        if (marker.version != task->processor->version)
            log_warning("checkpoint was written by another version", "worker", worker->name, "partition",
                        LOG_NUMBER(task->partition), "theirs", LOG_NUMBER(marker.version), "ours",
                        LOG_NUMBER(task->processor->version), NULL);
    } else if (commit->offset >= 0) {
        log_warning("offset was committed by someone else, without our marker", "worker", worker->name, "partition",
                    LOG_NUMBER(task->partition), "offset", LOG_NUMBER(commit->offset), NULL);
    }
    task->checkpoint.marker_offset = task->next_offset;
    task->checkpoint.marker_clock_ms = task->clock_ms;
}

static struct task *task_start(struct worker *worker, const struct broker_commit *commit)
{
    struct task *task = task_create(worker->config->processor, worker->config->shared, commit->partition);
    task->allowed_disorder_ms = worker->settings->allowed_disorder_ms;
    task->entries_max = worker->settings->entries_max;
    task->input_partitions = worker->input_partitions;
    task->active_at_ms = task->passed_at_ms = worker_now_ms(worker);
    task->loading_since_us = clock_monotonic_us();
    task_place(worker, task, commit);
    task_add(worker, task);
    return task;
}

static enum outcome places_assign(struct worker *worker, const struct broker_commit *commits, size_t count)
{
    struct broker_place *places = memory_zeroed(count + 1, sizeof *places);
    for (size_t i = 0; i < count; i++) {
        const struct task *task = task_start(worker, &commits[i]);
        places[i] = (struct broker_place){task->partition, task->next_offset > 0 ? task->next_offset : -1};
    }
    enum outcome outcome = worker->broker->port->assign(worker->broker, places, count);
    for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++)
        outcome = worker->broker->port->reader_add(worker->broker, places[i].partition);
    free(places);
    return outcome == OUTCOME_OK ? OUTCOME_OK : OUTCOME_STOP;
}

static bool is_checkpoint_topic_fit(struct worker *worker, int32_t partition)
{
    int32_t count = worker->broker->port->partition_count(worker->broker, BROKER_TO_CHECKPOINT);
    if (partition < count)
        return true;
    log_error("checkpoint topic has fewer partitions than the input: were some added to that alone? Give it as many (docs/RELIABILITY.md, «Partitions that are "
              "added», says what follows)",
              "topic", worker->config->processor->checkpoint, "partitions", LOG_NUMBER(count), "input partition", LOG_NUMBER(partition), NULL);
    worker->is_hopeless = true;
    return false;
}

static bool are_known(struct worker *worker, const struct broker_commit *commits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct checkpoint_marker marker;
        bool has_marker = commits[i].offset >= 0 && checkpoint_marker_parse(commits[i].metadata, &marker);
        if (has_marker && !origin_is_known(worker, &commits[i], &marker))
            return false;
    }
    return true;
}

static enum outcome on_assigned(struct worker *worker)
{
    struct broker_commit *commits = memory_zeroed(worker->event_count + 1, sizeof *commits);
    for (size_t i = 0; i < worker->event_count; i++) {
        commits[i].partition = worker->event_partitions[i];
        if (!is_checkpoint_topic_fit(worker, commits[i].partition)) {
            free(commits);
            return OUTCOME_STOP;
        }
    }
    worker->input_partitions = worker->broker->port->input_partitions(worker->broker);
    enum outcome outcome = origin_learn(worker);
    if (outcome == OUTCOME_OK)
        outcome = worker->broker->port->committed(worker->broker, commits, worker->event_count);
    if (outcome == OUTCOME_RETRY) {
        worker_pause(worker);
    } else if (outcome == OUTCOME_OK && !are_known(worker, commits, worker->event_count)) {
        outcome = OUTCOME_STOP;
    } else if (outcome == OUTCOME_OK) {
        outcome = places_assign(worker, commits, worker->event_count);
        worker_event_done(worker);
    }
    free(commits);
    return outcome == OUTCOME_STOP ? OUTCOME_STOP : OUTCOME_OK;
}

/* --- loading */

/* A dead entry stays, without a state, as long as the records it has seen may be read again. */
static void entry_restore_dead(struct task *task, struct entry *entry, int64_t died_at_offset)
{
    entry->applied_offset = died_at_offset;
    entry->timer_at_ms = TIMER_NEVER;
    timers_follow(&task->timers, entry);
    if (!(entry->flags & ENTRY_DEAD))
        entry_list_add(&task->dead, entry);
    entry->flags |= ENTRY_DEAD;
}

static bool entry_restore(struct task *task, const struct record *record)
{
    uint64_t hash = entries_hash(record->key);
    struct entry *entry = entries_find(&task->entries, record->key, hash);
    if (entry && entry->state) { /* an older value that compaction has not removed yet */
        task->processor->entry_free(task->own, entry);
        entry->state = NULL;
    }
    if (entry == NULL)
        entry = entries_add(&task->entries, record->key, hash);
    if (record->value.data == NULL) {
        if (record->note && task->processor->key_noted)
            task->processor->key_noted(task->own, record->key, record->note);
        entry_restore_dead(task, entry, record->timestamp_ms);
        return true;
    }
    if (!task->processor->entry_load(task->own, entry, record->value))
        return false;
    if (!MUTANT(TIMER_LOST))
        timers_follow(&task->timers, entry);
    return true;
}

static enum outcome records_restore(struct worker *worker, const struct broker_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct record *record = &batch->records[i];
        struct task *task = task_table_find(&worker->tasks, record->partition);
        if (task == NULL || task->stage != TASK_LOADING || record->key.data == NULL)
            continue;
        if (entry_restore(task, record))
            continue;
        log_error("checkpoint entry cannot be read: written by another version, or damaged", "topic",
                  worker->config->processor->checkpoint, "partition", LOG_NUMBER(record->partition), "offset",
                  LOG_NUMBER(record->offset), "our version", LOG_NUMBER(worker->config->processor->version), NULL);
        worker->is_hopeless = true;
        return OUTCOME_STOP;
    }
    return OUTCOME_OK;
}

/* Entries and offsets are committed together. Where there are entries and no offset, the group's offsets are gone, most
 * likely with an input topic that was deleted and made anew: its records would all look like seen before. */
static bool is_without_offset(struct worker *worker, const struct task *task)
{
    if (task->committed_offset >= 0 || task->entries.count == task->dead.count)
        return false;
    /* Asked again: somebody else may own the partition by now and have committed since. Then this worker begins anew. */
    struct broker_commit commit = {.partition = task->partition, .offset = -1};
    if (worker->broker->port->committed(worker->broker, &commit, 1) != OUTCOME_OK || commit.offset >= 0)
        return true;
    log_error("the checkpoint topic holds entries, but the group has no committed offset: it expired, or the input topic was made anew. Set it, or "
              "begin with an empty state (docs/RELIABILITY.md, «made anew»)",
              "worker", worker->name, "topic", worker->config->processor->checkpoint, "partition",
              LOG_NUMBER(task->partition), "entries", LOG_NUMBER(task->entries.count), NULL);
    worker->is_hopeless = true;
    return true;
}

/* RETRY: the input does not start yet, ask again. */
static enum outcome task_begin(struct worker *worker, struct task *task)
{
    if (is_without_offset(worker, task))
        return OUTCOME_STOP;
    enum outcome outcome = worker->broker->port->resume(worker->broker, task->partition, task->next_offset);
    if (outcome != OUTCOME_OK)
        return outcome == OUTCOME_RETRY ? OUTCOME_RETRY : OUTCOME_STOP;
    bool is_live = task->next_offset >= task->committed_offset;
    if (is_live)
        task_go_live(task);
    else
        task->stage = TASK_REPLAYING;
    worker->loading_count--;
    int64_t took_us = clock_monotonic_us() - task->loading_since_us;
    worker_report_recovery(worker, (double)took_us / 1e6);
    log_info("partition recovered", "worker", worker->name, "partition", LOG_NUMBER(task->partition), "entries",
             LOG_NUMBER(task->entries.count), "took_ms", LOG_NUMBER(took_us / 1000), "from_offset",
             LOG_NUMBER(task->next_offset), "committed_offset", LOG_NUMBER(task->committed_offset), NULL);
    return OUTCOME_OK;
}

enum outcome recovery_load(struct worker *worker, int wait_ms)
{
    struct broker_batch batch = {0};
    enum outcome outcome = worker->broker->port->reader_poll(worker->broker, LOAD_RECORDS_MAX, wait_ms, &batch);
    worker->watch.loaded += (int64_t)(batch.count + batch.end_count);
    if (outcome != OUTCOME_STOP)
        outcome = records_restore(worker, &batch);
    for (size_t i = 0; i < batch.end_count && outcome == OUTCOME_OK; i++) {
        struct task *task = task_table_find(&worker->tasks, batch.ends[i].partition);
        if (task == NULL || task->stage != TASK_LOADING || task->is_loaded)
            continue;
        task->is_loaded = true;
        worker->broker->port->reader_remove(worker->broker, task->partition);
    }
    for (size_t i = 0; i < worker->tasks.count && outcome != OUTCOME_STOP; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task && task->stage == TASK_LOADING && task->is_loaded)
            outcome = task_begin(worker, task);
    }
    return outcome == OUTCOME_STOP ? OUTCOME_STOP : OUTCOME_OK;
}

/* --- going */

static void task_drop(struct worker *worker, int32_t partition)
{
    struct task *task = task_table_find(&worker->tasks, partition);
    if (task == NULL)
        return;
    if (task->stage == TASK_LOADING) {
        worker->loading_count--;
        worker->broker->port->reader_remove(worker->broker, partition);
    }
    worker_report_leave(worker, task);
    worker->tasks.tasks[partition] = NULL;
    task_destroy(task);
}

static enum outcome unassign(struct worker *worker)
{
    for (size_t i = 0; i < worker->event_count; i++)
        task_drop(worker, worker->event_partitions[i]);
    enum outcome outcome =
        worker->broker->port->unassign(worker->broker, worker->event_partitions, worker->event_count);
    log_info(worker->event == BROKER_LOST ? "partitions lost" : "partitions handed over", "worker", worker->name, "count",
             LOG_NUMBER(worker->event_count), NULL);
    worker_event_done(worker);
    return outcome == OUTCOME_OK ? OUTCOME_OK : OUTCOME_STOP;
}

static enum outcome on_revoked(struct worker *worker)
{
    if (MUTANT(REVOKED_UNCOMMITTED) && !worker->txn.is_closing)
        return unassign(worker);
    if (batch_commit_checkpoints(worker, true) == OUTCOME_STOP)
        return OUTCOME_STOP;
    return unassign(worker);
}

static enum outcome on_lost(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        if (worker->tasks.tasks[i] && !worker_event_names(worker, (int32_t)i))
            return OUTCOME_STOP; /* begin anew with all of them */
    }
    if (!MUTANT(LOST_COMMITTED) && txn_drop(&worker->txn) != OUTCOME_OK)
        return OUTCOME_STOP;
    worker->batch_records = 0;
    worker->is_batch_open = false;
    worker->again_at_ms = 0;
    return unassign(worker);
}

enum outcome recovery_answer_event(struct worker *worker)
{
    switch (worker->event) {
    case BROKER_ASSIGNED:
        return on_assigned(worker);
    case BROKER_REVOKED:
        return on_revoked(worker);
    case BROKER_LOST:
        return on_lost(worker);
    case BROKER_NOTHING:
        break;
    }
    return OUTCOME_OK;
}
