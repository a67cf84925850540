/* The port: what the engine asks of a broker, and nothing more. Two implementations: engine/kafka/ and tests/sim/.
 *
 * One struct broker serves one worker and is used by its thread alone. Every call answers with what to do next:
 *   OK     done
 *   RETRY  nothing changed; make the same call again, later
 *   REDO   the transaction cannot succeed; abort it, then send the same outbox in a new one
 *   STOP   fenced, or broken beyond repair; drop everything, close, and begin again from what is committed
 *
 * Rebalancing is never answered from within a callback. poll hands out an event; the partitions it names stay (or stay
 * away) until assign or unassign answers it, and no second event comes before. So records that arrive in the same poll as
 * a revocation are still ours and can be committed before we let go. */
#ifndef TS_ENGINE_BROKER_H
#define TS_ENGINE_BROKER_H

#include "base/outcome.h"
#include "engine/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum broker_event {
    BROKER_NOTHING,
    BROKER_ASSIGNED, /* these partitions come: answer with assign */
    BROKER_REVOKED,  /* these partitions go: commit, then answer with unassign */
    BROKER_LOST      /* these partitions are gone already, someone else may own them: commit nothing, answer with unassign */
};

struct broker_place {
    int32_t partition;
    int64_t offset; /* −1: none */
};

/* What a poll brought. Everything is borrowed until the next poll. */
struct broker_batch {
    const struct record *records; /* in order within a partition */
    size_t count;
    const struct broker_place *ends; /* partitions whose present end was reached: nothing comes before `offset` any more */
    size_t end_count;
    enum broker_event event;
    const int32_t *partitions; /* of the event */
    size_t partition_count;
    bool was_input_gone; /* before these records came there was no such topic for a while: they may be another's (origin_ids) */
};

enum { BROKER_METADATA_MAX = 256, BROKER_ID_SIZE = 24 };

/* The topics that a worker's state is of. */
enum broker_origin { ORIGIN_INPUT, ORIGIN_CHECKPOINT, ORIGINS };

/* The broker's own ids of them, which a topic that is deleted and made anew under its name does not share. "": not known. */
struct broker_ids {
    char of[ORIGINS][BROKER_ID_SIZE];
};

/* What is not known by now stays as it was. */
static inline void broker_ids_update(struct broker_ids *ids, const struct broker_ids *now)
{
    for (int origin = 0; origin < ORIGINS; origin++) {
        if (now->of[origin][0])
            memcpy(ids->of[origin], now->of[origin], BROKER_ID_SIZE);
    }
}

/* A committed offset and the text that was committed with it. */
struct broker_commit {
    int32_t partition;
    int64_t offset; /* −1: nothing was ever committed */
    char metadata[BROKER_METADATA_MAX];
};

struct broker_message {
    int topic;           /* index into processor.outputs; BROKER_TO_CHECKPOINT: the compacted topic of the entries */
    int32_t partition;
    int64_t timestamp_ms;
    int64_t died_at_offset; /* of a tombstone for the checkpoint topic; −1: none to be carried */
    int64_t note;           /* beside it (processor.key_note); 0: none */
    struct view key, value; /* value.data NULL: tombstone. Both stay where they are until commit or abort has returned OK. */
};

enum { BROKER_TO_CHECKPOINT = -1 };

struct broker;

struct broker_port {
    /* Consuming. Waits up to wait_ms for a first record and takes what else is there; with `gathers` it waits all the time
     * unless records_max are there before. records_max 0: events only; records wait for the next poll. */
    enum outcome (*poll)(struct broker *broker, size_t records_max, int wait_ms, bool gathers, struct broker_batch *batch);
    /* Fills offset and metadata of the partitions named in `commits`; waits for offsets of transactions still open. */
    enum outcome (*committed)(struct broker *broker, struct broker_commit *commits, size_t count);
    /* Take the partitions of the event. They are silent until resume, but for stragglers, which are to be thrown away;
     * resume begins at its offset (0 or what is below the partition's beginning: there). */
    enum outcome (*assign)(struct broker *broker, const struct broker_place *places, size_t count);
    enum outcome (*resume)(struct broker *broker, int32_t partition, int64_t offset); /* RETRY: not yet */
    enum outcome (*unassign)(struct broker *broker, const int32_t *partitions, size_t count);
    int64_t (*begin_offset)(struct broker *broker, int32_t partition); /* asks and waits; −1: no answer */
    int64_t (*end_offset)(struct broker *broker, int32_t partition); /* for the lag; −1: not known yet */
    int32_t (*input_partitions)(struct broker *broker); /* asks and waits; 0: no answer */
    /* `is_fresh`: as they are from now on (RETRY: ask again), else as they were seen last, a second ago as a rule. */
    enum outcome (*origin_ids)(struct broker *broker, bool is_fresh, struct broker_ids *ids);

    /* The broker has said that there is no such topic, and nothing has come of it since. */
    bool (*is_input_gone)(struct broker *broker);

    /* Asks, and waits a second at most: is there none any more of a topic that we write to, the checkpoint's among them? false: not, or nobody says. */
    bool (*is_output_gone)(struct broker *broker);

    /* Producing. produce takes from the front and says how many. */
    enum outcome (*begin)(struct broker *broker);
    enum outcome (*produce)(struct broker *broker, const struct broker_message *messages, size_t count, size_t *taken);
    enum outcome (*send_offsets)(struct broker *broker, const struct broker_commit *commits, size_t count);
    enum outcome (*commit)(struct broker *broker);
    enum outcome (*abort)(struct broker *broker);
    enum outcome (*tick)(struct broker *broker, int32_t partition, int64_t timestamp_ms); /* outside any transaction */

    /* Reading partitions of the checkpoint topic, committed records only, to the end they had at reader_add. A partition
     * that is through is in batch.ends, once. A tombstone's record has its died_at_offset as timestamp_ms, and its note. */
    enum outcome (*reader_add)(struct broker *broker, int32_t partition);
    void (*reader_remove)(struct broker *broker, int32_t partition);
    enum outcome (*reader_poll)(struct broker *broker, size_t records_max, int wait_ms, struct broker_batch *batch);

    int32_t (*partition_count)(struct broker *broker, int topic); /* of an output or BROKER_TO_CHECKPOINT; constant */

    /* Leaves the group (a static member stays known until its session ends) and frees the broker. */
    void (*close)(struct broker *broker);
};

/* First member of every implementation. */
struct broker {
    const struct broker_port *port;
};

/* For who closes whatever it is given (farewell.h). */
static inline void broker_close(void *broker)
{
    ((struct broker *)broker)->port->close(broker);
}

#endif
