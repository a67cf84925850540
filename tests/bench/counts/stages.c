/* The same work every time, for `tests/bench/gate` to count its instructions under callgrind. What is counted goes through a
 * function of its own, count_…, that is not inlined: the gate reads what each of them cost with all it called.
 *
 * Lives from a seed go through the journey stage, and what it says of KPIs through the kpi stage, both on the driver of the stage
 * tests in the engine's place. Prints, for each part, how often it was done. */
#include "ingest/generate/lives.h"
#include "processors/journey/journey.h"
#include "processors/kpi/kpi.h"
#include "schemas/wire.h"
#include "tests/bench/counts/counts.h"
#include "tests/stage/driver.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVENTS = 4000, EVENTS_PER_COMMIT = 200, CUSTOMERS = 800, SCHEMA_ID = 9 };

static size_t decoded, encoded, routed, applied, journey_commits, kpi_routed, kpi_applied, kpi_flushed;

/* --- what is counted --------------------------------------------------------------------------------------------- */

static COUNTED bool count_decode(struct touchpoint *touch, struct view avro, struct arena *arena)
{
    decoded++;
    return touchpoint_decode(touch, avro, arena);
}

static COUNTED void count_encode(struct bytes *out, struct view avro, const struct enriched_touchpoint *enriched)
{
    encoded++;
    enriched_touchpoint_encode_after(out, avro, enriched);
}

static COUNTED enum outcome count_journey_route(void *task, const struct record *record, struct route *out)
{
    routed++;
    return journey_processor.route(task, record, out);
}

static COUNTED enum outcome count_journey_apply(struct step *step, struct entry *entry)
{
    applied++;
    return journey_processor.apply(step, entry);
}

static COUNTED void count_journey_summarise(struct step *step)
{
    journey_commits++;
    journey_processor.summarise(step);
}

static COUNTED enum outcome count_kpi_route(void *task, const struct record *record, struct route *out)
{
    kpi_routed++;
    return kpi_processor.route(task, record, out);
}

static COUNTED enum outcome count_kpi_apply(struct step *step, struct entry *entry)
{
    kpi_applied++;
    return kpi_processor.apply(step, entry);
}

static COUNTED void count_kpi_publish(struct step *step)
{
    kpi_flushed++;
    kpi_processor.record_done(step);
}

/* --- the work ---------------------------------------------------------------------------------------------------- */

static void die(const char *why)
{
    fprintf(stderr, "bench-counts: %s\n", why);
    exit(1);
}

static void codecs(struct view avro, struct arena *arena, struct bytes *scratch)
{
    struct touchpoint touch;
    if (!count_decode(&touch, avro, arena))
        die("a touchpoint does not decode");
    struct enriched_touchpoint enriched = {.touch = touch, .has_sentiment = true, .sentiment = {SENTIMENT_LABEL_POSITIVE, 0.5, 0.9}};
    enriched.customer.events = 12;
    bytes_clear(scratch);
    count_encode(scratch, avro, &enriched);
}

/* Feeds the kpi stage what the journey stage said of KPIs since the last time. */
static void pass_on(struct driver *journey, struct driver *kpi)
{
    for (size_t i = 0; i < driver_output_count(journey); i++) {
        const struct driver_output *output = driver_output(journey, i);
        if (strcmp(output->topic, "kpi.deltas") == 0)
            driver_feed(kpi, output->key, output->value, output->timestamp_ms);
    }
    driver_forget_outputs(journey);
    driver_commit(kpi);
    driver_forget_outputs(kpi);
}

static void stages(void)
{
    struct journey_settings settings;
    struct kpi_settings kpi_settings;
    struct settings_section sections[] = {{journey_setting_rows, &settings}, {case_setting_rows, &settings.cases}, {kpi_setting_rows, &kpi_settings}};
    struct bytes error = {0}, log = {0}, scratch = {0};
    struct settings_file *file = settings_load(NULL, sections, 3, &error);
    if (file == NULL)
        die(bytes_text(&error));
    struct journey_shared shared = {.settings = &settings, .time_zone = "UTC", .ids = {1, 1, 1, 1, 1, 1}};
    struct kpi_shared kpi_shared = {.settings = &kpi_settings, .deltas = record_reader_create(&kpi_delta_shape, NULL), .ids = {1, 2, 3, 4}};
    shared.touchpoints = record_reader_create(&touchpoint_shape, NULL);
    record_reader_learn(shared.touchpoints, SCHEMA_ID);
    record_reader_learn(kpi_shared.deltas, 1);
    if (!journey_shared_init(&shared, &error) || !kpi_shared_init(&kpi_shared, &error))
        die(bytes_text(&error));

    struct processor journey = journey_processor, kpi = kpi_processor;
    journey.route = count_journey_route;
    journey.apply = count_journey_apply;
    journey.summarise = count_journey_summarise;
    kpi.route = count_kpi_route;
    kpi.apply = count_kpi_apply;
    kpi.record_done = count_kpi_publish;
    struct driver *first = driver_create(&journey, &shared, 1), *second = driver_create(&kpi, &kpi_shared, 1);
    struct lives *lives = lives_create(&(struct lives_options){.seed = 1, .customers = CUSTOMERS, .mix = MIX_FULL, .disorder_ms = 20000});
    struct arena arena;
    arena_init(&arena);
    for (int i = 0; i < EVENTS; i++) {
        struct touchpoint touch;
        int64_t now_ms = INT64_C(1780000000000) + (int64_t)i * 1000; /* hours of event time */
        lives_next(lives, now_ms, &touch);
        touch.received_at_ms = touch.occurred_at_ms;
        bytes_clear(&log);
        wire_begin(&log, SCHEMA_ID);
        size_t head = log.size;
        touchpoint_encode(&log, &touch);
        codecs(view_of(log.data + head, log.size - head), &arena, &scratch);
        driver_feed(first, touch.customer_id, bytes_view(&log), now_ms);
        if ((i + 1) % EVENTS_PER_COMMIT)
            continue;
        driver_commit(first);
        pass_on(first, second);
        arena_reset(&arena);
    }
    driver_destroy(first);
    driver_destroy(second);
    lives_destroy(lives);
    journey_shared_finish(&shared);
    kpi_shared_finish(&kpi_shared);
    record_reader_destroy(shared.touchpoints);
    record_reader_destroy(kpi_shared.deltas);
    settings_destroy(file);
    arena_finish(&arena);
    bytes_finish(&error);
    bytes_finish(&log);
    bytes_finish(&scratch);
}

static void tell(const char *name, size_t count)
{
    printf("%s %zu\n", name, count);
}

int main(void)
{
    stages();
    tell("count_decode", decoded);
    tell("count_encode", encoded);
    tell("count_journey_route", routed);
    tell("count_journey_apply", applied);
    tell("count_journey_summarise", journey_commits);
    tell("count_kpi_route", kpi_routed);
    tell("count_kpi_apply", kpi_applied);
    tell("count_kpi_publish", kpi_flushed);
    tell("count_bucket_add", counts_of_buckets());
    tell("count_detector", counts_of_detector());
    return 0;
}
