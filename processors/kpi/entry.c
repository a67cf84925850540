#include "processors/kpi/entry.h"

#include "processors/kpi/comparison.h"
#include "processors/kpi/lag_watch.h"
#include "processors/kpi/packed.h"
#include "processors/kpi/refusals.h"
#include "processors/kpi/source_watch.h"
#include "schemas/records.h"
#include "schemas/wire.h"

static bool begins_with(struct view key, struct view prefix)
{
    return key.size > prefix.size && memcmp(key.data, prefix.data, prefix.size) == 0;
}

enum subject kpi_subject_of(struct view key)
{
    if (key.size == 0 || key.data[0] != KPI_CLOCK_KEY[0])
        return SUBJECT_SERIES;
    if (view_equal(key, VIEW_LITERAL(KPI_CLOCK_KEY)))
        return SUBJECT_CLOCK;
    if (begins_with(key, VIEW_LITERAL(KPI_SOURCE_KEY)))
        return SUBJECT_SOURCE;
    if (begins_with(key, VIEW_LITERAL(KPI_REFUSED_KEY)))
        return SUBJECT_REFUSED;
    return begins_with(key, VIEW_LITERAL(KPI_SHIFT_KEY)) ? SUBJECT_SHIFT : SUBJECT_SERIES;
}

void kpi_entry_save(void *context, struct entry *entry, struct bytes *value)
{
    struct kpi_task *task = context;
    struct view key = entry_key(entry);
    struct kpi_state out = {.kpi = VIEW_LITERAL("clock"), .dimension = VIEW_LITERAL(""),
                            .applied_offset = entry->applied_offset};
    struct bytes *private = &task->scratch;
    bytes_clear(private);
    bytes_append_byte(private, KPI_STATE_VERSION);
    pack(private, entry->timer_at_ms);
    switch (kpi_subject_of(key)) {
    case SUBJECT_CLOCK:
        sources_save(&task->sources, private);
        lag_watch_save(&task->lag, private);
        sources_save_behind(&task->sources, private);
        break;
    case SUBJECT_SOURCE:
        out.kpi = VIEW_LITERAL("heard");
        out.dimension = ((const struct source_watch *)entry->state)->dimension;
        source_watch_save(entry->state, private);
        break;
    case SUBJECT_REFUSED:
        out.kpi = VIEW_LITERAL("refused");
        out.dimension = ((const struct refusals *)entry->state)->dimension;
        refusals_save(entry->state, private);
        break;
    case SUBJECT_SHIFT:
        out.kpi = VIEW_LITERAL("shift");
        comparison_save(entry->state, private);
        break;
    case SUBJECT_SERIES:
        out.kpi = view_of_text(kpi_names[((const struct series_state *)entry->state)->series.kpi].name);
        out.dimension = ((const struct series_state *)entry->state)->dimension;
        series_state_save(entry->state, private);
        break;
    }
    out.private = bytes_view(private);
    wire_begin(value, task->shared->ids.kpi_state);
    kpi_state_encode(value, &out);
}

static struct series_state *load_series(struct kpi_task *task, struct entry *entry, struct view private)
{
    struct series_state *state = series_state_load(task, entry_key(entry), private);
    if (state)
        state->entry = entry;
    if (state && (state->series.changed || hours_are_to_tell(state)))
        series_list_changed(task, state);
    return state;
}

static bool load_clocks(struct kpi_task *task, struct view private)
{
    struct unpacker in = {private.data, private.data + private.size, false};
    if (!sources_load(&task->sources, &in))
        return false;
    lag_watch_load(&task->lag, &in);
    sources_load_behind(&task->sources, &in);
    return !in.is_broken;
}

static bool load_private(struct kpi_task *task, struct entry *entry, struct view private)
{
    switch (kpi_subject_of(entry_key(entry))) {
    case SUBJECT_CLOCK:
        entry->state = &task->sources;
        entry->timer_at_ms = TIMER_NEVER; /* it has none, whatever was read */
        task->clocks = entry;
        return load_clocks(task, private);
    case SUBJECT_SOURCE:
        entry->state = source_watch_create(entry_key(entry));
        return source_watch_load(entry->state, private);
    case SUBJECT_REFUSED:
        entry->state = refusals_create(entry_key(entry));
        return refusals_load(entry->state, private);
    case SUBJECT_SHIFT:
        entry->state = comparison_load(private);
        break;
    case SUBJECT_SERIES:
        entry->state = load_series(task, entry, private);
        break;
    }
    return entry->state != NULL;
}

bool kpi_entry_load(void *context, struct entry *entry, struct view value)
{
    struct kpi_task *task = context;
    struct kpi_state saved;
    struct view avro, private;
    uint32_t schema_id;
    arena_reset(&task->arena);
    if (!wire_split(value, &schema_id, &avro) || !kpi_state_decode(&saved, avro, &task->arena))
        return false;
    entry->applied_offset = saved.applied_offset;
    private = saved.private;
    if (private.size < 1 || private.data[0] != KPI_STATE_VERSION)
        return false;
    struct unpacker in = {private.data + 1, private.data + private.size, false};
    entry->timer_at_ms = unpack(&in);
    return !in.is_broken && load_private(task, entry, view_of(in.at, (size_t)(in.end - in.at)));
}

void kpi_entry_free(void *context, struct entry *entry)
{
    if (entry->state == NULL)
        return;
    switch (kpi_subject_of(entry_key(entry))) {
    case SUBJECT_CLOCK: /* the task's */
        ((struct kpi_task *)context)->clocks = NULL;
        break;
    case SUBJECT_SOURCE:
        source_watch_destroy(entry->state);
        break;
    case SUBJECT_REFUSED:
        refusals_destroy(entry->state);
        break;
    case SUBJECT_SHIFT:
        comparison_destroy(entry->state);
        break;
    case SUBJECT_SERIES:
        series_state_destroy(context, entry->state);
        break;
    }
    entry->state = NULL;
}
