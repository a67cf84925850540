#include "processors/journey/sums/totals.h"

#include "base/hash.h"
#include "processors/journey/sums/cells.h"

enum { CELLS_MAX = 32768 };

/* The series a place rolls up to. */
struct expansion {
    struct place place; /* minute 0 */
    uint32_t first, count; /* in totals.expanded */
};

/* A rollup of one KPI by some values of its dimensions, all by number, and the series that it is. Texts are put together once. */
struct rolled {
    uint32_t values[ROLLUP_DIMENSIONS_MAX];
    uint32_t kpi, rollup; /* place in the plan */
    uint32_t series;      /* NO_SERIES: one of the values is null */
};

#define NO_SERIES UINT32_MAX

struct totals {
    struct dimensions *dimensions;
    struct worker_totals *worker; /* NULL until the first that is not held */
    bool is_held;
    struct cells cells;
    struct number_table expansion_table, rolled_table;
    struct expansion *expansions;
    struct rolled *rolled;
    size_t expansion_capacity, rolled_capacity;
    uint32_t *expanded; /* series numbers */
    size_t expanded_count, expanded_capacity;
    struct bytes scratch;
    int64_t reached_ms;
};

struct totals *totals_create(struct dimensions *dimensions)
{
    struct totals *totals = memory_zeroed(1, sizeof *totals);
    totals->dimensions = dimensions;
    totals->reached_ms = INT64_MIN;
    cells_init(&totals->cells);
    number_table_init(&totals->expansion_table);
    number_table_init(&totals->rolled_table);
    return totals;
}

void totals_destroy(struct totals *totals)
{
    if (totals == NULL)
        return;
    if (totals->worker)
        worker_totals_leave(totals->worker, totals);
    cells_finish(&totals->cells);
    number_table_finish(&totals->expansion_table);
    number_table_finish(&totals->rolled_table);
    free(totals->expansions);
    free(totals->rolled);
    free(totals->expanded);
    bytes_finish(&totals->scratch);
    free(totals);
}

static void roll_up(struct totals *totals);

void totals_reach(struct totals *totals, int64_t at_ms)
{
    if (at_ms > totals->reached_ms)
        totals->reached_ms = at_ms;
}

void totals_add(struct totals *totals, const struct contribution *contribution, int times)
{
    cells_add(&totals->cells, contribution, times);
}

void totals_add_difference(struct totals *totals, const struct tally *before, const struct tally *after)
{
    cells_add_difference(&totals->cells, before, after);
    if (totals->cells.table.count >= CELLS_MAX && totals->worker && !totals->is_held)
        roll_up(totals);
}

/* --- once a batch: cells to series --- */

static void expand_to_series(struct totals *totals, uint32_t series)
{
    totals->expanded = GROWN(totals->expanded, totals->expanded_count, totals->expanded_capacity);
    totals->expanded[totals->expanded_count++] = series;
}

static uint32_t series_in_scratch(struct totals *totals, enum kpi_id kpi)
{
    uint32_t series = worker_totals_series(totals->worker, kpi, bytes_view(&totals->scratch));
    bytes_clear(&totals->scratch);
    return series;
}

static void expand_to(struct totals *totals, enum kpi_id kpi)
{
    expand_to_series(totals, series_in_scratch(totals, kpi));
}

static void expand_pair(struct totals *totals, enum kpi_id kpi, const char *name, struct view value)
{
    if (value.size == 0)
        return;
    bytes_append_text(&totals->scratch, name);
    bytes_append_byte(&totals->scratch, '=');
    dimension_append_value(&totals->scratch, value);
    expand_to(totals, kpi);
}

static void expand_all(struct totals *totals, enum kpi_id kpi)
{
    bytes_append_text(&totals->scratch, "all");
    expand_to(totals, kpi);
}

static struct view enum_text(const struct enum_shape *shape, uint32_t value)
{
    return value < shape->count ? shape->symbols[value] : (struct view){NULL, 0};
}

/* The name and value of one dimension of a place; a null value: it has none. */
static struct view dimension_value(const struct dimensions *dimensions, const struct place *place, uint8_t dimension,
                                   const char **name)
{
    const struct tuple *tuple = &dimensions->tuples[place->tuple];
    bool is_ticket = kpi_names[place->kpi].rollups != KPI_ROLLUPS_CONFIGURED;
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

static uint32_t series_of_rollup(struct totals *totals, const struct place *place, const struct rollup *rollup)
{
    for (uint32_t i = 0; i < rollup->count; i++) {
        const char *name;
        struct view value = dimension_value(totals->dimensions, place, rollup->dimensions[i], &name);
        if (value.size == 0) {
            bytes_clear(&totals->scratch);
            return NO_SERIES; /* null is in no rollup but all (READINGS 12) */
        }
        if (i > 0)
            bytes_append_byte(&totals->scratch, ',');
        if (rollup->dimensions[i] >= DIMENSION_ATTRIBUTE)
            bytes_append_text(&totals->scratch, "attributes.");
        dimension_append_value(&totals->scratch, view_of_text(name));
        bytes_append_byte(&totals->scratch, '=');
        dimension_append_value(&totals->scratch, value);
    }
    return series_in_scratch(totals, (enum kpi_id)place->kpi);
}

/* The same as dimension_value, as a number that is another one for another value. */
static uint32_t dimension_number(const struct dimensions *dimensions, const struct place *place, uint8_t dimension)
{
    const struct tuple *tuple = &dimensions->tuples[place->tuple];
    bool is_ticket = kpi_names[place->kpi].rollups != KPI_ROLLUPS_CONFIGURED;
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
    return memcmp(&((const struct rolled *)items)[number], key, offsetof(struct rolled, series)) == 0;
}

static uint64_t hash_of_rolled(const struct rolled *key)
{
    return hash_bytes(view_of(key, offsetof(struct rolled, series)));
}

static uint64_t rolled_hash(const void *items, uint32_t number)
{
    return hash_of_rolled(&((const struct rolled *)items)[number]);
}

static void expand_rollup(struct totals *totals, const struct place *place, uint32_t rollup)
{
    const struct rollup *of = &totals->dimensions->plan->rollups[rollup];
    struct rolled key = {.kpi = place->kpi, .rollup = rollup};
    for (uint32_t i = 0; i < of->count; i++)
        key.values[i] = dimension_number(totals->dimensions, place, of->dimensions[i]);
    struct number_table *table = &totals->rolled_table;
    uint32_t *found = number_table_place(table, hash_of_rolled(&key), rolled_is_same, totals->rolled, &key);
    if (*found) {
        key.series = totals->rolled[*found - 1].series;
    } else {
        key.series = series_of_rollup(totals, place, of);
        totals->rolled = GROWN(totals->rolled, table->count, totals->rolled_capacity);
        totals->rolled[table->count] = key;
        number_table_added(table, found, rolled_hash, totals->rolled);
    }
    if (key.series != NO_SERIES)
        expand_to_series(totals, key.series);
}

static void expand_configured(struct totals *totals, const struct place *place)
{
    expand_all(totals, (enum kpi_id)place->kpi);
    const struct rollup_plan *plan = totals->dimensions->plan;
    for (uint32_t i = 0; i < plan->rollup_count; i++)
        expand_rollup(totals, place, i);
}

static const char *const age_bands[] = {"0-1d", "1-3d", "3-7d", "7d+"};

static void expand_people(struct totals *totals, enum kpi_id kpi, const struct tuple *tuple)
{
    expand_all(totals, kpi);
    expand_pair(totals, kpi, "segment", strings_text(&totals->dimensions->segments, tuple->segment));
}

static void expand_place(struct totals *totals, const struct place *place)
{
    enum kpi_id kpi = (enum kpi_id)place->kpi;
    const struct dimensions *dimensions = totals->dimensions;
    const struct tuple *tuple = &dimensions->tuples[place->tuple];
    switch (kpi_names[kpi].rollups) {
    case KPI_ROLLUPS_CONFIGURED:
    case KPI_ROLLUPS_TICKET:
        expand_configured(totals, place);
        return;
    case KPI_ROLLUPS_BACKLOG: /* the bands are contributions of their own: an episode changes its band as it ages */
        if (place->topic == PLACE_TOPIC_IS_AGE)
            expand_pair(totals, kpi, "age", view_of_text(age_bands[place->detail]));
        else
            expand_configured(totals, place);
        return;
    case KPI_ROLLUPS_ACTIVE: /* a customer is active at one last time, and at another in each channel */
        if (tuple->channel != NO_CHANNEL) {
            expand_pair(totals, kpi, "channel", enum_text(&channel_shape, tuple->channel));
            return;
        }
        /* Who is active is the denominator of two more: told once, it is heard by all three. */
        expand_people(totals, KPI_LOYALTY_SHARE, tuple);
        expand_people(totals, KPI_REFERRAL_RATE, tuple);
        expand_people(totals, kpi, tuple);
        return;
    case KPI_ROLLUPS_CUSTOMER:
        expand_people(totals, kpi, tuple);
        return;
    case KPI_ROLLUPS_STAGE:
        expand_all(totals, kpi);
        expand_pair(totals, kpi, "stage", enum_text(&stage_shape, place->stage));
        return;
    case KPI_ROLLUPS_MOVES:
        expand_all(totals, kpi);
        bytes_printf(&totals->scratch, "from=%s,to=%s", stage_name((enum stage)place->stage), stage_name((enum stage)place->detail));
        expand_to(totals, kpi);
        return;
    case KPI_ROLLUPS_CURRENCY:
        expand_pair(totals, kpi, "currency", strings_text(&dimensions->currencies, place->name));
        return;
    case KPI_ROLLUPS_CAMPAIGN:
        expand_all(totals, kpi);
        expand_pair(totals, kpi, "channel", enum_text(&channel_shape, tuple->channel));
        expand_pair(totals, kpi, "campaign", strings_text(&dimensions->campaigns, place->name));
        expand_pair(totals, kpi, "kind", enum_text(&message_kind_shape, place->detail));
        return;
    case KPI_ROLLUPS_ALL:
        expand_all(totals, kpi);
        return;
    }
}

static struct place place_at_no_time(const struct place *place)
{
    struct place key = *place;
    key.minute = 0;
    return key;
}

static bool expansion_is_same(const void *items, uint32_t number, const void *key)
{
    return place_is_same(&((const struct expansion *)items)[number].place, key);
}

static uint64_t expansion_hash(const void *items, uint32_t number)
{
    return place_hash(&((const struct expansion *)items)[number].place);
}

static const struct expansion *expansion_of(struct totals *totals, const struct cell *cell)
{
    struct place key = place_at_no_time(&cell->place);
    struct number_table *table = &totals->expansion_table;
    uint32_t *place = number_table_place(table, cell->hash, expansion_is_same, totals->expansions, &key);
    if (*place)
        return &totals->expansions[*place - 1];
    uint32_t number = table->count;
    totals->expansions = GROWN(totals->expansions, number, totals->expansion_capacity);
    struct expansion *expansion = &totals->expansions[number];
    *expansion = (struct expansion){.place = key, .first = (uint32_t)totals->expanded_count};
    bytes_clear(&totals->scratch);
    expand_place(totals, &key);
    expansion->count = (uint32_t)totals->expanded_count - expansion->first;
    number_table_added(table, place, expansion_hash, totals->expansions);
    return expansion;
}

static void cell_roll_up(struct totals *totals, const struct cell *cell)
{
    struct kpi_sums sums = {cell->n, cell->num, cell->sum, cell->immature, cell->sum_squares};
    if (kpi_sums_are_zero(&sums) && bins_are_zero(&totals->cells.bins, cell->first_bin))
        return;
    const struct expansion *expansion = expansion_of(totals, cell);
    for (uint32_t i = 0; i < expansion->count; i++) {
        struct worker_bucket *bucket =
            worker_totals_add(totals->worker, totals->expanded[expansion->first + i], cell->place.minute, &sums);
        for (int32_t at = cell->first_bin; at >= 0; at = totals->cells.bins.items[at].next)
            worker_totals_add_bin(totals->worker, bucket, totals->cells.bins.items[at].index, totals->cells.bins.items[at].count);
    }
}

/* There are more expansions than a core's caches hold: what a cell will need is asked for some cells ahead, one step at a time, each
 * of which reads what the one before it asked for. By force inline: gcc takes a function that does nothing but prefetch for one that
 * does nothing, and leaves out the call. */
enum expected { EXPECT_PLACE, EXPECT_EXPANSION, EXPECT_SERIES };

__attribute__((always_inline)) static inline void expansion_expect(struct totals *totals, uint32_t number, enum expected what)
{
    if (number >= totals->cells.table.count)
        return;
    struct cell *cell = &totals->cells.items[number];
    if (what == EXPECT_PLACE) {
        struct place key = place_at_no_time(&cell->place);
        cell->hash = place_hash(&key);
    }
    const uint32_t *place = number_table_begin(&totals->expansion_table, cell->hash);
    if (what == EXPECT_PLACE)
        __builtin_prefetch(place);
    else if (*place && what == EXPECT_EXPANSION)
        __builtin_prefetch(&totals->expansions[*place - 1]);
    else if (*place)
        __builtin_prefetch(&totals->expanded[totals->expansions[*place - 1].first]);
}

void totals_hear(struct totals *totals, const struct outbox *outbox)
{
    totals->is_held |= outbox_is_muted(outbox);
    if (totals->worker == NULL && !totals->is_held)
        totals->worker = worker_totals_join(outbox, totals);
}

static void roll_up(struct totals *totals)
{
    if (totals->is_held)
        return;
    enum { AHEAD = 24 };
    for (uint32_t i = 0; i < AHEAD; i++)
        expansion_expect(totals, i, EXPECT_PLACE);
    for (uint32_t i = 0; i < totals->cells.table.count; i++) {
        expansion_expect(totals, i + AHEAD, EXPECT_PLACE);
        expansion_expect(totals, i + 16, EXPECT_EXPANSION);
        expansion_expect(totals, i + 8, EXPECT_SERIES);
        cell_roll_up(totals, &totals->cells.items[i]);
    }
    cells_clear(&totals->cells);
}

void totals_flush(struct totals *totals, const struct totals_target *target)
{
    totals->is_held = false;
    if (totals->worker == NULL)
        totals->worker = worker_totals_join(target->outbox, totals);
    struct totals *const *members;
    size_t count = worker_totals_members(totals->worker, &members);
    struct totals_target reached = *target;
    for (size_t i = 0; i < count; i++) {
        roll_up(members[i]);
        if (members[i]->reached_ms > reached.clock_ms)
            reached.clock_ms = members[i]->reached_ms;
    }
    worker_totals_send(totals->worker, &reached);
}
