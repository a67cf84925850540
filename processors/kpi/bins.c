#include "processors/kpi/bins.h"

#include "base/memory.h"
#include "processors/kpi/reuse.h"
#include "schemas/kpi_sums.h"

#include <stdlib.h>
#include <string.h>

void bins_finish(struct bins *bins)
{
    free(bins->buckets);
    bin_list_finish(&bins->list);
    *bins = (struct bins){0};
}

size_t bins_bytes(const struct bins *bins)
{
    return bins->capacity * sizeof *bins->buckets + bin_list_bytes(&bins->list);
}

uint32_t bins_find(const struct bins *bins, int32_t when)
{
    uint32_t low = 0, high = bins->count;
    if (high > 0 && bins_when(bins, high - 1) < when)
        return high;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (bins_when(bins, middle) < when)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void make_room(struct bins *bins)
{
    if (bins->first + bins->count < bins->capacity)
        return;
    if (reuse_is_due(bins->first, bins->count)) {
        memmove(bins->buckets, bins->buckets + bins->first, bins->count * sizeof *bins->buckets);
        bins->first = 0;
        return;
    }
    bins->capacity = bins->capacity ? bins->capacity + bins->capacity / 4 + 2 : 2;
    bins->buckets = memory_resize(bins->buckets, bins->capacity * sizeof *bins->buckets);
}

static void bucket_insert(struct bins *bins, uint32_t bucket, int32_t when)
{
    make_room(bins);
    uint32_t begin = bins_begin(bins, bucket) + bins->gone;
    struct bin_bucket *place = bins->buckets + bins->first + bucket;
    memmove(place + 1, place, (bins->count - bucket) * sizeof *place);
    *place = (struct bin_bucket){when, begin};
    bins->count++;
}

void bins_add(struct bins *bins, int32_t when, int bin, int64_t count)
{
    uint32_t bucket = bins_find(bins, when);
    if (bucket == bins->count || bins_when(bins, bucket) != when)
        bucket_insert(bins, bucket, when);
    uint32_t end = bins_end(bins, bucket), at = bin_list_find(&bins->list, bins_begin(bins, bucket), end, bin);
    if (at == end || bin_list_bins(&bins->list)[at] != bin) {
        bin_list_insert(&bins->list, at, bin);
        for (uint32_t later = bucket; later < bins->count; later++)
            bins->buckets[bins->first + later].end++;
    }
    bin_list_change(&bins->list, at, count);
}

void bins_drop_before(struct bins *bins, int32_t when)
{
    uint32_t gone = bins->count && bins_when(bins, 0) < when ? bins_find(bins, when) : 0;
    if (gone == 0)
        return;
    if (gone == bins->count) {
        bins_finish(bins);
        return;
    }
    uint32_t items = bins_end(bins, gone - 1);
    bin_list_drop(&bins->list, items);
    bins->gone += items;
    bins->first += gone;
    bins->count -= gone;
}

void histogram_finish(struct histogram *histogram)
{
    bin_list_finish(&histogram->list);
}

void histogram_add(struct histogram *histogram, int bin, int64_t count)
{
    struct bin_list *list = &histogram->list;
    uint32_t at = bin_list_find(list, 0, list->count, bin);
    if (at == list->count || bin_list_bins(list)[at] != bin)
        bin_list_insert(list, at, bin);
    bin_list_change(list, at, count);
}

/* The middle of the bin's whole milliseconds: off by half a percent at most, and exact where bins are one ms wide. */
static double bin_middle(int bin)
{
    return ((double)kpi_duration_bin_start(bin) + (double)(kpi_duration_bin_start(bin + 1) - 1)) / 2;
}

void histogram_at_ranks(const struct histogram *histogram, const int64_t *ranks, double *durations, size_t rank_count)
{
    const struct bin_list *list = &histogram->list;
    int64_t passed = 0;
    size_t next = 0;
    int last = 0;
    for (uint32_t i = 0; i < list->count && next < rank_count; i++) {
        int64_t count = bin_list_count(list, i);
        passed += count;
        if (count > 0)
            last = bin_list_bins(list)[i];
        while (next < rank_count && ranks[next] <= passed)
            durations[next++] = bin_middle(last);
    }
    while (next < rank_count)
        durations[next++] = bin_middle(last);
}
