#include "tests/stage/driver.h"

#include "base/heap.h"
#include "base/map.h"
#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct stored { /* an owned copy; value NULL: null */
    char *key, *value;
    size_t key_size, value_size;
    int64_t timestamp_ms;
};

struct slot { /* an entry, its key and its place among the timers; `entry` first, so that entry_key can find the rest */
    struct entry entry;
    char *key;
    size_t key_size;
    uint32_t place;
    bool is_unsaved;
    int64_t loaded_offset; /* applied_offset as read from the checkpoint; −1: made since */
};

struct outbox {
    struct driver_output *outputs;
    size_t count, capacity;
    struct bytes value; /* being written */
    bool is_open, is_muted;
    int32_t partitions;
    struct driver *driver;
};

struct driver {
    const struct processor *processor;
    void *shared, *task;
    struct map entries;
    struct heap timers;
    struct arena arena;
    struct outbox outbox;
    int32_t partition;
    int64_t clock_ms, offset, record_at_ms;
    struct stored *log;
    bool keeps_no_log;
    size_t log_count, log_capacity;
    struct map saved; /* key → struct stored */
    struct map notes; /* key → processor.key_note, of tombstones that nothing followed */
    int64_t marker, marker_clock_ms, pass_marker, pass_clock_ms;
};

static struct slot *slot_of(const struct entry *entry)
{
    return (struct slot *)(uintptr_t)entry;
}

struct view entry_key(const struct entry *entry)
{
    return view_of(slot_of(entry)->key, slot_of(entry)->key_size);
}

static char *copy_view(struct view view)
{
    if (!view.data)
        return NULL;
    char *copy = memory_allocate(view.size + 1);
    memcpy(copy, view.data, view.size);
    copy[view.size] = 0;
    return copy;
}

/* --- the outbox --- */

static struct driver_output *output_place(struct outbox *outbox)
{
    if (outbox->count == outbox->capacity) {
        outbox->capacity = outbox->capacity ? outbox->capacity * 2 : 64;
        outbox->outputs = memory_resize(outbox->outputs, outbox->capacity * sizeof *outbox->outputs);
    }
    return &outbox->outputs[outbox->count];
}

struct bytes *outbox_begin(struct outbox *outbox, int topic, int32_t partition, struct view key, int64_t timestamp_ms)
{
    assert(!outbox->is_open);
    outbox->is_open = true;
    bytes_clear(&outbox->value);
    *output_place(outbox) = (struct driver_output){.topic = outbox->driver->processor->outputs[topic],
                                                   .partition = partition,
                                                   .key = view_of(copy_view(key), key.size),
                                                   .timestamp_ms = timestamp_ms,
                                                   .offset = outbox->driver->offset};
    return &outbox->value;
}

void outbox_end(struct outbox *outbox)
{
    assert(outbox->is_open);
    outbox->is_open = false;
    struct driver_output *output = &outbox->outputs[outbox->count];
    if (outbox->is_muted) {
        free((char *)(uintptr_t)output->key.data);
        return;
    }
    output->value = view_of(copy_view(bytes_view(&outbox->value)), outbox->value.size);
    outbox->count++;
}

void outbox_delete(struct outbox *outbox, int topic, struct view key, int64_t timestamp_ms)
{
    outbox_begin(outbox, topic, OUTBOX_BY_KEY, key, timestamp_ms);
    outbox_end(outbox);
    if (outbox->is_muted)
        return;
    struct driver_output *output = &outbox->outputs[outbox->count - 1];
    free((char *)(uintptr_t)output->value.data);
    output->value = (struct view){NULL, 0};
}

int32_t outbox_partition_count(const struct outbox *outbox, int topic)
{
    (void)topic;
    return outbox->partitions;
}

bool outbox_is_muted(const struct outbox *outbox)
{
    return outbox->is_muted;
}

bool outbox_sums_are_muted(const struct outbox *outbox)
{
    return outbox->is_muted;
}

/* --- entries and timers --- */

static void timer_moved(void *thing, uint32_t place)
{
    ((struct slot *)thing)->place = place;
}

static int timer_compare(const void *a, const void *b)
{
    return view_compare(entry_key(a), entry_key(b));
}

static struct slot *slot_open(struct driver *driver, struct view key)
{
    void **place = map_place(&driver->entries, key);
    if (!*place) {
        struct slot *slot = memory_zeroed(1, sizeof *slot);
        slot->key = copy_view(key);
        slot->key_size = key.size;
        slot->place = HEAP_NOWHERE;
        slot->entry.timer_at_ms = TIMER_NEVER;
        slot->entry.applied_offset = slot->loaded_offset = -1;
        *place = slot;
    }
    return *place;
}

static void slot_free(struct driver *driver, struct slot *slot)
{
    if (slot->place != HEAP_NOWHERE)
        heap_remove(&driver->timers, slot->place);
    if (slot->entry.state)
        driver->processor->entry_free(driver->task, &slot->entry);
    free(slot->key);
    free(slot);
}

static void slot_set_timer(struct driver *driver, struct slot *slot)
{
    int64_t at_ms = slot->entry.timer_at_ms;
    if (slot->place != HEAP_NOWHERE && at_ms == TIMER_NEVER)
        heap_remove(&driver->timers, slot->place);
    else if (slot->place != HEAP_NOWHERE)
        heap_change(&driver->timers, slot->place, at_ms);
    else if (at_ms != TIMER_NEVER)
        heap_add(&driver->timers, at_ms, slot);
}

static void slot_save(struct driver *driver, struct slot *slot)
{
    struct bytes value = {0};
    driver->processor->entry_save(driver->task, &slot->entry, &value);
    void **place = map_place(&driver->saved, entry_key(&slot->entry));
    struct stored *stored = *place ? *place : memory_zeroed(1, sizeof *stored);
    free(stored->value);
    stored->value = value.data;
    stored->value_size = value.size;
    *place = stored;
    map_remove(&driver->notes, entry_key(&slot->entry));
}

static void heir_save(struct driver *driver, const struct slot *dead)
{
    if (driver->processor->wants_heir == NULL || !driver->processor->wants_heir(driver->task))
        return;
    size_t at = 0;
    for (struct map_slot *item; (item = map_next(&driver->entries, &at));) {
        if (item->value != dead && ((struct slot *)item->value)->entry.state) {
            slot_save(driver, item->value);
            return;
        }
    }
}

static void slot_changed(struct driver *driver, struct slot *slot)
{
    slot->entry.applied_offset = driver->offset;
    slot->is_unsaved = true;
    slot_set_timer(driver, slot);
    if (!slot->entry.is_deleted)
        return;
    heir_save(driver, slot);
    struct stored *saved = map_remove(&driver->saved, entry_key(&slot->entry));
    if (saved) {
        free(saved->value);
        free(saved);
    }
    int64_t note = driver->processor->key_note ? driver->processor->key_note(driver->task, entry_key(&slot->entry)) : 0;
    if (note)
        *map_place(&driver->notes, entry_key(&slot->entry)) = (void *)(intptr_t)note;
    map_remove(&driver->entries, entry_key(&slot->entry));
    slot_free(driver, slot);
}

/* --- the loop --- */

static struct step step_of(struct driver *driver, const struct record *record)
{
    return (struct step){.task = driver->task, .record = record, .offset = driver->offset, .record_at_ms = driver->record_at_ms,
                         .clock_ms = driver->clock_ms, .arena = &driver->arena, .outbox = &driver->outbox, .input_partitions = driver->outbox.partitions,
                         .engine = driver};
}

void entry_changed(struct step *step, struct entry *entry)
{
    slot_changed(step->engine, slot_of(entry));
}

static void fire_timers(struct driver *driver)
{
    const struct heap_item *first;
    while ((first = heap_first(&driver->timers)) && first->at_ms <= driver->clock_ms) {
        struct slot *slot = first->thing;
        /* By what was loaded, not by applied_offset: a record of this very offset may just have been applied. */
        if (driver->outbox.is_muted && slot->loaded_offset >= driver->offset) {
            heap_remove(&driver->timers, slot->place); /* it has fired in the life that was saved */
            continue;
        }
        struct step step = step_of(driver, NULL);
        driver->processor->timer(&step, &slot->entry);
        slot_changed(driver, slot);
    }
}

/* Where the clock is once the record has been seen. */
static int64_t clock_after(const struct driver *driver, enum outcome routed, const struct route *route)
{
    if (routed != OUTCOME_OK || route->event_at_ms == INT64_MIN)
        return driver->clock_ms;
    int64_t at_ms = route->event_at_ms - (route->is_tick ? 0 : driver->processor->allowed_disorder_ms);
    return at_ms > driver->clock_ms ? at_ms : driver->clock_ms;
}

static enum outcome run_record(struct driver *driver, const struct record *record)
{
    struct route route = {.event_at_ms = INT64_MIN};
    driver->record_at_ms = record->timestamp_ms;
    enum outcome outcome = driver->processor->route(driver->task, record, &route);
    int64_t before_ms = driver->clock_ms;
    struct step step = step_of(driver, record);
    step.clock_ms = clock_after(driver, outcome, &route);
    if (outcome == OUTCOME_OK && route.key.data) {
        struct slot *slot = slot_open(driver, route.key);
        if (slot->entry.applied_offset < driver->offset) {
            outcome = driver->processor->apply(&step, &slot->entry);
            slot_changed(driver, slot);
        }
    }
    if (outcome == OUTCOME_PARK)
        driver->processor->park(&step, record);
    driver->clock_ms = step.clock_ms;
    fire_timers(driver);
    step = step_of(driver, record);
    if (driver->clock_ms > before_ms && driver->processor->clock_moved)
        driver->processor->clock_moved(&step);
    if (outcome == OUTCOME_OK && driver->processor->record_done)
        driver->processor->record_done(&step);
    return outcome;
}

static enum outcome run_logged(struct driver *driver, int64_t offset)
{
    const struct stored *stored = &driver->log[offset];
    struct record record = {.topic = view_of_text(driver->processor->input),
                            .offset = offset,
                            .timestamp_ms = stored->timestamp_ms,
                            .key = view_of(stored->key, stored->key_size),
                            .value = view_of(stored->value, stored->value_size)};
    driver->offset = offset;
    return run_record(driver, &record);
}

void driver_keep_no_log(struct driver *driver)
{
    driver->keeps_no_log = true;
}

static enum outcome run_unlogged(struct driver *driver, struct view key, struct view value, int64_t timestamp_ms)
{
    struct record record = {.topic = view_of_text(driver->processor->input),
                            .offset = (int64_t)driver->log_count++,
                            .timestamp_ms = timestamp_ms,
                            .key = key,
                            .value = value};
    driver->offset = record.offset;
    return run_record(driver, &record);
}

enum outcome driver_feed(struct driver *driver, struct view key, struct view value, int64_t timestamp_ms)
{
    if (driver->keeps_no_log)
        return run_unlogged(driver, key, value, timestamp_ms);
    if (driver->log_count == driver->log_capacity) {
        driver->log_capacity = driver->log_capacity ? driver->log_capacity * 2 : 256;
        driver->log = memory_resize(driver->log, driver->log_capacity * sizeof *driver->log);
    }
    driver->log[driver->log_count++] = (struct stored){copy_view(key), copy_view(value), key.size, value.size, timestamp_ms};
    return run_logged(driver, (int64_t)driver->log_count - 1);
}

void driver_tick(struct driver *driver, int64_t at_ms)
{
    driver_feed(driver, (struct view){NULL, 0}, (struct view){NULL, 0}, at_ms);
}

void driver_commit(struct driver *driver)
{
    struct step step = step_of(driver, NULL);
    if (driver->processor->summarise)
        driver->processor->summarise(&step);
    if (driver->processor->batch_end)
        driver->processor->batch_end(&step);
    arena_reset(&driver->arena);
}

/* --- checkpoints --- */

void driver_checkpoint_begin(struct driver *driver)
{
    driver->pass_marker = (int64_t)driver->log_count;
    driver->pass_clock_ms = driver->clock_ms;
}

bool driver_checkpoint_write(struct driver *driver, size_t most)
{
    size_t at = 0;
    for (struct map_slot *item; (item = map_next(&driver->entries, &at));) {
        struct slot *slot = item->value;
        if (!slot->is_unsaved)
            continue;
        if (most-- == 0)
            return false;
        slot->is_unsaved = false;
        slot_save(driver, slot);
    }
    driver->marker = driver->pass_marker;
    driver->marker_clock_ms = driver->pass_clock_ms;
    return true;
}

size_t driver_checkpoint_bytes(const struct driver *driver)
{
    size_t total = 0, at = 0;
    for (struct map_slot *item; (item = map_next(&driver->saved, &at));)
        total += ((struct stored *)item->value)->value_size;
    return total;
}

static void forget_task(struct driver *driver)
{
    size_t at = 0;
    for (struct map_slot *item; (item = map_next(&driver->entries, &at));)
        slot_free(driver, item->value);
    map_finish(&driver->entries, NULL);
    driver->entries = (struct map){0};
    driver->processor->task_destroy(driver->task);
}

struct view driver_saved(const struct driver *driver, struct view key)
{
    const struct stored *stored = map_find(&driver->saved, key);
    return stored ? view_of(stored->value, stored->value_size) : (struct view){NULL, 0};
}

bool driver_load(struct driver *driver, struct view key, struct view value)
{
    struct slot *slot = slot_open(driver, key);
    bool is_loaded = driver->processor->entry_load(driver->task, &slot->entry, value);
    if (is_loaded)
        slot_set_timer(driver, slot);
    return is_loaded;
}

void driver_recover(struct driver *driver)
{
    forget_task(driver);
    driver->task = driver->processor->task_create(driver->shared, driver->partition);
    driver->clock_ms = driver->marker_clock_ms;
    size_t at = 0;
    for (struct map_slot *item; (item = map_next(&driver->notes, &at));)
        driver->processor->key_noted(driver->task, view_of(item->key, item->key_size), (intptr_t)item->value);
    at = 0;
    for (struct map_slot *item; (item = map_next(&driver->saved, &at));) {
        struct stored *stored = item->value;
        struct slot *slot = slot_open(driver, view_of(item->key, item->key_size));
        bool is_loaded = driver->processor->entry_load(driver->task, &slot->entry, view_of(stored->value, stored->value_size));
        if (!is_loaded) {
            fprintf(stderr, "driver: a saved entry does not load\n");
            abort();
        }
        slot->loaded_offset = slot->entry.applied_offset;
        slot_set_timer(driver, slot);
    }
    driver->outbox.is_muted = true;
    for (int64_t offset = driver->marker; offset < (int64_t)driver->log_count; offset++)
        run_logged(driver, offset);
    driver_commit(driver);
    driver->outbox.is_muted = false;
    at = 0; /* timers that a replay skipped */
    for (struct map_slot *item; (item = map_next(&driver->entries, &at));)
        slot_set_timer(driver, item->value);
}

/* --- life and looking --- */

struct driver *driver_create_partition(const struct processor *processor, void *shared, int32_t partition, int32_t partitions)
{
    struct driver *driver = memory_zeroed(1, sizeof *driver);
    driver->processor = processor;
    driver->shared = shared;
    driver->timers.moved = timer_moved;
    driver->timers.compare = timer_compare;
    driver->partition = partition;
    driver->outbox.partitions = partitions;
    driver->outbox.driver = driver;
    driver->clock_ms = driver->marker_clock_ms = CLOCK_UNSET;
    arena_init(&driver->arena);
    driver->task = processor->task_create(shared, partition);
    return driver;
}

struct driver *driver_create(const struct processor *processor, void *shared, int32_t partitions)
{
    return driver_create_partition(processor, shared, 0, partitions);
}

static void stored_free(void *stored)
{
    free(((struct stored *)stored)->value);
    free(stored);
}

void driver_destroy(struct driver *driver)
{
    forget_task(driver);
    driver_forget_outputs(driver);
    free(driver->outbox.outputs);
    bytes_finish(&driver->outbox.value);
    for (size_t i = 0; i < driver->log_count && !driver->keeps_no_log; i++) {
        free(driver->log[i].key);
        free(driver->log[i].value);
    }
    free(driver->log);
    map_finish(&driver->saved, stored_free);
    map_finish(&driver->notes, NULL);
    heap_finish(&driver->timers);
    arena_finish(&driver->arena);
    free(driver);
}

size_t driver_output_count(const struct driver *driver)
{
    return driver->outbox.count;
}

const struct driver_output *driver_output(const struct driver *driver, size_t index)
{
    assert(index < driver->outbox.count);
    return &driver->outbox.outputs[index];
}

const struct driver_output *driver_latest(const struct driver *driver, const char *topic, struct view key)
{
    for (size_t i = driver->outbox.count; i-- > 0;) {
        const struct driver_output *output = &driver->outbox.outputs[i];
        if (strcmp(output->topic, topic) == 0 && view_equal(output->key, key))
            return output;
    }
    return NULL;
}

void driver_forget_outputs(struct driver *driver)
{
    for (size_t i = 0; i < driver->outbox.count; i++) {
        free((char *)(uintptr_t)driver->outbox.outputs[i].key.data);
        free((char *)(uintptr_t)driver->outbox.outputs[i].value.data);
    }
    driver->outbox.count = 0;
}

int64_t driver_clock_ms(const struct driver *driver)
{
    return driver->clock_ms;
}

size_t driver_entry_count(const struct driver *driver)
{
    return driver->entries.count;
}

struct entry *driver_entry(struct driver *driver, struct view key)
{
    struct slot *slot = map_find(&driver->entries, key);
    return slot ? &slot->entry : NULL;
}
