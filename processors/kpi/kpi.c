/* The kpi stage. START HERE.
 *
 *     kpi.deltas ──ADD────▶ series entry ── buckets, window sums ──▶ (flush) ──▶ kpis
 *                                │                                             (targets) ──▶ alerts
 *                                │  timer: something leaves a window, a bucket closes, a value grows stale
 *                                └──────── closed buckets ──▶ detectors ──▶ trend.shifts
 *                ──HEARD──▶ who sends touchpoints (source_watch.c) ── timer: nobody is heard of ──▶ alerts
 *                ──ASKED──▶ what a shift's parts have done (comparison.c) ──TOLD──▶ kpi.deltas, back to who asks ──▶ trend.shifts
 *                ──CLOCK──▶ the event clock (sources.c), and the pace of flushes
 *
 * The partition's clock, as the engine keeps it, is the event clock: the smallest clock of the journey partitions. Timers
 * run on it. Publication is paced on record time: the first CLOCK in each publish interval (kpi_phase_ms) is a flush, at which every series
 * that changed since is published, so a series goes out at most once an interval, and the same log flushes at the
 * same places (more seldom while the journey stage is behind, sources.h). A tick (the journey stage is silent) flushes, too. Before the first
 * CLOCK, which comes with the first additions, nothing is published: there is no time yet that it would be true of. */
#include "processors/kpi/task.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "processors/kpi/comparison.h"
#include "processors/kpi/entry.h"
#include "processors/kpi/lag_watch.h"
#include "processors/kpi/refusals.h"
#include "processors/kpi/source_watch.h"
#include "schemas/records.h"
#include "schemas/wire.h"

#include <stdlib.h>

/* --- the task --- */

static void *task_create(void *shared, int32_t partition)
{
    struct kpi_task *task = memory_zeroed(1, sizeof *task);
    task->partition = partition;
    task->shared = shared;
    sources_init(&task->sources, task->shared->settings->publish_rounds_behind);
    lag_watch_finish(&task->lag);
    arena_init(&task->arena);
    task->too_late = metrics_counter("touchstream_kpi_too_late_total", NULL,
                                     "Additions to buckets that are older than two years; gauges alone still take them.");
    return task;
}

static void task_destroy(void *context)
{
    struct kpi_task *task = context;
    sources_finish(&task->sources);
    lag_watch_finish(&task->lag);
    arena_finish(&task->arena);
    bytes_finish(&task->scratch);
    free(task->changed.items);
    free(task->series.items);
    free(task);
}

/* --- where a record goes --- */

static int64_t pace_of(const struct kpi_task *task, const struct record *record)
{
    return grid_floor(record->timestamp_ms - kpi_phase_ms(record->partition), task->shared->settings->publish_interval_ms);
}

/* Half of what checkpoints have room for, the year 2990: what is made of it lies somewhat later. */
enum { MINUTE_MOST = PACKED_INDEX_MOST / 2 };

static bool is_sound_clock(int64_t clock_ms)
{
    return clock_ms >= -MINUTES(MINUTE_MOST) && clock_ms <= MINUTES(MINUTE_MOST);
}

static enum outcome route_clock(struct kpi_task *task, const struct record *record, struct route *out)
{
    struct kpi_delta delta;
    arena_reset(&task->arena);
    enum outcome outcome = record_reader_read(task->shared->deltas, record->value, &task->arena, &delta, NULL, NULL);
    if (outcome != OUTCOME_OK)
        return outcome; /* PARK, or the registry is away or refuses us */
    if (delta.kind != DELTA_KIND_CLOCK || !is_sound_clock(delta.clock_at_ms))
        return OUTCOME_PARK;
    int64_t pace = pace_of(task, record);
    out->key = record->key;
    struct word word = {.offset = record->offset, .partition = delta.source_partition, .is_behind = delta.has_is_behind && delta.is_behind,
                        .clock_ms = delta.clock_at_ms, .pace = pace};
    out->event_at_ms = sources_speak(&task->sources, &word);
    out->is_tick = true; /* the journey stage has allowed for disorder already */
    return OUTCOME_OK;
}

/* "KPI|DIMENSION": the KPI, if deltas are sent for it. */
static bool kpi_of_key(struct view key, enum kpi_id *id)
{
    const char *bar = memchr(key.data, '|', key.size);
    return bar && bar + 1 < key.data + key.size && kpi_from_name(view_of(key.data, (size_t)(bar - key.data)), id) &&
           *id != KPI_RETENTION;
}

static enum outcome route(void *context, const struct record *record, struct route *out)
{
    enum kpi_id id;
    *out = (struct route){.event_at_ms = INT64_MIN};
    if (!record->key.data && !record->value.data)
        return OUTCOME_OK; /* a tick */
    if (!record->key.data || !record->value.data)
        return OUTCOME_PARK;
    enum subject subject = kpi_subject_of(record->key);
    if (subject == SUBJECT_CLOCK)
        return route_clock(context, record, out);
    out->key = record->key;
    return subject != SUBJECT_SERIES || kpi_of_key(record->key, &id) ? OUTCOME_OK : OUTCOME_PARK;
}

/* --- what happens to it --- */

static void note_change(struct step *step, struct series_state *state)
{
    struct kpi_task *task = step->task;
    if (!state->series.changed && !hours_are_to_tell(state))
        return;
    state->changed_offset = step->offset;
    series_list_changed(task, state);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t due_ms_of(const struct series_state *state)
{
    int64_t due_ms = least(series_changes_at_ms(&state->series), hours_due_ms(state));
    due_ms = least(due_ms, least(watch_due_ms(state), publish_due_ms(state)));
    if (due_ms == INT64_MAX) /* nothing more to show: come back once to take it away */
        due_ms = series_forgotten_at_ms(&state->series);
    return due_ms;
}

/* A bucket knows only the minute of its events, but they are no newer than what the sender has seen. A window that ends there holds
 * what it says it holds; one that ended at the clock, which allows for disorder, would hold events from after its end. */
static int64_t newest_event_ms(const struct kpi_delta *delta)
{
    int64_t minute_at_ms = INT64_MIN;
    for (size_t i = 0; i < delta->buckets.count; i++)
        if (delta->buckets.items[i].minute * MINUTES(1) > minute_at_ms)
            minute_at_ms = delta->buckets.items[i].minute * MINUTES(1);
    int64_t seen_ms = least(delta->clock_at_ms, minute_at_ms + MINUTES(1) - 1);
    return delta->buckets.count > 0 && seen_ms > minute_at_ms ? seen_ms : minute_at_ms;
}

/* Where the windows shall end: at the event clock, or a little ahead of it for an event that is already here. Without any clock
 * yet, at the event. */
static int64_t end_of_windows(const struct kpi_task *task, int64_t clock_ms, const struct kpi_delta *delta)
{
    int64_t newest_ms = newest_event_ms(delta);
    if (clock_ms <= CLOCK_UNSET)
        return newest_ms;
    int64_t ahead_ms = least(newest_ms, clock_ms + task->shared->settings->lead_ms);
    return ahead_ms > clock_ms ? ahead_ms : clock_ms;
}

static struct kpi_sums sums_of(const struct kpi_delta_bucket *bucket)
{
    return (struct kpi_sums){.n = bucket->n,
                             .num = bucket->num,
                             .sum = bucket->sum,
                             .immature = bucket->immature,
                             .sum_squares = (kpi_wide)bucket->sum_squares_high * ((kpi_wide)1 << 64) +
                                            (uint64_t)bucket->sum_squares_low};
}

/* It says that something came and went: series_touch. */
static bool is_touch(const struct kpi_delta_bucket *bucket)
{
    struct kpi_sums sums = sums_of(bucket);
    return kpi_sums_are_zero(&sums) && bucket->histogram.count == 0;
}

static bool adds_nothing(const struct kpi_delta *delta)
{
    for (size_t i = 0; i < delta->buckets.count; i++)
        if (!is_touch(&delta->buckets.items[i]))
            return false;
    return true;
}

static void add_bucket(struct step *step, struct series_state *state, const struct kpi_delta_bucket *bucket)
{
    struct kpi_task *task = step->task;
    struct kpi_sums sums = sums_of(bucket);
    int32_t minute = (int32_t)bucket->minute;
    if (is_touch(bucket)) {
        series_touch(&state->series, minute);
        return;
    }
    if (!series_add(&state->series, minute, &sums))
        metric_add(task->too_late, 1);
    for (size_t i = 0; i < bucket->histogram.count; i++)
        series_add_bin(&state->series, minute, bucket->histogram.items[i].index, bucket->histogram.items[i].count);
    hours_note(state, minute, step->clock_ms);
}

static void note_additions(struct step *step, struct series_state *state, const struct kpi_delta *delta)
{
    if (delta->buckets.count == 0 || !watch_wants(step, state, (int32_t)delta->buckets.items[0].minute))
        return;
    struct addition *added = arena_alloc(step->arena, delta->buckets.count * sizeof *added);
    for (size_t i = 0; i < delta->buckets.count; i++)
        added[i] = (struct addition){(int32_t)delta->buckets.items[i].minute, delta->buckets.items[i].n};
    watch_note(step, state, added, delta->buckets.count);
}

/* Has bits beyond the 32nd if `count` is more than can happen in a minute, either way. */
static uint64_t excess_of(int64_t count)
{
    return (uint64_t)count + ((uint64_t)1 << 31);
}

static bool is_sound_bucket(const struct kpi_delta_bucket *bucket, int64_t minute_least)
{
    uint64_t excess = excess_of(bucket->n) | excess_of(bucket->num) | excess_of(bucket->immature);
    if (bucket->minute < minute_least || bucket->minute > MINUTE_MOST)
        return false;
    for (size_t k = 0; k < bucket->histogram.count; k++) {
        const struct kpi_delta_bin *bin = &bucket->histogram.items[k];
        excess |= excess_of(bin->count);
        if (bin->index < 0 || bin->index >= KPI_DURATION_BINS)
            return false;
    }
    return excess >> 32 == 0;
}

static bool is_sound(const struct kpi_delta *delta)
{
    if (delta->clock_at_ms > CLOCK_UNSET && !is_sound_clock(delta->clock_at_ms))
        return false;
    for (size_t i = 0; i < delta->buckets.count; i++)
        if (!is_sound_bucket(&delta->buckets.items[i], delta->kind == DELTA_KIND_HEARD ? 0 : -MINUTE_MOST))
            return false;
    return true;
}

static struct series_state *open_state(struct step *step, struct entry *entry)
{
    enum kpi_id id;
    if (entry->state || !kpi_of_key(step->record->key, &id))
        return entry->state;
    struct series_state *state = series_state_create(step->task, step->record->key, id);
    state->entry = entry;
    return entry->state = state;
}

static enum outcome hear_source(struct step *step, struct entry *entry, const struct kpi_delta *delta)
{
    if (!entry->state)
        entry->state = source_watch_create(entry_key(entry));
    struct source_watch *source = entry->state;
    for (size_t i = 0; i < delta->buckets.count; i++)
        source_watch_hear(step, source, (int32_t)delta->buckets.items[i].minute);
    entry->timer_at_ms = source_watch_due_ms(step->task, source, step->clock_ms);
    return OUTCOME_OK;
}

static enum outcome hear_refusals(struct step *step, struct entry *entry, const struct kpi_delta *delta)
{
    if (!entry->state)
        entry->state = refusals_create(entry_key(entry));
    refusals_hear(step, entry->state, delta);
    entry->timer_at_ms = refusals_due_ms(entry->state, step->clock_ms);
    return OUTCOME_OK;
}

static enum outcome hear_explained(struct step *step, struct entry *entry, const struct kpi_delta *delta)
{
    entry->is_deleted = !entry->state; /* the series is gone since */
    return comparison_hear_explained(step, entry->state, delta) ? OUTCOME_OK : OUTCOME_PARK;
}

/* Of the clock itself route has done the work; the entry carries it into the checkpoint. */
static enum outcome hear_clock(struct step *step, struct entry *entry, const struct kpi_delta *delta, enum outcome outcome)
{
    struct kpi_task *task = step->task;
    entry->state = &task->sources;
    task->clocks = entry;
    if (outcome == OUTCOME_OK && task->partition == 0)
        lag_watch_hear(step, &task->lag, delta->source_partition, delta->clock_at_ms);
    return outcome;
}

static bool belongs(enum subject subject, enum delta_kind kind)
{
    if (subject == SUBJECT_SHIFT)
        return kind == DELTA_KIND_ASKED || kind == DELTA_KIND_TOLD;
    if (subject == SUBJECT_SERIES && kind == DELTA_KIND_TOLD)
        return true;
    return kind == (subject == SUBJECT_SOURCE || subject == SUBJECT_REFUSED ? DELTA_KIND_HEARD : DELTA_KIND_ADD);
}

static enum outcome apply(struct step *step, struct entry *entry)
{
    struct kpi_task *task = step->task;
    enum subject subject = kpi_subject_of(step->record->key);
    struct kpi_delta delta;
    enum outcome outcome = record_reader_read(task->shared->deltas, step->record->value, step->arena, &delta, NULL, NULL);
    if (subject == SUBJECT_CLOCK)
        return hear_clock(step, entry, &delta, outcome);
    bool is_for_good = outcome == OUTCOME_OK || outcome == OUTCOME_PARK;
    if (outcome != OUTCOME_OK || !belongs(subject, delta.kind) || !is_sound(&delta) ||
        (subject == SUBJECT_SHIFT && !comparison_hear(step, entry, &delta))) {
        entry->is_deleted = is_for_good && !entry->state;
        return is_for_good ? OUTCOME_PARK : outcome;
    }
    if (subject == SUBJECT_SHIFT)
        return OUTCOME_OK;
    if (subject == SUBJECT_SOURCE)
        return hear_source(step, entry, &delta);
    if (subject == SUBJECT_REFUSED)
        return hear_refusals(step, entry, &delta);
    if (delta.kind == DELTA_KIND_TOLD)
        return hear_explained(step, entry, &delta);
    bool is_new = !entry->state;
    if (is_new && adds_nothing(&delta)) { /* nothing was ever published that it could make untrue */
        entry->is_deleted = true;
        return OUTCOME_OK;
    }
    struct series_state *state = open_state(step, entry);
    series_advance(&state->series, end_of_windows(task, step->clock_ms, &delta));
    if (is_new)
        watch_init(state, task);
    for (size_t i = 0; i < delta.buckets.count; i++)
        add_bucket(step, state, &delta.buckets.items[i]);
    note_additions(step, state, &delta);
    if (delta.clock_at_ms > CLOCK_UNSET)
        series_know(&state->series, (int32_t)(delta.clock_at_ms / MINUTES(1)));
    note_change(step, state);
    entry->timer_at_ms = due_ms_of(state);
    return OUTCOME_OK;
}

static void source_timer(struct step *step, struct entry *entry)
{
    entry->is_deleted = !source_watch_look(step, entry->state);
    int64_t due_ms = source_watch_due_ms(step->task, entry->state, step->clock_ms);
    entry->timer_at_ms = due_ms > step->clock_ms ? due_ms : step->clock_ms + 1;
}

static void refusals_timer(struct step *step, struct entry *entry)
{
    entry->is_deleted = !refusals_look(step, entry->state);
    int64_t due_ms = refusals_due_ms(entry->state, step->clock_ms);
    entry->timer_at_ms = due_ms > step->clock_ms ? due_ms : step->clock_ms + 1;
}

static void series_timer(struct step *step, struct entry *entry)
{
    struct series_state *state = entry->state;
    series_advance(&state->series, step->clock_ms);
    hours_close(state, step->clock_ms);
    watch_close(step, state);
    shift_alert_upkeep(step, state);
    entry->is_deleted = publish_upkeep(step, state);
    note_change(step, state);
    int64_t due_ms = due_ms_of(state);
    entry->timer_at_ms = due_ms > step->clock_ms ? due_ms : step->clock_ms + 1; /* never twice at one instant */
}

static void timer(struct step *step, struct entry *entry)
{
    enum subject subject = kpi_subject_of(entry_key(entry));
    if (subject == SUBJECT_SOURCE)
        source_timer(step, entry);
    else if (subject == SUBJECT_REFUSED)
        refusals_timer(step, entry);
    else if (subject == SUBJECT_SHIFT)
        comparison_timer(step, entry);
    else
        series_timer(step, entry);
}

/* --- flushes --- */

static bool is_flush(const struct kpi_task *task, const struct step *step)
{
    const struct record *record = step->record;
    return !record->key.data || (kpi_subject_of(record->key) == SUBJECT_CLOCK && sources_is_flush(&task->sources, step->offset));
}

/* Nobody has spoken for a second. */
static void note_silence(struct step *step)
{
    struct kpi_task *task = step->task;
    if (task->partition == 0 && task->clocks && task->clocks->applied_offset <= step->offset && lag_watch_look(step, &task->lag))
        entry_changed(step, task->clocks);
}

/* While recovering, a state may be from after this flush: then it waits for the one that comes after its change. */
static void record_done(struct step *step)
{
    struct kpi_task *task = step->task;
    if (!step->record->key.data)
        note_silence(step);
    if (!is_flush(task, step))
        return;
    size_t kept = 0;
    for (size_t i = 0; i < task->changed.count; i++) {
        struct series_state *state = task->changed.items[i];
        bool is_due = state->changed_offset <= step->offset && state->entry->applied_offset <= step->offset;
        bool is_done = is_due && publish_changes(step, state);
        if (is_due) /* what has been published when is part of the state */
            entry_changed(step, state->entry);
        state->place = is_done ? SIZE_MAX : kept;
        if (!is_done)
            task->changed.items[kept++] = state;
    }
    task->changed.count = kept;
}

/* --- what can never work --- */

enum { PARKED_PAYLOAD_MAX = 1024 * 1024, PARKED_KEY_MAX = 256 };

static void park(struct step *step, const struct record *record)
{
    struct kpi_task *task = step->task;
    struct rejected out = {.received_at_ms = record->timestamp_ms,
                           .source = record->topic,
                           .code = VIEW_LITERAL("bad_delta"),
                           .path = VIEW_LITERAL(""),
                           .reason = VIEW_LITERAL("not a KPI delta: unknown KPI or undecodable bytes"),
                           .payload = record->value.data ? record->value : VIEW_LITERAL("")};
    if (out.payload.size > PARKED_PAYLOAD_MAX)
        out.payload.size = PARKED_PAYLOAD_MAX;
    struct view key = record->key.data && record->key.size <= PARKED_KEY_MAX ? record->key : VIEW_LITERAL("");
    struct bytes *value = outbox_begin(step->outbox, KPI_OUTPUT_REJECTED, OUTBOX_BY_KEY, key, record->timestamp_ms);
    wire_begin(value, task->shared->ids.rejected);
    rejected_encode(value, &out);
    outbox_end(step->outbox);
}

static const char *const outputs[] = {[KPI_OUTPUT_KPIS] = "kpis", [KPI_OUTPUT_SHIFTS] = "trend.shifts",
                                      [KPI_OUTPUT_REJECTED] = "touchpoints.rejected", [KPI_OUTPUT_ALERTS] = "alerts",
                                      [KPI_OUTPUT_DELTAS] = "kpi.deltas", NULL};

const struct processor kpi_processor = {
    .name = "kpi",
    .input = "kpi.deltas",
    .checkpoint = "kpi.state",
    .outputs = outputs,
    .is_checkpoint_private = true,
    .version = KPI_STATE_VERSION,
    .task_create = task_create,
    .task_destroy = task_destroy,
    .route = route,
    .apply = apply,
    .timer = timer,
    .record_done = record_done,
    .park = park,
    .entry_save = kpi_entry_save,
    .entry_load = kpi_entry_load,
    .entry_free = kpi_entry_free,
};
