/* What an event costs in the journey stage, codecs included, and what a customer weighs. Prints one line a measurement.
 * The input is the same every time, and so are the hashes of what comes out: a change for speed alone leaves them as they are.
 *
 *     build/release/tests/bench/bench-journey_stage [EVENTS] [CUSTOMERS] [AWAKE] */
#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"
#include "ingest/generate/lives.h"
#include "ingest/generate/zipf.h"
#include "processors/journey/task.h"
#include "schemas/wire.h"
#include "tests/bench/shared/outbox.h"
#include "tests/bench/shared/stages.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 20000 };

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

static size_t heap_bytes(void)
{
    struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

/* Writes all customers to a checkpoint, lets go of them and reads them again: weights and times of each. */
static int checkpoint_measure(const struct processor *processor, struct journey_shared *shared, void *task, struct box *boxes,
                              size_t count)
{
    struct bytes all = {0};
    size_t *ends = memory_zeroed(count + 1, sizeof *ends);
    double began = bench_cpu_seconds();
    for (size_t i = 0; i < count; i++) {
        processor->entry_save(task, &boxes[i].entry, &all);
        ends[i + 1] = all.size;
    }
    double saved = bench_cpu_seconds();
    size_t with_customers = heap_bytes();
    for (size_t i = 0; i < count; i++)
        processor->entry_free(task, &boxes[i].entry);
    size_t without_customers = heap_bytes(), resting = ((struct journey_task *)task)->resting.bytes; /* no part of the heap */
    processor->task_destroy(task);
    printf("heap %.0f B a customer, and %.1f MB of the task (the structs of those awake, tables, words)\n",
           (double)(with_customers - without_customers + resting) / (double)count, (double)(without_customers - heap_bytes()) / 1e6);
    void *second = processor->task_create(shared, 0);
    double freed = bench_cpu_seconds();
    bool is_read = true;
    for (size_t i = 0; i < count && is_read; i++)
        is_read = processor->entry_load(second, &boxes[i].entry, view_of(all.data + ends[i], ends[i + 1] - ends[i]));
    double loaded = bench_cpu_seconds();
    printf("checkpoint %.0f B a customer, written in %.0f ns, read in %.0f ns\n", (double)all.size / (double)count,
           (saved - began) / (double)count * 1e9, (loaded - freed) / (double)count * 1e9);
    return is_read ? 0 : 1;
}

int main(int argc, char **argv)
{
    size_t events = argc > 1 ? (size_t)atoll(argv[1]) : 1000000;
    uint32_t customers = argc > 2 ? (uint32_t)atoll(argv[2]) : 100000;
    struct bench_stages stages;
    struct bytes log = {0};
    bench_stages_open(&stages);
    if (argc > 3)
        stages.journey_settings.awake_max = atoll(argv[3]);
    const struct processor *processor = &journey_processor;
    void *task = processor->task_create(&stages.journey, 0);
    struct lives *lives = lives_create(&(struct lives_options){.seed = 1, .customers = customers, .mix = MIX_PEERS, .disorder_ms = 20000});
    struct box *boxes = memory_zeroed(customers, sizeof *boxes);
    struct encoded *chunk = memory_zeroed(CHUNK, sizeof *chunk);
    struct outbox outbox = {.partitions = 8, .is_hashing = true};
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
            wire_begin(&log, BENCH_SCHEMA_ID);
            touchpoint_encode(&log, &touch);
            chunk[i].size = log.size - chunk[i].start;
        }
        double began = bench_cpu_seconds();
        for (size_t i = 0; i < CHUNK; i += 32) {
            struct record records[32];
            struct route routes[32];
            size_t count = CHUNK - i < 32 ? CHUNK - i : 32;
            double at = bench_cpu_seconds();
            for (size_t j = 0; j < count; j++) {
                records[j] = (struct record){.offset = offset + (int64_t)j, .timestamp_ms = start_ms + (int64_t)(done + i + j) / 2,
                                             .value = view_of(log.data + chunk[i + j].start, chunk[i + j].size)};
                processor->route(task, &records[j], &routes[j]);
            }
            entries_expect(processor, boxes, chunk + i, count);
            routing += bench_cpu_seconds() - at;
            for (size_t j = 0; j < count; j++, offset++) {
                struct entry *entry = &boxes[chunk[i + j].customer].entry;
                struct step step = {task, &records[j], offset, clock_ms, &arena, &outbox};
                processor->apply(&step, entry);
                if (routes[j].event_at_ms - 500 > clock_ms)
                    clock_ms = routes[j].event_at_ms - 500;
            }
        }
        double middle = bench_cpu_seconds();
        struct step step = {task, NULL, offset, clock_ms, &arena, &outbox};
        processor->summarise(&step);
        processor->batch_end(&step);
        applying += middle - began;
        ending += bench_cpu_seconds() - middle;
        bench_outbox_hash_deltas(&outbox, &arena);
        arena_reset(&arena);
    }
    printf("%zu events of %zu customers: route %.0f ns, apply %.0f ns, batch end %.0f ns an event; %.2f records out an event\n",
           events, seen, routing / (double)events * 1e9, (applying - routing) / (double)events * 1e9,
           ending / (double)events * 1e9, (double)bench_outbox_total(&outbox) / (double)events);
    for (int topic = 0; topic < BENCH_TOPICS; topic++)
        printf("%s: %zu records, hash %016llx\n", processor->outputs[topic], outbox.records[topic],
               (unsigned long long)outbox.hashes[topic]);
    return checkpoint_measure(processor, &stages.journey, task, boxes, seen);
}
