#include "processors/kpi/bin_list.h"

#include "base/memory.h"
#include "processors/kpi/reuse.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_LEAST = 6 };

void bin_list_finish(struct bin_list *list)
{
    free(list->counts);
    *list = (struct bin_list){0};
}

static void count_put(struct bin_list *list, uint32_t at, int64_t count)
{
    at += list->first;
    if (list->width == 2)
        ((int16_t *)list->counts)[at] = (int16_t)count;
    else if (list->width == 4)
        ((int32_t *)list->counts)[at] = (int32_t)count;
    else
        ((int64_t *)list->counts)[at] = count;
}

static uint8_t width_for(int64_t count)
{
    if (count >= INT16_MIN && count <= INT16_MAX)
        return 2;
    return count >= INT32_MIN && count <= INT32_MAX ? 4 : 8;
}

/* To other memory, without the room in front. */
static void relocate(struct bin_list *list, uint32_t capacity, uint8_t width)
{
    struct bin_list old = *list;
    list->counts = memory_allocate((size_t)capacity * (width + sizeof(uint16_t)));
    list->first = 0;
    list->capacity = capacity;
    list->width = width;
    if (old.count > 0)
        memcpy(bin_list_bins(list), bin_list_bins(&old), old.count * sizeof(uint16_t));
    if (old.count > 0 && width == old.width)
        memcpy(list->counts, (char *)old.counts + (size_t)old.first * width, (size_t)old.count * width);
    for (uint32_t at = 0; at < old.count && width != old.width; at++)
        count_put(list, at, bin_list_count(&old, at));
    free(old.counts);
}

static void move_to_front(struct bin_list *list)
{
    uint16_t *bins = bin_list_bins(list);
    memmove(bins - list->first, bins, list->count * sizeof *bins);
    memmove(list->counts, (char *)list->counts + (size_t)list->first * list->width, (size_t)list->count * list->width);
    list->first = 0;
}

static void make_room(struct bin_list *list)
{
    if (list->first + list->count < list->capacity)
        return;
    if (reuse_is_due(list->first, list->count))
        move_to_front(list);
    else
        relocate(list, list->count ? list->count + list->count / 4 + 2 : CAPACITY_LEAST, list->width ? list->width : 2);
}

/* Without a branch in it: which half it will be, no processor can guess. */
uint32_t bin_list_find(const struct bin_list *list, uint32_t begin, uint32_t end, int bin)
{
    if (begin == end)
        return begin;
    const uint16_t *bins = bin_list_bins(list), *at = bins + begin;
    uint32_t left = end - begin;
    for (; left > 1; left -= left / 2)
        at += (at[left / 2 - 1] < bin) * (left / 2);
    return (uint32_t)(at - bins) + (*at < bin);
}

void bin_list_insert(struct bin_list *list, uint32_t at, int bin)
{
    make_room(list);
    uint16_t *bins = bin_list_bins(list);
    char *count = (char *)list->counts + (size_t)(list->first + at) * list->width;
    memmove(bins + at + 1, bins + at, (list->count - at) * sizeof *bins);
    memmove(count + list->width, count, (size_t)(list->count - at) * list->width);
    memset(count, 0, list->width);
    bins[at] = (uint16_t)bin;
    list->count++;
}

void bin_list_change(struct bin_list *list, uint32_t at, int64_t by)
{
    int64_t count = bin_list_count(list, at) + by;
    if (width_for(count) > list->width)
        relocate(list, list->count + list->count / 4 + 2, width_for(count));
    count_put(list, at, count);
}

void bin_list_drop(struct bin_list *list, uint32_t gone)
{
    list->first += gone;
    list->count -= gone;
    if (list->count == 0 && gone)
        bin_list_finish(list);
}
