#include "engine/task.h"

#include "base/memory.h"

#include <stdlib.h>

struct task *task_create(const struct processor *processor, void *shared, int32_t partition)
{
    struct task *task = memory_zeroed(1, sizeof *task);
    task->processor = processor;
    task->partition = partition;
    task->stage = TASK_LOADING;
    task->clock_ms = CLOCK_UNSET;
    task->end_offset = INT64_MAX;
    task->watched_offset = -1;
    entries_init(&task->entries);
    timers_init(&task->timers);
    checkpoint_init(&task->checkpoint);
    task->own = processor->task_create ? processor->task_create(shared, partition) : NULL;
    return task;
}

void task_destroy(struct task *task)
{
    if (task == NULL)
        return;
    size_t at = 0;
    for (struct entry *entry; (entry = entries_next(&task->entries, &at));) {
        if (entry->state)
            task->processor->entry_free(task->own, entry);
    }
    if (task->processor->task_destroy)
        task->processor->task_destroy(task->own);
    checkpoint_finish(&task->checkpoint);
    free(task->dead.items);
    timers_finish(&task->timers);
    entries_finish(&task->entries);
    free(task);
}

void task_forget_entry(struct task *task, struct entry *entry)
{
    if (entry->state)
        task->processor->entry_free(task->own, entry);
    entry->state = NULL;
    entry->timer_at_ms = TIMER_NEVER;
    timers_follow(&task->timers, entry);
    entries_remove(&task->entries, entry);
}

/* Nobody will ask any more which offset the restored dead had seen. */
void task_go_live(struct task *task)
{
    task->stage = TASK_LIVE;
    for (size_t i = 0; i < task->dead.count; i++) {
        struct entry *entry = task->dead.items[i];
        entry->flags &= (uint8_t)~ENTRY_DEAD;
        if (entry->state == NULL && !(entry->flags & ENTRY_DIRTY))
            task_forget_entry(task, entry);
    }
    free(task->dead.items);
    task->dead = (struct entry_list){0};
}

const char *task_stage_name(enum task_stage stage)
{
    static const char *const names[] = {"loading", "replaying", "live"};
    return names[stage];
}
