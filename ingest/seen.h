/* Which events of a run have been met already, for its closing count of duplicates: 8 bytes an event, bounded. */
#ifndef TS_INGEST_SEEN_H
#define TS_INGEST_SEEN_H

#include "base/uuid.h"

#include <stdbool.h>

struct seen {
    uint64_t *slots; /* 0: free */
    size_t count, capacity;
};

enum { SEEN_EVENTS_MAX = 1 << 26 }; /* beyond it nothing more is remembered */

void seen_finish(struct seen *seen);

/* true the first time for this id of this customer. Two events are taken for one with a chance of 2⁻⁶⁴ a pair. */
bool seen_first(struct seen *seen, const struct uuid *event_id, struct view customer_id);

#endif
