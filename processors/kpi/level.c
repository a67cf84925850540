#include "processors/kpi/level.h"

#include "base/memory.h"
#include "processors/kpi/reuse.h"

#include <stdlib.h>
#include <string.h>

uint8_t level_fields_of(enum kpi_kind kind)
{
    switch (kind) {
    case KPI_KIND_RATE:
        return FIELD_N | FIELD_NUM | FIELD_IMMATURE;
    case KPI_KIND_NPS:
        return FIELD_N | FIELD_NUM | FIELD_SUM;
    case KPI_KIND_MEAN:
    case KPI_KIND_DURATION:
        return FIELD_N | FIELD_SUM | FIELD_SQUARES;
    case KPI_KIND_SUM:
        return FIELD_N | FIELD_SUM;
    case KPI_KIND_SHARE:
    case KPI_KIND_CHURN:
        return FIELD_N | FIELD_NUM;
    case KPI_KIND_UPLIFT:
        return FIELD_N | FIELD_NUM | FIELD_SUM | FIELD_IMMATURE;
    case KPI_KIND_COUNT:
    case KPI_KIND_GAUGE:
    case KPI_KIND_DISTINCT:
        break;
    }
    return FIELD_N;
}

void level_init(struct level *level, uint8_t fields)
{
    *level = (struct level){.fields = fields};
    level->width = (uint8_t)(__builtin_popcount(fields) + (fields & FIELD_SQUARES ? 1 : 0)); /* squares: two cells when wide */
}

void level_finish(struct level *level)
{
    free(level->when);
    free(level->cells);
    level_init(level, level->fields);
}

/* --- cells --- */

static size_t cell_bytes(const struct level *level)
{
    return level->is_wide ? sizeof(int64_t) : sizeof(int32_t);
}

static int64_t get(const struct level *level, size_t cell)
{
    return level->is_wide ? ((const int64_t *)level->cells)[cell] : ((const int32_t *)level->cells)[cell];
}

static void put(struct level *level, size_t cell, int64_t value)
{
    if (level->is_wide)
        ((int64_t *)level->cells)[cell] = value;
    else
        ((int32_t *)level->cells)[cell] = (int32_t)value;
}

static bool is_narrow(kpi_wide value)
{
    return value >= INT32_MIN && value <= INT32_MAX;
}

static struct kpi_sums read_sums(const struct level *level, uint32_t slot)
{
    struct kpi_sums sums = {0};
    size_t cell = (size_t)slot * level->width;
    if (level->fields & FIELD_N)
        sums.n = get(level, cell++);
    if (level->fields & FIELD_NUM)
        sums.num = get(level, cell++);
    if (level->fields & FIELD_SUM)
        sums.sum = get(level, cell++);
    if (level->fields & FIELD_IMMATURE)
        sums.immature = get(level, cell++);
    if (level->fields & FIELD_SQUARES && level->is_wide)
        sums.sum_squares = (kpi_wide)get(level, cell + 1) * ((kpi_wide)1 << 64) + (uint64_t)get(level, cell);
    else if (level->fields & FIELD_SQUARES)
        sums.sum_squares = get(level, cell);
    return sums;
}

static void write_sums(struct level *level, uint32_t slot, const struct kpi_sums *sums)
{
    size_t cell = (size_t)slot * level->width;
    if (level->fields & FIELD_N)
        put(level, cell++, sums->n);
    if (level->fields & FIELD_NUM)
        put(level, cell++, sums->num);
    if (level->fields & FIELD_SUM)
        put(level, cell++, sums->sum);
    if (level->fields & FIELD_IMMATURE)
        put(level, cell++, sums->immature);
    if (level->fields & FIELD_SQUARES) {
        put(level, cell++, (int64_t)(uint64_t)sums->sum_squares);
        put(level, cell, (int64_t)(sums->sum_squares >> 64));
    }
}

static void widen(struct level *level)
{
    struct level wide = *level;
    wide.is_wide = true;
    wide.cells = memory_allocate((size_t)level->capacity * level->width * sizeof(int64_t));
    for (uint32_t slot = level->first; slot < level->first + level->count; slot++) {
        struct kpi_sums sums = read_sums(level, slot);
        write_sums(&wide, slot, &sums);
    }
    free(level->cells);
    *level = wide;
}

/* --- buckets --- */

uint32_t level_find(const struct level *level, int32_t when)
{
    if (level->count == 0)
        return 0;
    const int32_t *at = level->when + level->first;
    uint32_t low = 0, high = level->count;
    if (at[high - 1] < when)
        return high;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (at[middle] < when)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t level_when(const struct level *level, uint32_t position)
{
    return level->when[level->first + position];
}

struct kpi_sums level_sums(const struct level *level, uint32_t position)
{
    return read_sums(level, level->first + position);
}

static void move_slots(struct level *level, uint32_t to, uint32_t from, uint32_t count)
{
    size_t bytes = level->width * cell_bytes(level);
    memmove(level->when + to, level->when + from, count * sizeof *level->when);
    memmove((char *)level->cells + to * bytes, (char *)level->cells + from * bytes, count * bytes);
}

/* Room for one more at the end: by reusing what expired in front, else by growing by half. */
static void make_room(struct level *level)
{
    if (level->first + level->count < level->capacity)
        return;
    if (reuse_is_due(level->first, level->count)) {
        move_slots(level, 0, level->first, level->count);
        level->first = 0;
        return;
    }
    level->capacity = level->capacity ? level->capacity + level->capacity / 2 + 1 : 4;
    level->when = memory_resize(level->when, level->capacity * sizeof *level->when);
    level->cells = memory_resize(level->cells, (size_t)level->capacity * level->width * cell_bytes(level));
}

void level_add(struct level *level, int32_t when, const struct kpi_sums *more)
{
    uint32_t position = level->count && level_when(level, level->count - 1) == when ? level->count - 1 : level_find(level, when);
    struct kpi_sums sums = *more;
    if (position < level->count && level_when(level, position) == when) {
        struct kpi_sums old = level_sums(level, position);
        kpi_sums_add(&sums, &old, 1);
    } else {
        make_room(level);
        move_slots(level, level->first + position + 1, level->first + position, level->count - position);
        level->when[level->first + position] = when;
        level->count++;
        struct kpi_sums nothing = {0};
        write_sums(level, level->first + position, &nothing);
    }
    if (!level->is_wide && !(is_narrow(sums.n) && is_narrow(sums.num) && is_narrow(sums.sum) && is_narrow(sums.immature) &&
                             is_narrow(sums.sum_squares)))
        widen(level);
    write_sums(level, level->first + position, &sums);
}

void level_drop_before(struct level *level, int32_t when)
{
    uint32_t gone = level->count && level_when(level, 0) < when ? level_find(level, when) : 0;
    level->first += gone;
    level->count -= gone;
    if (level->count == 0 && gone)
        level_finish(level);
}

size_t level_bytes(const struct level *level)
{
    return level->capacity * (sizeof *level->when + level->width * cell_bytes(level));
}
