#include "processors/journey/sums/expansions.h"

#include "base/hash.h"
#include "processors/journey/sums/cells.h"

enum { EXPANSIONS_MAX = 16384 };

void expansions_init(struct expansions *expansions, struct dimensions *dimensions)
{
    *expansions = (struct expansions){.dimensions = dimensions};
    number_table_init(&expansions->table);
    number_table_init(&expansions->rolled_table);
}

void expansions_finish(struct expansions *expansions)
{
    number_table_finish(&expansions->table);
    number_table_finish(&expansions->rolled_table);
    free(expansions->items);
    free(expansions->rolled);
    free(expansions->expanded);
    bytes_finish(&expansions->scratch);
}

/* What one look-up puts together, and for whom. */
struct expanding {
    struct expansions *expansions;
    struct worker_totals *worker;
    const struct dimensions *dimensions;
    const struct place *place;
};

static void expand_to(struct expansions *expansions, uint32_t dimension)
{
    expansions->expanded = GROWN(expansions->expanded, expansions->expanded_count, expansions->expanded_capacity);
    expansions->expanded[expansions->expanded_count++] = dimension;
}

static uint32_t dimension_in_scratch(struct expanding *to)
{
    uint32_t dimension = worker_totals_dimension(to->worker, bytes_view(&to->expansions->scratch));
    bytes_clear(&to->expansions->scratch);
    return dimension;
}

static void expand_all(struct expanding *to)
{
    expand_to(to->expansions, worker_totals_dimension(to->worker, VIEW_LITERAL("all")));
}

static void expand_pair(struct expanding *to, const char *name, struct view value)
{
    struct bytes *scratch = &to->expansions->scratch;
    if (value.size == 0)
        return;
    bytes_append_text(scratch, name);
    bytes_append_byte(scratch, '=');
    dimension_append_value(scratch, value);
    expand_to(to->expansions, dimension_in_scratch(to));
}

static struct view enum_text(const struct enum_shape *shape, uint32_t value)
{
    return value < shape->count ? shape->symbols[value] : (struct view){NULL, 0};
}

/* --- the configured rollups --- */

/* The name and value of one dimension of a place; a null value: it has none. */
static struct view dimension_value(const struct dimensions *dimensions, const struct place *place, uint8_t dimension,
                                   const char **name)
{
    const struct tuple *tuple = &dimensions->tuples[place->tuple];
    bool is_ticket = place->kpi != KPI_ROLLUPS_CONFIGURED;
    switch (dimension) {
    case DIMENSION_CHANNEL: *name = "channel"; return enum_text(&channel_shape, tuple->channel);
    case DIMENSION_PRODUCT: *name = "product"; return strings_text(&dimensions->products, tuple->product);
    case DIMENSION_SEGMENT: *name = "segment"; return strings_text(&dimensions->segments, tuple->segment);
    case DIMENSION_REGION: *name = "region"; return strings_text(&dimensions->regions, tuple->region);
    case DIMENSION_SOURCE: *name = "source"; return strings_text(&dimensions->sources, tuple->source);
    case DIMENSION_STAGE: *name = "stage"; return enum_text(&stage_shape, place->stage);
    case DIMENSION_TEAM: *name = "team"; return strings_text(&dimensions->teams, is_ticket ? place->name : 0);
    case DIMENSION_PRIORITY: *name = "priority"; return enum_text(&priority_shape, is_ticket ? place->detail : NO_DETAIL);
    case DIMENSION_TOPIC: *name = "topic"; return strings_text(&dimensions->topics, place->topic);
    default: break;
    }
    uint32_t attribute = (uint32_t)dimension - DIMENSION_ATTRIBUTE;
    *name = dimensions->plan->attributes[attribute];
    return strings_text(&dimensions->attributes[attribute], tuple->attributes[attribute]);
}

static uint32_t dimension_of_rollup(struct expanding *to, const struct rollup *rollup)
{
    struct bytes *scratch = &to->expansions->scratch;
    for (uint32_t i = 0; i < rollup->count; i++) {
        const char *name;
        struct view value = dimension_value(to->dimensions, to->place, rollup->dimensions[i], &name);
        if (value.size == 0) {
            bytes_clear(scratch);
            return NO_DIMENSION; /* null is in no rollup but all (READINGS 12) */
        }
        if (i > 0)
            bytes_append_byte(scratch, ',');
        if (rollup->dimensions[i] >= DIMENSION_ATTRIBUTE)
            bytes_append_text(scratch, "attributes.");
        dimension_append_value(scratch, view_of_text(name));
        bytes_append_byte(scratch, '=');
        dimension_append_value(scratch, value);
    }
    return dimension_in_scratch(to);
}

/* The same as dimension_value, as a number that is another one for another value. */
static uint32_t dimension_number(const struct dimensions *dimensions, const struct place *place, uint8_t dimension)
{
    const struct tuple *tuple = &dimensions->tuples[place->tuple];
    bool is_ticket = place->kpi != KPI_ROLLUPS_CONFIGURED;
    switch (dimension) {
    case DIMENSION_CHANNEL: return tuple->channel;
    case DIMENSION_PRODUCT: return tuple->product;
    case DIMENSION_SEGMENT: return tuple->segment;
    case DIMENSION_REGION: return tuple->region;
    case DIMENSION_SOURCE: return tuple->source;
    case DIMENSION_STAGE: return place->stage;
    case DIMENSION_TEAM: return is_ticket ? place->name : 0;
    case DIMENSION_PRIORITY: return is_ticket ? place->detail : NO_DETAIL;
    case DIMENSION_TOPIC: return place->topic;
    default: return tuple->attributes[dimension - DIMENSION_ATTRIBUTE];
    }
}

static bool rolled_is_same(const void *items, uint32_t number, const void *key)
{
    return memcmp(&((const struct rolled *)items)[number], key, offsetof(struct rolled, dimension)) == 0;
}

static uint64_t hash_of_rolled(const struct rolled *key)
{
    return hash_bytes(view_of(key, offsetof(struct rolled, dimension)));
}

static uint64_t rolled_hash(const void *items, uint32_t number)
{
    return hash_of_rolled(&((const struct rolled *)items)[number]);
}

/* NO_DIMENSION: a value of it is null. */
static uint32_t rolled_dimension(struct expanding *to, uint32_t rollup)
{
    struct expansions *expansions = to->expansions;
    const struct rollup *of = &to->dimensions->plan->rollups[rollup];
    struct rolled key = {.rollup = rollup};
    for (uint32_t i = 0; i < of->count; i++)
        key.values[i] = dimension_number(to->dimensions, to->place, of->dimensions[i]);
    struct number_table *table = &expansions->rolled_table;
    uint32_t *found = number_table_place(table, hash_of_rolled(&key), rolled_is_same, expansions->rolled, &key);
    if (*found) {
        key.dimension = expansions->rolled[*found - 1].dimension;
    } else {
        key.dimension = dimension_of_rollup(to, of);
        expansions->rolled = GROWN(expansions->rolled, table->count, expansions->rolled_capacity);
        expansions->rolled[table->count] = key;
        number_table_added(table, found, rolled_hash, expansions->rolled);
    }
    return key.dimension;
}

/* Added to by itself only where none of its parts is. */
static void expand_or_include(struct expanding *to, uint32_t dimension, uint8_t part)
{
    uint32_t its_part = part ? rolled_dimension(to, part - 1u) : NO_DIMENSION;
    if (its_part == NO_DIMENSION)
        expand_to(to->expansions, dimension);
    else
        worker_totals_include(to->worker, its_part, to->dimensions->plan->rollups[part - 1].count, dimension);
}

static void expand_configured(struct expanding *to)
{
    const struct rollup_plan *plan = to->dimensions->plan;
    expand_or_include(to, worker_totals_dimension(to->worker, VIEW_LITERAL("all")), plan->part_of_all);
    for (uint32_t i = 0; i < plan->rollup_count; i++) {
        uint32_t dimension = rolled_dimension(to, i);
        if (dimension != NO_DIMENSION)
            expand_or_include(to, dimension, plan->rollups[i].part);
    }
}

/* --- by kind --- */

static const char *const age_bands[] = {"0-1d", "1-3d", "3-7d", "7d+"};

static void expand_people(struct expanding *to, const struct tuple *tuple)
{
    expand_all(to);
    expand_pair(to, "segment", strings_text(&to->dimensions->segments, tuple->segment));
}

static void expand_place(struct expanding *to)
{
    const struct dimensions *dimensions = to->dimensions;
    const struct place *place = to->place;
    const struct tuple *tuple = &dimensions->tuples[place->tuple];
    switch ((enum kpi_rollups)place->kpi) {
    case KPI_ROLLUPS_CONFIGURED:
    case KPI_ROLLUPS_TICKET:
        expand_configured(to);
        return;
    case KPI_ROLLUPS_BACKLOG: /* the bands are contributions of their own: an episode changes its band as it ages */
        if (place->topic == PLACE_TOPIC_IS_AGE)
            expand_pair(to, "age", view_of_text(age_bands[place->detail]));
        else
            expand_configured(to);
        return;
    case KPI_ROLLUPS_ACTIVE: /* a customer is active at one last time, and at another in each channel */
        if (tuple->channel != NO_CHANNEL)
            expand_pair(to, "channel", enum_text(&channel_shape, tuple->channel));
        else
            expand_people(to, tuple);
        return;
    case KPI_ROLLUPS_CUSTOMER:
        expand_people(to, tuple);
        return;
    case KPI_ROLLUPS_STAGE:
        expand_all(to);
        expand_pair(to, "stage", enum_text(&stage_shape, place->stage));
        return;
    case KPI_ROLLUPS_MOVES:
        expand_all(to);
        bytes_printf(&to->expansions->scratch, "from=%s,to=%s", stage_name((enum stage)place->stage), stage_name((enum stage)place->detail));
        expand_to(to->expansions, dimension_in_scratch(to));
        return;
    case KPI_ROLLUPS_CURRENCY:
        expand_pair(to, "currency", strings_text(&dimensions->currencies, place->name));
        return;
    case KPI_ROLLUPS_CAMPAIGN:
        expand_all(to);
        expand_pair(to, "channel", enum_text(&channel_shape, tuple->channel));
        expand_pair(to, "campaign", strings_text(&dimensions->campaigns, place->name));
        expand_pair(to, "kind", enum_text(&message_kind_shape, place->detail));
        return;
    case KPI_ROLLUPS_ALL:
        expand_all(to);
        return;
    }
}

/* --- found again --- */

static bool expansion_is_same(const void *items, uint32_t number, const void *key)
{
    return place_is_same(&((const struct expansion *)items)[number].place, key);
}

static uint64_t expansion_hash(const void *items, uint32_t number)
{
    return place_hash(&((const struct expansion *)items)[number].place);
}

const struct expansion *expansions_of(struct expansions *expansions, struct worker_totals *worker, const struct place *key, uint32_t hash)
{
    struct number_table *table = &expansions->table;
    uint32_t *place = number_table_place(table, hash, expansion_is_same, expansions->items, key);
    if (*place)
        return &expansions->items[*place - 1];
    if (table->count >= EXPANSIONS_MAX) {
        number_table_clear(table);
        expansions->expanded_count = 0;
        place = number_table_begin(table, hash);
    }
    uint32_t number = table->count;
    expansions->items = GROWN(expansions->items, number, expansions->capacity);
    struct expansion *expansion = &expansions->items[number];
    *expansion = (struct expansion){.place = *key, .first = (uint32_t)expansions->expanded_count};
    struct expanding to = {expansions, worker, expansions->dimensions, key};
    expand_place(&to);
    expansion->count = (uint32_t)expansions->expanded_count - expansion->first;
    number_table_added(table, place, expansion_hash, expansions->items);
    return expansion;
}
