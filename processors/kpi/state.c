/* The life of a series' state, and its form in checkpoints: buckets, what has been published when, detectors, alerts. Sums of windows follow from
 * buckets, so they are built again when read, which keeps the two from ever disagreeing.
 *
 * What was added later stands at the end: a checkpoint of before ends where it would begin, and is read as if there were none of it. */
#include "processors/kpi/task.h"

#include "base/memory.h"
#include "processors/kpi/alerting.h"
#include "processors/kpi/lateness.h"
#include "processors/kpi/packed.h"
#include "processors/kpi/trend/trend.h"

#include <stdlib.h>

enum { REVISED_MOST = 100 * 366 * 24 }; /* hours: of a history that was read in one go, and not told yet */

size_t dimension_component_count(struct view dimension)
{
    size_t count = 0;
    for (size_t i = 0; i < dimension.size; i++)
        count += dimension.data[i] == '=';
    return count;
}

static size_t add(struct series_list *list, struct series_state *state)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->items = memory_resize(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count] = state;
    return list->count++;
}

/* The last one takes its place. */
static struct series_state *remove_at(struct series_list *list, size_t place)
{
    struct series_state *moved = list->items[--list->count];
    list->items[place] = moved;
    return moved;
}

void series_list_changed(struct kpi_task *task, struct series_state *state)
{
    if (state->place == SIZE_MAX)
        state->place = add(&task->changed, state);
}

struct series_state *series_state_create(struct kpi_task *task, struct view key, enum kpi_id kpi)
{
    struct series_state *state = memory_zeroed(1, sizeof *state);
    series_init(&state->series, kpi, task->shared->zone);
    state->key = memory_allocate(key.size + 1);
    memcpy(state->key, key.data, key.size);
    state->key[key.size] = 0;
    size_t name_size = strlen(kpi_names[kpi].name) + 1;
    state->dimension = view_of(state->key + name_size, key.size - name_size);
    state->place = SIZE_MAX;
    state->changed_offset = -1;
    state->hours = (struct hours){.closed_until = INT32_MIN, .told_at_ms = INT64_MIN};
    state->watch.starts_at_ms = INT64_MAX;
    threshold_init(state, task);
    state->number = add(&task->series, state);
    return state;
}

void series_state_destroy(struct kpi_task *task, struct series_state *state)
{
    remove_at(&task->series, state->number)->number = state->number;
    if (state->place != SIZE_MAX)
        remove_at(&task->changed, state->place)->place = state->place;
    series_finish(&state->series);
    watch_finish(&state->watch);
    free(state->shift.drivers);
    free(state->key);
    free(state);
}

/* --- buckets --- */

static void save_level(const struct level *level, struct bytes *out)
{
    int32_t last = 0;
    pack(out, level->count);
    for (uint32_t at = 0; at < level->count; at++) {
        struct kpi_sums sums = level_sums(level, at);
        pack(out, level_when(level, at) - last);
        last = level_when(level, at);
        if (level->fields & FIELD_N)
            pack(out, sums.n);
        if (level->fields & FIELD_NUM)
            pack(out, sums.num);
        if (level->fields & FIELD_SUM)
            pack(out, sums.sum);
        if (level->fields & FIELD_IMMATURE)
            pack(out, sums.immature);
        if (level->fields & FIELD_SQUARES) {
            pack(out, (int64_t)(sums.sum_squares >> 63)); /* 0 and small, as a rule */
            pack(out, (int64_t)(sums.sum_squares & INT64_MAX));
        }
    }
}

/* They ascend, as a rule: what is added is their distance. */
static int32_t when_next(int32_t when, struct unpacker *in)
{
    int64_t next = when + (int64_t)unpack_int32(in);
    if (next >= -PACKED_INDEX_MOST && next <= PACKED_INDEX_MOST)
        return (int32_t)next;
    in->is_broken = true;
    return 0;
}

static void load_level(struct level *level, struct unpacker *in)
{
    int32_t when = 0;
    for (size_t left = unpack_count(in); left > 0 && !in->is_broken; left--) {
        struct kpi_sums sums = {0};
        when = when_next(when, in);
        if (level->fields & FIELD_N)
            sums.n = unpack_sum(in);
        if (level->fields & FIELD_NUM)
            sums.num = unpack_sum(in);
        if (level->fields & FIELD_SUM) /* beside a number of hits it is another; amounts are added up modulo 2^64 */
            sums.sum = level->fields & FIELD_NUM ? unpack_sum(in) : unpack(in);
        if (level->fields & FIELD_IMMATURE)
            sums.immature = unpack_sum(in);
        if (level->fields & FIELD_SQUARES) {
            kpi_wide high = unpack_sum(in);
            sums.sum_squares = high * ((kpi_wide)1 << 63) + unpack(in);
        }
        level_add(level, when, &sums);
    }
}

/* Bucket by bucket, its bins by their distances: some two bytes a bin, so that the busiest series of durations (900 bins in
 * each of 720 hours) stays below what a Kafka record may have. */
static void save_bins(const struct bins *bins, struct bytes *out)
{
    int32_t last = 0;
    for (uint32_t bucket = 0; bucket < bins->count; bucket++) {
        int last_bin = 0;
        pack(out, bins_end(bins, bucket) - bins_begin(bins, bucket));
        pack(out, bins_when(bins, bucket) - last);
        last = bins_when(bins, bucket);
        for (uint32_t at = bins_begin(bins, bucket); at < bins_end(bins, bucket); at++) {
            pack(out, bin_list_bins(&bins->list)[at] - last_bin);
            last_bin = bin_list_bins(&bins->list)[at];
            pack(out, bin_list_count(&bins->list, at));
        }
    }
    pack(out, 0);
}

static void load_bins(struct bins *bins, struct unpacker *in)
{
    int32_t when = 0;
    for (size_t count; (count = unpack_count(in)) > 0 && !in->is_broken;) {
        int64_t bin = 0;
        when = when_next(when, in);
        for (; count > 0 && !in->is_broken; count--) {
            bin += unpack_int32(in);
            in->is_broken |= bin < 0 || bin >= KPI_DURATION_BINS;
            if (!in->is_broken)
                bins_add(bins, when, (int)bin, unpack_sum(in));
        }
    }
}

/* --- the rest --- */

static void save_watch(const struct watch *watch, struct bytes *out)
{
    pack(out, watch->starts_at_ms);
    pack(out, watch->put_offs * 2 + watch->is_started);
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        struct bytes saved = {0};
        pack(out, watch->next[grid]);
        if (watch->trends[grid])
            trend_save(watch->trends[grid], &saved);
        pack_view(out, bytes_view(&saved));
        bytes_finish(&saved);
    }
}

/* Gives the grids, by bits, whose detector is not the one that was saved. */
static unsigned load_watch(const struct kpi_shared *shared, enum kpi_id kpi, struct watch *watch, struct unpacker *in)
{
    unsigned renewed = 0;
    watch->starts_at_ms = unpack_instant_or(in, INT64_MAX);
    int64_t started = unpack_int32(in);
    watch->is_started = started & 1;
    watch->put_offs = (int32_t)(started / 2);
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        watch->next[grid] = unpack_index(in);
        struct view saved = unpack_view(in);
        if (saved.size == 0)
            continue;
        struct trend *trend = trend_load(&shared->trends[kpi][grid], saved);
        renewed |= (unsigned)(trend == NULL) << grid; /* of another version: learn anew from here on */
        watch_adopt(watch, (enum grid)grid, trend ? trend : trend_create(&shared->trends[kpi][grid]));
    }
    return renewed;
}

static void save_shift(const struct shift_alert *shift, struct bytes *out)
{
    const struct alert_life *life = &shift->life;
    pack(out, life->revision);
    if (life->revision == 0)
        return;
    /* A shift has one level. */
    pack(out, shift->grid | shift->kind << 2 | life->level << 5 | life->is_historical << 6 | shift->is_unwatched << 7);
    pack(out, life->opened_at_ms);
    if (!life->level)
        return;
    pack(out, shift->onset_at_ms);
    pack_double(out, shift->before);
    pack_double(out, shift->after);
    pack_double(out, shift->low);
    pack_double(out, shift->high);
    pack_double(out, shift->confidence);
}

/* Checkpoints of before do not have it: then no shift was told. */
static void load_shift(struct shift_alert *shift, struct unpacker *in)
{
    struct alert_life *life = &shift->life;
    life->revision = in->at == in->end ? 0 : unpack_revision(in);
    if (life->revision == 0)
        return;
    int64_t flags = unpack(in);
    shift->grid = flags & 3;
    shift->kind = flags >> 2 & 7;
    life->level = flags >> 5 & 1;
    life->is_historical = flags >> 6 & 1;
    shift->is_unwatched = flags >> 7 & 1;
    life->opened_at_ms = unpack_instant(in);
    in->is_broken |= shift->grid >= GRID_COUNT;
    if (!life->level)
        return;
    shift->onset_at_ms = unpack_instant(in);
    shift->before = unpack_double(in);
    shift->after = unpack_double(in);
    shift->low = unpack_double(in);
    shift->high = unpack_double(in);
    shift->confidence = unpack_double(in);
}

/* What follows is there if there is any. */
static void load_drivers(struct shift_alert *shift, struct unpacker *in)
{
    struct view drivers = in->is_broken || in->at == in->end ? VIEW_LITERAL("") : unpack_view(in);
    if (drivers.size == 0)
        return;
    shift->drivers = memory_allocate(drivers.size + 1);
    memcpy(shift->drivers, drivers.data, drivers.size);
    shift->drivers[drivers.size] = '\0';
}

void series_state_save(const struct series_state *state, struct bytes *out)
{
    const struct series *series = &state->series;
    pack(out, state->changed_offset);
    pack(out, series->at_ms);
    pack(out, series->flow_total);
    pack(out, series->newest_minute);
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        save_level(&series->levels[grid], out);
        if (series->bins)
            save_bins(&series->bins[grid], out);
    }
    pack(out, series->window_count);
    for (int i = 0; i < series->window_count; i++) {
        pack(out, series->windows[i].published_at_ms);
        pack(out, series->windows[i].empty_since_ms);
    }
    pack(out, series->changed);
    pack(out, state->hours.closed_until);
    pack(out, state->hours.revised_from);
    pack(out, state->hours.revised_until);
    pack(out, state->hours.has_closed);
    pack(out, state->hours.told_at_ms);
    save_watch(&state->watch, out);
    for (size_t k = 0; k < FACES_MAX; k++)
        alerting_save(&state->thresholds[k], true, out);
    save_shift(&state->shift, out);
    alerting_save(&state->burn, false, out);
    bool has_drivers = state->shift.life.level && state->shift.drivers;
    if (has_drivers || state->watch.lateness)
        pack_view(out, view_of_text(has_drivers ? state->shift.drivers : ""));
    if (state->watch.lateness)
        lateness_save(state->watch.lateness, out);
}

static bool load_into(struct series_state *state, const struct kpi_task *task, struct unpacker *in)
{
    struct series *series = &state->series;
    state->changed_offset = unpack(in);
    series->at_ms = unpack_instant_or(in, INT64_MIN);
    series->flow_total = unpack_sum(in);
    series->newest_minute = unpack_index_or(in, INT32_MIN);
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        load_level(&series->levels[grid], in);
        if (series->bins)
            load_bins(&series->bins[grid], in);
    }
    if (unpack(in) != series->window_count)
        return false;
    for (int i = 0; i < series->window_count; i++) {
        series->windows[i].published_at_ms = unpack_instant_or(in, INT64_MIN);
        series->windows[i].empty_since_ms = unpack_instant_or(in, INT64_MIN);
    }
    uint8_t changed = (uint8_t)unpack(in);
    state->hours.closed_until = unpack_index_or(in, INT32_MIN);
    state->hours.revised_from = unpack_index(in);
    state->hours.revised_until = unpack_index(in);
    int32_t revised = state->hours.revised_until - state->hours.revised_from;
    in->is_broken |= revised < 0 || revised > REVISED_MOST;
    state->hours.has_closed = unpack(in);
    state->hours.told_at_ms = unpack_instant_or(in, INT64_MIN);
    unsigned renewed = load_watch(task->shared, series->kpi, &state->watch, in);
    for (size_t k = 0; k < FACES_MAX; k++)
        alerting_load(&state->thresholds[k], true, in);
    load_shift(&state->shift, in);
    alerting_load(&state->burn, false, in);
    load_drivers(&state->shift, in);
    if (!in->is_broken && in->at < in->end)
        state->watch.lateness = lateness_load(in);
    state->shift.is_unwatched |= (renewed & 1u << GRID_MINUTE) && state->shift.grid == GRID_MINUTE; /* days and hours are looked at again */
    if (in->is_broken || in->at != in->end)
        return false;
    if (series->at_ms != INT64_MIN) {
        series->entered_minute = grid_index(series->zone, GRID_MINUTE, series->at_ms);
        series_rebuild(series);
    }
    series->changed = changed;
    watch_resume(state, task, renewed);
    return true;
}

struct series_state *series_state_load(struct kpi_task *task, struct view key, struct view saved)
{
    const char *bar = key.size ? memchr(key.data, '|', key.size) : NULL;
    enum kpi_id kpi;
    if (!bar || !kpi_from_name(view_of(key.data, (size_t)(bar - key.data)), &kpi))
        return NULL;
    struct series_state *state = series_state_create(task, key, kpi);
    struct unpacker in = {saved.data, saved.data + saved.size, false};
    if (load_into(state, task, &in)) {
        threshold_init(state, task);
        return state;
    }
    series_state_destroy(task, state);
    return NULL;
}
