#include "engine/rehearsal.h"

#include "base/memory.h"
#include "engine/outgoing.h"
#include "engine/step.h"

#include <stdlib.h>

struct rehearsal {
    const struct processor *processor;
    void *shared;
    int64_t allowed_disorder_ms;
    struct task_table tasks;
    struct outbox outbox;
    struct arena arena;
    rehearsal_output on_output;
    void *context;
};

struct rehearsal *rehearsal_create(const struct processor *processor, void *shared, int64_t allowed_disorder_ms,
                                   int32_t partitions, rehearsal_output on_output, void *context)
{
    struct rehearsal *rehearsal = memory_zeroed(1, sizeof *rehearsal);
    *rehearsal = (struct rehearsal){.processor = processor,
                                    .shared = shared,
                                    .allowed_disorder_ms = allowed_disorder_ms,
                                    .on_output = on_output,
                                    .context = context};
    outbox_init(&rehearsal->outbox);
    arena_init(&rehearsal->arena);
    for (int topic = 0; processor->outputs[topic] && topic < OUTBOX_TOPICS_MAX; topic++)
        rehearsal->outbox.partition_counts[topic] = partitions;
    return rehearsal;
}

void rehearsal_destroy(struct rehearsal *rehearsal)
{
    if (rehearsal == NULL)
        return;
    for (size_t i = 0; i < rehearsal->tasks.count; i++)
        task_destroy(rehearsal->tasks.tasks[i]);
    free(rehearsal->tasks.tasks);
    outbox_finish(&rehearsal->outbox);
    arena_finish(&rehearsal->arena);
    free(rehearsal);
}

static struct task *task_of(struct rehearsal *rehearsal, int32_t partition)
{
    struct task_table *table = &rehearsal->tasks;
    size_t wanted = (size_t)partition + 1;
    if (table->count < wanted) {
        table->tasks = memory_resize(table->tasks, wanted * sizeof *table->tasks);
        memset(table->tasks + table->count, 0, (wanted - table->count) * sizeof *table->tasks);
        table->count = wanted;
    }
    if (table->tasks[partition] == NULL) {
        struct task *task = task_create(rehearsal->processor, rehearsal->shared, partition);
        task->stage = TASK_LIVE;
        task->allowed_disorder_ms = rehearsal->allowed_disorder_ms;
        task->entries_max = INT64_MAX;
        table->tasks[partition] = task;
    }
    return table->tasks[partition];
}

static void hand_out(struct rehearsal *rehearsal)
{
    struct outbox *outbox = &rehearsal->outbox;
    for (size_t i = 0; i < outbox->count; i++) {
        struct broker_message message = outbox_read(outbox, &outbox->messages[i]);
        struct record output = {.partition = message.partition, .timestamp_ms = message.timestamp_ms, .key = message.key, .value = message.value};
        rehearsal->on_output(rehearsal->context, message.topic, &output);
    }
    outbox_clear(outbox);
}

enum outcome rehearsal_feed(struct rehearsal *rehearsal, const struct record *record)
{
    struct task *task = task_of(rehearsal, record->partition);
    struct step_room room = {&rehearsal->arena, &rehearsal->outbox};
    enum outcome outcome = step_records(&rehearsal->tasks, &room, record, 1, record->timestamp_ms);
    step_summarise(task, &room, false);
    step_batch_end(task, &room);
    hand_out(rehearsal);
    return outcome;
}

int64_t rehearsal_next_timer(struct rehearsal *rehearsal, int32_t partition, struct view *key)
{
    const struct entry *entry = timers_due(&task_of(rehearsal, partition)->timers, INT64_MAX);
    if (entry == NULL)
        return INT64_MAX;
    *key = entry_key(entry);
    return entry->timer_at_ms;
}
