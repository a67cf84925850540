/* Which events this customer already had (READINGS 2): the ids received in the last 30 days, at most 65,536.
 *
 * An id is kept as 64 mixed bits and the second it was received, 12 bytes. Two different ids of one customer are taken for
 * duplicates with probability n²/2^65: 1 in 8,500 million for a customer at the bound, nothing for all others.
 * What is older leaves when room is needed, and no longer counts before that. At the bound the oldest sixteenth leaves at once. */
#ifndef TS_JOURNEY_DEDUPE_H
#define TS_JOURNEY_DEDUPE_H

#include "base/uuid.h"
#include "processors/journey/memory/room.h"
#include "processors/journey/moment.h"

#include <stdbool.h>
#include <stdint.h>

enum { DEDUPE_SCANNED_MAX = 32 }; /* few ids are looked through, more of them live in a table with open addressing */

struct dedupe {
    uint64_t *ids;   /* capacity ids (0: an empty place), then as many uint32_t seconds since the epoch */
    uint32_t count, capacity;
};

struct dedupe_bounds {
    int64_t kept_ms; /* default 30 d */
    uint32_t count;  /* default 65,536 */
};

void dedupe_finish(struct room *room, struct dedupe *dedupe);

/* True: not seen before, and remembered from now on. `forgotten` counts ids dropped because of the bound, not of age. */
bool dedupe_first_sight(struct room *room, struct dedupe *dedupe, const struct uuid *event_id, int64_t received_at_ms,
                        const struct dedupe_bounds *bounds, uint64_t *forgotten);

/* --- for packing.c --- */

/* What an id is kept as; the id as its two big-endian halves. Never 0. Of two ids that are alike in one half the mixed ones differ. */
static inline uint64_t dedupe_mixed(uint64_t id_high, uint64_t id_low)
{
    uint64_t mixed = (id_high ^ 0x243f6a8885a308d3u) * 0x9e3779b97f4a7c15u;
    mixed = ((mixed ^ (mixed >> 32)) + id_low) * 0xff51afd7ed558ccdu;
    mixed ^= mixed >> 29;
    return mixed ? mixed : 1;
}

/* As many places are looked at for all ids; those of a table with an id of 0 are empty. */
static inline uint32_t dedupe_end(const struct dedupe *dedupe)
{
    return dedupe->capacity <= DEDUPE_SCANNED_MAX ? dedupe->count : dedupe->capacity;
}

/* By place; they lie behind the ids. */
static inline uint32_t *dedupe_seconds(const struct dedupe *dedupe)
{
    return (uint32_t *)(dedupe->ids + dedupe->capacity);
}

/* An empty one gets the room that one has which came to hold `count` by itself (what is too old leaves when room is needed: it is
 * to happen at the same time), and then as many mixed ids, each for the first time. */
void dedupe_reserve(struct room *room, struct dedupe *dedupe, uint32_t count);
void dedupe_put_into_table(struct dedupe *dedupe, uint64_t mixed, uint32_t second);

static inline void dedupe_put(struct dedupe *dedupe, uint64_t mixed, uint32_t second)
{
    if (dedupe->capacity > DEDUPE_SCANNED_MAX) {
        dedupe_put_into_table(dedupe, mixed, second);
        return;
    }
    dedupe_seconds(dedupe)[dedupe->count] = second;
    dedupe->ids[dedupe->count++] = mixed;
}

#endif
