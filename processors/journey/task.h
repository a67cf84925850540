/* What one partition's task has in hand besides its customers' entries. One thread. */
#ifndef TS_JOURNEY_TASK_H
#define TS_JOURNEY_TASK_H

#include "base/map.h"
#include "base/slab.h"
#include "processors/journey/journey.h"
#include "processors/journey/matters/contributions.h"
#include "processors/journey/memory/customer.h"
#include "processors/journey/memory/packing.h"
#include "processors/journey/sums/heard.h"
#include "processors/journey/sums/totals.h"

/* A ticket read as episodes: scratch, see story.h. */
struct story {
    struct episode *episodes;
    struct handoff *handoffs;
    struct pause *pauses;
    uint32_t episode_count, handoff_count, pause_count;
    uint32_t episode_capacity, handoff_capacity, pause_capacity;
    uint32_t *in_charge; /* team in charge before each event of the ticket, within its episode */
    uint32_t in_charge_capacity;
};

enum { ROUTED_MAX = 64 }; /* at least as many as the engine routes ahead */

struct routed {
    struct touchpoint touch;
    struct view value, avro; /* value NULL: none */
    int64_t offset;
    int64_t heard_at_ms; /* received_at; of a tick its own time */
};

/* What keeping.c has in hand. */
struct keeping {
    struct packed_name *estate; /* of the forgotten, to be taken over */
    size_t estate_count, estate_capacity;
    struct values strays;       /* known from a checkpoint, and kept by nobody */
    bool has_loaded, has_strays; /* one was read since they were looked for; there may be some */
};

struct journey_task {
    struct journey_shared *shared;
    int32_t partition;
    struct dimensions dimensions;
    uint32_t channel_tuples[CHANNEL_COUNT]; /* the channel and nothing else */
    struct totals *totals;
    struct heard *heard;
    struct tally before, after;
    struct story story;
    struct stage_path *stage_path; /* scratch of stage.c */
    struct routed routed[ROUTED_MAX]; /* a ring of what route decoded, for the applies that follow */
    uint32_t routed_count, applied_count;
    struct arena route_arena;
    int64_t clock_sent_ms;   /* the clock, when a partition of the deltas was last told it: the first of them */
    int64_t clock_looked_ms; /* record time, when it was last looked whom to tell */
    bool clock_sent_behind;
    int64_t timestamp_ms; /* Kafka's, of the newest record: what our own records bear */
    struct turn *turn; /* scratch of turn.c: large, so it is made once */
    struct arena save_arena; /* scratch of persist.c */
    struct customer *guest;  /* there, too: who is looked at without being woken */
    struct bytes save_bytes;
    struct naming *naming;
    struct keeping keeping;
    struct packing packing;
    struct bytes pack_bytes; /* scratch of resting.c */
    struct slab resting;     /* the packed customers */
    struct customer *newest, *oldest, *spare; /* those awake, and structs to be used again: resting.c */
    struct customer **homes;                  /* the pieces of memory they are in */
    size_t home_count, home_capacity;
    uint32_t awake_count;
    uint64_t forgotten_ids;
    struct map forgotten;   /* forget.h: hash of a customer's id → when they were forgotten */
    size_t forgotten_most;  /* to be looked through then */
    struct metric *miskeyed, *misplaced; /* miskeyed.h */
    const char *refusal; /* why apply parks a touchpoint; NULL: the engine does, having no room for another entry */
};

/* Wakes the entry by then, if not before. */
static inline void timer_set_by(struct entry *entry, int64_t at_ms)
{
    if (at_ms < entry->timer_at_ms)
        entry->timer_at_ms = at_ms;
}

#endif
