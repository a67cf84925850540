/* What a stream processor is: a deterministic state machine over one partition, as a const struct of small callbacks.
 *
 *     apply(entry, record, clock) -> changes to that entry, plus outputs
 *
 * No clock, no I/O, no randomness, no threads in any of these. The engine feeds records in and carries outputs away, keeps
 * the table of entries, fires timers, writes checkpoints and recovers (docs/ARCHITECTURE.md). All calls for one task
 * come from one thread.
 *
 * Order within one input record: route → (entry found or made) → apply → the partition's clock moves → timers due fire, by
 * (due time, key) → clock_moved → record_done. batch_end runs before each commit, summarise before some of them. The same on
 * replay, where an entry is skipped if its applied_offset is not smaller than the record's. */
#ifndef TS_ENGINE_PROCESSOR_H
#define TS_ENGINE_PROCESSOR_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/outcome.h"
#include "engine/outbox.h"
#include "engine/record.h"

#define TIMER_NEVER INT64_MAX

/* The partition's clock before any record. Not INT64_MIN: processors subtract days from it, and that must not overflow. */
#define CLOCK_UNSET (INT64_MIN / 2)

/* One key's state. The engine owns the struct; `state` is the processor's, freed by entry_free. */
struct entry {
    void *state;            /* NULL in a new entry */
    int64_t applied_offset; /* offset of the last record that changed it (a log sequence number); set by the engine */
    int64_t timer_at_ms;    /* when the timer callback is due on the partition's clock; the processor sets it, the engine
                               notices after each callback */
    bool is_deleted;        /* the processor sets it: write a tombstone, then forget the entry */
    uint8_t flags;          /* from here on the engine's alone: entries.h */
    uint16_t key_size;
    uint32_t timer_place;   /* in the heap of timers.h */
};

struct view entry_key(const struct entry *entry);

/* Where a record goes, answered by the route callback from a cheap look at it. */
struct route {
    struct view key;     /* whose entry; null: none, the record only moves the clock */
    int64_t event_at_ms; /* moves the clock to at least this (less the allowed disorder unless is_tick); INT64_MIN: not */
    bool is_tick;
};

/* What a callback is given besides its own arguments. */
struct step {
    void *task;              /* from task_create */
    const struct record *record; /* NULL in timer, batch_end and summarise; in clock_moved the one that moved it */
    int64_t offset;          /* of the record being applied, or of the one at which this timer fires */
    int64_t clock_ms;        /* the partition's clock, the record at hand included */
    struct arena *arena;     /* forgotten soon after the callback has returned */
    struct outbox *outbox;
    int64_t record_at_ms;    /* the timestamp of the record at `offset`; in batch_end and summarise 0 */
    int32_t input_partitions; /* how many the input had when the task began; 0: not known */
    bool is_behind;          /* in summarise: many records wait for this worker, so how much counts and not how soon */
    void *engine;            /* the engine's own */
};

/* Says that clock_moved or record_done has changed this entry, so that the change gets into the checkpoint too: whatever apply and
 * timer change is noted without. Its applied_offset becomes step->offset: replayed records up to it will not reach it. */
void entry_changed(struct step *step, struct entry *entry);

struct processor {
    const char *name;                  /* "journey": part of group id, transactional ids and metrics */
    const char *input;                 /* topic, without prefix */
    const char *checkpoint;            /* compacted topic of the entries, without prefix */
    const char *const *outputs;        /* topics, without prefix, NULL-terminated; an index into this is an outbox topic */
    uint32_t urgent_outputs;           /* bit i: somebody waits for outputs[i], a batch with one in it is committed sooner */
    int64_t allowed_disorder_ms;       /* for whoever has no settings (tests, explain): runner_settings.allowed_disorder_ms */
    bool is_checkpoint_private;        /* nobody else reads it: hot entries need not be fresh there, a pass takes its time */
    int version;                       /* of the state's form: a checkpoint of another version is refused with a clear message
                                          unless entry_load takes it */

    void *(*task_create)(void *shared, int32_t partition); /* shared: handed to the runner by app/, read-only */
    void (*task_destroy)(void *task);

    /* OK or PARK; RETRY: what the record means cannot be known now (its schema is not to be had), the worker begins anew from it after a pause;
     * STOP: nor ever. The same goes for apply, which must not have changed anything then. */
    enum outcome (*route)(void *task, const struct record *record, struct route *out);
    void (*expect)(const struct entry *entry); /* may be NULL; `apply` comes soon: the first 128 bytes at entry->state are on their
                                                  way into the cache, whatever else will be needed can be asked for */
    enum outcome (*apply)(struct step *step, struct entry *entry);                     /* as route */
    void (*timer)(struct step *step, struct entry *entry);
    void (*clock_moved)(struct step *step); /* may be NULL */
    void (*record_done)(struct step *step); /* may be NULL; after all that a routed record caused, its timers included */
    void (*batch_end)(struct step *step);   /* may be NULL; the records of the batch will not be looked at any more */
    void (*summarise)(struct step *step);   /* may be NULL; sends what was added up since the last time (outbox_sums_are_muted), a
                                               few times a second and before a partition goes; never while muted */
    void (*park)(struct step *step, const struct record *record); /* encodes the rejected record into the outbox */

    /* Checkpoints. save appends the complete Kafka value, key = the entry's; it holds applied_offset and timer_at_ms within
     * (the processor writes and reads both). load sets state, applied_offset and timer_at_ms; false: does not decode. */
    void (*entry_save)(void *task, struct entry *entry, struct bytes *value);
    bool (*entry_load)(void *task, struct entry *entry, struct view value);
    void (*entry_free)(void *task, struct entry *entry);

    /* What is to be known of a key whose entry is deleted, as long as its tombstone is there: a number other than 0, asked when the tombstone is
     * written and told when it is read back; 0: nothing. Both or neither may be NULL. */
    int64_t (*key_note)(void *task, struct view key);
    void (*key_noted)(void *task, struct view key, int64_t note);

    /* May be NULL. Asked before a tombstone is written: did the dead remember what somebody else is to remember now? Then some living entry, if there
     * is one, is saved in the same transaction, and another as long as the answer stays yes, a few at most; entry_save of any entry takes over what
     * waits for that. */
    bool (*wants_heir)(void *task);
};

#endif
