/* A customer as a Journey record, and back: the public part for whoever reads the topic, and the private bytes from which
 * the processor goes on after a crash. */
#ifndef TS_JOURNEY_PERSIST_H
#define TS_JOURNEY_PERSIST_H

#include "processors/journey/task.h"

enum { PERSIST_VERSION = 5 }; /* 1, still read: without cases, last scores and follow-ups; those between were short-lived */

void persist_save(struct journey_task *task, const struct entry *entry, struct bytes *value);

/* NULL: not ours, or damaged. Sets the entry's offset and timer. */
struct customer *persist_load(struct journey_task *task, struct entry *entry, struct view value);

#endif
