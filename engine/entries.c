#include "engine/entries.h"

#include "base/memory.h"

#include <stdlib.h>

enum { CAPACITY_LEAST = 64 };

#define POINTER_BITS 48
#define POINTER_MASK (((uint64_t)1 << POINTER_BITS) - 1)

/* --- the table: linear probing; removal shifts back, so there are no graves to step over */

static struct entry_box *slot_box(uint64_t slot)
{
    return (struct entry_box *)(uintptr_t)(slot & POINTER_MASK);
}

static uint64_t slot_of(const struct entry_box *box, uint64_t tag)
{
    return tag << POINTER_BITS | (uint64_t)(uintptr_t)box;
}

static uint64_t hash_of(const struct entry_box *box)
{
    return entries_hash(view_of(box->key, box->entry.key_size));
}

static size_t box_bytes(size_t key_size)
{
    return offsetof(struct entry_box, key) + key_size;
}

void entries_init(struct entries *entries)
{
    *entries = (struct entries){.capacity = CAPACITY_LEAST};
    entries->slots = memory_zeroed(CAPACITY_LEAST, sizeof *entries->slots);
}

void entries_finish(struct entries *entries)
{
    size_t at = 0;
    for (struct entry *entry; (entry = entries_next(entries, &at));) {
        if (box_bytes(entry->key_size) > SLAB_PIECE_MAX)
            free(entry);
    }
    slab_finish(&entries->slab);
    free(entries->slots);
    *entries = (struct entries){0};
}

struct view entry_key(const struct entry *entry)
{
    const struct entry_box *box = entry_box_of(entry);
    return view_of(box->key, entry->key_size);
}

struct entry *entries_find(const struct entries *entries, struct view key, uint64_t hash)
{
    size_t mask = entries->capacity - 1;
    uint64_t tag = hash >> POINTER_BITS;
    for (size_t at = hash & mask; entries->slots[at]; at = (at + 1) & mask) {
        uint64_t slot = entries->slots[at];
        if (slot >> POINTER_BITS != tag)
            continue;
        struct entry_box *box = slot_box(slot);
        if (box->entry.key_size == key.size && memcmp(box->key, key.data, key.size) == 0)
            return &box->entry;
    }
    return NULL;
}

struct entry *entries_prefetch_entry(const struct entries *entries, uint64_t hash)
{
    size_t mask = entries->capacity - 1;
    uint64_t tag = hash >> POINTER_BITS;
    for (size_t at = hash & mask; entries->slots[at]; at = (at + 1) & mask) {
        if (entries->slots[at] >> POINTER_BITS != tag)
            continue;
        struct entry_box *box = slot_box(entries->slots[at]);
        __builtin_prefetch(box);
        return &box->entry;
    }
    return NULL;
}

static void place(uint64_t *slots, size_t capacity, uint64_t hash, uint64_t slot)
{
    size_t at = hash & (capacity - 1);
    while (slots[at])
        at = (at + 1) & (capacity - 1);
    slots[at] = slot;
}

static void grow(struct entries *entries)
{
    size_t capacity = entries->capacity * 2;
    uint64_t *slots = memory_zeroed(capacity, sizeof *slots);
    for (size_t i = 0; i < entries->capacity; i++) {
        if (entries->slots[i])
            place(slots, capacity, hash_of(slot_box(entries->slots[i])), entries->slots[i]);
    }
    free(entries->slots);
    entries->slots = slots;
    entries->capacity = capacity;
}

struct entry *entries_add(struct entries *entries, struct view key, uint64_t hash)
{
    if ((entries->count + 1) * 4 > entries->capacity * 3)
        grow(entries);
    struct entry_box *box = slab_take(&entries->slab, box_bytes(key.size));
    box->entry = (struct entry){.applied_offset = -1, .timer_at_ms = TIMER_NEVER, .key_size = (uint16_t)key.size, .timer_place = UINT32_MAX};
    memcpy(box->key, key.data, key.size);
    place(entries->slots, entries->capacity, hash, slot_of(box, hash >> POINTER_BITS));
    entries->count++;
    return &box->entry;
}

static size_t slot_find(const struct entries *entries, const struct entry_box *box)
{
    size_t at = hash_of(box) & (entries->capacity - 1);
    while (slot_box(entries->slots[at]) != box)
        at = (at + 1) & (entries->capacity - 1);
    return at;
}

void entries_remove(struct entries *entries, struct entry *entry)
{
    size_t mask = entries->capacity - 1;
    struct entry_box *box = entry_box_of(entry);
    size_t hole = slot_find(entries, box);
    for (size_t at = (hole + 1) & mask; entries->slots[at]; at = (at + 1) & mask) {
        size_t home = hash_of(slot_box(entries->slots[at])) & mask;
        /* It may fill the hole if its home is not within (hole, at]. */
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            entries->slots[hole] = entries->slots[at];
            hole = at;
        }
    }
    entries->slots[hole] = 0;
    entries->count--;
    slab_give(&entries->slab, box, box_bytes(box->entry.key_size));
}

struct entry *entries_next(const struct entries *entries, size_t *at)
{
    while (*at < entries->capacity) {
        uint64_t slot = entries->slots[(*at)++];
        if (slot)
            return &slot_box(slot)->entry;
    }
    return NULL;
}

size_t entries_memory_bytes(const struct entries *entries)
{
    return entries->slab.bytes + entries->capacity * sizeof *entries->slots;
}
