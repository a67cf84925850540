#include "ingest/seen.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

void seen_finish(struct seen *seen)
{
    free(seen->slots);
    *seen = (struct seen){0};
}

static size_t slot_find(const struct seen *seen, uint64_t mark)
{
    size_t at = mark & (seen->capacity - 1);
    while (seen->slots[at] != 0 && seen->slots[at] != mark)
        at = (at + 1) & (seen->capacity - 1);
    return at;
}

static void seen_grow(struct seen *seen)
{
    struct seen old = *seen;
    seen->capacity = old.capacity ? 2 * old.capacity : 1 << 12;
    seen->slots = memory_zeroed(seen->capacity, sizeof *seen->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i])
            seen->slots[slot_find(seen, old.slots[i])] = old.slots[i];
    free(old.slots);
}

bool seen_first(struct seen *seen, const struct uuid *event_id, struct view customer_id)
{
    uint64_t mark = hash_mix(hash_bytes(view_of(event_id->bytes, sizeof event_id->bytes)) ^ hash_mix(hash_bytes(customer_id)));
    mark += mark == 0;
    if (2 * (seen->count + 1) > seen->capacity && seen->count < SEEN_EVENTS_MAX)
        seen_grow(seen);
    size_t at = slot_find(seen, mark);
    if (seen->slots[at] == mark)
        return false;
    if (seen->count < SEEN_EVENTS_MAX) {
        seen->slots[at] = mark;
        seen->count++;
    }
    return true;
}
