/* The choke point: every record a processor sees passes through here, one after the other (processor.h says in which order
 * what happens). Parking, muting, skipping what was applied before, firing timers: all in this one place. */
#ifndef TS_ENGINE_STEP_H
#define TS_ENGINE_STEP_H

#include "engine/task.h"

/* Whose task a partition is; NULL: not ours (any more). */
struct task_table {
    struct task **tasks; /* by partition */
    size_t count;
};

static inline struct task *task_table_find(const struct task_table *table, int32_t partition)
{
    return (size_t)partition < table->count ? table->tasks[partition] : NULL;
}

struct step_room {
    struct arena *arena; /* empty between calls */
    struct outbox *outbox;
};

/* Applies records of any of the tasks, in order. OK or STOP; RETRY: up to one that its processor cannot make out now (route). */
enum outcome step_records(const struct task_table *table, const struct step_room *room, const struct record *records,
                          size_t count, int64_t now_ms);

/* The processor's batch_end, if records came since the last. */
void step_batch_end(struct task *task, const struct step_room *room);

/* The processor's summarise, if something was added up since the last. Of a live task. */
void step_summarise(struct task *task, const struct step_room *room, bool is_behind);

#endif
