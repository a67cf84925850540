/* Customers awake and at rest.
 *
 * Of a million customers a few hundred are heard of at the same time. Those are awake: struct customer, arrays that grow. All
 * others rest as one packed run of bytes (packing.h), a fifth of the size and in memory of its own size. Whoever has
 * an event or a timer is woken, and one untouched for long goes to rest for it: a task's share of journey.awake_max stay.
 *
 * entry->state is a struct customer, or a resting run with the lowest bit set. */
#ifndef TS_JOURNEY_RESTING_H
#define TS_JOURNEY_RESTING_H

#include "processors/journey/task.h"

/* The customer of an entry that has one; valid until the next one is woken. */
struct customer *customer_wake(struct journey_task *task, struct entry *entry);

/* An event of theirs comes soon: asks for the memory that it will be applied to. */
void customer_expect(const struct entry *entry);

/* A new one for an entry that has none. */
struct customer *customer_begin(struct journey_task *task, struct entry *entry);

/* The entry lets go of its customer; it has none then. */
void customer_release(struct journey_task *task, struct entry *entry);

/* --- for persist.c --- */

bool customer_is_resting(const struct entry *entry);
struct view resting_bytes(const struct entry *entry); /* of one that rests */
void resting_set(struct journey_task *task, struct entry *entry, struct view bytes); /* of an entry that has none */

/* At the task's end, once its entries are gone. */
void resting_finish(struct journey_task *task);

#endif
