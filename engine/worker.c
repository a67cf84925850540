#include "engine/worker.h"

#include "base/log.h"
#include "base/memory.h"
#include "engine/gone.h"
#include "engine/mutation.h"
#include "engine/worker_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    POLL_RECORDS_MAX = 4096,
    IDLE_WAIT_MS = 100,
    GATHER_MS = 10,          /* what has come is applied after as long: at the commit only the last of it is left to do */
    URGENT_SHARE = 2,        /* with something urgent in it, a batch waits for this part of the interval */
    LEAVE_MOST_MS = 30000,   /* asked to stop: then whoever comes next does the batch again */
    BACKOFF_LEAST_MS = 20,
    BACKOFF_MOST_MS = 1000,
    REDO_MOST = 30,          /* in a row; then a new worker, with a new producer and member */
    CATCH_UP_FACTOR = 20,    /* behind, transactions may take so many times longer: nobody waits for the newest event then */
    QUIET_FACTOR = 10,   /* without outputs, too: nobody waits at all */
    PASS_LEAST_MS = 1000 /* so a hot customer is written once a second at most */
};

#ifndef CATCH_UP_LAG
#define CATCH_UP_LAG 10000 /* records that wait for us: more, and we are behind */
#endif
#ifndef PASS_LEAST_ENTRIES
#define PASS_LEAST_ENTRIES 64 /* of a partition, with each summary: some 5,000 a second with eight; the simulation wants long passes */
#endif

static int64_t or_standard(int64_t value, int64_t standard)
{
    return value > 0 ? value : standard;
}

struct runner_settings runner_settings_complete(struct runner_settings settings, const struct processor *processor)
{
    settings.threads = (int)or_standard(settings.threads, 1);
    settings.commit_interval_ms = (int)or_standard(settings.commit_interval_ms, 50);
    settings.summary_interval_ms = or_standard(settings.summary_interval_ms, 100);
    settings.summary_interval_behind_ms = or_standard(settings.summary_interval_behind_ms, 1000);
    if (settings.summary_interval_behind_ms < settings.summary_interval_ms)
        settings.summary_interval_behind_ms = settings.summary_interval_ms;
    settings.batch_records_max = (int)or_standard(settings.batch_records_max, 100000);
    settings.batch_bytes_max = or_standard(settings.batch_bytes_max, 8 * 1024 * 1024);
    settings.checkpoint_interval_ms = (int)or_standard(settings.checkpoint_interval_ms, 60000);
    settings.allowed_disorder_ms = or_standard(settings.allowed_disorder_ms, processor->allowed_disorder_ms);
    settings.entries_max = or_standard(settings.entries_max, 20 * 1000 * 1000);
    settings.transaction_timeout_ms = (int)or_standard(settings.transaction_timeout_ms, 30000);
    settings.session_timeout_ms = (int)or_standard(settings.session_timeout_ms, 10000);
    return settings;
}

int64_t worker_now_ms(const struct worker *worker)
{
    return clock_now_ms(worker->config->clock);
}

void worker_init(struct worker *worker, const struct runner_config *config, int thread, struct broker *broker, atomic_bool *stop)
{
    *worker = (struct worker){.config = config,
                              .settings = runner_settings_complete(config->settings, config->processor),
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

static void beat(struct worker *worker)
{
    if (worker->beats)
        atomic_fetch_add_explicit(worker->beats, 1, memory_order_relaxed);
}

/* --- pauses */

void worker_pause(struct worker *worker)
{
    worker->backoff_ms = worker->backoff_ms ? worker->backoff_ms * 2 : BACKOFF_LEAST_MS;
    if (worker->backoff_ms > BACKOFF_MOST_MS)
        worker->backoff_ms = BACKOFF_MOST_MS;
    worker->again_at_ms = worker_now_ms(worker) + worker->backoff_ms;
}

static void pause_over(struct worker *worker)
{
    worker->backoff_ms = 0;
    worker->again_at_ms = 0;
}

/* --- events */

static void event_note(struct worker *worker, const struct broker_batch *batch)
{
    if (batch->event == BROKER_NOTHING)
        return;
    worker->event = batch->event;
    worker->event_count = batch->partition_count;
    worker->event_partitions =
        memory_resize(worker->event_partitions, (batch->partition_count + 1) * sizeof *worker->event_partitions);
    memcpy(worker->event_partitions, batch->partitions, batch->partition_count * sizeof *batch->partitions);
}

void worker_event_done(struct worker *worker)
{
    worker->event = BROKER_NOTHING;
    worker->event_count = 0;
    pause_over(worker);
}

/* Waits without taking records; events are noted. */
static enum outcome wait_for_events(struct worker *worker, int wait_ms)
{
    struct broker_batch batch = {0};
    enum outcome outcome = worker->broker->port->poll(worker->broker, 0, wait_ms, false, &batch);
    event_note(worker, &batch);
    return outcome == OUTCOME_STOP ? OUTCOME_STOP : OUTCOME_OK;
}

/* --- committing */

static struct checkpoint_pace pace_of(const struct worker *worker)
{
    return (struct checkpoint_pace){.interval_ms = worker->settings.checkpoint_interval_ms,
                                    .least_ms = worker->settings.checkpoint_interval_ms < PASS_LEAST_MS
                                                    ? worker->settings.checkpoint_interval_ms
                                                    : PASS_LEAST_MS,
                                    .least_count = worker->config->processor->is_checkpoint_private ? 0 : PASS_LEAST_ENTRIES};
}

static void add_offsets(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task == NULL || !task->is_touched || task->stage != TASK_LIVE)
            continue;
        struct broker_commit *commit = txn_add_commit(&worker->txn);
        commit->partition = task->partition;
        commit->offset = task->next_offset;
        checkpoint_marker_print(task, commit->metadata);
    }
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

static int64_t summary_interval_ms(const struct worker *worker)
{
    return worker->is_behind ? worker->settings.summary_interval_behind_ms : worker->settings.summary_interval_ms;
}

/* At round times of the wall clock, so that all workers send their sums together, whoever waits for the last. */
static bool is_summary_due(const struct worker *worker, int64_t now_ms)
{
    int64_t interval_ms = summary_interval_ms(worker);
    return now_ms / interval_ms != worker->summed_at_ms / interval_ms;
}

static void summarise(struct worker *worker, const struct step_room *room, int64_t now_ms)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task && task->stage == TASK_LIVE)
            step_summarise(task, room, worker->is_behind);
    }
    worker->summed_at_ms = now_ms;
}

/* From here on the batch takes no more: what the processors added up goes in if it is time (or must be, before partitions go), a
 * share of the checkpoint, the offsets. */
static void batch_close(struct worker *worker, bool must_summarise)
{
    int64_t now_ms = worker->closed_at_ms = worker_now_ms(worker);
    struct step_room room = {&worker->arena, &worker->outbox};
    struct checkpoint_pace pace = pace_of(worker);
    if (must_summarise || is_summary_due(worker, now_ms))
        summarise(worker, &room, now_ms);
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task == NULL)
            continue;
        step_batch_end(task, &room);
        if (task->stage == TASK_LIVE && (!task->has_unsummed || MUTANT(ENTRIES_BEFORE_SUMS)))
            checkpoint_advance(task, &worker->outbox, &pace, now_ms);
    }
    txn_close(&worker->txn);
    add_offsets(worker);
}

static void batch_done(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task == NULL || !task->is_touched)
            continue;
        task->is_touched = false;
        if (task->stage == TASK_LIVE)
            task->committed_offset = task->next_offset;
    }
    worker->batch_records = 0;
    worker->is_batch_open = false;
    pause_over(worker);
}

static bool is_anything_to_commit(const struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        const struct task *task = worker->tasks.tasks[i];
        if (task && (task->is_touched || (task->has_unsummed && task->stage == TASK_LIVE)))
            return true;
    }
    return !outbox_is_empty(&worker->outbox);
}

/* One try at the closed batch. OK also when it must be tried again; is_closing tells. */
static enum outcome commit_try(struct worker *worker)
{
    if (worker->txn.commit_count == 0 && outbox_is_empty(&worker->outbox) && worker->txn.stage == TXN_IDLE) {
        worker->txn.is_closing = false; /* a muted batch: nothing to send, nothing to say */
        batch_done(worker);
        return OUTCOME_OK;
    }
    enum outcome outcome = txn_advance(&worker->txn);
    if (outcome == OUTCOME_OK) {
        batch_done(worker);
        return OUTCOME_OK;
    }
    if (outcome == OUTCOME_REDO)
        log_info("transaction aborted, sending it again", "worker", worker->name, "times",
                 LOG_NUMBER(worker->txn.redo_count), NULL);
    if (outcome == OUTCOME_STOP || worker->txn.redo_count > REDO_MOST)
        return OUTCOME_STOP;
    worker_pause(worker);
    return OUTCOME_OK;
}

static bool is_stop_wanted(const struct worker *worker)
{
    return worker->stop && atomic_load(worker->stop);
}

/* Finishes a batch that is closed already. */
static enum outcome finish_closing(struct worker *worker)
{
    int64_t began_ms = worker_now_ms(worker);
    while (worker->txn.is_closing) {
        beat(worker);
        if (commit_try(worker) == OUTCOME_STOP)
            return OUTCOME_STOP;
        if (!worker->txn.is_closing)
            break;
        bool is_late = is_stop_wanted(worker) && worker_now_ms(worker) - began_ms > LEAVE_MOST_MS;
        if (is_late || wait_for_events(worker, worker->backoff_ms) == OUTCOME_STOP || worker->event == BROKER_LOST)
            return OUTCOME_STOP;
    }
    return OUTCOME_OK;
}

enum outcome worker_commit_now(struct worker *worker)
{
    if (finish_closing(worker) == OUTCOME_STOP)
        return OUTCOME_STOP;
    if (!is_anything_to_commit(worker))
        return OUTCOME_OK;
    batch_close(worker, true);
    return finish_closing(worker);
}

static int64_t batch_interval_ms(const struct worker *worker)
{
    if (worker->is_behind)
        return worker->settings.commit_interval_ms * CATCH_UP_FACTOR;
    return worker->settings.commit_interval_ms / (worker->outbox.is_urgent ? URGENT_SHARE : 1);
}

/* From closing to closing, not from a batch's first record: the commit before has taken its time already, and what comes after a
 * silence need not wait at all. */
static int64_t ripe_at_ms(const struct worker *worker)
{
    return worker->closed_at_ms + batch_interval_ms(worker);
}

static bool is_anything_unsummed(const struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        const struct task *task = worker->tasks.tasks[i];
        if (task && task->has_unsummed && task->stage == TASK_LIVE)
            return true;
    }
    return false;
}

/* A transaction costs some two milliseconds of CPU here and as much at the broker. One that brings nothing but offsets can wait: the kpi
 * stage has outputs once a second, when it publishes, and reads deltas all the time. */
static bool is_batch_ripe(const struct worker *worker, int64_t now_ms)
{
    if (!outbox_is_empty(&worker->outbox))
        return now_ms >= ripe_at_ms(worker);
    if (is_anything_unsummed(worker))
        return is_summary_due(worker, now_ms);
    return now_ms - worker->batch_began_ms >= worker->settings.commit_interval_ms * QUIET_FACTOR;
}

/* Is there a commit to be made although no record came? */
static bool wants_commit(const struct worker *worker, const struct task *task, int64_t now_ms)
{
    struct checkpoint_pace pace = pace_of(worker);
    if (task == NULL || task->stage != TASK_LIVE)
        return false;
    return task->has_unsummed ? is_summary_due(worker, now_ms) : checkpoint_wants_commit(task, &pace, now_ms);
}

static bool is_commit_due(struct worker *worker, int64_t now_ms)
{
    if (!worker->is_batch_open) {
        for (size_t i = 0; i < worker->tasks.count; i++) {
            struct task *task = worker->tasks.tasks[i];
            if (wants_commit(worker, task, now_ms))
                task->is_touched = worker->is_batch_open = true;
        }
        worker->batch_began_ms = now_ms;
    }
    if (!worker->is_batch_open)
        return false;
    return is_batch_ripe(worker, now_ms) || worker->batch_records >= (size_t)worker->settings.batch_records_max ||
           (int64_t)outbox_bytes(&worker->outbox) >= worker->settings.batch_bytes_max;
}

/* --- taking records */

/* The input ends before the place we were to go on from: somebody made the topic anew, or truncated it. To go on would be to pass
 * over its records in silence, as delivered twice. */
static enum outcome input_is_another(struct worker *worker, const struct task *task, int64_t end_offset)
{
    log_error("input ends before the committed offset: was the topic made anew? Give it a new topics.prefix, or delete the "
              "consumer group and the checkpoint topic too",
              "worker", worker->name, "partition", LOG_NUMBER(task->partition), "end", LOG_NUMBER(end_offset), "we are at",
              LOG_NUMBER(task->next_offset), "committed", LOG_NUMBER(task->committed_offset), NULL);
    worker->is_hopeless = true;
    return OUTCOME_STOP;
}

static enum outcome ends_note(struct worker *worker, const struct broker_batch *batch)
{
    for (size_t i = 0; i < batch->end_count; i++) {
        struct task *task = task_table_find(&worker->tasks, batch->ends[i].partition);
        if (task == NULL || task->stage == TASK_LOADING)
            continue;
        bool is_short = batch->ends[i].offset < task->next_offset;
        if (is_short && !task->is_placed)
            return input_is_another(worker, task, batch->ends[i].offset);
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

static int poll_wait_ms(const struct worker *worker, int64_t now_ms)
{
    if (worker->loading_count)
        return 0;
    if (!worker->is_batch_open)
        return IDLE_WAIT_MS < worker->settings.summary_interval_ms ? IDLE_WAIT_MS : (int)worker->settings.summary_interval_ms;
    int64_t left_ms = ripe_at_ms(worker) - now_ms;
    if (left_ms > GATHER_MS || (left_ms <= 0 && !is_batch_ripe(worker, now_ms)))
        left_ms = GATHER_MS; /* with the first output the batch is ripe, however long the rest could wait */
    return left_ms > 0 ? (int)left_ms : 0;
}

static enum outcome take_records(struct worker *worker)
{
    int64_t now_ms = worker_now_ms(worker);
    size_t room_left = (size_t)worker->settings.batch_records_max - worker->batch_records;
    struct broker_batch batch = {0};
    enum outcome outcome =
        worker->broker->port->poll(worker->broker, room_left < POLL_RECORDS_MAX ? room_left : POLL_RECORDS_MAX,
                                   poll_wait_ms(worker, now_ms), worker->is_batch_open, &batch);
    if (outcome == OUTCOME_STOP)
        return OUTCOME_STOP;
    event_note(worker, &batch);
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
        worker_commit_now(worker); /* what stands before it */
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

/* A partition that has been silent at its end gets the time appended, so that timers fire without events. Through the log, and
 * not from our clock: on a replay they fire at the same place again. */
static void tick_silent(struct worker *worker, int64_t now_ms)
{
    for (size_t i = 0; i < worker->tasks.count && worker->settings.tick_after_ms > 0; i++) {
        struct task *task = worker->tasks.tasks[i];
        bool is_at_end = task && task->stage == TASK_LIVE && task->next_offset == task->end_offset;
        if (!is_at_end || now_ms - task->active_at_ms < worker->settings.tick_after_ms)
            continue;
        if (worker->broker->port->tick(worker->broker, task->partition, now_ms) == OUTCOME_OK)
            task->active_at_ms = now_ms;
    }
}

enum outcome worker_step(struct worker *worker)
{
    int64_t now_ms = worker_now_ms(worker);
    worker_report_update(worker, now_ms);
    beat(worker);
    if (watch_is_stuck(worker, now_ms))
        return OUTCOME_STOP;
    if (now_ms < worker->again_at_ms) { /* after a failure: events still, records not */
        int64_t left_ms = worker->again_at_ms - now_ms;
        if (wait_for_events(worker, left_ms < IDLE_WAIT_MS ? (int)left_ms : IDLE_WAIT_MS) == OUTCOME_STOP)
            return OUTCOME_STOP;
        return worker->event == BROKER_LOST ? recovery_answer_event(worker) : OUTCOME_OK;
    }
    if (worker->event != BROKER_NOTHING && recovery_answer_event(worker) == OUTCOME_STOP)
        return OUTCOME_STOP;
    if (worker->txn.is_closing)
        return commit_try(worker);
    if (worker->again_at_ms > now_ms)
        return OUTCOME_OK;
    if (take_records(worker) == OUTCOME_STOP)
        return OUTCOME_STOP;
    if (worker->loading_count && recovery_load(worker, IDLE_WAIT_MS / 10) == OUTCOME_STOP)
        return OUTCOME_STOP;
    now_ms = worker_now_ms(worker);
    tick_silent(worker, now_ms);
    if (!is_commit_due(worker, now_ms))
        return OUTCOME_OK;
    batch_close(worker, false);
    return commit_try(worker);
}

/* --- leaving */

enum outcome worker_close(struct worker *worker)
{
    enum outcome outcome = worker_commit_now(worker);
    bool is_all_out = false;
    while (outcome == OUTCOME_OK && !is_all_out) {
        is_all_out = true;
        for (size_t i = 0; i < worker->tasks.count; i++) {
            struct task *task = worker->tasks.tasks[i];
            if (task && task->stage == TASK_LIVE)
                is_all_out &= checkpoint_close(task, &worker->outbox, (size_t)worker->settings.batch_bytes_max,
                                               worker_now_ms(worker));
        }
        outcome = worker_commit_now(worker);
    }
    return outcome;
}
