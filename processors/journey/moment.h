/* When something happened, and what comes first when two things happened at once: every KPI is a function of the set of
 * events as if sorted by (occurred_at, event_id bytes) (READINGS 3), so each remembered fact carries both. */
#ifndef TS_JOURNEY_MOMENT_H
#define TS_JOURNEY_MOMENT_H

#include "base/uuid.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct moment {
    int64_t at_ms;
    uint64_t id_high, id_low; /* the event id as one big-endian number, so that comparing numbers compares bytes */
};

static inline uint64_t moment_read_big_endian(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return __builtin_bswap64(word);
}

static inline struct moment moment_of(int64_t at_ms, const struct uuid *event_id)
{
    return (struct moment){at_ms, moment_read_big_endian(event_id->bytes), moment_read_big_endian(event_id->bytes + 8)};
}

static inline int moment_compare(const struct moment *a, const struct moment *b)
{
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->id_high != b->id_high)
        return a->id_high < b->id_high ? -1 : 1;
    return (a->id_low > b->id_low) - (a->id_low < b->id_low);
}

static inline bool moment_is_before(const struct moment *a, const struct moment *b)
{
    return moment_compare(a, b) < 0;
}

/* What a ticket, order or survey is remembered by: 64 bits of its id, the same in every process for ever (it is written to
 * checkpoints). Only compared within one customer: with n matters two of them collide with probability n²/2^65, that is
 * 1 in 2 million million for a customer with 4,096. */
uint64_t identity_of(struct view id);
uint64_t identity_of_pair(struct view first, struct view second);

#endif
