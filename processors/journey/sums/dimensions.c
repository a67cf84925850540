#include "processors/journey/sums/dimensions.h"

#include "base/hash.h"
#include "base/memory.h"
#include "schemas/kpi_names.h"

#include <stdlib.h>

static const struct {
    const char *name;
    enum dimension dimension;
} dimension_names[] = {
    {"channel", DIMENSION_CHANNEL}, {"product", DIMENSION_PRODUCT},   {"segment", DIMENSION_SEGMENT},
    {"region", DIMENSION_REGION},   {"source", DIMENSION_SOURCE},     {"stage", DIMENSION_STAGE},
    {"team", DIMENSION_TEAM},       {"priority", DIMENSION_PRIORITY}, {"topic", DIMENSION_TOPIC},
};

/* --- the plan --- */

static bool attribute_parse(struct rollup_plan *plan, struct view name, uint8_t *out)
{
    for (uint32_t i = 0; i < plan->attribute_count; i++) {
        if (view_equal_text(name, plan->attributes[i])) {
            *out = (uint8_t)(DIMENSION_ATTRIBUTE + i);
            return true;
        }
    }
    if (plan->attribute_count == ATTRIBUTES_MAX || name.size == 0)
        return false;
    char *copy = memory_zeroed(1, name.size + 1);
    memcpy(copy, name.data, name.size);
    plan->attributes[plan->attribute_count] = copy;
    *out = (uint8_t)(DIMENSION_ATTRIBUTE + plan->attribute_count++);
    return true;
}

static bool dimension_parse(struct rollup_plan *plan, struct view name, uint8_t *out)
{
    struct view prefix = VIEW_LITERAL("attributes.");
    if (name.size > prefix.size && memcmp(name.data, prefix.data, prefix.size) == 0)
        return attribute_parse(plan, view_of(name.data + prefix.size, name.size - prefix.size), out);
    for (size_t i = 0; i < sizeof dimension_names / sizeof *dimension_names; i++) {
        if (view_equal_text(name, dimension_names[i].name)) {
            *out = (uint8_t)dimension_names[i].dimension;
            return true;
        }
    }
    return false;
}

static bool rollup_parse(struct rollup_plan *plan, const char *text)
{
    struct rollup *rollup = &plan->rollups[plan->rollup_count];
    for (const char *at = text;;) {
        size_t size = strcspn(at, "+");
        if (rollup->count == ROLLUP_DIMENSIONS_MAX)
            return false;
        uint8_t *dimension = &rollup->dimensions[rollup->count++];
        if (!dimension_parse(plan, view_of(at, size), dimension))
            return false;
        plan->uses_region |= *dimension == DIMENSION_REGION;
        plan->uses_source |= *dimension == DIMENSION_SOURCE;
        plan->uses_priority |= *dimension == DIMENSION_PRIORITY;
        plan->uses_topic |= *dimension == DIMENSION_TOPIC;
        if (at[size] == '\0')
            return true;
        at += size + 1;
    }
}

/* A dimension twice in one set means nothing, and a set that stands twice would count everything twice. */
static bool rollup_is_new(const struct rollup_plan *plan, const struct rollup *rollup)
{
    for (uint8_t i = 1; i < rollup->count; i++) {
        if (memchr(rollup->dimensions, rollup->dimensions[i], i))
            return false;
    }
    for (uint32_t i = 0; i < plan->rollup_count; i++) {
        const struct rollup *other = &plan->rollups[i];
        if (other->count == rollup->count && memcmp(other->dimensions, rollup->dimensions, rollup->count) == 0)
            return false;
    }
    return true;
}

static bool is_part_of(const struct rollup *part, const struct rollup *whole)
{
    bool has_all = part->count > whole->count;
    for (uint8_t i = 0; i < whole->count; i++)
        has_all = has_all && memchr(part->dimensions, whole->dimensions[i], part->count);
    return has_all;
}

/* The one with the fewest dimensions more: it has the fewest series, or nearly so. */
static uint8_t part_of(const struct rollup_plan *plan, const struct rollup *whole)
{
    uint8_t part = 0;
    for (uint32_t i = 0; i < plan->rollup_count; i++) {
        bool is_better = part == 0 || plan->rollups[i].count < plan->rollups[part - 1].count;
        if (is_better && is_part_of(&plan->rollups[i], whole))
            part = (uint8_t)(i + 1);
    }
    return part;
}

bool rollup_plan_parse(struct rollup_plan *plan, const struct text_list *list, uint32_t values_max, const char **wrong)
{
    *plan = (struct rollup_plan){.values_max = values_max};
    for (size_t i = 0; i < list->count; i++) {
        *wrong = list->items[i];
        if (strcmp(list->items[i], "all") == 0)
            continue; /* always there */
        if (plan->rollup_count == ROLLUPS_MAX || !rollup_parse(plan, list->items[i]) ||
            !rollup_is_new(plan, &plan->rollups[plan->rollup_count]))
            return false;
        plan->rollup_count++;
    }
    for (uint32_t i = 0; i < plan->rollup_count; i++)
        plan->rollups[i].part = part_of(plan, &plan->rollups[i]);
    plan->part_of_all = part_of(plan, &(struct rollup){.count = 0});
    return true;
}

void rollup_plan_finish(struct rollup_plan *plan)
{
    for (uint32_t i = 0; i < plan->attribute_count; i++)
        free(plan->attributes[i]);
}

/* --- tuples --- */

#define STRINGS_OF(d)                                                                                               \
    {                                                                                                               \
        &(d)->products, &(d)->segments, &(d)->regions, &(d)->sources, &(d)->teams, &(d)->topics, &(d)->campaigns,   \
            &(d)->currencies, &(d)->topic_sets                                                                      \
    }

void dimensions_init(struct dimensions *dimensions, const struct rollup_plan *plan)
{
    *dimensions = (struct dimensions){.plan = plan, .tuple_capacity = 64, .table_capacity = 256, .tuple_count = 1};
    struct strings *const all[] = STRINGS_OF(dimensions);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        strings_init(all[i], plan->values_max);
    for (size_t i = 0; i < ATTRIBUTES_MAX; i++)
        strings_init(&dimensions->attributes[i], plan->values_max);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]->unkept = &dimensions->unkept;
    for (size_t i = 0; i < ATTRIBUTES_MAX; i++)
        dimensions->attributes[i].unkept = &dimensions->unkept;
    dimensions->tuples = memory_zeroed(dimensions->tuple_capacity, sizeof *dimensions->tuples);
    dimensions->tuples[0].channel = NO_CHANNEL;
    dimensions->table = memory_zeroed(dimensions->table_capacity, sizeof *dimensions->table);
}

void dimensions_finish(struct dimensions *dimensions)
{
    struct strings *const all[] = STRINGS_OF(dimensions);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        strings_finish(all[i]);
    for (size_t i = 0; i < ATTRIBUTES_MAX; i++)
        strings_finish(&dimensions->attributes[i]);
    free(dimensions->unkept.items);
    free(dimensions->tuples);
    free(dimensions->table);
    free(dimensions->segment_tuples);
}

/* Not memcmp, whose call costs more than all of it. */
static bool tuple_is_same(const struct dimensions *dimensions, const struct tuple *tuple, const struct tuple *other)
{
    uint32_t differs = (tuple->product ^ other->product) | (tuple->segment ^ other->segment) | (tuple->channel ^ other->channel) |
                       (tuple->region ^ other->region) | (tuple->source ^ other->source);
    for (uint32_t i = 0; i < dimensions->plan->attribute_count; i++)
        differs |= tuple->attributes[i] ^ other->attributes[i];
    return differs == 0;
}

static uint32_t tuple_hash(const struct dimensions *dimensions, const struct tuple *tuple)
{
    uint64_t mixed = ((uint64_t)tuple->product << 32 | tuple->segment) * 0x9e3779b97f4a7c15u;
    mixed ^= ((uint64_t)tuple->region << 32 | tuple->source) * 0xff51afd7ed558ccdu;
    for (uint32_t i = 0; i < dimensions->plan->attribute_count; i++)
        mixed = mixed * 31 + tuple->attributes[i];
    mixed += tuple->channel;
    return (uint32_t)((mixed ^ mixed >> 32) * 0x94d049bb133111ebu >> 32);
}

static uint32_t *place_of(struct dimensions *dimensions, const struct tuple *tuple)
{
    uint32_t mask = dimensions->table_capacity - 1, place = tuple_hash(dimensions, tuple) & mask;
    while (dimensions->table[place] != 0 && !tuple_is_same(dimensions, &dimensions->tuples[dimensions->table[place]], tuple))
        place = (place + 1) & mask;
    return &dimensions->table[place];
}

static void grow_table(struct dimensions *dimensions)
{
    free(dimensions->table);
    dimensions->table_capacity *= 2;
    dimensions->table = memory_zeroed(dimensions->table_capacity, sizeof *dimensions->table);
    for (uint32_t i = 1; i < dimensions->tuple_count; i++)
        *place_of(dimensions, &dimensions->tuples[i]) = i;
}

uint32_t dimensions_number(struct dimensions *dimensions, const struct tuple *tuple)
{
    if (tuple_is_same(dimensions, tuple, &dimensions->tuples[0]))
        return 0;
    uint32_t *place = place_of(dimensions, tuple);
    if (*place)
        return *place;
    if (dimensions->tuple_count == dimensions->tuple_capacity) {
        dimensions->tuple_capacity *= 2;
        dimensions->tuples = memory_resize(dimensions->tuples, dimensions->tuple_capacity * sizeof *dimensions->tuples);
    }
    uint32_t number = dimensions->tuple_count++;
    dimensions->tuples[number] = *tuple;
    *place = number;
    if (dimensions->tuple_count > dimensions->table_capacity / 2)
        grow_table(dimensions);
    return number;
}

static struct view attribute_value(const struct touchpoint *touch, const char *name)
{
    for (size_t i = 0; i < touch->attributes.count; i++) {
        if (view_equal_text(touch->attributes.items[i].key, name))
            return touch->attributes.items[i].value;
    }
    return (struct view){NULL, 0};
}

/* The slow way: text by text, and the tuple they make. */
static uint32_t tuple_of_touch(struct dimensions *dimensions, const struct touchpoint *touch)
{
    const struct rollup_plan *plan = dimensions->plan;
    struct tuple tuple = {.channel = (uint32_t)touch->channel,
                          .product = strings_number(&dimensions->products, touch->product),
                          .segment = strings_number(&dimensions->segments, touch->segment)};
    if (plan->uses_region)
        tuple.region = strings_number(&dimensions->regions, touch->region);
    if (plan->uses_source)
        tuple.source = strings_number(&dimensions->sources, touch->source);
    for (uint32_t i = 0; i < plan->attribute_count; i++)
        tuple.attributes[i] = strings_number(&dimensions->attributes[i], attribute_value(touch, plan->attributes[i]));
    return dimensions_number(dimensions, &tuple);
}

/* By its texts, so that a value that is counted as `_other` is never taken for known. */
static bool tuple_is_of(const struct dimensions *dimensions, const struct tuple *tuple, const struct touchpoint *touch)
{
    const struct rollup_plan *plan = dimensions->plan;
    return tuple->channel == (uint32_t)touch->channel &&
           view_equal(strings_text(&dimensions->products, tuple->product), touch->product) &&
           view_equal(strings_text(&dimensions->segments, tuple->segment), touch->segment) &&
           (!plan->uses_region || view_equal(strings_text(&dimensions->regions, tuple->region), touch->region)) &&
           (!plan->uses_source || view_equal(strings_text(&dimensions->sources, tuple->source), touch->source));
}

/* Most events have the dimensions of one not long ago: those are found in one step, and compared. */
uint32_t dimensions_of_touch(struct dimensions *dimensions, const struct touchpoint *touch)
{
    if (dimensions->plan->attribute_count > 0)
        return tuple_of_touch(dimensions, touch);
    uint64_t hash = hash_ends(touch->product) + 3 * hash_ends(touch->segment) + ((uint64_t)touch->channel << 56);
    uint32_t *recent = &dimensions->recent[(hash ^ hash >> 24) >> 32 & (RECENT_TUPLES - 1)];
    if (*recent == 0 || !tuple_is_of(dimensions, &dimensions->tuples[*recent], touch))
        *recent = tuple_of_touch(dimensions, touch);
    return *recent;
}

static void segment_tuples_grow(struct dimensions *dimensions, uint32_t segment)
{
    uint32_t count = segment + segment / 2 + 16;
    dimensions->segment_tuples = memory_resize(dimensions->segment_tuples, count * sizeof *dimensions->segment_tuples);
    memset(dimensions->segment_tuples + dimensions->segment_tuple_count, 0,
           (count - dimensions->segment_tuple_count) * sizeof *dimensions->segment_tuples);
    dimensions->segment_tuple_count = count;
}

/* Every event asks for its customer's. */
uint32_t dimensions_of_segment(struct dimensions *dimensions, uint32_t segment)
{
    if (segment >= dimensions->segment_tuple_count)
        segment_tuples_grow(dimensions, segment);
    uint32_t *number = &dimensions->segment_tuples[segment];
    if (*number == 0)
        *number = dimensions_number(dimensions, &(struct tuple){.channel = NO_CHANNEL, .segment = segment});
    return *number;
}

uint32_t dimensions_filled(struct dimensions *dimensions, uint32_t number, uint32_t other)
{
    const struct tuple *own = &dimensions->tuples[number];
    if (number == other || (own->product && own->segment))
        return number;
    struct tuple tuple = *own;
    if (tuple.product == 0)
        tuple.product = dimensions->tuples[other].product;
    if (tuple.segment == 0)
        tuple.segment = dimensions->tuples[other].segment;
    return dimensions_number(dimensions, &tuple);
}

/* --- topics --- */

/* In the order in which they were named, not in that of their numbers: another life of this task has others, and the first is what counts. */
static uint32_t topic_set_of(struct dimensions *dimensions, const uint32_t numbers[TOPIC_SET_MAX], size_t count)
{
    return strings_number_uncapped(&dimensions->topic_sets, view_of(numbers, count * sizeof *numbers));
}

uint32_t dimensions_topic_set(struct dimensions *dimensions, const struct view *topics, size_t count)
{
    uint32_t numbers[TOPIC_SET_MAX];
    size_t known = 0;
    for (size_t i = 0; i < count && known < TOPIC_SET_MAX; i++) {
        if (topics[i].size)
            numbers[known++] = strings_number(&dimensions->topics, topics[i]);
    }
    return topic_set_of(dimensions, numbers, known);
}

size_t dimensions_topics(const struct dimensions *dimensions, uint32_t set, uint32_t numbers[TOPIC_SET_MAX])
{
    struct view bytes = strings_text(&dimensions->topic_sets, set);
    if (bytes.size)
        memcpy(numbers, bytes.data, bytes.size);
    return bytes.size / sizeof *numbers;
}

uint32_t dimensions_topic_set_uncapped(struct dimensions *dimensions, const struct view *topics, size_t count)
{
    uint32_t numbers[TOPIC_SET_MAX];
    for (size_t i = 0; i < count; i++)
        numbers[i] = strings_number_uncapped(&dimensions->topics, topics[i]);
    return topic_set_of(dimensions, numbers, count);
}

bool dimensions_share_topic(const struct dimensions *dimensions, uint32_t one_set, uint32_t other_set)
{
    uint32_t one[TOPIC_SET_MAX], other[TOPIC_SET_MAX];
    if (one_set == 0 || other_set == 0)
        return false;
    if (one_set == other_set)
        return true;
    size_t one_count = dimensions_topics(dimensions, one_set, one), other_count = dimensions_topics(dimensions, other_set, other);
    for (size_t i = 0; i < one_count; i++) {
        for (size_t j = 0; j < other_count; j++) {
            if (one[i] == other[j])
                return true;
        }
    }
    return false;
}

uint32_t dimensions_first_topic(const struct dimensions *dimensions, uint32_t set)
{
    uint32_t numbers[TOPIC_SET_MAX];
    return dimensions_topics(dimensions, set, numbers) ? numbers[0] : 0;
}

void dimension_append_value(struct bytes *out, struct view value)
{
    if (view_equal(value, STRINGS_CALLED_OTHER))
        kpi_dimension_append_sent_value(out, STRINGS_OTHER);
    else
        kpi_dimension_append_value(out, value);
}
