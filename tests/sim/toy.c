#include "tests/sim/toy.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int64_t toy_count_max = TOY_COUNT_MAX, toy_quiet_ms = TOY_QUIET_MS;

struct toy_task {
    int32_t partition;
    int64_t count, sum; /* since the last summary */
};

struct toy_state {
    int64_t count, sum, quiets;
};

bool toy_parse(struct view value, struct toy_input *out)
{
    char text[64];
    if (value.data == NULL || value.size == 0 || value.size >= sizeof text)
        return false;
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    char *end;
    out->at_ms = strtoll(text, &end, 10);
    if (end == text || *end != ' ')
        return false;
    out->is_forget = strcmp(end + 1, "forget") == 0;
    char *begin = end + 1;
    out->number = strtoll(begin, &end, 10);
    return out->is_forget || (end != begin && *end == '\0');
}

static void *toy_task_create(void *shared, int32_t partition)
{
    (void)shared;
    struct toy_task *task = memory_zeroed(1, sizeof *task);
    task->partition = partition;
    return task;
}

static enum outcome toy_route(void *task, const struct record *record, struct route *out)
{
    (void)task;
    struct toy_input input;
    if (record->key.data == NULL && record->value.data == NULL) {
        *out = (struct route){.event_at_ms = record->timestamp_ms, .is_tick = true};
        return OUTCOME_OK;
    }
    if (record->key.data == NULL || !toy_parse(record->value, &input))
        return OUTCOME_PARK;
    *out = (struct route){.key = record->key, .event_at_ms = input.at_ms};
    return OUTCOME_OK;
}

static void say(struct step *step, const struct entry *entry, const char *what, int64_t due_at_ms)
{
    const struct toy_state *state = entry->state;
    char text[128];
    int size = due_at_ms == TIMER_NEVER
                   ? snprintf(text, sizeof text, "%s %" PRId64 " %" PRId64 " %" PRId64, what, step->offset, state->count,
                              state->sum)
                   : snprintf(text, sizeof text, "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, what, step->offset,
                              state->count, state->sum, due_at_ms);
    struct bytes *out = outbox_begin(step->outbox, TOY_OUT, OUTBOX_BY_KEY, entry_key(entry), step->offset);
    bytes_append(out, text, (size_t)size);
    outbox_end(step->outbox);
}

static enum outcome toy_apply(struct step *step, struct entry *entry)
{
    struct toy_task *task = step->task;
    struct toy_input input;
    toy_parse(step->record->value, &input);
    if (entry->state == NULL)
        entry->state = memory_zeroed(1, sizeof(struct toy_state));
    struct toy_state *state = entry->state;
    if (input.is_forget) {
        say(step, entry, "forget", TIMER_NEVER);
        entry->is_deleted = true;
        return OUTCOME_OK;
    }
    state->count++;
    state->sum += input.number;
    state->quiets = 0;
    int64_t from_ms = input.at_ms > step->clock_ms ? input.at_ms : step->clock_ms;
    entry->timer_at_ms = from_ms + toy_quiet_ms;
    say(step, entry, "add", TIMER_NEVER);
    if (state->count == toy_count_max) {
        say(step, entry, "full", TIMER_NEVER);
        entry->is_deleted = true;
    }
    if (!outbox_sums_are_muted(step->outbox)) {
        task->count++;
        task->sum += input.number;
    }
    return OUTCOME_OK;
}

static void toy_timer(struct step *step, struct entry *entry)
{
    struct toy_state *state = entry->state;
    int64_t due_at_ms = entry->timer_at_ms;
    if (++state->quiets > TOY_QUIETS_MAX) {
        say(step, entry, "gone", due_at_ms);
        entry->is_deleted = true;
        return;
    }
    say(step, entry, "quiet", due_at_ms);
    entry->timer_at_ms = due_at_ms + toy_quiet_ms * (state->quiets + 1);
}

static void toy_summarise(struct step *step)
{
    struct toy_task *task = step->task;
    if (task->count == 0)
        return;
    char key[16], value[64];
    int key_size = snprintf(key, sizeof key, "%d", task->partition);
    int value_size = snprintf(value, sizeof value, "%" PRId64 " %" PRId64, task->count, task->sum);
    struct bytes *out =
        outbox_begin(step->outbox, TOY_SUMS, OUTBOX_BY_KEY, view_of(key, (size_t)key_size), step->offset);
    bytes_append(out, value, (size_t)value_size);
    outbox_end(step->outbox);
    task->count = task->sum = 0;
}

static void toy_park(struct step *step, const struct record *record)
{
    struct bytes *out = outbox_begin(step->outbox, TOY_REJECTED, OUTBOX_BY_KEY,
                                     record->key.data ? record->key : VIEW_LITERAL("none"), step->offset);
    bytes_printf(out, "%" PRId64 " ", step->offset);
    bytes_append_view(out, record->value);
    outbox_end(step->outbox);
}

static void toy_save(void *task, struct entry *entry, struct bytes *value)
{
    (void)task;
    const struct toy_state *state = entry->state;
    int64_t fields[] = {entry->applied_offset, entry->timer_at_ms, state->count, state->sum, state->quiets};
    bytes_append(value, fields, sizeof fields);
}

static bool toy_load(void *task, struct entry *entry, struct view value)
{
    (void)task;
    int64_t fields[5];
    if (value.size != sizeof fields)
        return false;
    memcpy(fields, value.data, sizeof fields);
    struct toy_state *state = memory_zeroed(1, sizeof *state);
    *state = (struct toy_state){fields[2], fields[3], fields[4]};
    entry->applied_offset = fields[0];
    entry->timer_at_ms = fields[1];
    entry->state = state;
    return true;
}

static void toy_free(void *task, struct entry *entry)
{
    (void)task;
    free(entry->state);
}

static const char *const toy_outputs[] = {"toy.out", "toy.sums", "toy.rejected", NULL};

const struct processor toy_processor = {
    .name = "toy",
    .input = "toy.in",
    .checkpoint = "toy.state",
    .outputs = toy_outputs,
    .allowed_disorder_ms = TOY_DISORDER_MS,
    .version = 1,
    .task_create = toy_task_create,
    .task_destroy = free,
    .route = toy_route,
    .apply = toy_apply,
    .timer = toy_timer,
    .summarise = toy_summarise,
    .park = toy_park,
    .entry_save = toy_save,
    .entry_load = toy_load,
    .entry_free = toy_free,
};
