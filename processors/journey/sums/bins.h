/* Histograms being added up: chains of bins in one array that is emptied with every batch. */
#ifndef TS_JOURNEY_BINS_H
#define TS_JOURNEY_BINS_H

#include "processors/journey/memory/number_table.h"

struct bin {
    int32_t index;
    int32_t next; /* −1: last */
    int64_t count;
};

struct bins {
    struct bin *items;
    size_t count, capacity;
};

static inline void bins_add(struct bins *bins, int32_t *first, int32_t index, int64_t count)
{
    for (int32_t at = *first; at >= 0; at = bins->items[at].next) {
        if (bins->items[at].index == index) {
            bins->items[at].count += count;
            return;
        }
    }
    bins->items = GROWN(bins->items, bins->count, bins->capacity);
    bins->items[bins->count] = (struct bin){.index = index, .next = *first, .count = count};
    *first = (int32_t)bins->count++;
}

#endif
