#include "processors/kpi/series.h"

#include "base/memory.h"

#include <stdlib.h>

static const int32_t kept[GRID_COUNT] = {MINUTES_KEPT, HOURS_KEPT, DAYS_KEPT};
/* Histograms serve windows alone, and no window before: 24 h of minutes, 30 d of hours, 90 d of days. */
static const int32_t bins_kept[GRID_COUNT] = {1440, 720, 90};

void series_init(struct series *series, enum kpi_id kpi, const struct time_zone *zone)
{
    *series = (struct series){.kpi = kpi, .kind = kpi_names[kpi].kind, .zone = zone, .at_ms = INT64_MIN,
                              .entered_minute = INT32_MIN, .newest_minute = INT32_MIN};
    for (int grid = 0; grid < GRID_COUNT; grid++)
        level_init(&series->levels[grid], level_fields_of(series->kind));
    if (series->kind == KPI_KIND_DURATION)
        series->bins = memory_zeroed(GRID_COUNT, sizeof *series->bins);
    for (int id = 0; id < WINDOW_COUNT; id++)
        if (catalog_find(kpi)->windows & 1u << id)
            series->window_ids[series->window_count++] = (uint8_t)id;
    series->windows = memory_zeroed(series->window_count, sizeof *series->windows);
    for (int i = 0; i < series->window_count; i++)
        series->windows[i] = (struct window_state){.oldest_now = INT32_MAX, .oldest_before = INT32_MAX,
                                                   .changes_at_ms = INT64_MAX, .published_at_ms = INT64_MIN,
                                                   .empty_since_ms = INT64_MIN};
}

void series_finish(struct series *series)
{
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        level_finish(&series->levels[grid]);
        if (series->bins)
            bins_finish(&series->bins[grid]);
    }
    for (int i = 0; i < series->window_count; i++)
        histogram_finish(&series->windows[i].histogram);
    free(series->bins);
    free(series->windows);
}

static const struct window *window_of(const struct series *series, int i)
{
    return &windows[series->window_ids[i]];
}

/* --- windows --- */

static void find_next_change(struct series *series, int i)
{
    struct window_state *state = &series->windows[i];
    const struct window *window = window_of(series, i);
    int64_t next_ms = INT64_MAX;
    if (state->oldest_now != INT32_MAX)
        next_ms = grid_start_ms(series->zone, window->grid, state->oldest_now + window->buckets);
    if (state->oldest_before != INT32_MAX) {
        int64_t leaves_ms = grid_start_ms(series->zone, window->grid, state->oldest_before + 2 * window->buckets);
        next_ms = leaves_ms < next_ms ? leaves_ms : next_ms;
    }
    state->changes_at_ms = next_ms;
}

/* Something is older than both windows now, but was not when the window was published as empty: what stands there is true no more.
 * Apart, so that window_add has no registers to save for it. */
__attribute__((noinline)) static void window_correct(struct series *series, int i, int32_t index)
{
    const struct window *window = window_of(series, i);
    int32_t published_end = grid_index(series->zone, window->grid, series->windows[i].published_at_ms);
    if (published_end - index < 2 * window->buckets)
        series->changed |= (uint8_t)(1u << i);
}

/* One bucket's addition joins the window or the one before; elsewhere it is none of ours, as a rule. */
static void window_add(struct series *series, int i, int32_t index, const struct kpi_sums *more)
{
    struct window_state *state = &series->windows[i];
    int32_t age = state->end - index, buckets = window_of(series, i)->buckets;
    if (age < 0 || age >= 2 * buckets) {
        if (age > 0 && state->empty_since_ms != INT64_MIN)
            window_correct(series, i, index);
        return;
    }
    bool is_now = age < buckets;
    kpi_sums_add(is_now ? &state->now : &state->before, more, 1);
    series->changed |= (uint8_t)(1u << i);
    int32_t *oldest = is_now ? &state->oldest_now : &state->oldest_before;
    if (index < *oldest) {
        *oldest = index;
        find_next_change(series, i);
    }
}

static int32_t first_from(const struct level *level, int32_t from, int32_t until)
{
    uint32_t position = level_find(level, from);
    bool is_within = position < level->count && level_when(level, position) < until;
    return is_within ? level_when(level, position) : INT32_MAX;
}

static void histogram_move(struct series *series, int i, int32_t from, int32_t until, int64_t times)
{
    const struct bins *bins = &series->bins[window_of(series, i)->grid];
    for (uint32_t bucket = bins_find(bins, from); bucket < bins->count && bins_when(bins, bucket) < until; bucket++) {
        for (uint32_t at = bins_begin(bins, bucket); at < bins_end(bins, bucket); at++)
            histogram_add(&series->windows[i].histogram, bin_list_bins(&bins->list)[at], times * bin_list_count(&bins->list, at));
    }
}

/* Add up the buckets of [from, until); false: there are none. */
static bool add_up(const struct level *level, int32_t from, int32_t until, struct kpi_sums *total)
{
    uint32_t first = level_find(level, from), at = first;
    for (; at < level->count && level_when(level, at) < until; at++) {
        struct kpi_sums sums = level_sums(level, at);
        kpi_sums_add(total, &sums, 1);
    }
    return at > first;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Move the end of a window over the buckets counted so far: some leave `before`, some leave `now`, for `before` or (if time
 * leaps) for good. Only what leaves is looked at. */
static void window_slide(struct series *series, int i, int32_t end)
{
    struct window_state *state = &series->windows[i];
    const struct window *window = window_of(series, i);
    const struct level *level = &series->levels[window->grid];
    int32_t old_start = state->end - window->buckets + 1, start = end - window->buckets + 1;
    int32_t old_before = old_start - window->buckets, before = start - window->buckets;
    int32_t old_until = smaller(state->end + 1, start); /* what leaves `now` lies before it */
    struct kpi_sums gone = {0}, passed = {0}, passed_by = {0};
    bool has_moved = state->oldest_before < before && add_up(level, old_before, smaller(before, old_start), &gone);
    if (state->oldest_now < start) {
        has_moved |= add_up(level, old_start > before ? old_start : before, old_until, &passed);
        has_moved |= add_up(level, old_start, smaller(before, old_until), &passed_by);
        if (series->bins)
            histogram_move(series, i, old_start, old_until, -1);
    }
    state->end = end;
    if (!has_moved)
        return;
    kpi_sums_add(&state->now, &passed, -1);
    kpi_sums_add(&state->now, &passed_by, -1);
    kpi_sums_add(&state->before, &passed, 1);
    kpi_sums_add(&state->before, &gone, -1);
    if (state->empty_since_ms == INT64_MIN)
        series->changed |= (uint8_t)(1u << i);
    state->oldest_now = first_from(level, start, end + 1);
    state->oldest_before = first_from(level, before, start);
    find_next_change(series, i);
}

/* --- additions --- */

static bool is_kept(const struct series *series, enum grid grid, int32_t index)
{
    int32_t last = grid_index(series->zone, grid, series->at_ms);
    return index > last - kept[grid];
}

static void count_minute(struct series *series, int32_t minute, const struct kpi_sums *more)
{
    int64_t at_ms = (int64_t)minute * 60000;
    int32_t index[GRID_COUNT];
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        index[grid] = grid_index(series->zone, (enum grid)grid, at_ms);
        if (grid != GRID_MINUTE && is_kept(series, (enum grid)grid, index[grid]))
            level_add(&series->levels[grid], index[grid], more);
    }
    series->flow_total = (int64_t)((uint64_t)series->flow_total + (uint64_t)more->n); /* as kpi_sums_add */
    series_know(series, minute);
    if (more->n && (series->kind == KPI_KIND_GAUGE || series->kind == KPI_KIND_CHURN))
        series->changed = (uint8_t)((1u << series->window_count) - 1); /* the total is in every window's value */
    for (int i = 0; i < series->window_count; i++)
        window_add(series, i, index[window_of(series, i)->grid], more);
}

void series_know(struct series *series, int32_t minute)
{
    if (minute > series->newest_minute)
        series->newest_minute = minute;
}

bool series_add(struct series *series, int32_t minute, const struct kpi_sums *more)
{
    if (minute > series->entered_minute) {
        level_add(&series->levels[GRID_MINUTE], minute, more);
        return true;
    }
    int32_t day = grid_index(series->zone, GRID_DAY, (int64_t)minute * 60000);
    if (is_kept(series, GRID_MINUTE, minute))
        level_add(&series->levels[GRID_MINUTE], minute, more);
    count_minute(series, minute, more);
    return is_kept(series, GRID_DAY, day);
}

void series_touch(struct series *series, int32_t minute)
{
    bool has_total = series->kind == KPI_KIND_GAUGE || series->kind == KPI_KIND_CHURN;
    for (int i = 0; i < series->window_count; i++) {
        const struct window *window = window_of(series, i);
        if (series->windows[i].published_at_ms == INT64_MIN)
            continue;
        int32_t published_end = grid_index(series->zone, window->grid, series->windows[i].published_at_ms);
        int32_t index = grid_index(series->zone, window->grid, (int64_t)minute * 60000);
        if (has_total || published_end - index < 2 * window->buckets)
            series->changed |= (uint8_t)(1u << i);
    }
}

static void count_bin(struct series *series, int32_t minute, int bin, int64_t count)
{
    int64_t at_ms = (int64_t)minute * 60000;
    int32_t index[GRID_COUNT];
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        index[grid] = grid_index(series->zone, (enum grid)grid, at_ms);
        int32_t last = grid_index(series->zone, (enum grid)grid, series->at_ms);
        if (grid != GRID_MINUTE && index[grid] > last - bins_kept[grid])
            bins_add(&series->bins[grid], index[grid], bin, count);
    }
    for (int i = 0; i < series->window_count; i++) {
        int32_t age = series->windows[i].end - index[window_of(series, i)->grid];
        if (age >= 0 && age < window_of(series, i)->buckets)
            histogram_add(&series->windows[i].histogram, bin, count);
    }
}

void series_add_bin(struct series *series, int32_t minute, int bin, int64_t count)
{
    if (!series->bins)
        return;
    int32_t last = grid_index(series->zone, GRID_MINUTE, series->at_ms);
    if (minute > series->entered_minute || minute > last - bins_kept[GRID_MINUTE])
        bins_add(&series->bins[GRID_MINUTE], minute, bin, count);
    if (minute <= series->entered_minute)
        count_bin(series, minute, bin, count);
}

/* --- time --- */

static void forget_old(struct series *series)
{
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        int32_t last = grid_index(series->zone, (enum grid)grid, series->at_ms);
        level_drop_before(&series->levels[grid], last - kept[grid] + 1);
        if (series->bins)
            bins_drop_before(&series->bins[grid], last - bins_kept[grid] + 1);
    }
}

static void count_waiting(struct series *series, int32_t until)
{
    const struct level *minutes = &series->levels[GRID_MINUTE];
    int32_t from = series->entered_minute == INT32_MIN ? INT32_MIN : series->entered_minute + 1;
    series->entered_minute = until;
    for (uint32_t at = level_find(minutes, from); at < minutes->count && level_when(minutes, at) <= until; at++) {
        struct kpi_sums sums = level_sums(minutes, at);
        count_minute(series, level_when(minutes, at), &sums);
    }
    if (!series->bins)
        return;
    const struct bins *bins = &series->bins[GRID_MINUTE];
    for (uint32_t bucket = bins_find(bins, from); bucket < bins->count && bins_when(bins, bucket) <= until; bucket++) {
        for (uint32_t at = bins_begin(bins, bucket); at < bins_end(bins, bucket); at++)
            count_bin(series, bins_when(bins, bucket), bin_list_bins(&bins->list)[at], bin_list_count(&bins->list, at));
    }
}

void series_advance(struct series *series, int64_t at_ms)
{
    if (at_ms <= series->at_ms)
        return;
    bool is_first = series->at_ms == INT64_MIN;
    int32_t minute = grid_index(series->zone, GRID_MINUTE, at_ms);
    series->at_ms = at_ms;
    if (minute == series->entered_minute)
        return;
    for (int i = 0; i < series->window_count; i++) {
        int32_t end = grid_index(series->zone, window_of(series, i)->grid, at_ms);
        if (is_first)
            series->windows[i].end = end;
        else if (end != series->windows[i].end)
            window_slide(series, i, end);
    }
    count_waiting(series, minute);
    forget_old(series);
}

int64_t series_changes_at_ms(const struct series *series)
{
    int64_t next_ms = INT64_MAX;
    for (int i = 0; i < series->window_count; i++)
        if (series->windows[i].changes_at_ms < next_ms)
            next_ms = series->windows[i].changes_at_ms;
    const struct level *minutes = &series->levels[GRID_MINUTE];
    if (minutes->count && level_when(minutes, minutes->count - 1) > series->entered_minute) {
        uint32_t waiting = level_find(minutes, series->entered_minute + 1);
        int64_t starts_ms = (int64_t)level_when(minutes, waiting) * 60000;
        next_ms = starts_ms < next_ms ? starts_ms : next_ms;
    }
    return next_ms;
}

/* --- looking --- */

int64_t series_forgotten_at_ms(const struct series *series)
{
    const struct level *days = &series->levels[GRID_DAY];
    return days->count ? grid_start_ms(series->zone, GRID_DAY, level_when(days, days->count - 1) + DAYS_KEPT) : series->at_ms;
}

bool series_is_empty(const struct series *series)
{
    for (int grid = 0; grid < GRID_COUNT; grid++)
        if (series->levels[grid].count)
            return false;
    return true;
}

struct kpi_sums series_bucket(const struct series *series, enum grid grid, int32_t index)
{
    const struct level *level = &series->levels[grid];
    uint32_t position = level_find(level, index);
    if (position < level->count && level_when(level, position) == index)
        return level_sums(level, position);
    return (struct kpi_sums){0};
}

int64_t series_gauge_after(const struct series *series, enum grid grid, int32_t index)
{
    const struct level *level = &series->levels[grid];
    int64_t value = series->flow_total;
    for (uint32_t at = level->count; at-- > 0 && level_when(level, at) > index;)
        if (grid != GRID_MINUTE || level_when(level, at) <= series->entered_minute)
            value -= level_sums(level, at).n;
    return value;
}

void series_rebuild(struct series *series)
{
    for (int i = 0; i < series->window_count; i++) {
        struct window_state *state = &series->windows[i];
        const struct window *window = window_of(series, i);
        const struct level *level = &series->levels[window->grid];
        state->end = grid_index(series->zone, window->grid, series->at_ms);
        int32_t start = state->end - window->buckets + 1;
        for (uint32_t at = level_find(level, start - window->buckets); at < level->count; at++) {
            struct kpi_sums sums = level_sums(level, at);
            if (window->grid != GRID_MINUTE || level_when(level, at) <= series->entered_minute)
                window_add(series, i, level_when(level, at), &sums);
        }
        if (series->bins)
            histogram_move(series, i, start, state->end + 1, 1);
    }
    series->changed = 0;
}

size_t series_memory_bytes(const struct series *series)
{
    size_t bytes = sizeof *series + series->window_count * sizeof *series->windows;
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        bytes += level_bytes(&series->levels[grid]);
        if (series->bins)
            bytes += sizeof *series->bins + bins_bytes(&series->bins[grid]);
    }
    for (int i = 0; i < series->window_count; i++)
        bytes += bin_list_bytes(&series->windows[i].histogram.list);
    return bytes;
}
