#include "engine/step.h"

#include "base/log.h"
#include "engine/mutation.h"

/* Looking up one key at a time, most of an event's cost would be waiting for memory: slot, entry, state, each a miss in a
 * table of millions. So records go in groups: route all and ask for their slots, then their entries, then their states; by the
 * time the first is applied its lines are there. 32 keeps the asked-for lines within the first-level cache. */
enum { GROUP_RECORDS = 32 };

struct lane {
    struct task *task; /* NULL: not ours */
    struct route route;
    enum outcome routed;
    uint64_t hash;
    struct entry *likely;
};

/* Answers how many are ready: what comes behind a record that cannot be read yet is not looked at. */
static size_t lanes_prepare(struct lane *lanes, const struct task_table *table, const struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct lane *lane = &lanes[i];
        lane->task = task_table_find(table, records[i].partition);
        if (lane->task && lane->task->stage == TASK_LOADING && !MUTANT(STRAGGLERS_APPLIED))
            lane->task = NULL; /* a straggler from before it was to begin: it will come again */
        lane->likely = NULL;
        lane->route = (struct route){.event_at_ms = INT64_MIN};
        if (lane->task == NULL)
            continue;
        if (records[i].value.size > RECORD_VALUE_MAX)
            lane->routed = OUTCOME_PARK;
        else
            lane->routed = lane->task->processor->route(lane->task->own, &records[i], &lane->route);
        if (outcome_is_for_later(lane->routed))
            count = i + 1;
        if (lane->route.key.data == NULL || lane->routed != OUTCOME_OK)
            continue;
        lane->hash = entries_hash(lane->route.key);
        entries_prefetch_slot(&lane->task->entries, lane->hash);
    }
    for (size_t i = 0; i < count; i++) {
        if (lanes[i].task && lanes[i].route.key.data && lanes[i].routed == OUTCOME_OK)
            lanes[i].likely = entries_prefetch_entry(&lanes[i].task->entries, lanes[i].hash);
    }
    for (size_t i = 0; i < count; i++) {
        if (lanes[i].likely && lanes[i].likely->state) {
            __builtin_prefetch(lanes[i].likely->state);
            __builtin_prefetch((const char *)lanes[i].likely->state + 64);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (lanes[i].likely && lanes[i].likely->state && lanes[i].task->processor->expect)
            lanes[i].task->processor->expect(lanes[i].likely);
    }
    return count;
}

static void park(struct task *task, struct step *step, const struct record *record)
{
    task->processor->park(step, record);
    if (!step->outbox->is_muted)
        task->parked++;
}

static void note_change(struct task *task, struct entry *entry, int64_t offset)
{
    entry->applied_offset = offset;
    checkpoint_note_change(task, entry);
    timers_follow(&task->timers, entry);
}

void entry_changed(struct step *step, struct entry *entry)
{
    note_change(step->engine, entry, step->offset);
}

/* NULL: there is no room for another. */
static struct entry *entry_open(struct task *task, const struct lane *lane)
{
    struct entry *entry = entries_find(&task->entries, lane->route.key, lane->hash);
    if (entry || (int64_t)task->entries.count >= task->entries_max || lane->route.key.size > ENTRY_KEY_MAX)
        return entry;
    return entries_add(&task->entries, lane->route.key, lane->hash);
}

static enum outcome apply(struct task *task, struct step *step, const struct lane *lane)
{
    struct entry *entry = entry_open(task, lane);
    if (entry == NULL) {
        park(task, step, step->record);
        return OUTCOME_OK;
    }
    if (entry->applied_offset >= step->offset + MUTANT(APPLIED_ONE_TOO_FAR) * -1 && !MUTANT(SKIP_APPLIED_CHECK))
        return OUTCOME_OK; /* its checkpoint is newer than this record */
    bool is_blank = entry->state == NULL;
    enum outcome outcome = task->processor->apply(step, entry);
    if (outcome == OUTCOME_PARK) {
        park(task, step, step->record);
        outcome = OUTCOME_OK;
    }
    if (is_blank && entry->state == NULL && entry->flags == 0) {
        task_forget_entry(task, entry); /* made for nothing */
        return outcome;
    }
    if (outcome_is_for_later(outcome))
        return outcome;
    note_change(task, entry, step->offset);
    return outcome;
}

/* All that is due, until nothing is: so after a record's step no entry has a timer at or before the clock, and on replay
 * an entry that has seen the record cannot have one due at it. A callback must move its timer forward; one that does not
 * would keep this loop alive for ever, so it loses its timer. */
static void fire_timers(struct task *task, struct step *step)
{
    struct entry *entry;
    while ((entry = timers_due(&task->timers, task->clock_ms))) {
        int64_t due_at_ms = entry->timer_at_ms;
        task->processor->timer(step, entry);
        if (MUTANT(TIMER_TWICE) && !entry->is_deleted)
            task->processor->timer(step, entry);
        if (entry->timer_at_ms <= due_at_ms) {
            if (entry->timer_at_ms == due_at_ms && !entry->is_deleted)
                log_error("timer does not move forward, taken out", "processor", task->processor->name, NULL);
            entry->timer_at_ms = TIMER_NEVER;
        }
        note_change(task, entry, step->offset);
    }
}

/* Where the clock is once the record has been seen. */
static int64_t clock_after(const struct task *task, const struct lane *lane)
{
    if (lane->routed != OUTCOME_OK || lane->route.event_at_ms == INT64_MIN)
        return task->clock_ms;
    int64_t at_ms = lane->route.event_at_ms - (lane->route.is_tick ? 0 : task->allowed_disorder_ms);
    return at_ms > task->clock_ms ? at_ms : task->clock_ms;
}

static enum outcome step_record(struct task *task, const struct step_room *room, const struct record *record,
                                const struct lane *lane)
{
    if (record->offset < task->next_offset && !MUTANT(DUPLICATES_APPLIED)) {
        task->is_doubtful = true; /* delivered twice, or another topic's: see origin.h */
        return OUTCOME_OK;
    }
    if (outcome_is_for_later(lane->routed))
        return lane->routed;
    if (task->stage == TASK_REPLAYING && record->offset >= task->committed_offset + MUTANT(MUTED_TOO_LONG))
        task_go_live(task);
    room->outbox->is_muted = task->stage != TASK_LIVE && !MUTANT(REPLAY_NOT_MUTED);
    room->outbox->sums_are_muted =
        room->outbox->is_muted && (record->offset < task->summed_offset || MUTANT(SUMS_LOST)) && !MUTANT(SUMS_TWICE);

    struct step step = {.task = task->own,
                        .record = record,
                        .offset = record->offset,
                        .record_at_ms = record->timestamp_ms,
                        .clock_ms = clock_after(task, lane),
                        .arena = room->arena,
                        .outbox = room->outbox,
                        .input_partitions = task->input_partitions,
                        .engine = task};
    enum outcome outcome = OUTCOME_OK;
    if (lane->routed == OUTCOME_PARK)
        park(task, &step, record);
    else if (lane->route.key.data)
        outcome = apply(task, &step, lane);
    if (outcome_is_for_later(outcome))
        return outcome;

    if (lane->routed == OUTCOME_OK) {
        int64_t before_ms = task->clock_ms;
        task->clock_ms = step.clock_ms;
        step.record = NULL;
        fire_timers(task, &step);
        step.record = record;
        if (task->clock_ms > before_ms && task->processor->clock_moved)
            task->processor->clock_moved(&step);
        if (task->processor->record_done)
            task->processor->record_done(&step);
    }
    task_note_place(task, record->offset);
    task->next_offset = record->offset + 1;
    task->is_touched = task->has_records = true;
    if (task->processor->summarise && !task->has_unsummed && !room->outbox->sums_are_muted) {
        task->has_unsummed = true;
        task->summed_offset = record->offset;
    }
    task->applied++;
    return OUTCOME_OK;
}

/* An event that is older than the clock passes no time. */
static bool is_of_past(const struct route *route, int64_t clock_ms)
{
    return route->event_at_ms != INT64_MIN && !route->is_tick && route->event_at_ms <= clock_ms;
}

enum outcome step_records(const struct task_table *table, const struct step_room *room, const struct record *records,
                          size_t count, int64_t now_ms)
{
    struct lane lanes[GROUP_RECORDS];
    enum outcome outcome = OUTCOME_OK;
    for (size_t at = 0, ready; at < count && outcome == OUTCOME_OK; at += ready) {
        size_t group = count - at < GROUP_RECORDS ? count - at : GROUP_RECORDS;
        ready = lanes_prepare(lanes, table, records + at, group);
        for (size_t i = 0; i < ready && outcome == OUTCOME_OK; i++) {
            struct task *task = lanes[i].task;
            if (task == NULL)
                continue;
            task->active_at_ms = now_ms;
            if (!is_of_past(&lanes[i].route, task->clock_ms))
                task->passed_at_ms = now_ms;
            outcome = step_record(task, room, &records[at + i], &lanes[i]);
        }
        arena_reset(room->arena);
    }
    room->outbox->is_muted = room->outbox->sums_are_muted = false;
    return outcome;
}

static struct step step_of_batch(struct task *task, const struct step_room *room)
{
    return (struct step){.task = task->own,
                         .offset = task->next_offset - 1,
                         .clock_ms = task->clock_ms,
                         .arena = room->arena,
                         .outbox = room->outbox,
                         .engine = task};
}

void step_batch_end(struct task *task, const struct step_room *room)
{
    if (!task->has_records)
        return;
    task->has_records = false;
    if (task->processor->batch_end == NULL)
        return;
    room->outbox->is_muted = task->stage != TASK_LIVE;
    struct step step = step_of_batch(task, room);
    task->processor->batch_end(&step);
    arena_reset(room->arena);
    room->outbox->is_muted = false;
}

/* The partition's offset goes along, or the sums would be sent again after a crash. */
void step_summarise(struct task *task, const struct step_room *room, bool is_behind)
{
    if (!task->has_unsummed)
        return;
    struct step step = step_of_batch(task, room);
    step.is_behind = is_behind;
    task->processor->summarise(&step);
    arena_reset(room->arena);
    task->has_unsummed = false;
    task->is_touched = true;
}
