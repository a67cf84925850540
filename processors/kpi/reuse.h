/* Arrays that lose in front, as buckets expire, and gain at the end: when is the room in front used again, instead of growing?
 *
 * As soon as it is an eighth of what is kept: eight items are moved for one that comes, and the room is reached when retention is,
 * not half as long again after it. */
#ifndef TS_KPI_REUSE_H
#define TS_KPI_REUSE_H

#include <stdbool.h>
#include <stdint.h>

/* `first`: places free in front; `count`: items kept. */
static inline bool reuse_is_due(uint32_t first, uint32_t count)
{
    return first > count / 8;
}

#endif
