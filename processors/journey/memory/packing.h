/* A customer as one short run of bytes: how those at rest are kept in memory, and what a checkpoint holds of them.
 *
 *     names · base · ids seen, with their moments · other moments · body
 *
 * Apart from the body stand the *names* it mentions, in the order in which it does (tuples, teams, segments …: numbers of the task's
 * dimensions, in a checkpoint their texts), and the *moments* (time and event id), each once, to which the body refers by their
 * place. The ids that dedupe knows are nearly all those of such moments: what it keeps of an id is computed from the moment's then, and only of the
 * others it is written. So the body is the same bytes in memory and in a checkpoint: reading one back translates the names and copies the rest.
 * Times are differences from a base, lengths in minutes where they are whole ones.
 *
 * Scratch of a task, used for packing and for unpacking, never both at once. */
#ifndef TS_JOURNEY_PACKING_H
#define TS_JOURNEY_PACKING_H

#include "processors/journey/memory/dedupe.h"
#include "processors/journey/memory/names.h"
#include "processors/journey/memory/packed.h"

enum { PACKING_RECENT = 512 }; /* a power of two */

enum { PACKED_ITEM_MOST = 256 /* bytes of one thing without its texts and arrays */ };

struct packing {
    struct bytes body; /* being packed */
    struct unpack in;  /* being unpacked */
    struct room *room; /* where to */
    uint64_t *names;
    uint16_t *narrow_names; /* the same while being packed, where each fits */
    uint64_t names_together;
    struct moment *moments; /* being unpacked */
    /* By place while being packed: first the ids seen, then moments that are none of these. */
    const struct moment **said; /* NULL: so far nobody mentioned a moment of this id */
    uint64_t *mixed;            /* what dedupe keeps of the id */
    uint32_t *seconds;          /* of the ids seen: when they were received */
    uint32_t name_count, name_capacity, seen_count, moment_count, moment_capacity, place_capacity;
    const unsigned char *name_at, *name_end; /* the next to be unpacked */
    bool names_are_wide, names_have_failed;
    uint32_t recent[PACKING_RECENT]; /* a place, by the mixed id: believed only after a look */
    int64_t base_ms;
};

void packing_finish(struct packing *packing);

/* --- to bytes --- */

void packing_begin(struct packing *packing, int64_t base_ms, const struct dedupe *seen);
/* Appends all of it. The moments must still be where they were packed from. */
void packing_end(struct packing *packing, struct bytes *out);

/* For a checkpoint that is read: names alone, and what they come to. */
void packing_names_begin(struct packing *packing);
void packing_names_write(const struct packing *packing, struct bytes *out);

void packing_names_grow(struct packing *packing);

/* Words of two bytes, or of eight where a number is too large for that: fixed ones are read where they stand. */
enum { NAME_KIND_BITS = 3 };

static inline void pack_name(struct packing *packing, enum name_kind kind, uint32_t number) /* 0: none */
{
    if (packing->name_count == packing->name_capacity)
        packing_names_grow(packing);
    uint64_t name = (uint64_t)number << NAME_KIND_BITS | kind;
    packing->names_together |= name;
    packing->narrow_names[packing->name_count] = (uint16_t)name;
    packing->names[packing->name_count++] = name;
}

/* The body is written with the place in hand: room for one thing, its fields one after the other, and where they end. */
static inline char *packing_open(struct packing *packing)
{
    bytes_reserve(&packing->body, PACKED_ITEM_MOST);
    return packing->body.data + packing->body.size;
}

static inline void packing_close(struct packing *packing, const char *at)
{
    packing->body.size = (size_t)(at - packing->body.data);
}

/* Room for as much again. */
static inline char *packing_more(struct packing *packing, const char *at)
{
    packing_close(packing, at);
    return packing_open(packing);
}

/* A text of any size, and room for as much again. */
char *pack_long_text(struct packing *packing, char *at, struct view text);

/* How many there are, and each: an item of its own. */
void pack_times(struct packing *packing, const int64_t *times_ms, uint32_t count);

uint32_t packing_place(struct packing *packing, const struct moment *moment);

static inline char *pack_moment(struct packing *packing, char *at, const struct moment *moment)
{
    return packed_put(at, packing_place(packing, moment));
}

/* Any time, and the two that mean never. */
static inline char *pack_time(const struct packing *packing, char *at, int64_t at_ms)
{
    if (at_ms == INT64_MAX || at_ms == INT64_MIN)
        return packed_put_byte(at, (unsigned)(at_ms == INT64_MIN) << 1);
    return packed_put(at, packed_zigzag((int64_t)((uint64_t)at_ms - (uint64_t)packing->base_ms)) + 2);
}

/* In whole minutes, as most are, or 0 and all of its bits. */
static inline char *pack_length(char *at, int64_t length_ms)
{
    uint64_t minutes = (uint64_t)length_ms / 60000, apart = packed_zigzag(length_ms);
    if (length_ms >= 0 && minutes * 60000 == (uint64_t)length_ms)
        return packed_put(at, minutes << 1 | 1);
    if (apart >> 63)
        return packed_put_word(packed_put(at, 0), (uint64_t)length_ms);
    return packed_put(at, apart << 1);
}

/* --- from bytes --- */

/* Reads everything before the body; `seen` gets its ids. packing->in stands at the body then; has_failed: damaged. What is unpacked
 * takes its memory from `room`. */
void unpacking_begin(struct packing *packing, struct view bytes, struct room *room, struct dedupe *seen);
/* The names alone; in->at stands behind them. */
void unpacking_names(struct packing *packing, struct unpack *in);
/* All was read, and nothing was wrong. */
bool unpacking_end(const struct packing *packing);

/* false: there is no other. */
static inline bool unpacking_name_next(struct packing *packing, struct packed_name *out)
{
    uint64_t word = 0;
    uint16_t narrow;
    if (packing->name_at == packing->name_end)
        return false;
    if (packing->names_are_wide) {
        memcpy(&word, packing->name_at, sizeof word);
        packing->name_at += sizeof word;
    } else {
        memcpy(&narrow, packing->name_at, sizeof narrow);
        packing->name_at += sizeof narrow;
        word = narrow;
    }
    *out = (struct packed_name){(uint32_t)(word >> NAME_KIND_BITS), word & ((1 << NAME_KIND_BITS) - 1)};
    return true;
}

static inline uint32_t unpacking_names_left(const struct packing *packing)
{
    return (uint32_t)((size_t)(packing->name_end - packing->name_at) / (packing->names_are_wide ? sizeof(uint64_t) : sizeof(uint16_t)));
}

static inline uint32_t unpack_name(struct packing *packing, enum name_kind kind)
{
    struct packed_name name;
    if (unpacking_name_next(packing, &name) && name.kind == (uint8_t)kind)
        return name.number;
    packing->names_have_failed = true;
    return 0;
}

static inline struct moment unpack_moment(const struct packing *packing, struct unpack *in)
{
    uint64_t place = unpack_unsigned(in);
    if (place < packing->moment_count)
        return packing->moments[place];
    unpack_fail(in);
    return (struct moment){0};
}

static inline int64_t unpack_time(const struct packing *packing, struct unpack *in)
{
    uint64_t value = unpack_unsigned(in);
    if (value < 2)
        return value ? INT64_MIN : INT64_MAX;
    return (int64_t)((uint64_t)packed_unzigzag(value - 2) + (uint64_t)packing->base_ms);
}

/* Takes packing->in on. */
int64_t *unpack_times(struct packing *packing, uint32_t *count);

static inline int64_t unpack_length(struct unpack *in)
{
    uint64_t value = unpack_unsigned(in);
    if (value & 1)
        return (int64_t)((value >> 1) * 60000);
    return value ? packed_unzigzag(value >> 1) : (int64_t)unpack_word(in);
}

#endif
