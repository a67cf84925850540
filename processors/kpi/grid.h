/* The three grids of time: minutes and hours of UTC, calendar days of the configured zone. A bucket is named by its index:
 * minutes, hours or days since 1970-01-01 (days: of the zone's calendar). */
#ifndef TS_KPI_GRID_H
#define TS_KPI_GRID_H

#include "base/time_zone.h"
#include "processors/kpi/catalog.h"

static inline int64_t grid_floor(int64_t at_ms, int64_t length_ms)
{
    return at_ms / length_ms - (at_ms % length_ms < 0);
}

/* The bucket that contains the instant. */
static inline int32_t grid_index(const struct time_zone *zone, enum grid grid, int64_t at_ms)
{
    if (grid == GRID_MINUTE)
        return (int32_t)grid_floor(at_ms, 60000);
    return grid == GRID_HOUR ? (int32_t)grid_floor(at_ms, 3600000) : (int32_t)time_zone_day(zone, at_ms);
}

/* The first instant of the bucket. */
static inline int64_t grid_start_ms(const struct time_zone *zone, enum grid grid, int32_t index)
{
    if (grid == GRID_MINUTE)
        return (int64_t)index * 60000;
    return grid == GRID_HOUR ? (int64_t)index * 3600000 : time_zone_day_start_ms(zone, index);
}

#endif
