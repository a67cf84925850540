#include "engine/timers.h"

static void moved(void *thing, uint32_t place)
{
    ((struct entry *)thing)->timer_place = place;
}

/* Equal times fire in the order of keys: the same on every replay, however the heap came about. */
static int compare_keys(const void *a, const void *b)
{
    return view_compare(entry_key(a), entry_key(b));
}

void timers_init(struct timers *timers)
{
    timers->heap = (struct heap){.moved = moved, .compare = compare_keys};
}

void timers_finish(struct timers *timers)
{
    heap_finish(&timers->heap);
}

void timers_follow(struct timers *timers, struct entry *entry)
{
    bool is_wanted = entry->timer_at_ms != TIMER_NEVER;
    if (entry->timer_place == HEAP_NOWHERE) {
        if (is_wanted)
            heap_add(&timers->heap, entry->timer_at_ms, entry);
    } else if (!is_wanted) {
        heap_remove(&timers->heap, entry->timer_place);
    } else if (timers->heap.items[entry->timer_place].at_ms != entry->timer_at_ms) {
        heap_change(&timers->heap, entry->timer_place, entry->timer_at_ms);
    }
}

struct entry *timers_due(const struct timers *timers, int64_t clock_ms)
{
    const struct heap_item *first = heap_first(&timers->heap);
    return first && first->at_ms <= clock_ms ? first->thing : NULL;
}
