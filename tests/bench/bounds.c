/* How large may it get? The journey stage on the engine's own table of entries and timers, for the sizes that are promised.
 *
 *     bench-bounds customers 10000000   so many customers who come within 90 days, each with an order, its delivery and a score:
 *                                       bytes of the whole process
 *     bench-bounds tickets 1000000      so many open tickets, four a customer, whose deadlines then pass in silence
 *     bench-bounds hot 1000000          so many events of one customer: what one costs at first and in the end, and its checkpoint
 *
 * Exit 1 when such a customer takes more than 256 bytes (of a million and more; fewer share what a task takes anyway: 10 million of them must
 * fit into 4 GiB then), or a customer's checkpoint more than the 2 MiB that our topics take. */
#include "base/clock.h"
#include "engine/entries.h"
#include "engine/timers.h"
#include "ingest/generate/lives.h"
#include "tests/bench/shared/outbox.h"
#include "tests/bench/shared/stages.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVENTS_A_COMMIT = 1000, TICKETS_A_CUSTOMER = 4 };
#define START_MS INT64_C(1780000000000)
#define CUSTOMERS_WANTED 10e6
#define BYTES_ALLOWED (4.0 * 1024 * 1024 * 1024)
#define CUSTOMER_BYTES_MOST 256
#define MANY_CUSTOMERS 1000000
#define CHECKPOINT_BYTES_MOST (2 * 1024 * 1024) /* max.message.bytes of our topics */

struct bench {
    struct bench_stages stages;
    void *task;
    struct entries entries;
    struct timers timers;
    struct arena arena;
    struct outbox outbox;
    struct bytes scratch;
    int64_t offset, clock_ms;
};

static void bench_open(struct bench *bench)
{
    *bench = (struct bench){.clock_ms = START_MS, .outbox.partitions = 1};
    bench_stages_open(&bench->stages);
    bench->task = journey_processor.task_create(&bench->stages.journey, 0);
    entries_init(&bench->entries);
    timers_init(&bench->timers);
    arena_init(&bench->arena);
}

static struct step step_of(struct bench *bench, const struct record *record)
{
    return (struct step){.task = bench->task, .record = record, .offset = bench->offset, .clock_ms = bench->clock_ms,
                         .arena = &bench->arena, .outbox = &bench->outbox};
}

static void commit(struct bench *bench)
{
    struct step step = step_of(bench, NULL);
    journey_processor.summarise(&step);
    journey_processor.batch_end(&step);
    arena_reset(&bench->arena);
}

static void fire_timers(struct bench *bench)
{
    for (struct entry *entry; (entry = timers_due(&bench->timers, bench->clock_ms));) {
        struct step step = step_of(bench, NULL);
        journey_processor.timer(&step, entry);
        timers_follow(&bench->timers, entry);
        if (++bench->offset % EVENTS_A_COMMIT == 0)
            commit(bench);
    }
}

static struct entry *entry_of(struct bench *bench, struct view key)
{
    struct entry *entry = entries_find(&bench->entries, key, entries_hash(key));
    return entry ? entry : entries_add(&bench->entries, key, entries_hash(key));
}

static void feed(struct bench *bench, struct touchpoint *touch, int64_t at_ms)
{
    for (int i = 0; i < 8; i++)
        touch->event_id.bytes[i] = (unsigned char)(bench->offset >> 8 * i);
    touch->received_at_ms = at_ms;
    bench_encode_touchpoint(&bench->scratch, touch);
    struct record record = {.offset = ++bench->offset, .timestamp_ms = at_ms, .value = bytes_view(&bench->scratch)};
    struct route route;
    if (journey_processor.route(bench->task, &record, &route) != OUTCOME_OK)
        exit(2);
    struct entry *entry = entry_of(bench, touch->customer_id);
    struct step step = step_of(bench, &record);
    if (journey_processor.apply(&step, entry) == OUTCOME_PARK)
        journey_processor.park(&step, &record);
    entry->applied_offset = bench->offset;
    timers_follow(&bench->timers, entry);
    bench->clock_ms = route.event_at_ms > bench->clock_ms ? route.event_at_ms : bench->clock_ms;
    fire_timers(bench);
    if (bench->offset % EVENTS_A_COMMIT == 0)
        commit(bench);
}

/* --- what is measured */

static struct touchpoint touch_of(char name[24], size_t customer, enum touchpoint_body_kind kind, int64_t at_ms)
{
    snprintf(name, 24, "C%08zu", customer);
    return (struct touchpoint){.customer_id = view_of_text(name), .occurred_at_ms = at_ms, .source = VIEW_LITERAL("shop"),
                               .channel = CHANNEL_EMAIL, .product = VIEW_LITERAL("plus"), .segment = VIEW_LITERAL("consumer"),
                               .body_kind = kind};
}

static int customers(struct bench *bench, size_t count)
{
    double before = bench_resident_bytes();
    char name[24], id[24];
    for (size_t i = 0; i < count * 3; i++) {
        int64_t at_ms = START_MS + (int64_t)((double)(i / 3) / (double)count * (double)DAYS(90));
        size_t customer = i / 3;
        snprintf(id, sizeof id, "O%08zu", customer);
        struct touchpoint touch = touch_of(name, customer, TOUCHPOINT_BODY_ORDER_PLACED, at_ms);
        if (i % 3 == 0) {
            touch.body.order_placed = (struct order_placed){.order_id = view_of_text(id), .amount_minor = 4900, .currency = VIEW_LITERAL("EUR")};
        } else if (i % 3 == 1) {
            touch.body_kind = TOUCHPOINT_BODY_ORDER_DELIVERED;
            touch.body.order_delivered = (struct order_delivered){.order_id = view_of_text(id), .has_promised_at = true, .promised_at_ms = at_ms + 1};
        } else {
            touch.body_kind = TOUCHPOINT_BODY_SURVEY_ANSWERED;
            touch.body.survey_answered = (struct survey_answered){.survey_id = view_of_text(id), .kind = SURVEY_KIND_NPS, .score = 9};
        }
        feed(bench, &touch, at_ms);
    }
    double bytes = bench_resident_bytes() - before, each = bytes / (double)count;
    printf("%zu customers: %.2f GiB, %.0f bytes each; 10 million: %.2f of 4 GiB\n", count, bytes / 1024 / 1024 / 1024, each,
           each * CUSTOMERS_WANTED / 1024 / 1024 / 1024);
    return each * CUSTOMERS_WANTED > BYTES_ALLOWED || (count >= MANY_CUSTOMERS && each > CUSTOMER_BYTES_MOST);
}

static int tickets(struct bench *bench, size_t count)
{
    double before = bench_resident_bytes(), began = bench_cpu_seconds();
    char name[24], id[24];
    for (size_t i = 0; i < count; i++) {
        int64_t at_ms = START_MS + (int64_t)(i / 1000); /* too fast for any deadline to pass meanwhile */
        snprintf(id, sizeof id, "T%08zu", i);
        struct touchpoint touch = touch_of(name, i / TICKETS_A_CUSTOMER, TOUCHPOINT_BODY_TICKET_CHANGED, at_ms);
        touch.body.ticket_changed = (struct ticket_changed){.ticket_id = view_of_text(id), .action = TICKET_ACTION_OPENED, .team = VIEW_LITERAL("help"),
                                                            .text = VIEW_LITERAL("where is my order?")};
        feed(bench, &touch, at_ms);
    }
    double opened = bench_cpu_seconds();
    size_t alerts = bench->outbox.records[JOURNEY_OUTPUT_ALERTS];
    printf("%zu open tickets of %zu customers: %.2f GiB, %.1f us each to open\n", count, bench->entries.count,
           (bench_resident_bytes() - before) / 1024 / 1024 / 1024, (opened - began) / (double)count * 1e6);
    bench->clock_ms += DAYS(2);
    fire_timers(bench);
    commit(bench);
    alerts = bench->outbox.records[JOURNEY_OUTPUT_ALERTS] - alerts;
    printf("all their deadlines passed: %zu alerts, %.1f us a ticket\n", alerts, (bench_cpu_seconds() - opened) / (double)count * 1e6);
    return alerts < count;
}

static int hot(struct bench *bench, size_t count)
{
    struct lives *lives = lives_create(&(struct lives_options){.seed = 1, .customers = 1, .mix = MIX_FULL});
    double began = bench_cpu_seconds(), first = 0, last = 0;
    struct touchpoint touch;
    for (size_t i = 0; i < count; i++) {
        if (i == count / 10)
            first = bench_cpu_seconds() - began;
        if (i == count / 10 * 9)
            last = bench_cpu_seconds();
        int64_t at_ms = START_MS + (int64_t)i * 1000;
        lives_next(lives, at_ms, &touch);
        if (touch.body_kind != TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN)
            feed(bench, &touch, at_ms);
    }
    struct bytes saved = {0};
    size_t at = 0;
    journey_processor.entry_save(bench->task, entries_next(&bench->entries, &at), &saved);
    printf("%zu events of one customer: the first tenth %.1f us each, the last tenth %.1f us; checkpoint of %zu bytes; %zu refused, %.1f MB in all\n",
           count, first / (double)(count / 10) * 1e6, (bench_cpu_seconds() - last) / (double)(count / 10) * 1e6, saved.size,
           bench->outbox.records[JOURNEY_OUTPUT_REJECTED], bench_resident_bytes() / 1e6);
    int is_too_large = saved.size > CHECKPOINT_BYTES_MOST;
    bytes_finish(&saved);
    lives_destroy(lives);
    return is_too_large;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct bench *bench, size_t count);
    } parts[] = {{"customers", customers}, {"tickets", tickets}, {"hot", hot}};
    struct bench bench;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && argc == 3; i++) {
        if (strcmp(argv[1], parts[i].name) != 0)
            continue;
        bench_open(&bench);
        return parts[i].run(&bench, (size_t)atoll(argv[2])); /* the process ends: nothing is freed one by one */
    }
    fprintf(stderr, "usage: bench-bounds customers|tickets|hot COUNT\n");
    return 2;
}
