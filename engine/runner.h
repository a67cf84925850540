/* Running a processor: worker threads, each one consumer, one transactional producer and the entries of its partitions.
 * The loop is in worker.c; what it talks to is the port in broker.h (Kafka, or the simulated broker of the tests). */
#ifndef TS_ENGINE_RUNNER_H
#define TS_ENGINE_RUNNER_H

#include "base/clock.h"
#include "base/settings.h"
#include "engine/kafka_settings.h"
#include "engine/processor.h"

#include <stdatomic.h>

/* All of them are to be set: settings.c has what is standard. */
struct runner_settings {
    int64_t threads;
    int64_t commit_interval_ms;
    int64_t summary_interval_ms;
    int64_t summary_interval_behind_ms; /* less than summary_interval_ms: as that */
    int64_t batch_records_max;
    int64_t batch_bytes_max;        /* outbox bytes */
    int64_t checkpoint_interval_ms; /* length of one checkpoint pass */
    int64_t tick_after_ms;          /* silence before the owner appends a tick; 0: never */
    int64_t allowed_disorder_ms;    /* the clock runs this far behind the newest event; 0: events come in order */
    int64_t entries_max;            /* per worker; beyond it new keys are parked and counted */
    int64_t transaction_timeout_ms;
    int64_t session_timeout_ms;
    char *instance_id; /* stable across restarts of this process: transactional ids and group.instance.id */
};

/* How the partitions owned by a runner stand, for health pages. Updated once a second; any thread may read. */
struct runner_status;

struct partition_status {
    int32_t partition;
    int thread;
    bool is_live;          /* false: still recovering */
    int64_t offset;        /* the next one to be applied */
    int64_t lag;           /* records behind the partition's end; −1: not known yet */
    int64_t clock_ms;      /* the partition's clock; INT64_MIN: no record yet */
    int64_t entries;
    int64_t memory_bytes;  /* of the table and its entries, the processor's states not counted */
    int64_t records;       /* applied since this runner took the partition */
};

struct runner_status *runner_status_create(void);
void runner_status_destroy(struct runner_status *status);
/* Copies up to `rows_max` rows, ordered by partition; returns how many there are. */
size_t runner_status_read(struct runner_status *status, struct partition_status *rows, size_t rows_max);

struct runner_config {
    const struct processor *processor;
    void *shared;                 /* for task_create */
    const struct kafka_settings *kafka;
    struct runner_settings settings;
    struct clock *clock;          /* for the dates of ticks and the pace of commits only */
    struct runner_status *status; /* may be NULL */
};

/* engine.* : rows that fill a struct runner_settings (instance_id: engine.instance). */
extern const struct setting runner_setting_rows[];

/* Blocks until *stop, then commits, writes the closing checkpoint and leaves: OUTCOME_OK. STOP: could not go on (logged). */
enum outcome runner_run(const struct runner_config *config, atomic_bool *stop);

#endif
