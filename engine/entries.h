/* The table of a partition's entries: open addressing over 8-byte slots, each a pointer and 16 bits of its key's hash, so
 * that a miss seldom leaves the table and a hit costs two cache lines. Entries come from a slab, never move, and carry their
 * key behind them. Task thread only.
 *
 * The memory of an entry: 32 bytes + key, rounded up to 8, and 11–22 bytes of table. Of the hash only what fits into the slot is kept: it is
 * computed again when the table grows, once in the life of a slot. */
#ifndef TS_ENGINE_ENTRIES_H
#define TS_ENGINE_ENTRIES_H

#include "base/hash.h"
#include "base/slab.h"
#include "engine/processor.h"

enum {
    ENTRY_DIRTY = 1, /* changed since it was last written to the checkpoint topic; stands in one list of checkpoint.c */
    ENTRY_DEAD = 2   /* restored from a tombstone; stands in task.dead until the task is live */
};

struct entry_box {
    struct entry entry; /* first: the two are one address */
    char key[];
};

_Static_assert(sizeof(struct entry_box) == 32, "half a cache line, and the key");

static inline struct entry_box *entry_box_of(const struct entry *entry)
{
    return (struct entry_box *)(uintptr_t)entry;
}

struct entries {
    uint64_t *slots;
    size_t capacity, count;
    struct slab slab;
};

void entries_init(struct entries *entries);
/* The states must have been freed before (entries_next). */
void entries_finish(struct entries *entries);

struct entry *entries_find(const struct entries *entries, struct view key, uint64_t hash); /* NULL: not there */
/* A zeroed entry with applied_offset −1 and no timer. The key is not there yet and at most ENTRY_KEY_MAX long. */
struct entry *entries_add(struct entries *entries, struct view key, uint64_t hash);
void entries_remove(struct entries *entries, struct entry *entry);
/* Every entry in no promised order, from *at = 0 on; NULL: no more. */
struct entry *entries_next(const struct entries *entries, size_t *at);
size_t entries_memory_bytes(const struct entries *entries);

enum { ENTRY_KEY_MAX = UINT16_MAX };

static inline uint64_t entries_hash(struct view key)
{
    return hash_bytes(key);
}

/* The three steps of looking up many keys at once, each hiding the memory's delay behind the others' work. */
static inline void entries_prefetch_slot(const struct entries *entries, uint64_t hash)
{
    __builtin_prefetch(&entries->slots[hash & (entries->capacity - 1)]);
}

/* The likely entry of this hash, by tag alone, prefetched; NULL: surely not there. */
struct entry *entries_prefetch_entry(const struct entries *entries, uint64_t hash);

#endif
