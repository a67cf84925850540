/* Following topics without state or transactions: what sinks do. Batches are handed over in order per partition; offsets
 * are committed after the callback said OK, so whatever it does must be idempotent (at least once). */
#ifndef TS_ENGINE_FOLLOW_H
#define TS_ENGINE_FOLLOW_H

#include "base/outcome.h"
#include "engine/kafka_settings.h"
#include "engine/record.h"

#include <stdatomic.h>

/* Which member of its group somebody is. */
struct follow_member {
    const char *instance;       /* the same after a restart, and then nobody else is stopped for it; empty: of no name, and it leaves when it ends */
    int64_t session_timeout_ms; /* what a silent member had is given to others after this */
};

struct follow {
    const char *group;          /* consumer group, with prefix */
    struct follow_member member;
    const char *const *topics;  /* with prefix, NULL-terminated */
    bool from_start_always;     /* ignore committed offsets (rebuild) */
    bool is_sole;               /* one member of the group reads everything, the others stand by: for who must see all to decide. One topic */
    int batch_records_max;      /* default 5000 */
    int wait_ms_max;            /* longest wait for a first record; the callback is called with count 0 after it */
    void *context;
    /* OK: commit. RETRY: the same batch comes again after a backoff (logged once a change). REDO: ask start_at again and
     * read from there. STOP: end. */
    enum outcome (*on_batch)(void *context, const struct record *records, size_t count);
    void (*on_revoked)(void *context, struct view topic, int32_t partition); /* may be NULL */
    /* Where to start reading a partition just assigned: the offset of the first record wanted; −1: the committed offset, else
     * the beginning. Asked for every assigned partition again after on_batch said REDO (the sink lost its place). May be NULL. */
    int64_t (*start_at)(void *context, struct view topic, int32_t partition);
    /* Told before start_at of each partition just assigned: the committed offset; 0: there is none; −1: the broker did not say. May be NULL. */
    void (*on_committed)(void *context, struct view topic, int32_t partition, int64_t committed);
};

/* Blocks until *stop, then commits and ends. One that Kafka has fenced, since another has its name, begins anew. */
enum outcome follow_run(const struct follow *follow, const struct kafka_settings *kafka, atomic_bool *stop);

/* Reading a topic from a place to its present end (or on, with follow), partition by partition merged, no group. */
struct scan {
    const char *topic;        /* with prefix */
    int64_t since_ms;         /* record timestamp to start at; INT64_MIN: the beginning */
    bool keeps_following;     /* do not end at the end */
    struct view only_key;     /* null: all. Reads only that key's partition. */
    const int32_t *only_partition; /* one that there is; NULL: all */
    void *context;
    bool (*on_record)(void *context, const struct record *record); /* false: end */
};

enum outcome scan_run(const struct scan *scan, const struct kafka_settings *kafka, atomic_bool *stop);

#endif
