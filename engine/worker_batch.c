#include "engine/worker_batch.h"

#include "base/log.h"
#include "engine/mutation.h"
#include "engine/worker_wait.h"

enum {
    GATHER_MS = 10,        /* what has come is applied after as long: at the commit only the last of it is left to do */
    URGENT_SHARE = 2,      /* with something urgent in it, a batch waits for this part of the interval */
    CATCH_UP_FACTOR = 20,  /* behind, transactions may take so many times longer: nobody waits for the newest event then */
    QUIET_FACTOR = 10,     /* without outputs, too: nobody waits at all */
    LEAVE_MOST_MS = 30000, /* asked to stop: then whoever comes next does the batch again */
    REDO_MOST = 30,        /* in a row; then a new worker, with a new producer and member */
    PASS_LEAST_MS = 1000   /* so a hot customer is written once a second at most */
};

#ifndef PASS_LEAST_ENTRIES
#define PASS_LEAST_ENTRIES 64 /* of a partition, with each summary: some 5,000 a second with eight; the simulation wants long passes */
#endif

static struct checkpoint_pace pace_of(const struct worker *worker)
{
    return (struct checkpoint_pace){.interval_ms = worker->settings->checkpoint_interval_ms,
                                    .least_ms = worker->settings->checkpoint_interval_ms < PASS_LEAST_MS
                                                    ? worker->settings->checkpoint_interval_ms
                                                    : PASS_LEAST_MS,
                                    .least_count = worker->config->processor->is_checkpoint_private ? 0 : PASS_LEAST_ENTRIES,
                                    .now_ms = worker_now_ms(worker),
                                    .wall_ms = worker_wall_ms(worker)};
}

/* --- when it is ripe */

static int64_t summary_interval_ms(const struct worker *worker)
{
    int64_t interval_ms = worker->settings->summary_interval_ms, behind_ms = worker->settings->summary_interval_behind_ms;
    return worker->is_behind && behind_ms > interval_ms ? behind_ms : interval_ms;
}

/* At round times, so that all workers send their sums together, whoever waits for the last: those of the wall clock, which is the one that
 * machines have in common. Asked whether it is another interval, and not how much of it has passed: set back or ahead it is another at once. */
static bool is_summary_due(const struct worker *worker)
{
    int64_t interval_ms = summary_interval_ms(worker);
    return worker_wall_ms(worker) / interval_ms != worker->summed_at_ms / interval_ms;
}

static int64_t batch_interval_ms(const struct worker *worker)
{
    if (worker->is_behind)
        return worker->settings->commit_interval_ms * CATCH_UP_FACTOR;
    return worker->settings->commit_interval_ms / (worker->outbox.is_urgent ? URGENT_SHARE : 1);
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
        return is_summary_due(worker);
    return now_ms - worker->batch_began_ms >= worker->settings->commit_interval_ms * QUIET_FACTOR;
}

/* Is there a commit to be made although no record came? */
static bool wants_commit(const struct worker *worker, const struct task *task)
{
    if (task == NULL || task->stage != TASK_LIVE)
        return false;
    struct checkpoint_pace pace = pace_of(worker);
    return task->has_unsummed ? is_summary_due(worker) : checkpoint_wants_commit(task, &pace);
}

bool batch_is_due(struct worker *worker, int64_t now_ms)
{
    if (!worker->is_batch_open) {
        for (size_t i = 0; i < worker->tasks.count; i++) {
            struct task *task = worker->tasks.tasks[i];
            if (wants_commit(worker, task))
                task->is_touched = worker->is_batch_open = true;
        }
        worker->batch_began_ms = now_ms;
    }
    if (!worker->is_batch_open)
        return false;
    return is_batch_ripe(worker, now_ms) || worker->batch_records >= (size_t)worker->settings->batch_records_max ||
           (int64_t)outbox_bytes(&worker->outbox) >= worker->settings->batch_bytes_max;
}

int batch_wait_ms(const struct worker *worker, int64_t now_ms)
{
    int64_t left_ms = ripe_at_ms(worker) - now_ms;
    if (left_ms > GATHER_MS || (left_ms <= 0 && !is_batch_ripe(worker, now_ms)))
        left_ms = GATHER_MS; /* with the first output the batch is ripe, however long the rest could wait */
    return left_ms > 0 ? (int)left_ms : 0;
}

/* --- closing */

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

static void summarise(struct worker *worker, const struct step_room *room)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task && task->stage == TASK_LIVE)
            step_summarise(task, room, worker->is_behind);
    }
    worker->summed_at_ms = worker_wall_ms(worker);
}

void batch_close(struct worker *worker, bool must_summarise)
{
    worker->closed_at_ms = worker_now_ms(worker);
    struct step_room room = {&worker->arena, &worker->outbox};
    struct checkpoint_pace pace = pace_of(worker);
    if (must_summarise || is_summary_due(worker))
        summarise(worker, &room);
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task == NULL)
            continue;
        step_batch_end(task, &room);
        if (task->stage == TASK_LIVE && (!task->has_unsummed || MUTANT(ENTRIES_BEFORE_SUMS)))
            checkpoint_advance(task, &worker->outbox, &pace);
    }
    txn_close(&worker->txn);
    add_offsets(worker);
}

/* --- committing */

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
    worker_pause_over(worker);
}

enum outcome batch_try_commit(struct worker *worker)
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
    if (outcome == OUTCOME_REDO && (worker->txn.redo_count & (worker->txn.redo_count - 1)) == 0) /* the 1st, 2nd, 4th … time in a row */
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

/* Told to end, after a try that failed. What is to go into a topic that was deleted, and offsets of one, cannot be committed: librdkafka hopes for half
 * a minute that there will be one again. */
static bool is_in_vain(const struct worker *worker)
{
    const struct broker_port *port = worker->broker->port;
    return is_stop_wanted(worker) && worker->backoff_ms && (port->is_input_gone(worker->broker) || port->is_output_gone(worker->broker));
}

/* Finishes a batch that is closed already. */
static enum outcome finish_closing(struct worker *worker)
{
    int64_t began_ms = worker_now_ms(worker);
    while (worker->txn.is_closing) {
        worker_beat(worker);
        if (is_in_vain(worker))
            return OUTCOME_STOP;
        if (batch_try_commit(worker) == OUTCOME_STOP)
            return OUTCOME_STOP;
        if (!worker->txn.is_closing)
            break;
        bool is_late = is_stop_wanted(worker) && worker_now_ms(worker) - began_ms > LEAVE_MOST_MS;
        if (is_late || worker_wait_for_events(worker, worker->backoff_ms) == OUTCOME_STOP || worker->event == BROKER_LOST)
            return OUTCOME_STOP;
    }
    return OUTCOME_OK;
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

enum outcome batch_commit_now(struct worker *worker)
{
    if (finish_closing(worker) == OUTCOME_STOP)
        return OUTCOME_STOP;
    if (!is_anything_to_commit(worker))
        return OUTCOME_OK;
    batch_close(worker, true);
    return finish_closing(worker);
}

enum outcome batch_commit_checkpoints(struct worker *worker, bool is_event_only)
{
    enum outcome outcome = batch_commit_now(worker);
    bool is_all_out = false;
    while (outcome == OUTCOME_OK && !is_all_out) {
        struct checkpoint_pace pace = pace_of(worker);
        is_all_out = true;
        for (size_t i = 0; i < worker->tasks.count; i++) {
            struct task *task = worker->tasks.tasks[i];
            if (task && task->stage == TASK_LIVE && (!is_event_only || worker_event_names(worker, task->partition)))
                is_all_out &= checkpoint_close(task, &worker->outbox, (size_t)worker->settings->batch_bytes_max, &pace);
        }
        outcome = batch_commit_now(worker);
    }
    return outcome;
}
