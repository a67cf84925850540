#include "base/map.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

void map_finish(struct map *map, void (*free_value)(void *value))
{
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(map, &at));) {
        if (free_value)
            free_value(slot->value);
        free(slot->key);
    }
    free(map->slots);
    *map = (struct map){0};
}

static uint64_t hash_of(struct view key)
{
    uint64_t hash = hash_bytes(key);
    return hash ? hash : 1;
}

/* The key's slot, or the free one where it would go. */
static struct map_slot *slot_for(const struct map *map, uint64_t hash, struct view key)
{
    size_t mask = map->capacity - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        struct map_slot *slot = &map->slots[at];
        if (slot->hash == 0 || (slot->hash == hash && view_equal(view_of(slot->key, slot->key_size), key)))
            return slot;
    }
}

void *map_find(const struct map *map, struct view key)
{
    return map->count ? slot_for(map, hash_of(key), key)->value : NULL;
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : 16;
    map->slots = memory_zeroed(map->capacity, sizeof *map->slots);
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&old, &at));)
        *slot_for(map, slot->hash, view_of(slot->key, slot->key_size)) = *slot;
    free(old.slots);
}

void **map_place(struct map *map, struct view key)
{
    if ((map->count + 1) * 4 > map->capacity * 3)
        grow(map);
    uint64_t hash = hash_of(key);
    struct map_slot *slot = slot_for(map, hash, key);
    if (slot->hash == 0) {
        slot->hash = hash;
        slot->key = memory_allocate(key.size ? key.size : 1);
        memcpy(slot->key, key.data ? key.data : "", key.size);
        slot->key_size = (uint32_t)key.size;
        slot->value = NULL;
        map->count++;
    }
    return &slot->value;
}

void *map_remove(struct map *map, struct view key)
{
    if (map->count == 0)
        return NULL;
    struct map_slot *slot = slot_for(map, hash_of(key), key);
    if (slot->hash == 0)
        return NULL;
    void *value = slot->value;
    free(slot->key);
    map->count--;
    /* Close the gap: move back every follower whose home is not between the gap and itself. */
    size_t mask = map->capacity - 1, gap = (size_t)(slot - map->slots);
    for (size_t at = (gap + 1) & mask; map->slots[at].hash; at = (at + 1) & mask) {
        size_t home = map->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            map->slots[gap] = map->slots[at];
            gap = at;
        }
    }
    map->slots[gap] = (struct map_slot){0};
    return value;
}

struct map_slot *map_next(const struct map *map, size_t *at)
{
    while (*at < map->capacity) {
        struct map_slot *slot = &map->slots[(*at)++];
        if (slot->hash)
            return slot;
    }
    return NULL;
}
