/* A Kafka small enough to see through: partitions, transactions, one consumer group, a clock that moves when told. What it keeps
 * of the real one is what correctness hangs on:
 *
 *   records of an open transaction are invisible, and hide everything behind them (last stable offset);
 *   aborted records stay in the log, unseen; each end of a transaction takes an offset of its own, which nobody is handed;
 *   offsets sent to a transaction count when it commits, and only from a present member of the group;
 *   a transactional id that comes back fences its former self and aborts what that left open; so does time;
 *   a revoked partition moves on when its owner has answered, a silent member's when its session is over;
 *   compaction may remove any but the last value of a key, below the last stable offset.
 *
 * One thread; every choice comes from the world's random numbers, so the seed decides everything. */
#ifndef TS_TESTS_SIM_WORLD_H
#define TS_TESTS_SIM_WORLD_H

#include "base/clock.h"
#include "base/random.h"
#include "engine/broker.h"
#include "engine/processor.h"

enum { WORLD_PARTITIONS_MAX = 8, WORLD_OUTPUTS_MAX = 8, WORLD_MEMBERS_MAX = 8, WORLD_PRODUCERS_MAX = 8 };

/* Its topics' ids, as long as Kafka's: so are markers. */
#define WORLD_INPUT_ID "the-simulation-s-input"
#define WORLD_CHECKPOINT_ID "the-simulation-s-state"

enum sim_state { SIM_OPEN, SIM_COMMITTED, SIM_ABORTED, SIM_CONTROL, SIM_COMPACTED };

struct sim_record {
    enum sim_state state;
    int64_t timestamp_ms, transaction; /* 0: none */
    int64_t appended_at_ms;            /* of those in transactions; what a producer's clock says has no part in it */
    int64_t died_at_offset, note;
    char *key, *value;                 /* NULL: null */
    size_t key_size, value_size;
};

struct sim_log {
    struct sim_record *records; /* by offset */
    size_t count, capacity;
};

struct sim_producer {
    int epoch;
    int64_t transaction; /* open; 0: none */
    int64_t began_at_ms;
    bool is_broken;      /* must be aborted */
    bool has_committed_unheard; /* committed, but the answer was lost */
    struct broker_commit offsets[WORLD_PARTITIONS_MAX];
    size_t offset_count;
};

struct sim_broker;

struct sim_member {
    bool is_known;     /* to the group */
    int generation;    /* what the member believes */
    int64_t seen_at_ms;
    struct sim_broker *broker; /* NULL: crashed */
    int slot;
};

struct sim_faults {
    double crash, retry, redo, stop, unheard, duplicate;
};

struct world {
    struct random random;
    struct clock_manual clock;
    struct sim_faults faults;
    bool is_static;    /* members keep their identity over a restart */
    bool has_ticks;
    bool is_tracing;
    int partition_count, output_count;
    int output_partitions;
    struct sim_log input[WORLD_PARTITIONS_MAX];
    struct sim_log checkpoint[WORLD_PARTITIONS_MAX];
    struct sim_log outputs[WORLD_OUTPUTS_MAX][WORLD_PARTITIONS_MAX];
    struct broker_commit committed[WORLD_PARTITIONS_MAX];
    struct sim_producer producers[WORLD_PRODUCERS_MAX]; /* by slot: the transactional ids */
    int64_t last_transaction;
    struct sim_member members[WORLD_MEMBERS_MAX];
    int owner[WORLD_PARTITIONS_MAX]; /* member; −1: nobody */
    int generation;
    int64_t session_ms, transaction_ms;
    char violation[256];   /* the engine broke the port's rules; empty: not */
    int64_t crashes, redos, rebalances, fences, compactions;
};

void world_init(struct world *world, uint64_t seed, int partitions, int outputs);
void world_finish(struct world *world);

/* By a producer outside of any transaction. NULL key or value data: null. */
void world_append_input(struct world *world, int partition, struct view key, struct view value, int64_t timestamp_ms);

void world_copy_input(struct world *to, const struct world *from);

/* Sessions and transactions run out, partitions find owners. */
void world_turn(struct world *world);
void world_compact(struct world *world);

/* Readers for the auditor: committed records only. */
static inline bool sim_is_visible(const struct sim_record *record)
{
    return record->state == SIM_COMMITTED;
}

/* A worker's broker: joins the group, and fences its slot's former producer. */
struct broker *sim_broker_create(struct world *world, int slot);
void sim_broker_kill(struct broker *broker);   /* every call from now on says STOP and does nothing */
void sim_broker_freeze(struct broker *broker, bool is_frozen); /* no heartbeats */
bool sim_broker_is_dead(const struct broker *broker);

/* --- between world.c and sim_broker.c */
void log_append(struct sim_log *log, enum sim_state state, int64_t transaction, struct view key, struct view value,
                int64_t timestamp_ms);
size_t log_stable_end(const struct sim_log *log); /* the last stable offset */
void world_end_transaction(struct world *world, struct sim_producer *producer, bool is_commit);
void world_balance(struct world *world);
bool world_chance(struct world *world, double probability);
void world_violate(struct world *world, const char *what);

struct sim_place {
    bool is_assigned, is_paused;
    size_t position;
};

struct sim_broker {
    struct broker broker;
    struct world *world;
    int slot, member, epoch;
    bool is_dead, is_frozen;
    struct sim_place places[WORLD_PARTITIONS_MAX];
    enum broker_event event;  /* to be handed out, or handed out and unanswered */
    bool is_event_out;
    int32_t event_partitions[WORLD_PARTITIONS_MAX];
    size_t event_count;
    int64_t lost_known_at_ms; /* a kicked member hears of it a little late */
    bool is_reading[WORLD_PARTITIONS_MAX];
    size_t read_at[WORLD_PARTITIONS_MAX];
    struct record records[512];
    struct broker_place ends[WORLD_PARTITIONS_MAX * 2];
};

#endif
