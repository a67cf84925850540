#include "processors/journey/contributions.h"

#include "base/clock.h"
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

static int32_t minute_of(int64_t at_ms)
{
    int64_t minute = at_ms / MINUTES(1);
    return (int32_t)(at_ms < minute * MINUTES(1) ? minute - 1 : minute);
}

struct place place_at(enum kpi_id kpi, uint32_t tuple, uint8_t stage, int64_t at_ms)
{
    return (struct place){
        .tuple = tuple, .minute = minute_of(at_ms), .kpi = (uint8_t)kpi, .stage = stage, .detail = NO_DETAIL};
}

static struct contribution *add(struct tally *tally, struct place place)
{
    if (tally->count == tally->capacity) {
        tally->capacity = tally->capacity ? 2 * tally->capacity : 64;
        tally->items = memory_resize(tally->items, tally->capacity * sizeof *tally->items);
    }
    struct contribution *item = &tally->items[tally->count++];
    *item = (struct contribution){.place = place, .bin = -1, .n = 1};
    return item;
}

void tally_add_rate(struct tally *tally, struct place place, bool is_hit, bool is_immature)
{
    struct contribution *item = add(tally, place);
    item->num = is_hit;
    item->immature = is_immature;
}

void tally_add_nps(struct tally *tally, struct place place, int score)
{
    struct kpi_sums sums = kpi_sums_of_nps(score);
    struct contribution *item = add(tally, place);
    item->num = (int32_t)sums.num;
    item->sum = sums.sum;
}

void tally_add_mean(struct tally *tally, struct place place, int64_t score)
{
    add(tally, place)->sum = score;
}

void tally_add_duration(struct tally *tally, struct place place, int64_t duration_ms)
{
    struct contribution *item = add(tally, place);
    item->sum = duration_ms;
    item->bin = kpi_duration_bin(duration_ms);
}

void tally_add_count(struct tally *tally, struct place place)
{
    add(tally, place);
}

void tally_add_amount(struct tally *tally, struct place place, int64_t amount)
{
    add(tally, place)->sum = amount;
}

void tally_add_flow(struct tally *tally, struct place place, int n, int num)
{
    struct contribution *item = add(tally, place);
    item->n = n;
    item->num = num;
}

void tally_add_uplift(struct tally *tally, struct place place, bool is_exposed, bool is_hit)
{
    struct kpi_sums sums = kpi_sums_of_uplift(is_exposed, is_hit);
    struct contribution *item = add(tally, place);
    item->num = (int32_t)sums.num;
    item->sum = sums.sum;
    item->immature = (int32_t)sums.immature;
}
