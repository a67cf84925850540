/* Bins of durations and how often each was met, in one piece of memory: first the counts, then the bins. A count is two bytes as long
 * as all of them fit, then four, then eight: most bins of most series are met a few times. The order is the owner's. One thread at a time. */
#ifndef TS_KPI_BIN_LIST_H
#define TS_KPI_BIN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bin_list {
    void *counts;
    uint32_t first, count, capacity; /* `first` places in front are free */
    uint8_t width;                   /* bytes of a count; 0: no memory yet */
};

/* Zero-initialised is empty and valid. */
void bin_list_finish(struct bin_list *list);

static inline uint16_t *bin_list_bins(const struct bin_list *list)
{
    return (uint16_t *)(void *)((char *)list->counts + (size_t)list->capacity * list->width) + list->first;
}

static inline int64_t bin_list_count(const struct bin_list *list, uint32_t at)
{
    at += list->first;
    return list->width == 2   ? ((const int16_t *)list->counts)[at]
           : list->width == 4 ? ((const int32_t *)list->counts)[at]
                              : ((const int64_t *)list->counts)[at];
}

/* Of [begin, end), whose bins ascend: the first that is not below `bin`. */
uint32_t bin_list_find(const struct bin_list *list, uint32_t begin, uint32_t end, int bin);

void bin_list_insert(struct bin_list *list, uint32_t at, int bin); /* met 0 times */
void bin_list_change(struct bin_list *list, uint32_t at, int64_t by);
void bin_list_drop(struct bin_list *list, uint32_t gone); /* as many in front */

static inline size_t bin_list_bytes(const struct bin_list *list) /* of memory */
{
    return (size_t)list->capacity * (list->width + sizeof(uint16_t));
}

#endif
