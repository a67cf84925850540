/* Histograms of durations in bins of 1 % relative width (kpi_duration_bin): one a bucket of time, so that they can leave a window
 * with it, and one a window, kept up to date by adding and subtracting. Both sparse and exact. One thread at a time. */
#ifndef TS_KPI_BINS_H
#define TS_KPI_BINS_H

#include "processors/kpi/bin_list.h"

/* Of one bucket: its items in the list end there, counted from the first that ever was. */
struct bin_bucket {
    int32_t when;
    uint32_t end;
};

/* Of one grid: all its buckets, in order of time, their bins ascending. */
struct bins {
    struct bin_bucket *buckets;
    uint32_t first, count, capacity; /* of buckets; `first` places in front are free */
    uint32_t gone;                   /* items that were dropped in front of the list */
    struct bin_list list;
};

/* Zero-initialised is empty and valid. */
void bins_finish(struct bins *bins);
void bins_add(struct bins *bins, int32_t when, int bin, int64_t count);
void bins_drop_before(struct bins *bins, int32_t when);
size_t bins_bytes(const struct bins *bins); /* of memory */

/* Buckets have places 0 … count − 1: the first at or after `when`, and when one is. */
uint32_t bins_find(const struct bins *bins, int32_t when);

static inline int32_t bins_when(const struct bins *bins, uint32_t bucket)
{
    return bins->buckets[bins->first + bucket].when;
}

/* Its items in bins->list: [bins_begin, bins_end). */
static inline uint32_t bins_end(const struct bins *bins, uint32_t bucket)
{
    return bins->buckets[bins->first + bucket].end - bins->gone;
}

static inline uint32_t bins_begin(const struct bins *bins, uint32_t bucket)
{
    return bucket > 0 ? bins_end(bins, bucket - 1) : 0;
}

/* Of one window. */
struct histogram {
    struct bin_list list; /* ascending */
};

void histogram_finish(struct histogram *histogram);
void histogram_add(struct histogram *histogram, int bin, int64_t count);

/* For ascending ranks (from 1): a duration within the bin of the item of that rank, ms. Ranks beyond the end: the last bin. */
void histogram_at_ranks(const struct histogram *histogram, const int64_t *ranks, double *durations, size_t rank_count);

#endif
