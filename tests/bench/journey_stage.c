/* What an event costs in the journey stage, codecs included, and what a customer weighs. Prints one line a measurement.
 * The input is the same every time, and so are the hashes of what comes out: a change for speed alone leaves them as they are.
 *
 *     build/release/tests/bench/bench-journey_stage [EVENTS] [CUSTOMERS] [AWAKE] */
#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"
#include "ingest/generate/lives.h"
#include "ingest/generate/zipf.h"
#include "processors/journey/journey.h"
#include "processors/journey/memory/customer.h"
#include "schemas/wire.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SCHEMA_ID = 1, CHUNK = 20000 };

enum { TOPICS = JOURNEY_OUTPUT_REJECTED + 1 };

/* In the engine's place: an outbox that keeps nothing but what it has seen of each topic. */
struct outbox {
    struct bytes value;
    int topic;
    size_t records, bytes;
    size_t topic_records[TOPICS];
    uint64_t hashes[TOPICS];
    struct bytes deltas; /* of this batch, each behind its size: looked at apart from what is measured */
};

struct bytes *outbox_begin(struct outbox *outbox, int topic, int32_t partition, struct view key, int64_t timestamp_ms)
{
    (void)partition, (void)key, (void)timestamp_ms;
    outbox->topic = topic;
    bytes_clear(&outbox->value);
    return &outbox->value;
}

void outbox_end(struct outbox *outbox)
{
    outbox->records++;
    outbox->bytes += outbox->value.size;
    outbox->topic_records[outbox->topic]++;
    if (outbox->topic == JOURNEY_OUTPUT_DELTAS) {
        bytes_append(&outbox->deltas, &outbox->value.size, sizeof outbox->value.size);
        bytes_append_view(&outbox->deltas, bytes_view(&outbox->value));
        return;
    }
    outbox->hashes[outbox->topic] += hash_mix(hash_bytes(bytes_view(&outbox->value))); /* of the set: order is not ours */
}

/* What each minute of each series is told, whatever the order of minutes and of histograms' bins. */
static uint64_t delta_hash(const struct kpi_delta *delta)
{
    uint64_t series = hash_bytes(delta->kpi) ^ hash_mix(hash_bytes(delta->dimension)), hash = 0;
    for (size_t i = 0; i < delta->buckets.count; i++) {
        struct kpi_delta_bucket bucket = delta->buckets.items[i];
        uint64_t bins = 0;
        for (size_t bin = 0; bin < bucket.histogram.count; bin++)
            bins += hash_mix(hash_mix((uint64_t)bucket.histogram.items[bin].index) + (uint64_t)bucket.histogram.items[bin].count);
        const int64_t numbers[] = {bucket.minute, bucket.n, bucket.num, bucket.sum, bucket.immature, bucket.sum_squares_low, bucket.sum_squares_high, (int64_t)bins};
        hash += hash_mix(series ^ hash_bytes(view_of(numbers, sizeof numbers)));
    }
    return hash;
}

static void deltas_hash(struct outbox *outbox, struct arena *arena)
{
    for (size_t at = 0, size; at < outbox->deltas.size; at += sizeof size + size) {
        struct kpi_delta delta;
        struct view avro;
        uint32_t schema_id;
        memcpy(&size, outbox->deltas.data + at, sizeof size);
        if (wire_split(view_of(outbox->deltas.data + at + sizeof size, size), &schema_id, &avro) && kpi_delta_decode(&delta, avro, arena))
            outbox->hashes[JOURNEY_OUTPUT_DELTAS] += delta_hash(&delta);
    }
    bytes_clear(&outbox->deltas);
}

int32_t outbox_partition_count(const struct outbox *outbox, int topic)
{
    (void)outbox, (void)topic;
    return 8;
}

bool outbox_is_muted(const struct outbox *outbox)
{
    (void)outbox;
    return false;
}

bool outbox_sums_are_muted(const struct outbox *outbox)
{
    (void)outbox;
    return false;
}

enum { KEY_MAX = 24 };

struct box {
    struct entry entry; /* first */
    char key[KEY_MAX];
};

struct view entry_key(const struct entry *entry)
{
    const struct box *box = (const struct box *)(const void *)entry;
    return view_of_text(box->key);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct encoded {
    size_t start, size;
    char id[16];
    uint32_t customer;
};

/* As engine/step.c asks for memory before it applies a group of records. */
static void entries_expect(const struct processor *processor, const struct box *boxes, const struct encoded *chunk, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *state = boxes[chunk[i].customer].entry.state;
        if (state == NULL)
            continue;
        __builtin_prefetch(state);
        __builtin_prefetch(state + 64);
    }
    for (size_t i = 0; i < count; i++) {
        if (boxes[chunk[i].customer].entry.state)
            processor->expect(&boxes[chunk[i].customer].entry);
    }
}

/* Writes all customers to a checkpoint, lets go of them and reads them again: weights and times of each. */
static int checkpoint_measure(const struct processor *processor, struct journey_shared *shared, void *task, struct box *boxes,
                              size_t count)
{
    struct bytes all = {0};
    size_t *ends = memory_zeroed(count + 1, sizeof *ends);
    double began = cpu_seconds();
    for (size_t i = 0; i < count; i++) {
        processor->entry_save(task, &boxes[i].entry, &all);
        ends[i + 1] = all.size;
    }
    double saved = cpu_seconds();
    size_t with_customers = mallinfo2().uordblks;
    for (size_t i = 0; i < count; i++)
        processor->entry_free(task, &boxes[i].entry);
    size_t without_customers = mallinfo2().uordblks;
    processor->task_destroy(task);
    printf("heap %.0f B a customer, and %.1f MB of the task (the structs of those awake, tables, words)\n",
           (double)(with_customers - without_customers) / (double)count, (double)(without_customers - mallinfo2().uordblks) / 1e6);
    void *second = processor->task_create(shared, 0);
    double freed = cpu_seconds();
    bool is_read = true;
    for (size_t i = 0; i < count && is_read; i++)
        is_read = processor->entry_load(second, &boxes[i].entry, view_of(all.data + ends[i], ends[i + 1] - ends[i]));
    double loaded = cpu_seconds();
    printf("checkpoint %.0f B a customer, written in %.0f ns, read in %.0f ns\n", (double)all.size / (double)count,
           (saved - began) / (double)count * 1e9, (loaded - freed) / (double)count * 1e9);
    return is_read ? 0 : 1;
}

int main(int argc, char **argv)
{
    size_t events = argc > 1 ? (size_t)atoll(argv[1]) : 1000000;
    uint32_t customers = argc > 2 ? (uint32_t)atoll(argv[2]) : 100000;
    struct journey_settings settings;
    struct settings_section sections[] = {{journey_setting_rows, &settings}, {case_setting_rows, &settings.cases}};
    struct bytes error = {0}, log = {0};
    struct settings_file *file = settings_load(NULL, sections, 2, &error);
    if (file && argc > 3)
        settings.awake_max = atoll(argv[3]);
    struct journey_shared shared = {.settings = &settings, .time_zone = "UTC", .ids = {1, 1, 1, 1, 1, 1}};
    shared.touchpoints = record_reader_create(&touchpoint_shape, NULL);
    record_reader_learn(shared.touchpoints, SCHEMA_ID);
    if (file == NULL || !journey_shared_init(&shared, &error))
        return 1;
    const struct processor *processor = &journey_processor;
    void *task = processor->task_create(&shared, 0);
    struct lives *lives = lives_create(&(struct lives_options){.seed = 1, .customers = customers, .mix = MIX_PEERS, .disorder_ms = 20000});
    struct box *boxes = memory_zeroed(customers, sizeof *boxes);
    struct encoded *chunk = memory_zeroed(CHUNK, sizeof *chunk);
    struct outbox outbox = {0};
    struct arena arena;
    arena_init(&arena);
    struct map numbers = {0};
    int64_t start_ms = INT64_C(1780000000000), clock_ms = INT64_MIN, offset = 0;
    double routing = 0, applying = 0, ending = 0;
    size_t seen = 0;
    for (size_t done = 0; done < events; done += CHUNK) {
        bytes_clear(&log);
        for (size_t i = 0; i < CHUNK; i++) {
            struct touchpoint touch;
            lives_next(lives, start_ms + (int64_t)(done + i) / 2, &touch);
            void **place = map_place(&numbers, touch.customer_id);
            if (*place == NULL) {
                *place = (void *)(uintptr_t)++seen;
                memcpy(boxes[seen - 1].key, touch.customer_id.data, touch.customer_id.size < KEY_MAX ? touch.customer_id.size : 0);
            }
            chunk[i] = (struct encoded){.start = log.size, .customer = (uint32_t)(uintptr_t)*place - 1};
            wire_begin(&log, SCHEMA_ID);
            touchpoint_encode(&log, &touch);
            chunk[i].size = log.size - chunk[i].start;
        }
        double began = cpu_seconds();
        for (size_t i = 0; i < CHUNK; i += 32) {
            struct record records[32];
            struct route routes[32];
            size_t count = CHUNK - i < 32 ? CHUNK - i : 32;
            double at = cpu_seconds();
            for (size_t j = 0; j < count; j++) {
                records[j] = (struct record){.offset = offset + (int64_t)j, .timestamp_ms = start_ms,
                                             .value = view_of(log.data + chunk[i + j].start, chunk[i + j].size)};
                processor->route(task, &records[j], &routes[j]);
            }
            entries_expect(processor, boxes, chunk + i, count);
            routing += cpu_seconds() - at;
            for (size_t j = 0; j < count; j++, offset++) {
                struct entry *entry = &boxes[chunk[i + j].customer].entry;
                struct step step = {task, &records[j], offset, clock_ms, &arena, &outbox};
                processor->apply(&step, entry);
                if (routes[j].event_at_ms - 500 > clock_ms)
                    clock_ms = routes[j].event_at_ms - 500;
            }
        }
        double middle = cpu_seconds();
        struct step step = {task, NULL, offset, clock_ms, &arena, &outbox};
        processor->summarise(&step);
        processor->batch_end(&step);
        applying += middle - began;
        ending += cpu_seconds() - middle;
        deltas_hash(&outbox, &arena);
        arena_reset(&arena);
    }
    printf("%zu events of %zu customers: route %.0f ns, apply %.0f ns, batch end %.0f ns an event; %.2f records out an event\n",
           events, seen, routing / (double)events * 1e9, (applying - routing) / (double)events * 1e9,
           ending / (double)events * 1e9, (double)outbox.records / (double)events);
    for (int topic = 0; topic < TOPICS; topic++)
        printf("%s: %zu records, hash %016llx\n", processor->outputs[topic], outbox.topic_records[topic],
               (unsigned long long)outbox.hashes[topic]);
    return checkpoint_measure(processor, &shared, task, boxes, seen);
}
