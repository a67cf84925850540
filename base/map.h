/* A table from byte keys to pointers: open addressing, linear probing, keys copied. One thread at a time.
 * For the hot tables of entries see engine/entries.h; this one is for everything else. */
#ifndef TS_BASE_MAP_H
#define TS_BASE_MAP_H

#include "base/view.h"

#include <stdint.h>

struct map_slot {
    uint64_t hash; /* 0: free */
    char *key;
    uint32_t key_size;
    void *value;
};

struct map {
    struct map_slot *slots;
    size_t capacity, count;
};

/* Zero-initialised is empty and valid. */
void map_finish(struct map *map, void (*free_value)(void *value)); /* free_value may be NULL */

void *map_find(const struct map *map, struct view key); /* NULL: not there */

/* The place of the key's value, made (holding NULL) when it was not there; valid until the next map_place or map_remove. */
void **map_place(struct map *map, struct view key);

/* The removed value; NULL: was not there. */
void *map_remove(struct map *map, struct view key);

/* Every slot in no promised order: for (size_t at = 0; (slot = map_next(map, &at));) */
struct map_slot *map_next(const struct map *map, size_t *at);

#endif
