#include "processors/journey/sums/totals.h"

#include "base/hash.h"
#include "processors/journey/sums/bins.h"

/* The hot path's memory: one cache line. What one batch adds to one place fits the narrow numbers. */
struct cell {
    struct place place;
    int32_t first_bin; /* −1: none */
    int32_t n, num, immature;
    int64_t sum;
    kpi_wide sum_squares;
};
_Static_assert(sizeof(struct cell) == 64, "a cell is a cache line");

/* While events wait sums leave every few seconds: most cells are met once, and would only take room until then. */
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
    struct worker_totals *worker; /* NULL until the first flush */
    bool is_held;
    struct number_table cell_table, expansion_table, rolled_table;
    struct cell *cells;
    struct expansion *expansions;
    struct rolled *rolled;
    size_t cell_capacity, expansion_capacity, rolled_capacity;
    struct bins bins;
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
    number_table_init(&totals->cell_table);
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
    number_table_finish(&totals->cell_table);
    number_table_finish(&totals->expansion_table);
    number_table_finish(&totals->rolled_table);
    free(totals->cells);
    free(totals->expansions);
    free(totals->rolled);
    free(totals->bins.items);
    free(totals->expanded);
    bytes_finish(&totals->scratch);
    free(totals);
}

static void roll_up(struct totals *totals);

/* --- the hot half: contributions to cells --- */

/* What only asks for memory ahead of its use. By force: gcc takes a function that does nothing but prefetch for one that does nothing,
 * and leaves out the call. */
#define INLINE_EXPECTATION __attribute__((always_inline)) static inline

/* A place as three words: hashed and compared for every addition. */
struct place_words {
    uint64_t first, second;
    uint32_t third;
};
_Static_assert(sizeof(struct place) == 20, "two words of eight bytes and one of four");

static inline struct place_words words_of(const struct place *place)
{
    struct place_words words;
    memcpy(&words.first, place, 8);
    memcpy(&words.second, (const char *)place + 8, 8);
    memcpy(&words.third, (const char *)place + 16, 4);
    return words;
}

static inline uint64_t place_hash(const struct place *place)
{
    struct place_words words = words_of(place);
    uint64_t mixed = words.first * 0x9e3779b97f4a7c15u ^ (words.second + words.third) * 0xff51afd7ed558ccdu;
    return (mixed ^ mixed >> 32) * 0x94d049bb133111ebu >> 32;
}

static inline bool place_is_same(const struct place *place, const struct place *other)
{
    struct place_words mine = words_of(place), theirs = words_of(other);
    return mine.first == theirs.first && mine.second == theirs.second && mine.third == theirs.third;
}

static bool cell_is_same(const void *items, uint32_t number, const void *key)
{
    return place_is_same(&((const struct cell *)items)[number].place, key);
}

static uint64_t cell_hash(const void *items, uint32_t number)
{
    return place_hash(&((const struct cell *)items)[number].place);
}

static struct cell *cell_of(struct totals *totals, const struct place *key)
{
    struct number_table *table = &totals->cell_table;
    uint32_t *place = number_table_place(table, place_hash(key), cell_is_same, totals->cells, key);
    if (*place)
        return &totals->cells[*place - 1];
    uint32_t number = table->count;
    totals->cells = GROWN(totals->cells, number, totals->cell_capacity);
    totals->cells[number] = (struct cell){.place = *key, .first_bin = -1};
    number_table_added(table, place, cell_hash, totals->cells);
    return &totals->cells[number];
}

void totals_reach(struct totals *totals, int64_t at_ms)
{
    if (at_ms > totals->reached_ms)
        totals->reached_ms = at_ms;
}

static bool has_squares(enum kpi_id kpi)
{
    return kpi_names[kpi].kind == KPI_KIND_MEAN || kpi_names[kpi].kind == KPI_KIND_DURATION;
}

void totals_add(struct totals *totals, const struct contribution *contribution, int times)
{
    struct cell *cell = cell_of(totals, &contribution->place);
    cell->n += times * contribution->n;
    cell->num += times * contribution->num;
    cell->immature += times * contribution->immature;
    cell->sum += times * contribution->sum;
    if (has_squares((enum kpi_id)contribution->place.kpi))
        cell->sum_squares += times * ((kpi_wide)contribution->sum * contribution->sum);
    if (contribution->bin >= 0)
        bins_add(&totals->bins, &cell->first_bin, contribution->bin, times);
}

/* Of cells there are more than the nearest caches hold, too: a customer's are asked for together instead of one after the other. */
INLINE_EXPECTATION void cells_expect(const struct totals *totals, const struct tally *tally, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        __builtin_prefetch(number_table_begin(&totals->cell_table, place_hash(&tally->items[i].place)));
    for (size_t i = begin; i < end; i++) {
        uint32_t number = *number_table_begin(&totals->cell_table, place_hash(&tally->items[i].place));
        if (number)
            __builtin_prefetch(&totals->cells[number - 1]);
    }
}

/* Most of what stood before stands after, in the same order: skip what is equal from both ends, and place by place when
 * as many are left on each side. */
void totals_add_difference(struct totals *totals, const struct tally *before, const struct tally *after)
{
    size_t start = 0, before_end = before->count, after_end = after->count;
    while (start < before_end && start < after_end &&
           memcmp(&before->items[start], &after->items[start], sizeof *before->items) == 0)
        start++;
    while (before_end > start && after_end > start &&
           memcmp(&before->items[before_end - 1], &after->items[after_end - 1], sizeof *before->items) == 0) {
        before_end--;
        after_end--;
    }
    cells_expect(totals, before, start, before_end);
    cells_expect(totals, after, start, after_end);
    bool is_aligned = before_end == after_end;
    for (size_t i = start; i < before_end; i++) {
        if (!is_aligned || memcmp(&before->items[i], &after->items[i], sizeof *before->items) != 0)
            totals_add(totals, &before->items[i], -1);
    }
    for (size_t i = start; i < after_end; i++) {
        if (!is_aligned || memcmp(&before->items[i], &after->items[i], sizeof *before->items) != 0)
            totals_add(totals, &after->items[i], 1);
    }
    if (totals->cell_table.count >= CELLS_MAX && totals->worker && !totals->is_held)
        roll_up(totals);
}

/* --- the other half, once a batch: cells to series --- */

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

static bool expansion_is_same(const void *items, uint32_t number, const void *key)
{
    return place_is_same(&((const struct expansion *)items)[number].place, key);
}

static uint64_t expansion_hash(const void *items, uint32_t number)
{
    return place_hash(&((const struct expansion *)items)[number].place);
}

static const struct expansion *expansion_of(struct totals *totals, const struct place *minute_place)
{
    struct place key = *minute_place;
    key.minute = 0;
    struct number_table *table = &totals->expansion_table;
    uint32_t *place = number_table_place(table, place_hash(&key), expansion_is_same, totals->expansions, &key);
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
    if (kpi_sums_are_zero(&sums) && bins_are_zero(&totals->bins, cell->first_bin))
        return;
    const struct expansion *expansion = expansion_of(totals, &cell->place);
    for (uint32_t i = 0; i < expansion->count; i++) {
        struct worker_bucket *bucket =
            worker_totals_bucket(totals->worker, totals->expanded[expansion->first + i], cell->place.minute);
        worker_totals_add(bucket, &sums);
        for (int32_t at = cell->first_bin; at >= 0; at = totals->bins.items[at].next)
            worker_totals_add_bin(totals->worker, bucket, totals->bins.items[at].index, totals->bins.items[at].count);
    }
}

/* There are more expansions than a core's caches hold: what a cell will need is asked for some cells ahead, one step at a time, each
 * of which reads what the one before it asked for. */
enum expected { EXPECT_PLACE, EXPECT_EXPANSION, EXPECT_SERIES };

INLINE_EXPECTATION void expansion_expect(const struct totals *totals, uint32_t number, enum expected what)
{
    const struct number_table *table = &totals->expansion_table;
    if (number >= totals->cell_table.count)
        return;
    struct place key = totals->cells[number].place;
    key.minute = 0;
    const uint32_t *place = number_table_begin(table, place_hash(&key));
    if (what == EXPECT_PLACE)
        __builtin_prefetch(place);
    else if (*place && what == EXPECT_EXPANSION)
        __builtin_prefetch(&totals->expansions[*place - 1]);
    else if (*place)
        __builtin_prefetch(&totals->expanded[totals->expansions[*place - 1].first]);
}

void totals_hold(struct totals *totals, bool is_held)
{
    totals->is_held |= is_held;
}

static void roll_up(struct totals *totals)
{
    if (totals->is_held)
        return;
    for (uint32_t i = 0; i < totals->cell_table.count; i++) {
        expansion_expect(totals, i + 24, EXPECT_PLACE);
        expansion_expect(totals, i + 16, EXPECT_EXPANSION);
        expansion_expect(totals, i + 8, EXPECT_SERIES);
        cell_roll_up(totals, &totals->cells[i]);
    }
    totals->bins.count = 0;
    number_table_clear(&totals->cell_table);
}

void totals_flush(struct totals *totals, const struct totals_target *target, struct arena *arena)
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
    worker_totals_send(totals->worker, &reached, arena);
}
