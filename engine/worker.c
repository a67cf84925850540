#include "engine/worker.h"

#include "base/log.h"
#include "engine/gone.h"
#include "engine/origin.h"
#include "engine/recovery.h"
#include "engine/worker_batch.h"
#include "engine/worker_report.h"
#include "engine/worker_wait.h"

#include <stdio.h>
#include <stdlib.h>

enum { POLL_RECORDS_MAX = 4096, IDLE_WAIT_MS = 100 };

#ifndef CATCH_UP_LAG
#define CATCH_UP_LAG 10000 /* records that wait for us: more, and we are behind */
#endif

void worker_init(struct worker *worker, const struct runner_config *config, int thread, struct broker *broker, atomic_bool *stop)
{
    *worker = (struct worker){.config = config,
                              .settings = &config->settings,
                              .broker = broker,
                              .stop = stop};
    snprintf(worker->name, sizeof worker->name, "%s-%d", config->processor->name, thread);
    outbox_init(&worker->outbox);
    worker->outbox.urgent_topics = config->processor->urgent_outputs;
    arena_init(&worker->arena);
    txn_init(&worker->txn, broker, &worker->outbox);
    for (int topic = 0; config->processor->outputs[topic] && topic < OUTBOX_TOPICS_MAX; topic++)
        worker->outbox.partition_counts[topic] = broker->port->partition_count(broker, topic);
    worker->report = worker_report_create(config, thread);
}

void worker_finish(struct worker *worker)
{
    worker_report_finish(worker);
    for (size_t i = 0; i < worker->tasks.count; i++)
        task_destroy(worker->tasks.tasks[i]);
    free(worker->tasks.tasks);
    free(worker->event_partitions);
    txn_finish(&worker->txn);
    outbox_finish(&worker->outbox);
    arena_finish(&worker->arena);
}

/* --- taking records */

static enum outcome ends_note(struct worker *worker, const struct broker_batch *batch)
{
    for (size_t i = 0; i < batch->end_count; i++) {
        struct task *task = task_table_find(&worker->tasks, batch->ends[i].partition);
        if (task == NULL || task->stage == TASK_LOADING)
            continue;
        bool is_short = batch->ends[i].offset < task->next_offset;
        if (is_short && !task->is_placed)
            return origin_is_short(worker, task, batch->ends[i].offset);
        if (is_short)
            continue; /* an end noted before the last records came */
        task_note_place(task, batch->ends[i].offset);
        /* Beyond the last record there may be markers of transactions, which nobody hands out. */
        task->next_offset = task->end_offset = batch->ends[i].offset;
        if (task->stage == TASK_REPLAYING && task->next_offset >= task->committed_offset)
            task_go_live(task);
    }
    return OUTCOME_OK;
}

/* By what waits, not by how much comes: 30,000 events a second fill a batch in no time, and still want their answer at once. Only for
 * who adds up over a batch; the kpi stage writes what it publishes, once a second, however far behind. */
static void lag_note(struct worker *worker)
{
    int64_t lag = 0;
    for (size_t i = 0; i < worker->tasks.count && worker->config->processor->summarise; i++) {
        const struct task *task = worker->tasks.tasks[i];
        int64_t end = task ? worker->broker->port->end_offset(worker->broker, task->partition) : -1;
        lag += end > 0 && end > task->next_offset ? end - task->next_offset : 0;
    }
    worker->is_behind = lag > CATCH_UP_LAG;
}

static int poll_wait_ms(const struct worker *worker, int64_t now_ms)
{
    if (worker->loading_count)
        return 0;
    if (worker->is_batch_open)
        return batch_wait_ms(worker, now_ms);
    return IDLE_WAIT_MS < worker->settings->summary_interval_ms ? IDLE_WAIT_MS : (int)worker->settings->summary_interval_ms;
}

static enum outcome take_records(struct worker *worker)
{
    int64_t now_ms = worker_now_ms(worker);
    size_t room_left = (size_t)worker->settings->batch_records_max - worker->batch_records;
    struct broker_batch batch = {0};
    enum outcome outcome =
        worker->broker->port->poll(worker->broker, room_left < POLL_RECORDS_MAX ? room_left : POLL_RECORDS_MAX,
                                   poll_wait_ms(worker, now_ms), worker->is_batch_open, &batch);
    if (outcome == OUTCOME_STOP)
        return OUTCOME_STOP;
    worker_note_event(worker, &batch);
    if (batch.was_input_gone)
        origin_doubt(worker);
    if (batch.count) {
        now_ms = worker_now_ms(worker);
        if (!worker->is_batch_open)
            worker->batch_began_ms = now_ms;
        worker->is_batch_open = true;
        worker->batch_records += batch.count;
    }
    struct step_room room = {&worker->arena, &worker->outbox};
    outcome = step_records(&worker->tasks, &room, batch.records, batch.count, now_ms);
    if (outcome == OUTCOME_RETRY) {
        batch_commit_now(worker); /* what stands before it */
        return OUTCOME_STOP;
    }
    if (outcome == OUTCOME_STOP) {
        log_error("processor cannot go on", "worker", worker->name, NULL);
        worker->is_hopeless = true;
        return OUTCOME_STOP;
    }
    if (ends_note(worker, &batch) == OUTCOME_STOP)
        return OUTCOME_STOP;
    gone_note(worker);
    lag_note(worker);
    return txn_send_early(&worker->txn);
}

/* A history that trickles in would stop the clock for hours. But who sends what happened a few seconds ago, second by second, is not to be late for good
 * because of one tick: the clock may stand still for a while. */
enum { STILL_FOR_TICKS = 60 };

static bool is_silent(const struct worker *worker, const struct task *task, int64_t now_ms)
{
    int64_t after_ms = worker->settings->tick_after_ms;
    return now_ms - task->active_at_ms >= after_ms || now_ms - task->passed_at_ms >= STILL_FOR_TICKS * after_ms;
}

/* A partition that has been silent at its end gets the time appended, so that timers fire without events. Through the log, and
 * not from our clock: on a replay they fire at the same place again.
 *
 * How long it was silent says the monotonic clock, what time it is the wall's: deadlines are dates. Where that was set ahead they pass
 * with the next tick; where it was set back ticks go on, and change nothing until it has come to where the partition's clock stands. */
static void tick_silent(struct worker *worker, int64_t now_ms)
{
    for (size_t i = 0; i < worker->tasks.count && worker->settings->tick_after_ms > 0; i++) {
        struct task *task = worker->tasks.tasks[i];
        bool is_at_end = task && task->stage == TASK_LIVE && task->next_offset == task->end_offset;
        if (!is_at_end || !is_silent(worker, task, now_ms))
            continue;
        if (worker->broker->port->tick(worker->broker, task->partition, worker_wall_ms(worker)) != OUTCOME_RETRY)
            task->active_at_ms = task->passed_at_ms = now_ms;
    }
}

enum outcome worker_step(struct worker *worker)
{
    int64_t now_ms = worker_now_ms(worker);
    worker_report_update(worker, now_ms);
    worker_beat(worker);
    if (watch_is_stuck(worker, now_ms))
        return OUTCOME_STOP;
    enum outcome outcome = origin_look(worker, now_ms);
    if (outcome != OUTCOME_OK)
        return outcome == OUTCOME_STOP ? OUTCOME_STOP : worker_wait_for_events(worker, 0);
    if (now_ms < worker->again_at_ms) { /* after a failure: events still, records not */
        int64_t left_ms = worker->again_at_ms - now_ms;
        if (worker_wait_for_events(worker, left_ms < IDLE_WAIT_MS ? (int)left_ms : IDLE_WAIT_MS) == OUTCOME_STOP)
            return OUTCOME_STOP;
        return worker->event == BROKER_LOST ? recovery_answer_event(worker) : OUTCOME_OK;
    }
    if (worker->event != BROKER_NOTHING && recovery_answer_event(worker) == OUTCOME_STOP)
        return OUTCOME_STOP;
    if (worker->txn.is_closing)
        return batch_try_commit(worker);
    if (worker->again_at_ms > now_ms)
        return OUTCOME_OK;
    if (take_records(worker) == OUTCOME_STOP)
        return OUTCOME_STOP;
    if (origin_is_in_doubt(worker))
        return OUTCOME_OK;
    if (worker->loading_count && recovery_load(worker, IDLE_WAIT_MS / 10) == OUTCOME_STOP)
        return OUTCOME_STOP;
    now_ms = worker_now_ms(worker);
    tick_silent(worker, now_ms);
    if (!batch_is_due(worker, now_ms))
        return OUTCOME_OK;
    batch_close(worker, false);
    return batch_try_commit(worker);
}

/* Offsets of a topic that is not there are not taken, however often they are sent. */
enum outcome worker_close(struct worker *worker)
{
    if (worker->broker->port->is_input_gone(worker->broker) || origin_look(worker, worker_now_ms(worker)) != OUTCOME_OK)
        return OUTCOME_RETRY;
    return batch_commit_checkpoints(worker, false);
}
