/* Does the cost of an event stay flat? CPU within the processors (engine and driver left out) against what could make it grow.
 *
 *     bench-scaling tickets       a customer's open tickets: replies to them, in turn
 *     bench-scaling series        KPI series: as many additions, spread over more of them
 *     bench-scaling size          the length of a text
 *
 * Prints «NAME COUNT NANOSECONDS» lines, for tests/bench/run. */
#include "ingest/generate/lives.h"
#include "schemas/wire.h"
#include "tests/bench/shared/stages.h"
#include "tests/stage/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EVENTS_PER_COMMIT = 100 };
#define START_MS INT64_C(1780000000000)

static double spent_ns;

static double now_ns(void)
{
    return bench_cpu_seconds() * 1e9;
}

/* --- the processors, with a clock around what they do ------------------------------------------------------------ */

static enum outcome journey_apply_timed(struct step *step, struct entry *entry)
{
    double began = now_ns();
    enum outcome outcome = journey_processor.apply(step, entry);
    spent_ns += now_ns() - began;
    return outcome;
}

static void journey_summarise_timed(struct step *step)
{
    double began = now_ns();
    journey_processor.summarise(step);
    spent_ns += now_ns() - began;
}

static enum outcome kpi_apply_timed(struct step *step, struct entry *entry)
{
    double began = now_ns();
    enum outcome outcome = kpi_processor.apply(step, entry);
    spent_ns += now_ns() - began;
    return outcome;
}

static void kpi_record_done_timed(struct step *step)
{
    double began = now_ns();
    kpi_processor.record_done(step);
    spent_ns += now_ns() - began;
}

struct bench {
    struct bench_stages stages;
    struct processor journey, kpi;
    struct driver *driver;
    struct bytes scratch;
    int64_t at_ms;
    uint64_t events;
};

static void bench_open(struct bench *bench, bool is_journey)
{
    *bench = (struct bench){.journey = journey_processor, .kpi = kpi_processor, .at_ms = START_MS};
    bench_stages_open(&bench->stages);
    bench->journey.apply = journey_apply_timed;
    bench->journey.summarise = journey_summarise_timed;
    bench->kpi.apply = kpi_apply_timed;
    bench->kpi.record_done = kpi_record_done_timed;
    bench->driver = is_journey ? driver_create(&bench->journey, &bench->stages.journey, 1) : driver_create(&bench->kpi, &bench->stages.kpi, 1);
    spent_ns = 0;
}

static void bench_close(struct bench *bench)
{
    driver_destroy(bench->driver);
    bench_stages_close(&bench->stages);
    bytes_finish(&bench->scratch);
}

static void settle(struct bench *bench)
{
    driver_commit(bench->driver);
    driver_forget_outputs(bench->driver);
}

static void feed_touch(struct bench *bench, struct touchpoint *touch)
{
    uint64_t number = ++bench->events;
    bench->at_ms += 500;
    for (int i = 0; i < 8; i++)
        touch->event_id.bytes[i] = (unsigned char)(number >> 8 * i);
    touch->occurred_at_ms = touch->received_at_ms = bench->at_ms;
    touch->source = VIEW_LITERAL("bench");
    touch->channel = CHANNEL_EMAIL;
    bench_encode_touchpoint(&bench->scratch, touch);
    driver_feed(bench->driver, touch->customer_id, bytes_view(&bench->scratch), bench->at_ms);
    if (number % EVENTS_PER_COMMIT == 0)
        settle(bench);
}

/* --- tickets ----------------------------------------------------------------------------------------------------- */

static void ticket_event(struct bench *bench, int customer, int ticket, enum ticket_action action)
{
    char name[24], id[24];
    snprintf(name, sizeof name, "c-%d", customer);
    snprintf(id, sizeof id, "t-%d-%d", customer, ticket);
    struct touchpoint touch = {.customer_id = view_of_text(name), .body_kind = TOUCHPOINT_BODY_TICKET_CHANGED};
    touch.body.ticket_changed = (struct ticket_changed){.ticket_id = view_of_text(id), .action = action, .team = VIEW_LITERAL("support")};
    feed_touch(bench, &touch);
}

/* Four replies to each ticket, whatever their number: what is measured is how many are open beside the one replied to. */
static void tickets(int open)
{
    enum { REPLIES_A_TICKET = 4, EVENTS = 20480 };
    int replies = REPLIES_A_TICKET * open;
    struct bench bench;
    bench_open(&bench, true);
    double spent = 0;
    for (int customer = 0; customer < EVENTS / replies; customer++) {
        for (int i = 0; i < open; i++)
            ticket_event(&bench, customer, i, TICKET_ACTION_OPENED);
        settle(&bench);
        spent_ns = 0;
        for (int i = 0; i < replies; i++)
            ticket_event(&bench, customer, i % open, i / open % 2 ? TICKET_ACTION_CUSTOMER_REPLIED : TICKET_ACTION_AGENT_REPLIED);
        settle(&bench);
        spent += spent_ns;
    }
    printf("tickets %d %.0f\n", open, spent / (EVENTS / replies * replies));
    bench_close(&bench);
}

/* --- series ------------------------------------------------------------------------------------------------------ */

static void series(int count)
{
    enum { DELTAS = 400000, DELTAS_A_SECOND = 20000 };
    struct bench bench;
    bench_open(&bench, false);
    for (int i = 0; i < DELTAS; i++) {
        char dimension[24], key[48];
        snprintf(dimension, sizeof dimension, "product=P%d", i % count);
        snprintf(key, sizeof key, "csat_top2|%s", dimension);
        bench.at_ms = START_MS + (int64_t)i * 1000 / DELTAS_A_SECOND;
        struct kpi_delta_bucket bucket = {.minute = bench.at_ms / 60000, .n = 12, .num = 9};
        struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = VIEW_LITERAL("csat_top2"), .dimension = view_of_text(dimension)};
        delta.buckets.items = &bucket;
        delta.buckets.count = 1;
        bytes_clear(&bench.scratch);
        wire_begin(&bench.scratch, BENCH_SCHEMA_ID);
        kpi_delta_encode(&bench.scratch, &delta);
        driver_feed(bench.driver, view_of_text(key), bytes_view(&bench.scratch), bench.at_ms);
        if (i % 1000 == 0)
            settle(&bench);
        if (i == DELTAS / 2)
            spent_ns = 0; /* by now every series is there */
    }
    printf("series %d %.0f\n", count, spent_ns / (DELTAS / 2));
    bench_close(&bench);
}

/* --- size -------------------------------------------------------------------------------------------------------- */

static void size(int length)
{
    static const char sample[] = "the parcel came late and nobody answered my mail so I am not happy with this order although the shop was friendly ";
    enum { EVENTS = 20000, CUSTOMERS = 2000 };
    struct bench bench;
    struct bytes text = {0};
    while (text.size < (size_t)length)
        bytes_append(&text, sample, (size_t)length - text.size < sizeof sample - 1 ? (size_t)length - text.size : sizeof sample - 1);
    bench_open(&bench, true);
    for (int i = 0; i < EVENTS; i++) {
        char name[24], id[24];
        snprintf(name, sizeof name, "c-%d", i % CUSTOMERS);
        snprintf(id, sizeof id, "s-%d", i);
        struct touchpoint touch = {.customer_id = view_of_text(name), .body_kind = TOUCHPOINT_BODY_SURVEY_ANSWERED};
        touch.body.survey_answered = (struct survey_answered){.survey_id = view_of_text(id), .kind = SURVEY_KIND_CSAT, .score = 4, .comment = bytes_view(&text)};
        feed_touch(&bench, &touch);
    }
    settle(&bench);
    printf("size %d %.0f\n", length, spent_ns / EVENTS);
    bytes_finish(&text);
    bench_close(&bench);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(int count);
        int counts[5];
    } parts[] = {{"tickets", tickets, {1, 4, 16, 64}}, {"series", series, {100, 1000, 10000, 50000}}, {"size", size, {10, 100, 1000, 10000}}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (const int *count = parts[i].counts; *count && (argc < 2 || strcmp(argv[1], parts[i].name) == 0); count++)
            parts[i].run(*count);
    }
    return 0;
}
