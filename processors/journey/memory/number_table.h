/* A growing hash table from keys to the numbers 0, 1, 2 … in order of arrival; what belongs to a number is in the owner's
 * array, where the key is compared. */
#ifndef TS_JOURNEY_NUMBER_TABLE_H
#define TS_JOURNEY_NUMBER_TABLE_H

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct number_table {
    uint32_t *places; /* number + 1; 0: empty */
    uint32_t capacity, count;
};

typedef bool (*number_is_same)(const void *items, uint32_t number, const void *key);
typedef uint64_t (*number_hash)(const void *items, uint32_t number);

static inline void number_table_init(struct number_table *table)
{
    *table = (struct number_table){.capacity = 256};
    table->places = memory_zeroed(table->capacity, sizeof *table->places);
}

static inline void number_table_finish(struct number_table *table)
{
    free(table->places);
}

static inline void number_table_clear(struct number_table *table)
{
    if (table->count > 0)
        memset(table->places, 0, table->capacity * sizeof *table->places);
    table->count = 0;
}

/* Where the search for a hash begins, and nearly always ends. */
static inline uint32_t *number_table_begin(const struct number_table *table, uint64_t hash)
{
    return &table->places[(uint32_t)hash & (table->capacity - 1)];
}

/* Where the key is, or the empty place where it belongs. Inlined with its callbacks. */
static inline uint32_t *number_table_place(const struct number_table *table, uint64_t hash, number_is_same is_same,
                                           const void *items, const void *key)
{
    uint32_t mask = table->capacity - 1, place = (uint32_t)hash & mask;
    while (table->places[place] && !is_same(items, table->places[place] - 1, key))
        place = (place + 1) & mask;
    return &table->places[place];
}

/* Once an item has been added at `*place`: counts it, and makes room in good time. */
static inline void number_table_added(struct number_table *table, uint32_t *place, number_hash hash, const void *items)
{
    *place = ++table->count;
    if (table->count <= table->capacity / 2)
        return;
    free(table->places);
    table->capacity *= 2;
    table->places = memory_zeroed(table->capacity, sizeof *table->places);
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t at = (uint32_t)hash(items, i) & (table->capacity - 1);
        while (table->places[at])
            at = (at + 1) & (table->capacity - 1);
        table->places[at] = i + 1;
    }
}

#endif
