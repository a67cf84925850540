/* Somebody remembers each value that has a place in its dimension (strings.h).
 *
 * Which values have one decides where things are added, so a replay has to decide as it was decided the first time, and what customers
 * remember of themselves does not say it all: a review is counted and forgotten, old matters are sealed. So the customer whose event makes
 * a value known keeps its name, for good and beyond all sealing. Either their entry is in the checkpoint, and the name in it, or the event is
 * read again, and makes it known again: at each record of a replay all are known that were known at it then, and none that was not.
 *
 * Whoever is forgotten leaves an estate: the next entry that is saved takes it over, and before a tombstone is written the engine has one
 * saved (processor.wants_heir), in the same transaction, so that names are never gone from the topic. Only in a partition that has nobody left are
 * they lost if it crashes before somebody new is saved.
 *
 * In checkpoints from before this nobody keeps anything. What is known from those without being kept is given to those who come, a few each, as
 * soon as nothing is replayed. */
#ifndef TS_JOURNEY_KEEPING_H
#define TS_JOURNEY_KEEPING_H

#include "processors/journey/task.h"

void keeping_finish(struct keeping *keeping);

void keeping_take(struct journey_task *task, struct customer *customer, bool is_replay);

/* After all that an event of this customer's names. */
static inline void keeping_follow(struct journey_task *task, struct customer *customer, const struct outbox *outbox)
{
    if (task->dimensions.unkept.count || task->keeping.has_strays)
        keeping_take(task, customer, outbox_is_muted(outbox));
}

/* The customer is forgotten. */
void keeping_leave(struct journey_task *task, const struct customer *customer);
bool keeping_wants_heir(void *task); /* for processor.wants_heir */
/* The entry is about to be saved. */
void keeping_inherit(struct journey_task *task, struct entry *entry);

/* While a checkpoint is read: names may come that nobody keeps; this one is kept. */
void keeping_expect_strays(struct journey_task *task);
void keeping_is_kept(struct dimensions *dimensions, const struct packed_name *name);

#endif
