/* The buckets of one grid of one series: sparse, sorted by time, exact.
 *
 * Only the sums that the KPI's kind uses are kept, in 32 bits each as long as all of them fit (then the whole level
 * widens to 64): a minute of a rate takes 16 bytes. Adding at the end, the usual place, is O(1); late additions search
 * and move what is behind. One thread at a time. */
#ifndef TS_KPI_LEVEL_H
#define TS_KPI_LEVEL_H

#include "schemas/kpi_names.h"
#include "schemas/kpi_sums.h"

#include <stddef.h>

enum level_field { FIELD_N = 1, FIELD_NUM = 2, FIELD_SUM = 4, FIELD_IMMATURE = 8, FIELD_SQUARES = 16 };

struct level {
    int32_t *when;    /* bucket indices, ascending; [first, first + count) are in use */
    void *cells;      /* beside each: its fields, int32_t or int64_t */
    uint32_t first, count, capacity;
    uint8_t fields;   /* mask of enum level_field */
    uint8_t width;    /* cells per bucket */
    bool is_wide;
};

/* Which sums a kind uses (schemas/kpi_names.h). */
uint8_t level_fields_of(enum kpi_kind kind);

void level_init(struct level *level, uint8_t fields);
void level_finish(struct level *level);

void level_add(struct level *level, int32_t when, const struct kpi_sums *more);

/* Positions run from 0 to count. level_find gives the first bucket at or after `when`. */
uint32_t level_find(const struct level *level, int32_t when);
int32_t level_when(const struct level *level, uint32_t position);
struct kpi_sums level_sums(const struct level *level, uint32_t position);

/* Forget every bucket before `when`. */
void level_drop_before(struct level *level, int32_t when);

size_t level_bytes(const struct level *level); /* of memory */

#endif
