/* When a customer waits for us: on each ticket from a word that asks for an answer until the answer (tickets.h). While they wait,
 * what upset them does not fade (hot_score.h). */
#ifndef TS_JOURNEY_WAITS_H
#define TS_JOURNEY_WAITS_H

#include "processors/journey/memory/customer.h"

enum { WAITS_MAX = 64 };

/* Sorted, and none touches another. Later ones than fit are left out. */
struct waits {
    struct wait {
        int64_t from_ms, to_ms; /* NEVER_MS: still */
    } items[WAITS_MAX];
    uint32_t count;
};

/* Of the customer's tickets with these numbers. */
void waits_collect(struct waits *waits, const struct customer *customer, const uint32_t *tickets, uint32_t ticket_count);

/* How much of the time between two instants was not spent waiting, ms; not above 0 if the second is not later. */
int64_t waits_time_apart(const struct waits *waits, int64_t from_ms, int64_t to_ms);

/* Does the customer wait for an answer on any ticket at that instant? */
bool customer_waits(const struct customer *customer, int64_t at_ms);

#endif
