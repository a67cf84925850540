#include "engine/checkpoint.h"

#include "base/memory.h"
#include "engine/mutation.h"
#include "engine/outgoing.h"
#include "engine/task.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* --- lists */

void entry_list_add(struct entry_list *list, struct entry *entry)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 256;
        list->items = memory_resize(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = entry;
}

void checkpoint_init(struct checkpoint *checkpoint)
{
    *checkpoint = (struct checkpoint){.marker_offset = -1, .marker_clock_ms = CLOCK_UNSET};
}

void checkpoint_finish(struct checkpoint *checkpoint)
{
    free(checkpoint->dirty.items);
    free(checkpoint->pass.items);
}

/* --- noting */

static void bury(struct task *task, struct entry *entry)
{
    if (entry->state)
        task->processor->entry_free(task->own, entry);
    entry->state = NULL;
    entry->is_deleted = false;
    entry->timer_at_ms = TIMER_NEVER;
}

void checkpoint_note_change(struct task *task, struct entry *entry)
{
    if (entry->is_deleted)
        bury(task, entry);
    if (MUTANT(CLEAN_TOO_SOON) && task->checkpoint.is_passing)
        return;
    if (!(entry->flags & ENTRY_DIRTY))
        entry_list_add(&task->checkpoint.dirty, entry);
    entry->flags |= ENTRY_DIRTY;
}

/* --- writing */

static int64_t note_of(const struct task *task, const struct entry *entry)
{
    return task->processor->key_note ? task->processor->key_note(task->own, entry_key(entry)) : 0;
}

static void save_entry(struct task *task, struct outbox *outbox, struct entry *entry, int64_t wall_ms)
{
    struct bytes *value = outbox_begin_checkpoint(outbox, task->partition, entry_key(entry), wall_ms);
    size_t before = value->size;
    task->processor->entry_save(task->own, entry, value);
    outbox_end(outbox);
    task->checkpoint.bytes_written += (int64_t)(value->size - before);
}

/* The next living one, round and round, so that not all falls to a few; NULL: nobody lives. */
static struct entry *next_heir(struct task *task)
{
    size_t *at = &task->checkpoint.heir_at;
    struct entry *heir;
    for (int rounds = 0; rounds < 2; rounds++, *at = 0) {
        while ((heir = entries_next(&task->entries, at))) {
            if (heir->state)
                return heir;
        }
    }
    return NULL;
}

enum { HEIRS_MOST = 16 };

/* Whether or not they have changed, and they stay in whichever list they stand. */
static void save_heirs(struct task *task, struct outbox *outbox, int64_t wall_ms)
{
    for (int left = HEIRS_MOST; left > 0 && task->processor->wants_heir && task->processor->wants_heir(task->own); left--) {
        struct entry *heir = next_heir(task);
        if (heir == NULL)
            return;
        save_entry(task, outbox, heir, wall_ms);
    }
}

/* Whatever is written goes with the partition's offset, so the task is touched even when no record came: offsets are what a
 * group refuses from a worker it has given up. A transaction without them would let a zombie's old entries in.
 *
 * Once the tombstone is in the outbox the entry can go: whoever comes back under its key begins a new life, later in the log. */
static void write_entry(struct task *task, struct outbox *outbox, struct entry *entry, int64_t wall_ms)
{
    entry->flags &= (uint8_t)~ENTRY_DIRTY;
    task->is_touched = !MUTANT(ENTRIES_UNFENCED) || task->is_touched;
    if (entry->state == NULL) {
        save_heirs(task, outbox, wall_ms);
        int64_t died_at = MUTANT(TOMBSTONE_WITHOUT_OFFSET) ? -1 : entry->applied_offset;
        if (!MUTANT(LOST_TOMBSTONE))
            outbox_delete_checkpoint(outbox, task->partition, entry_key(entry), wall_ms, died_at, note_of(task, entry));
        task_forget_entry(task, entry);
        return;
    }
    save_entry(task, outbox, entry, wall_ms);
}

static void pass_begin(struct task *task, int64_t now_ms)
{
    struct checkpoint *checkpoint = &task->checkpoint;
    struct entry_list empty = checkpoint->pass;
    empty.count = 0;
    checkpoint->pass = checkpoint->dirty;
    checkpoint->dirty = empty;
    checkpoint->pass_at = 0;
    checkpoint->pass_offset = task->next_offset;
    checkpoint->pass_clock_ms = task->clock_ms;
    checkpoint->pass_began_ms = now_ms;
    checkpoint->is_passing = true;
    if (MUTANT(MARKER_TOO_EARLY)) {
        checkpoint->marker_offset = checkpoint->pass_offset;
        checkpoint->marker_clock_ms = checkpoint->pass_clock_ms;
    }
}

static void pass_end(struct task *task)
{
    struct checkpoint *checkpoint = &task->checkpoint;
    checkpoint->is_passing = false;
    checkpoint->pass.count = 0;
    checkpoint->marker_offset = checkpoint->pass_offset + (MUTANT(MARKER_TOO_FAR) && checkpoint->pass_offset < task->next_offset);
    checkpoint->marker_clock_ms = checkpoint->pass_clock_ms;
    checkpoint->is_marker_new = true;
    task->is_touched = true;
}

/* How many of the pass should be out by now, at an even pace. */
static size_t pass_quota(const struct checkpoint *checkpoint, const struct checkpoint_pace *pace)
{
    int64_t elapsed_ms = pace->now_ms - checkpoint->pass_began_ms;
    size_t even = pace->interval_ms > 0 && elapsed_ms < pace->interval_ms
                      ? (size_t)((double)checkpoint->pass.count * (double)elapsed_ms / (double)pace->interval_ms)
                      : checkpoint->pass.count;
    size_t least = checkpoint->pass_at + pace->least_count;
    size_t quota = even > least ? even : least;
    return quota < checkpoint->pass.count ? quota : checkpoint->pass.count;
}

void checkpoint_advance(struct task *task, struct outbox *outbox, const struct checkpoint_pace *pace)
{
    struct checkpoint *checkpoint = &task->checkpoint;
    if (!checkpoint->is_passing) {
        bool is_behind = checkpoint->marker_offset < task->next_offset;
        if (!is_behind || pace->now_ms - checkpoint->pass_began_ms < pace->least_ms)
            return;
        pass_begin(task, pace->now_ms);
    }
    size_t quota = pass_quota(checkpoint, pace);
    for (; checkpoint->pass_at < quota; checkpoint->pass_at++)
        write_entry(task, outbox, checkpoint->pass.items[checkpoint->pass_at], pace->wall_ms);
    if (checkpoint->pass_at == checkpoint->pass.count)
        pass_end(task);
}

bool checkpoint_wants_commit(const struct task *task, const struct checkpoint_pace *pace)
{
    const struct checkpoint *checkpoint = &task->checkpoint;
    return checkpoint->is_passing ||
           (checkpoint->dirty.count > 0 && pace->now_ms - checkpoint->pass_began_ms >= pace->least_ms);
}

bool checkpoint_close(struct task *task, struct outbox *outbox, size_t bytes_max, const struct checkpoint_pace *pace)
{
    struct checkpoint *checkpoint = &task->checkpoint;
    for (;;) {
        if (!checkpoint->is_passing) {
            if (checkpoint->marker_offset == task->next_offset && checkpoint->dirty.count == 0)
                return true;
            pass_begin(task, pace->now_ms);
        }
        while (checkpoint->pass_at < checkpoint->pass.count) {
            if (outbox_bytes(outbox) >= bytes_max)
                return false;
            write_entry(task, outbox, checkpoint->pass.items[checkpoint->pass_at++], pace->wall_ms);
        }
        pass_end(task);
    }
}

/* --- the marker as text: "touchstream 1 VERSION OFFSET CLOCK", and " SUMMED_OFFSET" where that is behind the committed one, and
 * " topic=ID" and " state=ID" where the ids of the input and of the checkpoint topic are known. What a later program adds, " NAME=VALUE" each,
 * is passed over: the rest is as true without it, or the text begins with another number than 1. */

static const char *const id_names[ORIGINS] = {[ORIGIN_INPUT] = "topic", [ORIGIN_CHECKPOINT] = "state"};

static void append(char metadata[BROKER_METADATA_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char metadata[BROKER_METADATA_MAX], const char *format, ...)
{
    size_t size = strlen(metadata);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(metadata + size, BROKER_METADATA_MAX - size, format, arguments);
    va_end(arguments);
}

void checkpoint_marker_print(const struct task *task, char metadata[BROKER_METADATA_MAX])
{
    snprintf(metadata, BROKER_METADATA_MAX, "touchstream 1 %d %" PRId64 " %" PRId64, task->processor->version,
             task->checkpoint.marker_offset, task->checkpoint.marker_clock_ms);
    if (task->has_unsummed)
        append(metadata, " %" PRId64, task->summed_offset);
    for (int origin = 0; origin < ORIGINS; origin++) {
        if (task->ids.of[origin][0])
            append(metadata, " %s=%s", id_names[origin], task->ids.of[origin]);
    }
}

/* " NAME=VALUE": how long it is; 0: there is none. */
static size_t part_parse(const char *text, struct view *name, struct view *value)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    if (text[0] != ' ')
        return 0;
    *name = view_of(text + 1, strspn(text + 1, letters));
    const char *end = name->data + name->size;
    *value = view_of(end + 1, *end == '=' ? strcspn(end + 1, " ") : 0);
    return name->size && value->size ? 1 + name->size + 1 + value->size : 0;
}

static int origin_of(struct view name)
{
    int origin = 0;
    while (origin < ORIGINS && !view_equal_text(name, id_names[origin]))
        origin++;
    return origin;
}

/* Ours in our order, then what we do not know. */
static bool parts_parse(const char *text, struct broker_ids *ids)
{
    struct view name, value;
    size_t size;
    for (int next = 0; (size = part_parse(text, &name, &value)) > 0; text += size) {
        int origin = origin_of(name);
        if (origin < ORIGINS && (origin < next || value.size >= BROKER_ID_SIZE))
            return false;
        if (origin < ORIGINS)
            memcpy(ids->of[origin], value.data, value.size);
        next = origin < ORIGINS ? origin + 1 : ORIGINS;
    }
    return *text == '\0';
}

bool checkpoint_marker_parse(const char *metadata, struct checkpoint_marker *out)
{
    int consumed = 0, more = 0;
    *out = (struct checkpoint_marker){.summed_offset = -1};
    if (sscanf(metadata, "touchstream 1 %d %" SCNd64 " %" SCNd64 "%n", &out->version, &out->offset, &out->clock_ms, &consumed) != 3)
        return false;
    if (sscanf(metadata + consumed, " %" SCNd64 "%n", &out->summed_offset, &more) == 1)
        consumed += more;
    return parts_parse(metadata + consumed, &out->ids);
}
