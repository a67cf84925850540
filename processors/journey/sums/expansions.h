/* What a place rolls up to: the rollups of its dimensions, by number, put together as text once.
 *
 * Which they are does not hang on the KPI but on its kind of rollups, so a few thousand answers serve all KPIs. They are made again
 * from the dimensions when there are too many to keep. */
#ifndef TS_JOURNEY_EXPANSIONS_H
#define TS_JOURNEY_EXPANSIONS_H

#include "processors/journey/memory/number_table.h"
#include "processors/journey/sums/worker_totals.h"

/* The dimensions (worker_totals.h) that what is told of a place is added to. Others of its rollups include one of them. */
struct expansion {
    struct place place; /* minute 0; in the KPI's stead its kind of rollups */
    uint32_t first, count; /* in expansions.expanded */
};

/* A rollup by some values of its dimensions, all by number, and the dimension that it is. */
struct rolled {
    uint32_t values[ROLLUP_DIMENSIONS_MAX];
    uint32_t rollup;    /* place in the plan */
    uint32_t dimension; /* NO_DIMENSION: one of the values is null */
};

#define NO_DIMENSION UINT32_MAX

struct expansions {
    struct dimensions *dimensions;
    struct number_table table, rolled_table;
    struct expansion *items;
    struct rolled *rolled;
    size_t capacity, rolled_capacity;
    uint32_t *expanded;
    size_t expanded_count, expanded_capacity;
    struct bytes scratch;
};

void expansions_init(struct expansions *expansions, struct dimensions *dimensions);
void expansions_finish(struct expansions *expansions);

/* What a place is looked up by. */
static inline struct place expansion_key(const struct place *place)
{
    struct place key = *place;
    key.minute = 0;
    key.kpi = (uint8_t)kpi_names[place->kpi].rollups;
    return key;
}

/* `hash` as place_hash() says of the key. Good until the next call; always with the same worker. */
const struct expansion *expansions_of(struct expansions *expansions, struct worker_totals *worker, const struct place *key, uint32_t hash);

#endif
