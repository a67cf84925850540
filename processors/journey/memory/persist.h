/* A customer as a Journey record, and back: the public part for whoever reads the topic, and the private bytes from which
 * the processor goes on after a crash. */
#ifndef TS_JOURNEY_PERSIST_H
#define TS_JOURNEY_PERSIST_H

#include "processors/journey/task.h"

enum { PERSIST_VERSION = 8 }; /* the packed form; those before it are refused: the engine says so, and stops */

/* With the names that whoever was forgotten kept for all (keeping.h). */
void persist_save(struct journey_task *task, struct entry *entry, struct bytes *value);

/* false: not ours, of another version, or damaged. Sets the entry's offset and timer; its customer rests. */
bool persist_load(struct journey_task *task, struct entry *entry, struct view value);

struct naming; /* scratch */
void naming_destroy(struct naming *naming);

#endif
