/* What goes out: a Kpi record for each changed window, tombstones for windows that have long been empty, shifts.
 *
 * An emptied window is published as null, with n 0, and deleted after one more window length (READINGS 50). It says so for an `at`
 * that is soon past; what comes late for the window as it was then makes it go out again, as of now. A window with
 * something in it is published again after two of its buckets even if nothing came or went, so that `at` stays
 * fresh (READINGS 5). Gauges are never empty: nothing open is a value, too.
 *
 * What counts is known to the minute, but `at` is an instant: an event of 10:00:02 may go out at once, in a record whose `at` is
 * 10:00:01, and partitions that are ahead of the clock send what the slowest has not reached: a return that spoils a delivery of
 * last month, an answer that matures. So that every value comes to stand for just the events up to its `at`, what was published before
 * the newest minute that it knows of had ended is published again when it has. */
#include "base/clock.h"
#include "processors/kpi/comparison.h"
#include "processors/kpi/evaluate.h"
#include "processors/kpi/task.h"
#include "processors/kpi/trend/trend.h"
#include "schemas/records.h"
#include "schemas/wire.h"

#include <stdio.h>

static const int64_t bucket_ms[GRID_COUNT] = {MINUTES(1), HOURS(1), DAYS(1)};

static const struct window *window_of(const struct series_state *state, int i)
{
    return &windows[state->series.window_ids[i]];
}

static bool is_empty(const struct series_state *state, int i)
{
    const struct kpi_sums *now = &state->series.windows[i].now;
    if (state->series.kind == KPI_KIND_GAUGE)
        return false;
    if (state->series.kind == KPI_KIND_CHURN)
        return now->num + state->series.flow_total == 0;
    return now->n == 0;
}

size_t faces_of(const struct series_state *state, enum kpi_id faces[FACES_MAX])
{
    faces[0] = state->series.kpi;
    faces[1] = KPI_RETENTION;
    return state->series.kpi == KPI_CHURN_RATE ? 2 : 1;
}

static struct view record_key(struct kpi_task *task, const struct series_state *state, enum kpi_id face, int i)
{
    struct bytes *key = &task->scratch;
    bytes_clear(key);
    bytes_append_text(key, kpi_names[face].name);
    bytes_append_byte(key, '|');
    bytes_append_text(key, window_of(state, i)->name);
    bytes_append_byte(key, '|');
    bytes_append_view(key, state->dimension);
    return bytes_view(key);
}

/* A KPI of texts means what it means only together with the model that read them. */
static struct view definition_of(const struct kpi_shared *shared, enum kpi_id face, struct arena *arena)
{
    const char *definition = catalog_find(face)->definition;
    if (!shared->sentiment_version || (face != KPI_SENTIMENT && face != KPI_NEGATIVE_SHARE))
        return view_of_text(definition);
    size_t size = strlen(definition) + strlen(shared->sentiment_version) + 2;
    char *text = arena_alloc(arena, size);
    snprintf(text, size, "%s %s", definition, shared->sentiment_version);
    return view_of(text, size - 1);
}

static void publish_window(struct step *step, struct series_state *state, enum kpi_id face, int i, bool with_hours)
{
    struct kpi_task *task = step->task;
    const struct kpi_shared *shared = task->shared;
    struct kpi out;
    evaluate_window(&out, face, &state->series, i);
    out.kpi = view_of_text(kpi_names[face].name);
    out.dimension = state->dimension;
    out.window = view_of_text(window_of(state, i)->name);
    arena_reset(&task->arena); /* all series may be published by one record */
    out.definition = definition_of(shared, face, &task->arena);
    out.has_target = shared->has_target[face];
    out.target = shared->targets[face];
    out.at_ms = state->series.at_ms;
    out.watermark_ms = step->clock_ms <= CLOCK_UNSET ? state->series.at_ms : step->clock_ms;
    if (with_hours)
        hours_collect(state, face, &out, &task->arena);
    struct bytes *value = outbox_begin(step->outbox, KPI_OUTPUT_KPIS, OUTBOX_BY_KEY, record_key(task, state, face, i),
                                       step->record->timestamp_ms);
    wire_begin(value, shared->ids.kpi);
    kpi_encode(value, &out);
    outbox_end(step->outbox);
    size_t number = face != state->series.kpi;
    if (state->thresholds[number].window == state->series.window_ids[i])
        threshold_review(step, state, number, i, &out);
}

static void publish_faces(struct step *step, struct series_state *state, int i, bool with_hours)
{
    enum kpi_id faces[FACES_MAX];
    for (size_t k = 0, count = faces_of(state, faces); k < count; k++)
        publish_window(step, state, faces[k], i, with_hours);
}

static void publish_if_due(struct step *step, struct series_state *state, int i, bool with_hours)
{
    struct window_state *window = &state->series.windows[i];
    if (!is_empty(state, i))
        window->empty_since_ms = INT64_MIN;
    else if (window->published_at_ms == INT64_MIN)
        return; /* nobody has seen a value that would have to go */
    else if (window->empty_since_ms == INT64_MIN)
        window->empty_since_ms = state->series.at_ms;
    window->published_at_ms = state->series.at_ms;
    publish_faces(step, state, i, with_hours);
}

bool publish_changes(struct step *step, struct series_state *state)
{
    series_advance(&state->series, step->clock_ms);
    int last = state->series.window_count - 1; /* 90d: it reaches as far back as hours are kept */
    bool tells_hours = hours_are_to_tell(state) && hours_may_tell(state, step->record->timestamp_ms);
    unsigned changed = state->series.changed | (tells_hours ? 1u << last : 0);
    for (int i = 0; i <= last; i++)
        if (changed & 1u << i)
            publish_if_due(step, state, i, tells_hours && i == last);
    if (changed)
        burn_review(step, state);
    state->series.changed = 0;
    if (tells_hours)
        hours_told(state, step->record->timestamp_ms);
    return !hours_are_to_tell(state);
}

/* --- upkeep --- */

/* The minute that a value ended in may have gone on, and the value know of it; not the newest minute of all, which a device's clock may
 * have put minutes ahead. INT64_MAX: it knew of nothing after its end. */
static int64_t settles_at_ms(const struct series_state *state, int64_t published_at_ms)
{
    if (MINUTES((int64_t)state->series.newest_minute + 1) <= published_at_ms)
        return INT64_MAX;
    return MINUTES(grid_floor(published_at_ms, MINUTES(1)) + 1);
}

/* It is published as empty, and is so still. */
static bool is_emptied(const struct series_state *state, int i)
{
    return state->series.windows[i].empty_since_ms != INT64_MIN && is_empty(state, i);
}

static int64_t deletion_at_ms(const struct series_state *state, int i)
{
    return state->series.windows[i].empty_since_ms + window_of(state, i)->length_ms;
}

/* When a window that is published as of `published_at_ms` is to be published again though nothing comes or goes, or deleted: nothing
 * does not go stale. */
static int64_t next_at_ms(const struct series_state *state, int i, int64_t published_at_ms)
{
    int64_t settles_ms = settles_at_ms(state, published_at_ms);
    int64_t next_ms = is_emptied(state, i) ? deletion_at_ms(state, i) : published_at_ms + 2 * bucket_ms[window_of(state, i)->grid];
    return settles_ms < next_ms ? settles_ms : next_ms;
}

static void delete_window(struct step *step, struct series_state *state, int i)
{
    enum kpi_id faces[FACES_MAX];
    for (size_t k = 0, count = faces_of(state, faces); k < count; k++)
        outbox_delete(step->outbox, KPI_OUTPUT_KPIS, record_key(step->task, state, faces[k], i), step->clock_ms);
    state->series.windows[i].published_at_ms = state->series.windows[i].empty_since_ms = INT64_MIN;
}

bool publish_upkeep(struct step *step, struct series_state *state)
{
    int64_t at_ms = state->series.at_ms;
    bool is_all_gone = series_is_empty(&state->series) && state->series.kind != KPI_KIND_GAUGE && state->series.flow_total == 0;
    if (state->series.kind != KPI_KIND_CHURN && state->series.kind != KPI_KIND_GAUGE)
        is_all_gone = series_is_empty(&state->series);
    for (int i = 0; i < state->series.window_count; i++) {
        struct window_state *window = &state->series.windows[i];
        if (window->published_at_ms == INT64_MIN)
            continue;
        bool is_due = at_ms >= next_at_ms(state, i, window->published_at_ms);
        if (is_due && is_emptied(state, i) && at_ms >= deletion_at_ms(state, i))
            delete_window(step, state, i);
        else if (is_due)
            state->series.changed |= (uint8_t)(1u << i);
        is_all_gone &= window->published_at_ms == INT64_MIN;
    }
    return is_all_gone;
}

int64_t publish_due_ms(const struct series_state *state)
{
    int64_t due_ms = INT64_MAX;
    for (int i = 0; i < state->series.window_count; i++) {
        const struct window_state *window = &state->series.windows[i];
        bool is_changed = state->series.changed & 1u << i; /* it goes out with the next flush, at the earliest as of now */
        int64_t said_at_ms = is_changed ? state->series.at_ms : window->published_at_ms;
        if (said_at_ms == INT64_MIN)
            continue;
        int64_t next_ms = next_at_ms(state, i, said_at_ms);
        due_ms = next_ms < due_ms ? next_ms : due_ms;
    }
    return due_ms;
}

/* --- shifts --- */

/* Is a rise good news? A change of the noise is neither good nor bad. */
static bool is_good(enum kpi_id id, bool is_up, bool *good)
{
    enum better better = catalog_find(id)->better;
    *good = (better == BETTER_HIGHER) == is_up;
    return better != BETTER_NEITHER;
}

void publish_explained(struct step *step, const struct trend_shift *shift)
{
    const struct kpi_task *task = step->task;
    struct bytes key = {0};
    bytes_printf(&key, "%.*s|%.*s", VIEW_ARGUMENTS(shift->kpi), VIEW_ARGUMENTS(shift->dimension));
    struct bytes *value = outbox_begin(step->outbox, KPI_OUTPUT_SHIFTS, OUTBOX_BY_KEY, bytes_view(&key), step->clock_ms);
    wire_begin(value, task->shared->ids.trend_shift);
    trend_shift_encode(value, shift);
    outbox_end(step->outbox);
    bytes_finish(&key);
}

void publish_shift(struct step *step, struct series_state *state, enum grid grid, const struct trend_change *change, int32_t row)
{
    static const enum shift_kind kinds[] = {[TREND_KIND_LEVEL] = SHIFT_KIND_LEVEL, [TREND_KIND_TREND] = SHIFT_KIND_TREND,
                                            [TREND_KIND_VARIANCE] = SHIFT_KIND_VARIANCE, [TREND_KIND_SPIKE] = SHIFT_KIND_SPIKE};
    struct kpi_task *task = step->task;
    const struct time_zone *zone = state->series.zone;
    int32_t onset_row = row - (int32_t)(change->detected_row - change->onset_row); /* the detector's rows begin with the watch */
    struct trend_shift out = {
        .kpi = view_of_text(kpi_names[state->series.kpi].name),
        .dimension = state->dimension,
        .resolution = (enum resolution)grid,
        .kind = kinds[change->kind],
        .direction = change->after > change->before ? DIRECTION_UP : DIRECTION_DOWN,
        .onset_at_ms = grid_start_ms(zone, grid, onset_row),
        .detected_at_ms = watch_known_ms(state, grid, row),
        .before = change->before,
        .after = change->after,
        .low = change->low,
        .high = change->high,
        .confidence = change->confidence,
    };
    out.has_ended_at = out.kind == SHIFT_KIND_SPIKE; /* one bucket, and it is over when it can be told */
    out.ended_at_ms = grid_start_ms(zone, grid, row + 1);
    if (out.kind != SHIFT_KIND_VARIANCE)
        out.has_good = is_good(state->series.kpi, out.direction == DIRECTION_UP, &out.good);
    /* The same shift has the same id whenever it is found: a row can say each kind once. */
    bytes_clear(&task->scratch);
    bytes_printf(&task->scratch, "%s|%s|%s|%lld", state->key, resolution_name(out.resolution), shift_kind_name(out.kind),
                 (long long)out.detected_at_ms);
    out.shift_id = bytes_view(&task->scratch);
    if (!comparison_begin(step, state, grid, onset_row, row, &out))
        publish_explained(step, &out);
    shift_alert_found(step, state, grid, &out);
}
