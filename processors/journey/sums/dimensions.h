/* By what a contribution can be counted: its dimensions, and the series they roll up to.
 *
 * A touchpoint's own dimensions (channel, product, segment, region, source, attributes) are one number, a *tuple*; dimensions
 * in no rollup are left out of it, so that there are few. Stage, team, priority and topic belong to the contribution.
 * Which sets of dimensions make a series is the setting kpi.rollups. */
#ifndef TS_JOURNEY_DIMENSIONS_H
#define TS_JOURNEY_DIMENSIONS_H

#include "base/bytes.h"
#include "base/settings.h"
#include "processors/journey/memory/strings.h"

#include "schemas/records.h"

enum { TOPIC_SET_MAX = 8, ATTRIBUTES_MAX = 4, ROLLUP_DIMENSIONS_MAX = 4, ROLLUPS_MAX = 32, NO_STAGE = 0xff, NO_DETAIL = 0xff, NO_CHANNEL = 0xff };

enum dimension {
    DIMENSION_CHANNEL,
    DIMENSION_PRODUCT,
    DIMENSION_SEGMENT,
    DIMENSION_REGION,
    DIMENSION_SOURCE,
    DIMENSION_STAGE,
    DIMENSION_TEAM,
    DIMENSION_PRIORITY,
    DIMENSION_TOPIC,
    DIMENSION_ATTRIBUTE, /* and the ATTRIBUTES_MAX − 1 behind it */
};

struct rollup {
    uint8_t count;
    uint8_t dimensions[ROLLUP_DIMENSIONS_MAX]; /* enum dimension */
    uint8_t part; /* place + 1 of the rollup with these dimensions and more, of whose series its own are made up; 0: none */
};

/* The parsed kpi.rollups: part of the shared configuration, read-only. */
struct rollup_plan {
    struct rollup rollups[ROLLUPS_MAX];
    uint32_t rollup_count;
    uint8_t part_of_all; /* the same for `all` */
    char *attributes[ATTRIBUTES_MAX]; /* names */
    uint32_t attribute_count;
    bool uses_region, uses_source, uses_priority, uses_topic;
    uint32_t values_max; /* cap per dimension */
};

/* Each item is dimensions joined by '+': "channel", "product+channel", "attributes.plan". false: *wrong is what is not one,
 * or stands twice. */
bool rollup_plan_parse(struct rollup_plan *plan, const struct text_list *list, uint32_t values_max, const char **wrong);
void rollup_plan_finish(struct rollup_plan *plan);

struct tuple {
    uint32_t product, segment, region, source;
    uint32_t attributes[ATTRIBUTES_MAX];
    uint32_t channel; /* enum channel, or NO_CHANNEL */
};

enum { RECENT_TUPLES = 4096 };

struct dimensions {
    const struct rollup_plan *plan;
    struct strings products, segments, regions, sources, teams, topics, campaigns, currencies;
    struct strings topic_sets; /* each: the numbers of its topics, as bytes */
    struct strings attributes[ATTRIBUTES_MAX];
    struct values unkept; /* named by the event at hand, and kept by nobody: keeping.h */
    struct tuple *tuples; /* tuples[0]: all null */
    uint32_t tuple_count, tuple_capacity;
    uint32_t *table;
    uint32_t table_capacity;
    uint32_t *segment_tuples; /* by segment; 0: not asked for yet */
    uint32_t segment_tuple_count;
    uint32_t recent[RECENT_TUPLES]; /* numbers by their texts: dimensions_of_touch */
};

void dimensions_init(struct dimensions *dimensions, const struct rollup_plan *plan);
void dimensions_finish(struct dimensions *dimensions);

/* The number of a touchpoint's tuple. */
uint32_t dimensions_of_touch(struct dimensions *dimensions, const struct touchpoint *touch);
uint32_t dimensions_number(struct dimensions *dimensions, const struct tuple *tuple);
uint32_t dimensions_of_segment(struct dimensions *dimensions, uint32_t segment);

/* `tuple` with the product and segment of `other` where its own are null (READINGS 11). */
uint32_t dimensions_filled(struct dimensions *dimensions, uint32_t tuple, uint32_t other);

/* A set of topics as one number; 0: none. */
uint32_t dimensions_topic_set(struct dimensions *dimensions, const struct view *topics, size_t count);
bool dimensions_share_topic(const struct dimensions *dimensions, uint32_t one_set, uint32_t other_set);
uint32_t dimensions_first_topic(const struct dimensions *dimensions, uint32_t set);
/* Its numbers, at most TOPIC_SET_MAX; returns how many. */
size_t dimensions_topics(const struct dimensions *dimensions, uint32_t set, uint32_t numbers[TOPIC_SET_MAX]);
/* From a checkpoint; at most TOPIC_SET_MAX. */
uint32_t dimensions_topic_set_uncapped(struct dimensions *dimensions, const struct view *topics, size_t count);

/* `,` `=` `%` and control characters as %XX (READINGS 12). */
void dimension_append_value(struct bytes *out, struct view value);

#endif
