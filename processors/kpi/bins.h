/* Histograms of durations in bins of 1 % relative width (kpi_duration_bin): one a bucket of time, so that they can leave a window
 * with it, and one a window, kept up to date by adding and subtracting. Both sparse and exact. One thread at a time. */
#ifndef TS_KPI_BINS_H
#define TS_KPI_BINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one grid: how many durations of bin `bin` fell into bucket `when`; sorted by both. */
struct bin_count {
    int32_t when, count;
    uint16_t bin;
};

struct bins {
    struct bin_count *items;
    uint32_t first, count, capacity;
};

void bins_finish(struct bins *bins);
void bins_add(struct bins *bins, int32_t when, int bin, int64_t count);
uint32_t bins_find(const struct bins *bins, int32_t when); /* the first position at or after */
const struct bin_count *bins_at(const struct bins *bins, uint32_t position);
void bins_drop_before(struct bins *bins, int32_t when);

/* Of one window. */
struct histogram {
    uint16_t *bins;  /* ascending */
    void *counts;    /* beside them: int32_t as long as all of them fit, then int64_t */
    uint32_t count, capacity;
    bool is_wide;
};

void histogram_finish(struct histogram *histogram);
int64_t histogram_count(const struct histogram *histogram, uint32_t place);
size_t histogram_bytes(const struct histogram *histogram); /* of memory */
void histogram_add(struct histogram *histogram, int bin, int64_t count);

/* For ascending ranks (from 1): a duration within the bin of the item of that rank, ms. Ranks beyond the end: the last bin. */
void histogram_at_ranks(const struct histogram *histogram, const int64_t *ranks, double *durations, size_t rank_count);

#endif
