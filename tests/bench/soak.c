/* Does memory stay what it is? The journey stage, and behind it the kpi stage if asked for, live through years of a shop's traffic, some
 * three events a customer and day. What is remembered of a customer has its bound (journey.history_max, here HISTORY, so that it is
 * reached), so from half way on nothing may grow. The mix has only what is over some day: subscriptions and visits are kept until the
 * bound refuses more (tests/stage/journey/bounds-hold.c).
 *
 *     bench-soak EVENTS CUSTOMERS HISTORY [kpi]     100000000 20000 64 kpi are 4 1/2 years
 *
 * Prints bytes of heap after each tenth. Exit 1 when the end has more than 5 % over half way. */
#include "base/clock.h"
#include "ingest/generate/lives.h"
#include "processors/journey/journey.h"
#include "processors/kpi/kpi.h"
#include "schemas/wire.h"
#include "tests/stage/driver.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCHEMA_ID = 1, EVENTS_A_DAY = 3, COMMITS_A_DAY = 10, TENTHS = 10, GROWTH_MOST_PERCENT = 5 };
#define START_MS INT64_C(1600000000000)

struct soak {
    struct journey_settings journey_settings;
    struct kpi_settings kpi_settings;
    struct settings_section sections[3];
    struct settings_file *file;
    struct journey_shared journey_shared;
    struct kpi_shared kpi_shared;
    struct driver *journey, *kpi;
    struct lives *lives;
    struct bytes scratch;
    size_t outputs;
};

static void soak_open(struct soak *soak, uint32_t customers, int64_t history_max, bool has_kpi)
{
    struct bytes error = {0};
    *soak = (struct soak){0};
    soak->sections[0] = (struct settings_section){journey_setting_rows, &soak->journey_settings};
    soak->sections[1] = (struct settings_section){case_setting_rows, &soak->journey_settings.cases};
    soak->sections[2] = (struct settings_section){kpi_setting_rows, &soak->kpi_settings};
    soak->file = settings_load(NULL, soak->sections, 3, &error);
    soak->journey_settings.history_max = history_max;
    soak->journey_shared = (struct journey_shared){.settings = &soak->journey_settings, .time_zone = "UTC", .ids = {1, 1, 1, 1, 1, 1}};
    soak->journey_shared.touchpoints = record_reader_create(&touchpoint_shape, NULL);
    soak->kpi_shared = (struct kpi_shared){.settings = &soak->kpi_settings, .ids = {1, 2, 3, 4}};
    soak->kpi_shared.deltas = record_reader_create(&kpi_delta_shape, NULL);
    record_reader_learn(soak->journey_shared.touchpoints, SCHEMA_ID);
    record_reader_learn(soak->kpi_shared.deltas, SCHEMA_ID);
    if (soak->file == NULL || !journey_shared_init(&soak->journey_shared, &error) || !kpi_shared_init(&soak->kpi_shared, &error)) {
        fprintf(stderr, "bench-soak: %s\n", bytes_text(&error));
        exit(2);
    }
    soak->journey = driver_create(&journey_processor, &soak->journey_shared, 1);
    driver_keep_no_log(soak->journey);
    if (has_kpi) {
        soak->kpi = driver_create(&kpi_processor, &soak->kpi_shared, 1);
        driver_keep_no_log(soak->kpi);
    }
    soak->lives = lives_create(&(struct lives_options){.seed = 1, .customers = customers, .mix = MIX_PEERS});
}

static void soak_close(struct soak *soak)
{
    driver_destroy(soak->journey);
    if (soak->kpi)
        driver_destroy(soak->kpi);
    lives_destroy(soak->lives);
    journey_shared_finish(&soak->journey_shared);
    kpi_shared_finish(&soak->kpi_shared);
    record_reader_destroy(soak->journey_shared.touchpoints);
    record_reader_destroy(soak->kpi_shared.deltas);
    settings_destroy(soak->file);
    bytes_finish(&soak->scratch);
}

/* The journey stage's sums go on to the kpi stage; everything else has done its duty. */
static void commit(struct soak *soak)
{
    driver_commit(soak->journey);
    soak->outputs += driver_output_count(soak->journey);
    for (size_t i = 0; soak->kpi && i < driver_output_count(soak->journey); i++) {
        const struct driver_output *output = driver_output(soak->journey, i);
        if (strcmp(output->topic, kpi_processor.input) == 0)
            driver_feed(soak->kpi, output->key, output->value, output->timestamp_ms);
    }
    driver_forget_outputs(soak->journey);
    if (soak->kpi == NULL)
        return;
    driver_commit(soak->kpi);
    soak->outputs += driver_output_count(soak->kpi);
    driver_forget_outputs(soak->kpi);
}

static void feed_next(struct soak *soak, int64_t at_ms)
{
    struct touchpoint touch;
    lives_next(soak->lives, at_ms, &touch);
    bytes_clear(&soak->scratch);
    wire_begin(&soak->scratch, SCHEMA_ID);
    touchpoint_encode(&soak->scratch, &touch);
    driver_feed(soak->journey, touch.customer_id, bytes_view(&soak->scratch), at_ms);
}

static size_t heap_of(const struct soak *soak, size_t events, double days)
{
    struct mallinfo2 now = mallinfo2();
    size_t heap = now.uordblks + now.hblkhd;
    printf("%zu events, %.0f days, %zu outputs: %zu customers, %zu series, %.1f MB of heap\n", events, days, soak->outputs,
           driver_entry_count(soak->journey), soak->kpi ? driver_entry_count(soak->kpi) : 0, (double)heap / 1e6);
    fflush(stdout);
    return heap;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return fprintf(stderr, "usage: bench-soak EVENTS CUSTOMERS HISTORY [kpi]\n"), 2;
    size_t events = (size_t)atoll(argv[1]), heap = 0, half_way = 0;
    size_t events_a_day = (size_t)atoll(argv[2]) * EVENTS_A_DAY;
    struct soak soak;
    soak_open(&soak, (uint32_t)atoll(argv[2]), atoll(argv[3]), argc > 4);
    for (size_t i = 1; i <= events; i++) {
        feed_next(&soak, START_MS + (int64_t)((double)i / (double)events_a_day * (double)DAYS(1)));
        if (i % (events_a_day / COMMITS_A_DAY) == 0)
            commit(&soak);
        if (i % (events / TENTHS))
            continue;
        heap = heap_of(&soak, i, (double)i / (double)events_a_day);
        half_way = i == events / TENTHS * (TENTHS / 2) ? heap : half_way;
    }
    double growth = ((double)heap / (double)half_way - 1) * 100;
    printf("growth from half way to the end: %.1f %%, allowed %d %%\n", growth, GROWTH_MOST_PERCENT);
    soak_close(&soak);
    return growth > GROWTH_MOST_PERCENT;
}
