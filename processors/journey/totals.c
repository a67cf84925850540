#include "processors/journey/totals.h"

#include "base/hash.h"
#include "base/memory.h"
#include "schemas/wire.h"

#include <stdlib.h>

/* A growing hash table from fixed-size keys to the numbers 0, 1, 2 … in order of arrival; what belongs to a number is in the
 * owner's array. */
struct index {
    uint32_t *table; /* number + 1; 0: empty */
    uint32_t capacity, count;
};

struct bin {
    int32_t index;
    int32_t next; /* in totals.bins; −1: last */
    int64_t count;
};

/* The hot path's memory: one cache line. What one batch adds to one place fits the narrow numbers. */
struct cell {
    struct place place;
    int32_t first_bin; /* −1: none */
    int32_t n, num, immature;
    int64_t sum;
    kpi_wide sum_squares;
};
_Static_assert(sizeof(struct cell) == 64, "a cell is a cache line");

/* One minute of one series. */
struct bucket {
    uint32_t series;
    int32_t minute;
    int32_t first_bin, next; /* next: the series' bucket before this one; −1: none */
    struct kpi_sums sums;
};

struct series {
    enum kpi_id kpi;
    struct view dimension;
    struct view key; /* KPI|DIMENSION */
    int32_t last_bucket; /* −1: unchanged */
};

/* The series a place rolls up to. */
struct expansion {
    struct place place; /* minute 0 */
    uint32_t first, count; /* in totals.expanded */
};

struct totals {
    struct dimensions *dimensions;
    struct index cell_index, bucket_index, series_index, expansion_index;
    struct cell *cells;
    struct bucket *buckets;
    struct series *series;
    struct expansion *expansions;
    size_t cell_capacity, bucket_capacity, series_capacity, expansion_capacity;
    struct bin *bins;
    size_t bin_count, bin_capacity;
    uint32_t *expanded;
    size_t expanded_count, expanded_capacity;
    uint32_t *changed; /* series with buckets, in order */
    size_t changed_count, changed_capacity;
    struct arena texts;
    struct bytes scratch;
};

#define GROWN(array, count, capacity) \
    ((count) < (capacity) ? (array) : memory_resize((array), ((capacity) = (capacity) ? 2 * (capacity) : 64) * sizeof *(array)))

static void index_init(struct index *index)
{
    *index = (struct index){.capacity = 256};
    index->table = memory_zeroed(index->capacity, sizeof *index->table);
}

static void index_clear(struct index *index)
{
    if (index->count == 0)
        return;
    memset(index->table, 0, index->capacity * sizeof *index->table);
    index->count = 0;
}

struct totals *totals_create(struct dimensions *dimensions)
{
    struct totals *totals = memory_zeroed(1, sizeof *totals);
    totals->dimensions = dimensions;
    index_init(&totals->cell_index);
    index_init(&totals->bucket_index);
    index_init(&totals->series_index);
    index_init(&totals->expansion_index);
    arena_init(&totals->texts);
    return totals;
}

void totals_destroy(struct totals *totals)
{
    if (totals == NULL)
        return;
    free(totals->cell_index.table);
    free(totals->bucket_index.table);
    free(totals->series_index.table);
    free(totals->expansion_index.table);
    free(totals->cells);
    free(totals->buckets);
    free(totals->series);
    free(totals->expansions);
    free(totals->bins);
    free(totals->expanded);
    free(totals->changed);
    arena_finish(&totals->texts);
    bytes_finish(&totals->scratch);
    free(totals);
}

/* --- the hot half: contributions to cells --- */

static uint64_t place_hash(const struct place *place)
{
    uint64_t first = (uint64_t)place->tuple << 32 | place->name;
    uint64_t second = (uint64_t)(uint32_t)place->minute << 32 | (uint32_t)place->kpi << 24 | (uint32_t)place->stage << 16 |
                      (uint32_t)place->detail << 8;
    return hash_mix(first * 0x9e3779b97f4a7c15u ^ hash_mix(second + place->topic));
}

static void cell_index_grow(struct totals *totals)
{
    struct index *index = &totals->cell_index;
    free(index->table);
    index->capacity *= 2;
    index->table = memory_zeroed(index->capacity, sizeof *index->table);
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t place = (uint32_t)place_hash(&totals->cells[i].place) & (index->capacity - 1);
        while (index->table[place])
            place = (place + 1) & (index->capacity - 1);
        index->table[place] = i + 1;
    }
}

static struct cell *cell_of(struct totals *totals, const struct place *key)
{
    struct index *index = &totals->cell_index;
    uint32_t mask = index->capacity - 1, place = (uint32_t)place_hash(key) & mask;
    for (; index->table[place]; place = (place + 1) & mask) {
        struct cell *cell = &totals->cells[index->table[place] - 1];
        if (memcmp(&cell->place, key, sizeof *key) == 0)
            return cell;
    }
    totals->cells = GROWN(totals->cells, index->count, totals->cell_capacity);
    struct cell *cell = &totals->cells[index->count++];
    *cell = (struct cell){.place = *key, .first_bin = -1};
    index->table[place] = index->count;
    if (index->count > index->capacity / 2)
        cell_index_grow(totals);
    return cell;
}

static void bin_add(struct totals *totals, int32_t *first, int32_t index, int64_t count)
{
    for (int32_t at = *first; at >= 0; at = totals->bins[at].next) {
        if (totals->bins[at].index == index) {
            totals->bins[at].count += count;
            return;
        }
    }
    totals->bins = GROWN(totals->bins, totals->bin_count, totals->bin_capacity);
    totals->bins[totals->bin_count] = (struct bin){.index = index, .next = *first, .count = count};
    *first = (int32_t)totals->bin_count++;
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
        bin_add(totals, &cell->first_bin, contribution->bin, times);
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
    bool is_aligned = before_end == after_end;
    for (size_t i = start; i < before_end; i++) {
        if (!is_aligned || memcmp(&before->items[i], &after->items[i], sizeof *before->items) != 0)
            totals_add(totals, &before->items[i], -1);
    }
    for (size_t i = start; i < after_end; i++) {
        if (!is_aligned || memcmp(&before->items[i], &after->items[i], sizeof *before->items) != 0)
            totals_add(totals, &after->items[i], 1);
    }
}

/* --- the other half, once a batch: cells to series --- */

static uint32_t *index_place(struct index *index, uint64_t hash, bool (*is_same)(const void *, uint32_t, const void *),
                             const void *items, const void *key)
{
    uint32_t mask = index->capacity - 1, place = (uint32_t)hash & mask;
    while (index->table[place] && !is_same(items, index->table[place] - 1, key))
        place = (place + 1) & mask;
    return &index->table[place];
}

static bool series_is_same(const void *items, uint32_t number, const void *key)
{
    return view_equal(((const struct series *)items)[number].key, *(const struct view *)key);
}

static void series_index_grow(struct totals *totals)
{
    struct index *index = &totals->series_index;
    free(index->table);
    index->capacity *= 2;
    index->table = memory_zeroed(index->capacity, sizeof *index->table);
    for (uint32_t i = 0; i < index->count; i++) {
        const struct view *key = &totals->series[i].key;
        *index_place(index, hash_bytes(*key), series_is_same, totals->series, key) = i + 1;
    }
}

static uint32_t series_number(struct totals *totals, enum kpi_id kpi, struct view dimension)
{
    struct bytes *scratch = &totals->scratch;
    size_t dimension_size = dimension.size, dimension_start = (size_t)(dimension.data - scratch->data);
    size_t start = scratch->size;
    bytes_append_text(scratch, kpi_names[kpi].name);
    bytes_append_byte(scratch, '|');
    bytes_reserve(scratch, dimension_size);
    memcpy(scratch->data + scratch->size, scratch->data + dimension_start, dimension_size);
    scratch->size += dimension_size;
    struct view key = view_of(scratch->data + start, scratch->size - start);
    struct index *index = &totals->series_index;
    uint32_t *place = index_place(index, hash_bytes(key), series_is_same, totals->series, &key);
    if (*place)
        return *place - 1;
    totals->series = GROWN(totals->series, index->count, totals->series_capacity);
    key = arena_copy(&totals->texts, key);
    totals->series[index->count] = (struct series){
        .kpi = kpi, .key = key, .last_bucket = -1, .dimension = view_of(key.data + key.size - dimension_size, dimension_size)};
    *place = ++index->count;
    uint32_t number = index->count - 1;
    if (index->count > index->capacity / 2)
        series_index_grow(totals);
    return number;
}

static void expand_to(struct totals *totals, enum kpi_id kpi, size_t text_start)
{
    struct bytes *scratch = &totals->scratch;
    struct view dimension = view_of(scratch->data + text_start, scratch->size - text_start);
    uint32_t number = series_number(totals, kpi, dimension);
    totals->expanded = GROWN(totals->expanded, totals->expanded_count, totals->expanded_capacity);
    totals->expanded[totals->expanded_count++] = number;
    bytes_clear(scratch);
}

static void expand_pair(struct totals *totals, enum kpi_id kpi, const char *name, struct view value)
{
    if (value.size == 0)
        return;
    bytes_append_text(&totals->scratch, name);
    bytes_append_byte(&totals->scratch, '=');
    dimension_append_value(&totals->scratch, value);
    expand_to(totals, kpi, 0);
}

static void expand_all(struct totals *totals, enum kpi_id kpi)
{
    bytes_append_text(&totals->scratch, "all");
    expand_to(totals, kpi, 0);
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

static void expand_rollup(struct totals *totals, const struct place *place, const struct rollup *rollup)
{
    for (uint32_t i = 0; i < rollup->count; i++) {
        const char *name;
        struct view value = dimension_value(totals->dimensions, place, rollup->dimensions[i], &name);
        if (value.size == 0) {
            bytes_clear(&totals->scratch);
            return; /* null is in no rollup but all (READINGS 12) */
        }
        if (i > 0)
            bytes_append_byte(&totals->scratch, ',');
        if (rollup->dimensions[i] >= DIMENSION_ATTRIBUTE)
            bytes_append_text(&totals->scratch, "attributes.");
        dimension_append_value(&totals->scratch, view_of_text(name));
        bytes_append_byte(&totals->scratch, '=');
        dimension_append_value(&totals->scratch, value);
    }
    expand_to(totals, (enum kpi_id)place->kpi, 0);
}

static void expand_configured(struct totals *totals, const struct place *place)
{
    expand_all(totals, (enum kpi_id)place->kpi);
    const struct rollup_plan *plan = totals->dimensions->plan;
    for (uint32_t i = 0; i < plan->rollup_count; i++)
        expand_rollup(totals, place, &plan->rollups[i]);
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
        expand_to(totals, kpi, 0);
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
    return memcmp(&((const struct expansion *)items)[number].place, key, sizeof(struct place)) == 0;
}

static void expansion_index_grow(struct totals *totals)
{
    struct index *index = &totals->expansion_index;
    free(index->table);
    index->capacity *= 2;
    index->table = memory_zeroed(index->capacity, sizeof *index->table);
    for (uint32_t i = 0; i < index->count; i++) {
        const struct place *key = &totals->expansions[i].place;
        *index_place(index, place_hash(key), expansion_is_same, totals->expansions, key) = i + 1;
    }
}

static const struct expansion *expansion_of(struct totals *totals, const struct place *minute_place)
{
    struct place key = *minute_place;
    key.minute = 0;
    struct index *index = &totals->expansion_index;
    uint32_t *place = index_place(index, place_hash(&key), expansion_is_same, totals->expansions, &key);
    if (*place)
        return &totals->expansions[*place - 1];
    totals->expansions = GROWN(totals->expansions, index->count, totals->expansion_capacity);
    struct expansion *expansion = &totals->expansions[index->count];
    *expansion = (struct expansion){.place = key, .first = (uint32_t)totals->expanded_count};
    *place = ++index->count;
    bytes_clear(&totals->scratch);
    expand_place(totals, &key);
    expansion->count = (uint32_t)totals->expanded_count - expansion->first;
    if (index->count > index->capacity / 2)
        expansion_index_grow(totals);
    return expansion;
}

static uint64_t bucket_hash(uint32_t series, int32_t minute)
{
    return hash_mix((uint64_t)series << 32 | (uint32_t)minute);
}

static void bucket_index_grow(struct totals *totals)
{
    struct index *index = &totals->bucket_index;
    free(index->table);
    index->capacity *= 2;
    index->table = memory_zeroed(index->capacity, sizeof *index->table);
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t place = (uint32_t)bucket_hash(totals->buckets[i].series, totals->buckets[i].minute) & (index->capacity - 1);
        while (index->table[place])
            place = (place + 1) & (index->capacity - 1);
        index->table[place] = i + 1;
    }
}

static struct bucket *bucket_of(struct totals *totals, uint32_t series, int32_t minute)
{
    struct index *index = &totals->bucket_index;
    uint32_t mask = index->capacity - 1, place = (uint32_t)bucket_hash(series, minute) & mask;
    for (; index->table[place]; place = (place + 1) & mask) {
        struct bucket *bucket = &totals->buckets[index->table[place] - 1];
        if (bucket->series == series && bucket->minute == minute)
            return bucket;
    }
    struct series *of = &totals->series[series];
    if (of->last_bucket < 0) {
        totals->changed = GROWN(totals->changed, totals->changed_count, totals->changed_capacity);
        totals->changed[totals->changed_count++] = series;
    }
    totals->buckets = GROWN(totals->buckets, index->count, totals->bucket_capacity);
    struct bucket *bucket = &totals->buckets[index->count];
    *bucket = (struct bucket){.series = series, .minute = minute, .first_bin = -1, .next = of->last_bucket};
    of->last_bucket = (int32_t)index->count;
    index->table[place] = ++index->count;
    if (index->count > index->capacity / 2)
        bucket_index_grow(totals);
    return bucket;
}

static bool bins_are_zero(const struct totals *totals, int32_t first)
{
    for (int32_t at = first; at >= 0; at = totals->bins[at].next) {
        if (totals->bins[at].count != 0)
            return false;
    }
    return true;
}

static void roll_up(struct totals *totals)
{
    for (uint32_t i = 0; i < totals->cell_index.count; i++) {
        struct cell *cell = &totals->cells[i];
        struct kpi_sums sums = {cell->n, cell->num, cell->sum, cell->immature, cell->sum_squares};
        if (kpi_sums_are_zero(&sums) && bins_are_zero(totals, cell->first_bin))
            continue;
        const struct expansion *expansion = expansion_of(totals, &cell->place);
        for (uint32_t j = 0; j < expansion->count; j++) {
            struct bucket *bucket = bucket_of(totals, totals->expanded[expansion->first + j], cell->place.minute);
            kpi_sums_add(&bucket->sums, &sums, 1);
            for (int32_t at = cell->first_bin; at >= 0; at = totals->bins[at].next)
                bin_add(totals, &bucket->first_bin, totals->bins[at].index, totals->bins[at].count);
        }
    }
}

static void bucket_describe(const struct totals *totals, const struct bucket *bucket, struct kpi_delta_bucket *out,
                            struct arena *arena)
{
    *out = (struct kpi_delta_bucket){
        .minute = bucket->minute, .n = bucket->sums.n, .num = bucket->sums.num, .sum = bucket->sums.sum,
        .immature = bucket->sums.immature, .sum_squares_low = (int64_t)(uint64_t)bucket->sums.sum_squares,
        .sum_squares_high = (int64_t)(bucket->sums.sum_squares >> 64)};
    size_t count = 0;
    for (int32_t at = bucket->first_bin; at >= 0; at = totals->bins[at].next)
        count += totals->bins[at].count != 0;
    if (count == 0)
        return;
    out->histogram.items = arena_alloc(arena, count * sizeof *out->histogram.items);
    for (int32_t at = bucket->first_bin; at >= 0; at = totals->bins[at].next) {
        if (totals->bins[at].count != 0)
            out->histogram.items[out->histogram.count++] =
                (struct kpi_delta_bin){.index = totals->bins[at].index, .count = totals->bins[at].count};
    }
}

static void send_series(struct totals *totals, struct series *series, const struct totals_target *target, struct arena *arena)
{
    size_t count = 0;
    for (int32_t at = series->last_bucket; at >= 0; at = totals->buckets[at].next)
        count++;
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = view_of_text(kpi_names[series->kpi].name),
                              .dimension = series->dimension, .source_partition = target->partition,
                              .clock_at_ms = target->clock_ms};
    delta.buckets.items = arena_alloc(arena, count * sizeof *delta.buckets.items);
    for (int32_t at = series->last_bucket; at >= 0; at = totals->buckets[at].next) {
        const struct bucket *bucket = &totals->buckets[at];
        if (!kpi_sums_are_zero(&bucket->sums) || !bins_are_zero(totals, bucket->first_bin))
            bucket_describe(totals, bucket, &delta.buckets.items[delta.buckets.count++], arena);
    }
    series->last_bucket = -1;
    if (delta.buckets.count == 0)
        return;
    struct bytes *value = outbox_begin(target->outbox, target->topic, OUTBOX_BY_KEY, series->key, target->timestamp_ms);
    wire_begin(value, target->schema_id);
    kpi_delta_encode(value, &delta);
    outbox_end(target->outbox);
}

void totals_flush(struct totals *totals, const struct totals_target *target, struct arena *arena)
{
    roll_up(totals);
    for (size_t i = 0; i < totals->changed_count; i++)
        send_series(totals, &totals->series[totals->changed[i]], target, arena);
    totals->changed_count = 0;
    totals->bin_count = 0;
    index_clear(&totals->cell_index);
    index_clear(&totals->bucket_index);
}
