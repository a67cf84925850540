#include "processors/kpi/bins.h"

#include "base/memory.h"
#include "processors/kpi/reuse.h"
#include "schemas/kpi_sums.h"

#include <stdlib.h>
#include <string.h>

void bins_finish(struct bins *bins)
{
    free(bins->items);
    *bins = (struct bins){0};
}

static int64_t place_of(int32_t when, int bin)
{
    return (int64_t)when * 65536 + bin;
}

/* Both searches here without a branch in them: which half it will be, no processor can guess. */
static uint32_t find(const struct bins *bins, int32_t when, int bin)
{
    if (bins->count == 0)
        return 0;
    const struct bin_count *items = bins->items + bins->first, *at = items;
    int64_t place = place_of(when, bin);
    uint32_t left = bins->count;
    for (; left > 1; left -= left / 2)
        at += (place_of(at[left / 2 - 1].when, at[left / 2 - 1].bin) < place) * (left / 2);
    return (uint32_t)(at - items) + (place_of(at->when, at->bin) < place);
}

uint32_t bins_find(const struct bins *bins, int32_t when)
{
    return find(bins, when, 0);
}

const struct bin_count *bins_at(const struct bins *bins, uint32_t position)
{
    return &bins->items[bins->first + position];
}

static void make_room(struct bins *bins)
{
    if (bins->first + bins->count < bins->capacity)
        return;
    if (reuse_is_due(bins->first, bins->count)) {
        memmove(bins->items, bins->items + bins->first, bins->count * sizeof *bins->items);
        bins->first = 0;
        return;
    }
    bins->capacity = bins->capacity ? bins->capacity + bins->capacity / 2 + 1 : 4;
    bins->items = memory_resize(bins->items, bins->capacity * sizeof *bins->items);
}

void bins_add(struct bins *bins, int32_t when, int bin, int64_t count)
{
    uint32_t position = find(bins, when, bin);
    if (position < bins->count) {
        struct bin_count *item = bins->items + bins->first + position;
        if (item->when == when && item->bin == bin) {
            item->count += (int32_t)count;
            return;
        }
    }
    make_room(bins);
    struct bin_count *item = bins->items + bins->first + position;
    memmove(item + 1, item, (bins->count - position) * sizeof *item);
    *item = (struct bin_count){when, (int32_t)count, (uint16_t)bin};
    bins->count++;
}

void bins_drop_before(struct bins *bins, int32_t when)
{
    uint32_t gone = bins->count && bins_at(bins, 0)->when < when ? bins_find(bins, when) : 0;
    bins->first += gone;
    bins->count -= gone;
    if (bins->count == 0 && gone)
        bins_finish(bins);
}

void histogram_finish(struct histogram *histogram)
{
    free(histogram->bins);
    free(histogram->counts);
    *histogram = (struct histogram){0};
}

static uint32_t histogram_find(const struct histogram *histogram, int bin)
{
    if (histogram->count == 0)
        return 0;
    const uint16_t *at = histogram->bins;
    uint32_t left = histogram->count;
    for (; left > 1; left -= left / 2)
        at += (at[left / 2 - 1] < bin) * (left / 2);
    return (uint32_t)(at - histogram->bins) + (*at < bin);
}

static size_t count_bytes(const struct histogram *histogram)
{
    return histogram->is_wide ? sizeof(int64_t) : sizeof(int32_t);
}

int64_t histogram_count(const struct histogram *histogram, uint32_t place)
{
    return histogram->is_wide ? ((const int64_t *)histogram->counts)[place] : ((const int32_t *)histogram->counts)[place];
}

size_t histogram_bytes(const struct histogram *histogram)
{
    return histogram->capacity * (sizeof *histogram->bins + count_bytes(histogram));
}

static void histogram_widen(struct histogram *histogram)
{
    int64_t *counts = memory_allocate(histogram->capacity * sizeof *counts);
    for (uint32_t i = 0; i < histogram->count; i++)
        counts[i] = histogram_count(histogram, i);
    free(histogram->counts);
    histogram->counts = counts;
    histogram->is_wide = true;
}

static void histogram_put(struct histogram *histogram, uint32_t place, int64_t count)
{
    if (!histogram->is_wide && (count < INT32_MIN || count > INT32_MAX))
        histogram_widen(histogram);
    if (histogram->is_wide)
        ((int64_t *)histogram->counts)[place] = count;
    else
        ((int32_t *)histogram->counts)[place] = (int32_t)count;
}

/* A new place at `at`, its count 0. */
static void histogram_insert(struct histogram *histogram, uint32_t at, int bin)
{
    size_t size = count_bytes(histogram), behind = histogram->count - at;
    if (histogram->count == histogram->capacity) {
        histogram->capacity = histogram->capacity ? histogram->capacity + histogram->capacity / 2 : 4;
        histogram->bins = memory_resize(histogram->bins, histogram->capacity * sizeof *histogram->bins);
        histogram->counts = memory_resize(histogram->counts, histogram->capacity * size);
    }
    char *count = (char *)histogram->counts + at * size;
    memmove(histogram->bins + at + 1, histogram->bins + at, behind * sizeof *histogram->bins);
    memmove(count + size, count, behind * size);
    memset(count, 0, size);
    histogram->bins[at] = (uint16_t)bin;
    histogram->count++;
}

void histogram_add(struct histogram *histogram, int bin, int64_t count)
{
    uint32_t at = histogram_find(histogram, bin);
    if (at == histogram->count || histogram->bins[at] != bin)
        histogram_insert(histogram, at, bin);
    histogram_put(histogram, at, histogram_count(histogram, at) + count);
}

/* The middle of the bin's whole milliseconds: off by half a percent at most, and exact where bins are one ms wide. */
static double bin_middle(int bin)
{
    return ((double)kpi_duration_bin_start(bin) + (double)(kpi_duration_bin_start(bin + 1) - 1)) / 2;
}

void histogram_at_ranks(const struct histogram *histogram, const int64_t *ranks, double *durations, size_t rank_count)
{
    int64_t passed = 0;
    size_t next = 0;
    int last = 0;
    for (uint32_t i = 0; i < histogram->count && next < rank_count; i++) {
        int64_t count = histogram_count(histogram, i);
        passed += count;
        if (count > 0)
            last = histogram->bins[i];
        while (next < rank_count && ranks[next] <= passed)
            durations[next++] = bin_middle(last);
    }
    while (next < rank_count)
        durations[next++] = bin_middle(last);
}
