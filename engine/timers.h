/* When entries want to be woken: a heap over those whose timer_at_ms is set, by (due time, key). Rebuilt on recovery, since
 * the time itself is in the entry. Task thread only. */
#ifndef TS_ENGINE_TIMERS_H
#define TS_ENGINE_TIMERS_H

#include "base/heap.h"
#include "engine/entries.h"

struct timers {
    struct heap heap;
};

void timers_init(struct timers *timers);
void timers_finish(struct timers *timers);

/* After anything that may have changed entry->timer_at_ms. */
void timers_follow(struct timers *timers, struct entry *entry);

/* The entry due first, if it is due at `clock_ms`; NULL: none is. */
struct entry *timers_due(const struct timers *timers, int64_t clock_ms);

#endif
