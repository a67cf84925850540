/* Whatever the partitions' order, pace and silence: what stands in the topic in the end under a key is what a computation over all events
 * says for that record's `at`.
 *
 * Here are customers' events with exact instants, spread over a few journey partitions. Each partition turns its own into additions as the
 * journey stage does: what an event changes about the past is taken away there and added anew. The judge takes all events up to `at` at once,
 * and knows neither partitions nor arrival. */
#include "base/memory.h"
#include "processors/kpi/grid.h"
#include "tests/stage/kpi/kpi_stage.h"

enum { TELLERS = 4, EVENTS = 300, MATTERS = 70, DIMENSIONS = 4, PARTS_MAX = 2 * (EVENTS + 1), TOGETHER = 3, SEEDS = 240 };

/* Of a matter the latest event stands (an answer, a customer's last activity), or its events begin and end it in turn (a ticket). */
static const struct {
    const char *name;
    enum kpi_id id;
    bool is_flow;
} kpis[] = {{"nps", KPI_NPS, false},
            {"csat_top2", KPI_CSAT_TOP2, false},
            {"resolution_time", KPI_RESOLUTION_TIME, false},
            {"review_count", KPI_REVIEW_COUNT, false},
            {"active_customers", KPI_ACTIVE_CUSTOMERS, false},
            {"backlog", KPI_BACKLOG, true},
            {"churn_rate", KPI_CHURN_RATE, true}};
enum { KPIS = sizeof kpis / sizeof *kpis };
static const char *const dimensions[DIMENSIONS] = {"all", "product=A", "product=B", "product=C"};

struct event {
    int64_t at_ms, arrives; /* the order in which its partition has them */
    int matter, dimension;
    int64_t value;
};

/* A matter's share in one bucket of one series. */
struct part {
    int kpi, dimension;
    int64_t minute, value;
    struct kpi_sums sums;
};

struct teller {
    struct event events[EVENTS]; /* in order of arrival */
    size_t count, told;
    int64_t newest_ms;
};

/* What came of the events that a teller sends together; `signs` beside it: added, taken away, or come and gone (0). */
struct changes {
    struct part parts[2 * PARTS_MAX * TOGETHER];
    int signs[2 * PARTS_MAX * TOGETHER];
    size_t count;
};

struct world {
    struct stage_under_test stage;
    struct random random;
    struct teller tellers[TELLERS];
    int64_t start_ms, disorder_ms, now_ms;
    bool has_crashes;
    struct chaos chaos;
};

static int kpi_of(int matter)
{
    return matter % KPIS;
}

static struct kpi_sums sums_of(enum kpi_id id, int64_t value)
{
    switch (kpi_names[id].kind) {
    case KPI_KIND_NPS:
        return kpi_sums_of_nps((int)(value % 11));
    case KPI_KIND_RATE:
        return kpi_sums_of_rate(value % 2, value % 3 == 0);
    case KPI_KIND_DURATION:
        return kpi_sums_of_duration(value);
    default:
        return kpi_sums_of_count();
    }
}

/* --- what events mean --- */

static size_t add_part(struct part *parts, size_t count, const struct event *event, int dimension, struct kpi_sums sums)
{
    parts[count] = (struct part){kpi_of(event->matter), dimension, event->at_ms / MINUTES(1), event->value, sums};
    return count + 1;
}

/* What a matter's events, in order of time, add up to. */
static size_t parts_of(const struct event *const *events, size_t count, struct part *parts)
{
    if (count == 0)
        return 0;
    const struct event *last = events[count - 1];
    enum kpi_id id = kpis[kpi_of(last->matter)].id;
    size_t made = 0;
    if (!kpis[kpi_of(last->matter)].is_flow) {
        made = add_part(parts, made, last, 0, sums_of(id, last->value));
        return add_part(parts, made, last, last->dimension, sums_of(id, last->value));
    }
    int dimension = last->matter % 2; /* alike at all times: flows do not move here */
    for (size_t i = 0; i < count; i++)
        made = add_part(parts, made, events[i], dimension, (struct kpi_sums){.n = i % 2 ? -1 : 1});
    if (id == KPI_CHURN_RATE && count % 2 == 0)
        made = add_part(parts, made, last, dimension, (struct kpi_sums){.num = 1});
    return made;
}

/* The first `count` events of a teller that belong to a matter and happened by then, in order of time. */
static size_t events_of(const struct teller *teller, size_t count, int matter, int64_t until_ms, const struct event **out)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const struct event *event = &teller->events[i];
        if (event->matter != matter || event->at_ms > until_ms)
            continue;
        size_t place = found++;
        for (; place > 0 && out[place - 1]->at_ms > event->at_ms; place--)
            out[place] = out[place - 1];
        out[place] = event;
    }
    return found;
}

/* --- the journey stage --- */

struct batch {
    struct kpi_delta_bucket buckets[2 * PARTS_MAX * TOGETHER];
    struct kpi_delta_bin bins[2 * PARTS_MAX * TOGETHER];
    size_t count;
};

static void batch_add(struct batch *batch, const struct part *part, int sign, bool has_bins)
{
    size_t place = 0;
    while (place < batch->count && (batch->buckets[place].minute != part->minute || has_bins))
        place++;
    if (place == batch->count)
        batch->buckets[batch->count++] = (struct kpi_delta_bucket){.minute = part->minute};
    struct kpi_delta_bucket *bucket = &batch->buckets[place];
    struct kpi_sums sums = {.n = bucket->n, .num = bucket->num, .sum = bucket->sum, .immature = bucket->immature};
    sums.sum_squares = (kpi_wide)bucket->sum_squares_high * ((kpi_wide)1 << 64) + (uint64_t)bucket->sum_squares_low;
    kpi_sums_add(&sums, &part->sums, sign);
    *bucket = (struct kpi_delta_bucket){.minute = part->minute,
                                        .n = sums.n,
                                        .num = sums.num,
                                        .sum = sums.sum,
                                        .immature = sums.immature,
                                        .sum_squares_low = (int64_t)(uint64_t)sums.sum_squares,
                                        .sum_squares_high = (int64_t)(sums.sum_squares >> 64)};
    batch->bins[place] = (struct kpi_delta_bin){.index = kpi_duration_bin(part->value), .count = sign};
    bucket->histogram.items = &batch->bins[place];
    bucket->histogram.count = has_bins && sign != 0;
}

static bool is_nothing(const struct kpi_delta_bucket *bucket)
{
    return bucket->n == 0 && bucket->num == 0 && bucket->sum == 0 && bucket->immature == 0 && bucket->histogram.count == 0;
}

/* Minutes that come to nothing are left out, but for the newest when it is newer than all that come to something. */
static void leave_out_nothing(struct batch *batch)
{
    int64_t newest = INT64_MIN, newest_nothing = INT64_MIN;
    for (size_t i = 0; i < batch->count; i++) {
        int64_t *of_its_kind = is_nothing(&batch->buckets[i]) ? &newest_nothing : &newest;
        if (batch->buckets[i].minute > *of_its_kind)
            *of_its_kind = batch->buckets[i].minute;
    }
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (!is_nothing(&batch->buckets[i]) || (newest_nothing > newest && batch->buckets[i].minute == newest_nothing))
            batch->buckets[kept++] = batch->buckets[i];
    batch->count = kept;
}

static void send_series(struct world *world, const struct teller *teller, int kpi, int dimension, const struct changes *changes)
{
    static struct batch batch;
    batch.count = 0;
    bool has_bins = kpi_names[kpis[kpi].id].kind == KPI_KIND_DURATION;
    for (size_t i = 0; i < changes->count; i++)
        if (changes->parts[i].kpi == kpi && changes->parts[i].dimension == dimension)
            batch_add(&batch, &changes->parts[i], changes->signs[i], has_bins);
    leave_out_nothing(&batch);
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD,
                              .kpi = view_of_text(kpis[kpi].name),
                              .dimension = view_of_text(dimensions[dimension]),
                              .clock_at_ms = teller->newest_ms,
                              .buckets = {batch.buckets, batch.count}};
    char key[80];
    snprintf(key, sizeof key, "%s|%s", kpis[kpi].name, dimensions[dimension]);
    if (delta.buckets.count)
        assert_int_equal(feed_delta(&world->stage, key, &delta), OUTCOME_OK);
}

static void note_parts(struct changes *changes, const struct event *const *events, size_t count, int sign)
{
    size_t more = parts_of(events, count, changes->parts + changes->count);
    for (size_t end = changes->count + more; changes->count < end; changes->count++)
        changes->signs[changes->count] = sign;
}

/* The next event of a partition: what its matter came to without it is taken away, what it comes to with it is added. One that is no longer
 * the latest when it comes has been all the same. */
static void note_event(struct teller *teller, struct changes *changes)
{
    const struct event *of_matter[EVENTS], *event = &teller->events[teller->told];
    note_parts(changes, of_matter, events_of(teller, teller->told, event->matter, INT64_MAX, of_matter), -1);
    teller->told++;
    size_t count = events_of(teller, teller->told, event->matter, INT64_MAX, of_matter);
    note_parts(changes, of_matter, count, 1);
    if (of_matter[count - 1] != event && !kpis[kpi_of(event->matter)].is_flow)
        note_parts(changes, &event, 1, 0);
    teller->newest_ms = event->at_ms > teller->newest_ms ? event->at_ms : teller->newest_ms;
}

static void tell_events(struct world *world, struct teller *teller, size_t count)
{
    static struct changes changes;
    changes.count = 0;
    for (; count > 0; count--)
        note_event(teller, &changes);
    for (int kpi = 0; kpi < KPIS; kpi++)
        for (int dimension = 0; dimension < DIMENSIONS; dimension++)
            send_series(world, teller, kpi, dimension, &changes);
}

/* Partitions take turns of up to `turn` events; each says its clock now and then, and nothing before its first turn. */
static void tell_all(struct world *world, uint32_t turn, bool is_behind)
{
    for (size_t told = 0; told < EVENTS;) {
        int32_t number = (int32_t)random_below(&world->random, TELLERS);
        struct teller *teller = &world->tellers[number];
        for (uint32_t left = 1 + random_below(&world->random, turn); left > 0 && teller->told < teller->count; left--) {
            size_t together = 1 + random_below(&world->random, TOGETHER), waiting = teller->count - teller->told;
            together = together < waiting ? together : waiting;
            tell_events(world, teller, together);
            told += together;
            if (random_below(&world->random, 3) == 0)
                feed_clock_of(&world->stage, number, teller->newest_ms - world->disorder_ms, is_behind);
            if (world->has_crashes)
                chaos_strike(&world->chaos, &world->stage);
        }
    }
}

static void all_say(struct world *world, int64_t at_ms)
{
    for (int32_t number = 0; number < TELLERS; number++)
        feed_clock_of(&world->stage, number, at_ms, false);
    world->now_ms = at_ms;
}

/* --- the events --- */

static int by_arrival(const void *a, const void *b)
{
    const struct event *left = a, *right = b;
    return (left->arrives > right->arrives) - (left->arrives < right->arrives);
}

static void make_events(struct world *world, int64_t span_ms)
{
    struct random *random = &world->random;
    for (int i = 0; i < EVENTS; i++) {
        int matter = (int)random_below(random, MATTERS);
        struct teller *teller = &world->tellers[matter % 9 % TELLERS];
        struct event event = {.matter = matter,
                              .dimension = 1 + (int)random_below(random, DIMENSIONS - 1),
                              .value = random_below(random, 3) ? random_below(random, 100) : random_below(random, 1u << 30)};
        double place = random_unit(random); /* more of the early ones, so that windows empty */
        event.at_ms = world->start_ms + (int64_t)(place * place * (double)span_ms);
        event.arrives = event.at_ms + random_below(random, 60000);
        if (random_below(random, 12) == 0)
            event.arrives += (int64_t)(random_unit(random) * (double)span_ms);
        teller->events[teller->count++] = event;
    }
    for (int number = 0; number < TELLERS; number++) {
        struct teller *teller = &world->tellers[number];
        qsort(teller->events, teller->count, sizeof(struct event), by_arrival);
    }
}

/* --- the judge --- */

struct truth {
    struct kpi_sums now, before;
    int64_t flow;
};

static struct truth truth_at(const struct world *world, int kpi, int dimension, const struct window *window, int64_t at_ms)
{
    const struct time_zone *zone = world->stage.shared.zone;
    struct truth truth = {0};
    for (int matter = kpi; matter < MATTERS; matter += KPIS) {
        const struct teller *teller = &world->tellers[matter % 9 % TELLERS];
        const struct event *events[EVENTS];
        struct part parts[PARTS_MAX];
        size_t count = parts_of(events, events_of(teller, teller->count, matter, at_ms, events), parts);
        for (size_t i = 0; i < count; i++) {
            if (parts[i].dimension != dimension)
                continue;
            int32_t age = grid_index(zone, window->grid, at_ms) - grid_index(zone, window->grid, parts[i].minute * MINUTES(1));
            truth.flow += parts[i].sums.n;
            if (age < 2 * window->buckets)
                kpi_sums_add(age < window->buckets ? &truth.now : &truth.before, &parts[i].sums, 1);
        }
    }
    return truth;
}

static int64_t true_n(enum kpi_kind kind, const struct truth *truth)
{
    if (kind == KPI_KIND_GAUGE)
        return truth->flow;
    return kind == KPI_KIND_CHURN ? truth->now.num + truth->flow : truth->now.n;
}

static double mean_of(enum kpi_kind kind, const struct kpi_sums *sums)
{
    double n = (double)sums->n;
    if (kind == KPI_KIND_COUNT || kind == KPI_KIND_DISTINCT)
        return n;
    return kind == KPI_KIND_NPS ? 100 * (double)(sums->num - sums->sum) / n
                                : (double)(kind == KPI_KIND_RATE ? sums->num : sums->sum) / n;
}

static bool are_equal(bool has_value, double value, bool is_expected, double expected)
{
    double difference = value - expected, scale = expected < 0 ? 1 - expected : 1 + expected;
    return has_value == is_expected && (!has_value || (difference < 1e-12 * scale && -difference < 1e-12 * scale));
}

static bool is_true(enum kpi_kind kind, const struct kpi *kpi, const struct truth *truth)
{
    int64_t n = true_n(kind, truth);
    if (kpi->n != n)
        return false;
    if (kind == KPI_KIND_GAUGE)
        return are_equal(kpi->has_value, kpi->value, true, (double)n) &&
               are_equal(kpi->has_previous, kpi->previous, true, (double)(n - truth->now.n));
    if (kind == KPI_KIND_CHURN)
        return are_equal(kpi->has_value, kpi->value, n > 0, (double)truth->now.num / (double)n);
    return are_equal(kpi->has_value, kpi->value, n > 0, mean_of(kind, &truth->now)) &&
           (kind == KPI_KIND_DISTINCT ||
            are_equal(kpi->has_previous, kpi->previous, truth->before.n > 0, mean_of(kind, &truth->before)));
}

/* Is what stands under this key true, fresh if there is something, and there if there is something? */
static void judge(struct world *world, uint64_t seed, int kpi, int dimension, const struct window *window, size_t *emptied)
{
    static const int64_t fresh_ms[GRID_COUNT] = {2 * MINUTES(1) + MINUTES(1), 2 * HOURS(1) + MINUTES(1), 2 * DAYS(1) + MINUTES(1)};
    enum kpi_kind kind = kpi_names[kpis[kpi].id].kind;
    char key[80];
    struct kpi held;
    snprintf(key, sizeof key, "%s|%s|%s", kpis[kpi].name, window->name, dimensions[dimension]);
    if (!find_kpi(&world->stage, key, &held)) {
        struct truth truth = truth_at(world, kpi, dimension, window, world->now_ms);
        if (true_n(kind, &truth) != 0)
            fail_msg("seed %d: %s is not there", (int)seed, key);
        return;
    }
    struct truth truth = truth_at(world, kpi, dimension, window, held.at_ms);
    if (!is_true(kind, &held, &truth))
        fail_msg("seed %d: %s at %lld (%lld s ago): n %lld, value %g, previous %g; true n %lld, before %lld", (int)seed, key,
                 (long long)held.at_ms, (long long)(world->now_ms - held.at_ms) / 1000, (long long)held.n, held.value,
                 held.previous, (long long)true_n(kind, &truth), (long long)truth.before.n);
    if (held.n != 0 && held.at_ms < world->now_ms - fresh_ms[window->grid])
        fail_msg("seed %d: %s is stale", (int)seed, key);
    *emptied += held.n == 0 && held.at_ms < world->now_ms - MINUTES(10);
}

/* --- closed hours --- */

enum {
    HOURS_BEFORE = 91 * 24 /* of gauges they are told, too */,
    HOURS_MAX = HOURS_BEFORE + 170 * 24,
    HOURS_SURE = 85 * 24 /* and kept some days longer */
};

/* What a reader of the 90d records has been told of each hour last; NAN: nothing. */
struct hours {
    int64_t first;
    double values[HOURS_MAX];
    int64_t ns[HOURS_MAX];
};

static void read_hours(struct world *world, const char *key, struct hours *hours)
{
    for (int i = 0; i < HOURS_MAX; i++)
        hours->values[i] = NAN;
    for (size_t i = 0; i < driver_output_count(world->stage.driver); i++) {
        const struct driver_output *output = driver_output(world->stage.driver, i);
        struct view avro;
        uint32_t id;
        struct kpi kpi;
        if (!output->value.data || !view_equal_text(output->key, key))
            continue;
        assert_true(wire_split(output->value, &id, &avro) && kpi_decode(&kpi, avro, &world->stage.arena));
        for (size_t k = 0; k < kpi.closed.count; k++) {
            int64_t place = kpi.closed.items[k].end_at_ms / HOURS(1) - 1 - hours->first;
            assert_in_range(place, 0, HOURS_MAX - 1);
            hours->values[place] = kpi.closed.items[k].value;
            hours->ns[place] = kpi.closed.items[k].n;
        }
    }
    arena_reset(&world->stage.arena);
}

static void judge_hour(uint64_t seed, const char *key, enum kpi_kind kind, const struct kpi_sums *sums, int64_t flow, double value,
                       int64_t n, int64_t hours_ago)
{
    int64_t expected = kind == KPI_KIND_GAUGE ? flow : sums->n;
    bool is_told = !isnan(value), is_kept = hours_ago < HOURS_SURE;
    if (is_kept && ((is_told && n != expected) || (!is_told && sums->n != 0)))
        fail_msg("seed %d: %s, hour %lld ago: told %d n %lld, true n %lld", (int)seed, key, (long long)hours_ago, is_told,
                 (long long)n, (long long)expected);
    if (is_kept && is_told && kind != KPI_KIND_GAUGE && !are_equal(n > 0, value, expected > 0, mean_of(kind, sums)))
        fail_msg("seed %d: %s, hour %lld ago: %g", (int)seed, key, (long long)hours_ago, value);
}

/* Hours are told as they are now, however late something came or went. Those of sums that move are told once, and not looked at. */
static void judge_hours(struct world *world, uint64_t seed, int kpi, int dimension)
{
    static struct hours hours;
    enum kpi_kind kind = kpi_names[kpis[kpi].id].kind;
    static struct kpi_sums sums[HOURS_MAX];
    int64_t flow = 0, closed = (world->now_ms - MINUTES(1)) / HOURS(1);
    char key[80];
    if (catalog_is_moving(kind))
        return;
    snprintf(key, sizeof key, "%s|90d|%s", kpis[kpi].name, dimensions[dimension]);
    hours.first = world->start_ms / HOURS(1) - HOURS_BEFORE;
    read_hours(world, key, &hours);
    memset(sums, 0, sizeof sums);
    for (int matter = kpi; matter < MATTERS; matter += KPIS) {
        const struct teller *teller = &world->tellers[matter % 9 % TELLERS];
        const struct event *events[EVENTS];
        struct part parts[PARTS_MAX];
        size_t count = parts_of(events, events_of(teller, teller->count, matter, world->now_ms, events), parts);
        for (size_t i = 0; i < count; i++)
            if (parts[i].dimension == dimension)
                kpi_sums_add(&sums[parts[i].minute / 60 - hours.first], &parts[i].sums, 1);
    }
    for (int64_t hour = hours.first; hour < closed; hour++) {
        const struct kpi_sums *of_hour = &sums[hour - hours.first];
        flow += of_hour->n;
        judge_hour(seed, key, kind, of_hour, flow, hours.values[hour - hours.first], hours.ns[hour - hours.first], closed - hour);
    }
}

static void judge_all(struct world *world, uint64_t seed, size_t *emptied)
{
    for (int kpi = 0; kpi < KPIS; kpi++)
        for (int dimension = 0; dimension < DIMENSIONS; dimension++) {
            for (int id = 0; id < WINDOW_COUNT; id++)
                if (catalog_find(kpis[kpi].id)->windows & 1u << id)
                    judge(world, seed, kpi, dimension, &windows[id], emptied);
            judge_hours(world, seed, kpi, dimension);
        }
    arena_reset(&world->stage.arena);
}

/* --- the runs --- */

/* Events over an hour to four months; partitions hand in hand, by turns, or each to its end before the next is heard at all; afterwards
 * time goes on in silence, in steps or in one leap. */
static void play(uint64_t seed, size_t *emptied)
{
    static const int64_t spans_ms[] = {HOURS(1), DAYS(1), DAYS(12), DAYS(120)};
    static const int64_t tails_ms[] = {MINUTES(3), HOURS(3), HOURS(30), DAYS(9), DAYS(45)};
    static const uint32_t turns[] = {1, 8, 60, EVENTS};
    struct world *world = memory_zeroed(1, sizeof *world);
    struct random *random = &world->random;
    random_init(random, seed);
    chaos_init(&world->chaos, seed, 10, 60);
    stage_begin(&world->stage, seed % 2 ? "UTC" : "Europe/Berlin", NULL);
    world->has_crashes = seed % 3 == 0;
    world->disorder_ms = random_below(random, 90000);
    world->start_ms = at("2026-03-20T00:00:00Z");
    int64_t span_ms = spans_ms[random_below(random, 4)], tail_ms = tails_ms[random_below(random, 5)];
    make_events(world, span_ms);
    tell_all(world, turns[random_below(random, 4)], random_below(random, 2));
    int64_t end_ms = world->start_ms + span_ms, steps = random_below(random, 2) ? 1 : 40;
    for (int64_t step = 1; step <= steps; step++)
        all_say(world, end_ms + tail_ms * step / steps);
    for (int i = 0; i < 6; i++) /* what ended within a minute is told again after it */
        all_say(world, world->now_ms + 30000);
    judge_all(world, seed, emptied);
    stage_end(&world->stage);
    free(world);
}

static void every_value_is_that_of_the_events_up_to_its_instant(void **unused)
{
    (void)unused;
    size_t emptied = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play(seed, &emptied);
    assert_true(emptied > SEEDS); /* or this would prove nothing about windows emptied long ago */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_value_is_that_of_the_events_up_to_its_instant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
