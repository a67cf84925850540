#include "processors/journey/matters/contributions.h"

#include "base/memory.h"

#include <stdlib.h>

void tally_begin(struct tally *tally, int64_t clock_ms)
{
    tally->count = 0;
    tally->clock_ms = clock_ms;
    tally->next_at_ms = INT64_MAX;
}

void tally_finish(struct tally *tally)
{
    free(tally->items);
    *tally = (struct tally){0};
}

void tally_grow(struct tally *tally)
{
    tally->capacity = tally->capacity ? 2 * tally->capacity : 64;
    tally->items = memory_resize(tally->items, tally->capacity * sizeof *tally->items);
}

void tally_add_nps(struct tally *tally, struct place place, int score)
{
    struct kpi_sums sums = kpi_sums_of_nps(score);
    struct contribution *item = tally_add(tally, place);
    item->num = (int32_t)sums.num;
    item->sum = sums.sum;
}

void tally_add_duration(struct tally *tally, struct place place, int64_t duration_ms)
{
    struct contribution *item = tally_add(tally, place);
    item->sum = duration_ms;
    item->bin = kpi_duration_bin(duration_ms);
}

void tally_add_uplift(struct tally *tally, struct place place, bool is_exposed, bool is_hit)
{
    struct kpi_sums sums = kpi_sums_of_uplift(is_exposed, is_hit);
    struct contribution *item = tally_add(tally, place);
    item->num = (int32_t)sums.num;
    item->sum = sums.sum;
    item->immature = (int32_t)sums.immature;
}
