/* A worker: one thread, one broker (consumer and transactional producer), the tasks of the partitions it owns, one batch.
 *
 * worker_step is one turn of its loop: poll, apply, send, and when it is time commit. Nothing in it waits but the
 * broker's poll, so that a simulated broker can run a worker turn by turn. */
#ifndef TS_ENGINE_WORKER_H
#define TS_ENGINE_WORKER_H

#include "engine/runner.h"
#include "engine/step.h"
#include "engine/txn.h"
#include "engine/watch.h"

struct worker {
    const struct runner_config *config;
    const struct runner_settings *settings; /* the config's */
    struct broker *broker;
    atomic_bool *stop; /* shortens waiting for what may never come; NULL: none */
    char name[64];     /* "journey-0": processor and thread */

    struct task_table tasks;
    struct outbox outbox;
    struct arena arena;
    struct txn txn;
    size_t batch_records;
    int64_t batch_began_ms; /* meaningful while the batch has anything; instants are of the monotonic clock where nothing else is said */
    int64_t closed_at_ms;   /* when a batch was last closed */
    bool is_batch_open;
    bool is_behind; /* many records wait: throughput counts, not how soon */
    int64_t summed_at_ms; /* wall clock: when sums were last sent; see is_summary_due */

    int64_t again_at_ms; /* after RETRY or REDO: not before */
    int backoff_ms;

    enum broker_event event; /* taken from a poll, not yet answered */
    int32_t *event_partitions;
    size_t event_count;
    size_t loading_count;    /* tasks in TASK_LOADING */
    bool is_hopeless;        /* STOP for good: a restart would meet the same */
    int64_t reported_at_ms;
    struct worker_report *report; /* metrics and status; worker_report.c */
    struct watch watch;
    int32_t input_partitions; /* when it was last given any; 0: not known */
    int64_t origin_looked_at_ms; /* origin.c */
    struct broker_ids ids;   /* of the topics as they were last seen */
    atomic_uint *beats;      /* counts on as long as no call hangs; NULL: nobody listens */
};

/* The config must outlive the worker. */
void worker_init(struct worker *worker, const struct runner_config *config, int thread, struct broker *broker,
                 atomic_bool *stop);

/* OK: again. STOP: finish (dropping everything) and begin anew, unless is_hopeless. */
enum outcome worker_step(struct worker *worker);

/* Commits, writes the closing checkpoint and commits that. After worker_step returned OK. RETRY or STOP: could not, the
 * next owner reads input again. */
enum outcome worker_close(struct worker *worker);

/* Frees everything but the broker, which must be closed before: its threads may still read the outbox. */
void worker_finish(struct worker *worker);

#endif
