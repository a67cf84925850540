/* What an event costs in the journey stage, codecs included, and what a customer weighs. Prints one line a measurement.
 * The input is the same every time, and so are the hashes of what comes out: a change for speed alone leaves them as they are.
 *
 *     build/release/tests/bench/bench-journey_stage [EVENTS] [CUSTOMERS] [AWAKE] */
#include "base/map.h"
#include "base/memory.h"
#include "ingest/generate/lives.h"
#include "processors/journey/task.h"
#include "schemas/wire.h"
#include "tests/bench/shared/outbox.h"
#include "tests/bench/shared/stages.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 20000, GROUP = 32, KEY_MAX = 24, DISORDER_MS = 500 };

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

/* The stage at work, and the time it has taken so far. */
struct run {
    struct bench_stages stages;
    const struct processor *processor;
    void *task;
    struct lives *lives;
    struct map numbers; /* customer id → its box, from 1 */
    struct box *boxes;
    size_t box_count;
    struct encoded chunk[CHUNK];
    struct bytes log;
    struct outbox outbox;
    struct arena arena;
    int64_t clock_ms, offset;
    double routing, applying, ending;
};

static int64_t time_of(size_t event)
{
    return INT64_C(1780000000000) + (int64_t)event / 2;
}

static uint32_t box_of(struct run *run, struct view customer_id)
{
    void **place = map_place(&run->numbers, customer_id);
    if (*place == NULL) {
        *place = (void *)(uintptr_t)++run->box_count;
        memcpy(run->boxes[run->box_count - 1].key, customer_id.data, customer_id.size < KEY_MAX ? customer_id.size : 0);
    }
    return (uint32_t)(uintptr_t)*place - 1;
}

static void chunk_write(struct run *run, size_t first)
{
    bytes_clear(&run->log);
    for (size_t i = 0; i < CHUNK; i++) {
        struct touchpoint touch;
        lives_next(run->lives, time_of(first + i), &touch);
        run->chunk[i] = (struct encoded){.start = run->log.size, .customer = box_of(run, touch.customer_id)};
        wire_begin(&run->log, BENCH_SCHEMA_ID);
        touchpoint_encode(&run->log, &touch);
        run->chunk[i].size = run->log.size - run->chunk[i].start;
    }
}

/* In groups, as engine/step.c takes them. */
static void group_apply(struct run *run, const struct encoded *group, size_t count, size_t first)
{
    struct record records[GROUP];
    struct route routes[GROUP];
    double began = bench_cpu_seconds();
    for (size_t i = 0; i < count; i++) {
        records[i] = (struct record){.offset = run->offset + (int64_t)i, .timestamp_ms = time_of(first + i),
                                     .value = view_of(run->log.data + group[i].start, group[i].size)};
        run->processor->route(run->task, &records[i], &routes[i]);
    }
    entries_expect(run->processor, run->boxes, group, count);
    run->routing += bench_cpu_seconds() - began;
    for (size_t i = 0; i < count; i++, run->offset++) {
        struct step step = {run->task, &records[i], run->offset, run->clock_ms, &run->arena, &run->outbox};
        run->processor->apply(&step, &run->boxes[group[i].customer].entry);
        if (routes[i].event_at_ms - DISORDER_MS > run->clock_ms)
            run->clock_ms = routes[i].event_at_ms - DISORDER_MS;
    }
}

static void chunk_apply(struct run *run, size_t first)
{
    double began = bench_cpu_seconds();
    for (size_t i = 0; i < CHUNK; i += GROUP)
        group_apply(run, run->chunk + i, CHUNK - i < GROUP ? CHUNK - i : GROUP, first + i);
    double applied = bench_cpu_seconds();
    struct step step = {run->task, NULL, run->offset, run->clock_ms, &run->arena, &run->outbox};
    run->processor->summarise(&step);
    run->processor->batch_end(&step);
    run->applying += applied - began;
    run->ending += bench_cpu_seconds() - applied;
    bench_outbox_hash_deltas(&run->outbox, &run->arena);
    arena_reset(&run->arena);
}

static void print_run(const struct run *run, size_t events)
{
    printf("%zu events of %zu customers: route %.0f ns, apply %.0f ns, batch end %.0f ns an event; %.2f records out an event\n",
           events, run->box_count, run->routing / (double)events * 1e9, (run->applying - run->routing) / (double)events * 1e9,
           run->ending / (double)events * 1e9, (double)bench_outbox_total(&run->outbox) / (double)events);
    for (int topic = 0; topic < BENCH_TOPICS; topic++)
        printf("%s: %zu records, hash %016llx\n", run->processor->outputs[topic], run->outbox.records[topic],
               (unsigned long long)run->outbox.hashes[topic]);
}

int main(int argc, char **argv)
{
    size_t events = argc > 1 ? (size_t)atoll(argv[1]) : 1000000;
    uint32_t customers = argc > 2 ? (uint32_t)atoll(argv[2]) : 100000;
    struct run *run = memory_zeroed(1, sizeof *run);
    run->processor = &journey_processor;
    run->outbox = (struct outbox){.partitions = 8, .is_hashing = true};
    run->clock_ms = INT64_MIN;
    run->boxes = memory_zeroed(customers, sizeof *run->boxes);
    run->lives = lives_create(&(struct lives_options){.seed = 1, .customers = customers, .mix = MIX_PEERS, .disorder_ms = 20000});
    arena_init(&run->arena);
    bench_stages_open(&run->stages);
    if (argc > 3)
        run->stages.journey_settings.awake_max = atoll(argv[3]);
    run->task = run->processor->task_create(&run->stages.journey, 0);
    for (size_t done = 0; done < events; done += CHUNK) {
        chunk_write(run, done);
        chunk_apply(run, done);
    }
    print_run(run, events);
    return checkpoint_measure(run->processor, &run->stages.journey, run->task, run->boxes, run->box_count);
}
