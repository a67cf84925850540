/* A customer as one short run of bytes: how those at rest are kept in memory, and what a checkpoint holds of them.
 *
 *     names · base · moments · ids seen · body
 *
 * Apart from the body stand the *names* it mentions, in the order in which it does (tuples, teams, segments …: numbers of the task's
 * dimensions, in a checkpoint their texts), the *moments* (time and event id), each once, to which the body refers by their
 * place, and the ids that dedupe knows: nearly all of them are those of moments, and then say only which. So the body is the same bytes in memory and in a checkpoint: reading
 * one back translates the names and copies the rest. Times are differences from a base, lengths in minutes where they are whole ones.
 *
 * Scratch of a task, used for packing and for unpacking, never both at once. */
#ifndef TS_JOURNEY_PACKING_H
#define TS_JOURNEY_PACKING_H

#include "processors/journey/memory/dedupe.h"
#include "processors/journey/memory/packed.h"

enum name_kind { NAME_TUPLE, NAME_TEAM, NAME_SEGMENT, NAME_CURRENCY, NAME_CAMPAIGN, NAME_TOPIC_SET, NAME_KIND_COUNT };

struct packed_name {
    uint32_t number;
    uint8_t kind;
};

enum { PACKING_RECENT = 256 }; /* a power of two */

struct packing {
    struct bytes body;   /* being packed */
    struct unpack in;    /* being unpacked */
    struct room *room;   /* where to */
    uint64_t *names;
    struct moment *moments;
    uint64_t *mixed; /* of each moment's id, while packing: what dedupe keeps of it */
    uint32_t name_count, name_capacity, moment_count, moment_capacity;
    const unsigned char *name_at, *name_end; /* the next to be unpacked */
    bool names_are_wide;
    uint32_t recent[PACKING_RECENT]; /* where a moment may be, by its mixed id: believed only after a look */
    int64_t base_ms;
};

void packing_finish(struct packing *packing);

/* --- to bytes --- */

void packing_begin(struct packing *packing, int64_t base_ms);
/* Appends names, moments with the ids of `seen`, and the body. */
void packing_end(struct packing *packing, const struct dedupe *seen, struct bytes *out);

void packing_names_write(const struct packing *packing, struct bytes *out); /* packing_end's first part */

void pack_name(struct packing *packing, enum name_kind kind, uint32_t number); /* 0: none */
void pack_moment(struct packing *packing, const struct moment *moment);

static inline void pack_number(struct packing *packing, uint64_t value)
{
    pack_unsigned(&packing->body, value);
}

/* Any time, and the two that mean never. */
static inline void pack_time(struct packing *packing, int64_t at_ms)
{
    if (at_ms == INT64_MAX || at_ms == INT64_MIN)
        pack_unsigned(&packing->body, at_ms == INT64_MIN);
    else
        pack_unsigned(&packing->body, packed_zigzag((int64_t)((uint64_t)at_ms - (uint64_t)packing->base_ms)) + 2);
}

static inline void pack_length(struct packing *packing, int64_t length_ms)
{
    bool is_minutes = length_ms % 60000 == 0;
    uint64_t value = packed_zigzag(is_minutes ? length_ms / 60000 : length_ms);
    if (value >> 63) { /* no room for the bit: as it is */
        pack_unsigned(&packing->body, 1);
        pack_word(&packing->body, (uint64_t)length_ms);
        return;
    }
    pack_unsigned(&packing->body, (value << 1 | is_minutes) + 2);
}

/* --- from bytes --- */

/* Reads everything before the body; `seen` gets its ids. packing->in stands at the body then; has_failed: damaged. What is unpacked
 * takes its memory from `room`. */
void unpacking_begin(struct packing *packing, struct view bytes, struct room *room, struct dedupe *seen);
/* The names alone; in->at stands behind them. */
void unpacking_names(struct packing *packing, struct unpack *in);
bool unpacking_name_next(struct packing *packing, struct packed_name *out); /* false: there is no other */
uint32_t unpack_name(struct packing *packing, enum name_kind kind);
struct moment unpack_moment(struct packing *packing);

static inline uint64_t unpack_number(struct packing *packing)
{
    return unpack_unsigned(&packing->in);
}

static inline int64_t unpack_time(struct packing *packing)
{
    uint64_t value = unpack_unsigned(&packing->in);
    if (value < 2)
        return value ? INT64_MIN : INT64_MAX;
    return (int64_t)((uint64_t)packed_unzigzag(value - 2) + (uint64_t)packing->base_ms);
}

static inline int64_t unpack_length(struct packing *packing)
{
    uint64_t value = unpack_unsigned(&packing->in);
    if (value < 2)
        return (int64_t)unpack_word(&packing->in);
    value -= 2;
    int64_t length = packed_unzigzag(value >> 1);
    return value & 1 ? length * 60000 : length;
}

#endif
