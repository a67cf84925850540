#include "processors/journey/sums/worker_totals.h"

#include "base/hash.h"
#include "processors/journey/memory/number_table.h"
#include "schemas/wire.h"

#include <pthread.h>

/* One minute of one series. */
struct worker_bucket {
    uint32_t series;
    int32_t minute;
    int32_t last_bin, next; /* next: the series' bucket before this one; −1: none */
    struct kpi_sums sums;
};

_Static_assert(sizeof(struct worker_bucket) == 64, "a bucket is a cache line");

/* One bin of the histogram of one bucket. A busy series has hundreds in a summary, so they are found by hash. */
struct worker_bin {
    uint32_t bucket;
    int32_t index;
    int64_t count;
    int32_t next; /* the bucket's bin before this one; −1: none */
};

struct series {
    enum kpi_id kpi;
    uint32_t by; /* number of its dimension */
    struct view dimension;
    struct view key;     /* KPI|DIMENSION */
};

/* One dimension, and its series by KPI. */
struct series_by {
    struct view text;
    uint32_t series[KPI_COUNT_OF_ALL]; /* number + 1; 0: none yet */
    int32_t first_whole;               /* in worker->wholes; −1: it is a part of nothing */
    uint8_t rank;
};

/* What a dimension is a part of: of `dimension`, and of the next one. */
struct whole {
    uint32_t dimension;
    int32_t next; /* −1: last */
};

struct worker_totals {
    const struct outbox *outbox;
    struct worker_totals *next;
    struct totals **members;
    size_t member_count, member_capacity;
    struct number_table dimension_table, bucket_table, bin_table;
    struct series_by *dimensions;
    struct whole *wholes;
    uint8_t rank_most;
    struct series *series;
    int32_t *last_buckets; /* by series; −1: unchanged. Apart from them, since all that is added looks here first */
    struct worker_bucket *buckets;
    uint32_t *changed; /* series with buckets, in order */
    struct worker_bin *bins;
    size_t dimension_capacity, whole_count, whole_capacity, series_count, series_capacity, last_capacity, bucket_capacity, bin_capacity, changed_count, changed_capacity;
    struct arena texts;
    struct arena record; /* the one going out */
    struct bytes scratch;
};

/* --- who shares it --- */

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct worker_totals *all;

static struct worker_totals *worker_totals_create(const struct outbox *outbox)
{
    struct worker_totals *worker = memory_zeroed(1, sizeof *worker);
    worker->outbox = outbox;
    number_table_init(&worker->dimension_table);
    number_table_init(&worker->bucket_table);
    number_table_init(&worker->bin_table);
    arena_init(&worker->texts);
    arena_init(&worker->record);
    return worker;
}

static void worker_totals_destroy(struct worker_totals *worker)
{
    number_table_finish(&worker->dimension_table);
    number_table_finish(&worker->bucket_table);
    number_table_finish(&worker->bin_table);
    free(worker->members);
    free(worker->dimensions);
    free(worker->wholes);
    free(worker->series);
    free(worker->last_buckets);
    free(worker->buckets);
    free(worker->changed);
    free(worker->bins);
    arena_finish(&worker->texts);
    arena_finish(&worker->record);
    bytes_finish(&worker->scratch);
    free(worker);
}

struct worker_totals *worker_totals_join(const struct outbox *outbox, struct totals *member)
{
    pthread_mutex_lock(&all_lock);
    struct worker_totals *worker = all;
    while (worker && worker->outbox != outbox)
        worker = worker->next;
    if (worker == NULL) {
        worker = worker_totals_create(outbox);
        worker->next = all;
        all = worker;
    }
    pthread_mutex_unlock(&all_lock);
    worker->members = GROWN(worker->members, worker->member_count, worker->member_capacity);
    worker->members[worker->member_count++] = member;
    return worker;
}

void worker_totals_leave(struct worker_totals *worker, struct totals *member)
{
    size_t place = 0;
    while (worker->members[place] != member)
        place++;
    memmove(worker->members + place, worker->members + place + 1,
            (--worker->member_count - place) * sizeof *worker->members);
    if (worker->member_count > 0)
        return;
    pthread_mutex_lock(&all_lock);
    struct worker_totals **link = &all;
    while (*link != worker)
        link = &(*link)->next;
    *link = worker->next;
    pthread_mutex_unlock(&all_lock);
    worker_totals_destroy(worker);
}

size_t worker_totals_members(const struct worker_totals *worker, struct totals *const **members)
{
    *members = worker->members;
    return worker->member_count;
}

/* --- series --- */

static bool dimension_is_same(const void *items, uint32_t number, const void *key)
{
    return view_equal(((const struct series_by *)items)[number].text, *(const struct view *)key);
}

static uint64_t dimension_hash(const void *items, uint32_t number)
{
    return hash_bytes(((const struct series_by *)items)[number].text);
}

uint32_t worker_totals_dimension(struct worker_totals *worker, struct view text)
{
    struct number_table *table = &worker->dimension_table;
    uint32_t *place = number_table_place(table, hash_bytes(text), dimension_is_same, worker->dimensions, &text);
    if (*place)
        return *place - 1;
    uint32_t number = table->count;
    worker->dimensions = GROWN(worker->dimensions, number, worker->dimension_capacity);
    struct series_by *dimension = &worker->dimensions[number];
    dimension->text = arena_copy(&worker->texts, text);
    memset(dimension->series, 0, sizeof dimension->series);
    dimension->first_whole = -1;
    dimension->rank = 0;
    number_table_added(table, place, dimension_hash, worker->dimensions);
    return number;
}

void worker_totals_include(struct worker_totals *worker, uint32_t part, uint8_t rank, uint32_t whole)
{
    struct series_by *dimension = &worker->dimensions[part];
    for (int32_t at = dimension->first_whole; at >= 0; at = worker->wholes[at].next) {
        if (worker->wholes[at].dimension == whole)
            return;
    }
    worker->wholes = GROWN(worker->wholes, worker->whole_count, worker->whole_capacity);
    worker->wholes[worker->whole_count] = (struct whole){whole, dimension->first_whole};
    dimension->first_whole = (int32_t)worker->whole_count++;
    dimension->rank = rank;
    worker->rank_most = rank > worker->rank_most ? rank : worker->rank_most;
}

__attribute__((noinline)) static uint32_t series_make(struct worker_totals *worker, enum kpi_id kpi, uint32_t by)
{
    struct view dimension = worker->dimensions[by].text;
    bytes_clear(&worker->scratch);
    bytes_append_text(&worker->scratch, kpi_names[kpi].name);
    bytes_append_byte(&worker->scratch, '|');
    bytes_append_view(&worker->scratch, dimension);
    struct view key = arena_copy(&worker->texts, bytes_view(&worker->scratch));
    uint32_t number = worker->series_count++;
    worker->series = GROWN(worker->series, number, worker->series_capacity);
    worker->series[number] = (struct series){.kpi = kpi,
                                             .by = by,
                                             .key = key,
                                             .dimension = view_of(key.data + key.size - dimension.size, dimension.size)};
    worker->last_buckets = GROWN(worker->last_buckets, number, worker->last_capacity);
    worker->last_buckets[number] = -1;
    return number;
}

static inline uint32_t series_of(struct worker_totals *worker, enum kpi_id kpi, uint32_t dimension)
{
    uint32_t *series = &worker->dimensions[dimension].series[kpi];
    if (*series == 0)
        *series = series_make(worker, kpi, dimension) + 1;
    return *series - 1;
}

/* --- buckets --- */

struct bucket_key {
    uint32_t series;
    int32_t minute;
};

static bool bucket_is_same(const void *items, uint32_t number, const void *key)
{
    const struct worker_bucket *bucket = &((const struct worker_bucket *)items)[number];
    const struct bucket_key *wanted = key;
    return bucket->series == wanted->series && bucket->minute == wanted->minute;
}

static uint64_t bucket_hash(const void *items, uint32_t number)
{
    const struct worker_bucket *bucket = &((const struct worker_bucket *)items)[number];
    return hash_mix((uint64_t)bucket->series << 32 | (uint32_t)bucket->minute);
}

/* Nearly always one of the last minutes: those are asked before the table is. */
static inline struct worker_bucket *recent_bucket(struct worker_totals *worker, uint32_t series, int32_t minute)
{
    int32_t at = worker->last_buckets[series];
    for (int left = 3; at >= 0 && left > 0; left--, at = worker->buckets[at].next) {
        if (worker->buckets[at].minute == minute)
            return &worker->buckets[at];
    }
    return NULL;
}

/* Apart from what nearly every addition needs, which it would make twice as long. */
__attribute__((noinline)) static struct worker_bucket *older_bucket(struct worker_totals *worker, uint32_t series, int32_t minute)
{
    struct number_table *table = &worker->bucket_table;
    struct bucket_key key = {series, minute};
    uint32_t *place = number_table_place(table, hash_mix((uint64_t)series << 32 | (uint32_t)minute), bucket_is_same,
                                         worker->buckets, &key);
    if (*place)
        return &worker->buckets[*place - 1];
    int32_t *last_bucket = &worker->last_buckets[series];
    if (*last_bucket < 0) {
        worker->changed = GROWN(worker->changed, worker->changed_count, worker->changed_capacity);
        worker->changed[worker->changed_count++] = series;
    }
    uint32_t number = table->count;
    worker->buckets = GROWN_LINES(worker->buckets, number, worker->bucket_capacity);
    worker->buckets[number] =
        (struct worker_bucket){.series = series, .minute = minute, .last_bin = -1, .next = *last_bucket};
    *last_bucket = (int32_t)number;
    number_table_added(table, place, bucket_hash, worker->buckets);
    return &worker->buckets[number];
}

static bool bin_is_same(const void *items, uint32_t number, const void *key)
{
    const struct worker_bin *bin = &((const struct worker_bin *)items)[number], *wanted = key;
    return bin->bucket == wanted->bucket && bin->index == wanted->index;
}

static inline uint64_t hash_of_bin(uint32_t bucket, int32_t index)
{
    return hash_mix((uint64_t)bucket << 32 | (uint32_t)index);
}

static uint64_t bin_hash(const void *items, uint32_t number)
{
    const struct worker_bin *bin = &((const struct worker_bin *)items)[number];
    return hash_of_bin(bin->bucket, bin->index);
}

static void bin_add(struct worker_totals *worker, struct worker_bucket *bucket, int32_t index, int64_t count)
{
    struct number_table *table = &worker->bin_table;
    struct worker_bin key = {.bucket = (uint32_t)(bucket - worker->buckets), .index = index, .count = count, .next = bucket->last_bin};
    uint32_t *place =
        number_table_place(table, hash_of_bin(key.bucket, index), bin_is_same, worker->bins, &key);
    if (*place) {
        worker->bins[*place - 1].count += count;
        return;
    }
    uint32_t number = table->count;
    worker->bins = GROWN(worker->bins, number, worker->bin_capacity);
    worker->bins[number] = key;
    bucket->last_bin = (int32_t)number;
    number_table_added(table, place, bin_hash, worker->bins);
}

/* What one addition waits for, a series' number, its last bucket, that bucket, is in no cache as a rule: step by step for all of them, so that
 * they are waited for together. */
enum { TOGETHER = 16 };

static void add_together(struct worker_totals *worker, enum kpi_id kpi, const uint32_t *dimensions, uint32_t count,
                         const struct worker_addition *what)
{
    uint32_t series[TOGETHER], buckets[TOGETHER];
    for (uint32_t i = 0; i < count; i++)
        series[i] = series_of(worker, kpi, dimensions[i]);
    for (uint32_t i = 0; i < count; i++) { /* by number: the last may be −1, which a prefetch does not mind */
        uintptr_t at = (uintptr_t)worker->last_buckets[series[i]] * sizeof *worker->buckets;
        __builtin_prefetch((const void *)((uintptr_t)worker->buckets + at));
    }
    for (uint32_t i = 0; i < count; i++) {
        struct worker_bucket *bucket = recent_bucket(worker, series[i], what->minute);
        if (bucket == NULL)
            bucket = older_bucket(worker, series[i], what->minute);
        kpi_sums_add(&bucket->sums, &what->sums, 1);
        buckets[i] = (uint32_t)(bucket - worker->buckets);
    }
    for (int32_t at = what->first_bin; at >= 0; at = what->bins[at].next) {
        for (uint32_t i = 0; i < count; i++)
            __builtin_prefetch(number_table_begin(&worker->bin_table, hash_of_bin(buckets[i], what->bins[at].index)), 1);
        for (uint32_t i = 0; i < count; i++)
            bin_add(worker, &worker->buckets[buckets[i]], what->bins[at].index, what->bins[at].count);
    }
}

void worker_totals_add(struct worker_totals *worker, enum kpi_id kpi, const uint32_t *dimensions, uint32_t count,
                       const struct worker_addition *what)
{
    for (uint32_t i = 0; i < count; i += TOGETHER)
        add_together(worker, kpi, dimensions + i, count - i < TOGETHER ? count - i : TOGETHER, what);
}

/* --- parts and wholes --- */

static bool is_by_rollups(enum kpi_id kpi)
{
    enum kpi_rollups rollups = kpi_names[kpi].rollups;
    return rollups == KPI_ROLLUPS_CONFIGURED || rollups == KPI_ROLLUPS_TICKET || rollups == KPI_ROLLUPS_BACKLOG;
}

static void bucket_include(struct worker_totals *worker, uint32_t from, uint32_t series)
{
    const int32_t minute = worker->buckets[from].minute;
    struct worker_bucket *to = recent_bucket(worker, series, minute);
    if (to == NULL)
        to = older_bucket(worker, series, minute); /* which may move them all */
    kpi_sums_add(&to->sums, &worker->buckets[from].sums, 1);
    for (int32_t at = worker->buckets[from].last_bin; at >= 0; at = worker->bins[at].next)
        bin_add(worker, to, worker->bins[at].index, worker->bins[at].count);
}

static void series_include(struct worker_totals *worker, uint32_t number)
{
    enum kpi_id kpi = worker->series[number].kpi;
    for (int32_t at = worker->dimensions[worker->series[number].by].first_whole; at >= 0; at = worker->wholes[at].next) {
        uint32_t whole = series_of(worker, kpi, worker->wholes[at].dimension);
        for (int32_t bucket = worker->last_buckets[number]; bucket >= 0; bucket = worker->buckets[bucket].next)
            bucket_include(worker, (uint32_t)bucket, whole);
    }
}

/* Parts of parts first. What is added to joins those that have changed. */
static void parts_add_up(struct worker_totals *worker)
{
    for (unsigned rank = worker->rank_most; rank > 0; rank--) {
        for (size_t i = 0; i < worker->changed_count; i++) {
            const struct series *series = &worker->series[worker->changed[i]];
            if (worker->dimensions[series->by].rank == rank && is_by_rollups(series->kpi))
                series_include(worker, worker->changed[i]);
        }
    }
}

static size_t bins_count(const struct worker_totals *worker, const struct worker_bucket *bucket)
{
    size_t count = 0;
    for (int32_t at = bucket->last_bin; at >= 0; at = worker->bins[at].next)
        count += worker->bins[at].count != 0;
    return count;
}

/* --- going out --- */

static void bucket_describe(struct worker_totals *worker, const struct worker_bucket *bucket, struct kpi_delta_bucket *out)
{
    *out = (struct kpi_delta_bucket){.minute = bucket->minute,
                                     .n = bucket->sums.n,
                                     .num = bucket->sums.num,
                                     .sum = bucket->sums.sum,
                                     .immature = bucket->sums.immature,
                                     .sum_squares_low = (int64_t)(uint64_t)bucket->sums.sum_squares,
                                     .sum_squares_high = (int64_t)(bucket->sums.sum_squares >> 64)};
    size_t count = bins_count(worker, bucket);
    if (count == 0)
        return;
    out->histogram.items = arena_alloc(&worker->record, count * sizeof *out->histogram.items);
    for (int32_t at = bucket->last_bin; at >= 0; at = worker->bins[at].next) {
        if (worker->bins[at].count != 0)
            out->histogram.items[out->histogram.count++] =
                (struct kpi_delta_bin){.index = worker->bins[at].index, .count = worker->bins[at].count};
    }
}

static bool bucket_is_nothing(const struct worker_totals *worker, const struct worker_bucket *bucket)
{
    return kpi_sums_are_zero(&bucket->sums) && bins_count(worker, bucket) == 0;
}

/* What came and went between two sums is told to the kpi stage as well, as nothing added there: a value that stands for the time between is
 * not true. The newest such minute speaks for those before it, and so does one that something is added to. */
static void buckets_describe(struct worker_totals *worker, int32_t first, struct kpi_delta *delta)
{
    int32_t newest = INT32_MIN, newest_nothing = INT32_MIN;
    const struct worker_bucket *nothing = NULL;
    for (int32_t at = first; at >= 0; at = worker->buckets[at].next) {
        const struct worker_bucket *bucket = &worker->buckets[at];
        if (!bucket_is_nothing(worker, bucket)) {
            bucket_describe(worker, bucket, &delta->buckets.items[delta->buckets.count++]);
            newest = bucket->minute > newest ? bucket->minute : newest;
        } else if (bucket->minute >= newest_nothing) {
            nothing = bucket;
            newest_nothing = bucket->minute;
        }
    }
    if (nothing && newest_nothing > newest)
        bucket_describe(worker, nothing, &delta->buckets.items[delta->buckets.count++]);
}

static void series_send(struct worker_totals *worker, uint32_t number, const struct totals_target *target)
{
    const struct series *series = &worker->series[number];
    size_t count = 0;
    for (int32_t at = worker->last_buckets[number]; at >= 0; at = worker->buckets[at].next)
        count++;
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD,
                              .kpi = view_of_text(kpi_names[series->kpi].name),
                              .dimension = series->dimension,
                              .source_partition = target->partition,
                              .clock_at_ms = target->clock_ms};
    arena_reset(&worker->record);
    delta.buckets.items = arena_alloc(&worker->record, count * sizeof *delta.buckets.items);
    buckets_describe(worker, worker->last_buckets[number], &delta);
    worker->last_buckets[number] = -1;
    struct bytes *value = outbox_begin(target->outbox, target->topic, OUTBOX_BY_KEY, series->key, target->timestamp_ms);
    wire_begin(value, target->schema_id);
    kpi_delta_encode(value, &delta);
    outbox_end(target->outbox);
}

void worker_totals_send(struct worker_totals *worker, const struct totals_target *target)
{
    parts_add_up(worker);
    for (size_t i = 0; i < worker->changed_count; i++)
        series_send(worker, worker->changed[i], target);
    worker->changed_count = 0;
    number_table_clear(&worker->bin_table);
    number_table_clear(&worker->bucket_table);
}
