/* Does memory stay what it is? The journey stage, and behind it the kpi stage if asked for, live through years of a shop's traffic, some
 * three events a customer and day. What is remembered of a customer has its bound (journey.history_max, here HISTORY, so that it is
 * reached), so from half way on nothing may grow. The mix has only what is over some day: subscriptions and visits are kept until the
 * bound refuses more (tests/stage/journey/bounds-hold.c).
 *
 *     bench-soak EVENTS CUSTOMERS HISTORY [kpi]     100000000 20000 64 kpi are 4 1/2 years, and more than an hour of a core
 *
 * Prints bytes after each hundredth, and how long the rest will take. Exit 1 when in the end the heap has more than 5 % over half way, or
 * what is resident more than that and RESIDENT_SLACK: malloc's holes find their level later than what lives between them. */
#include "base/clock.h"
#include "ingest/generate/lives.h"
#include "tests/bench/shared/stages.h"
#include "tests/stage/driver.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EVENTS_A_DAY = 3, COMMITS_A_DAY = 2, OUTPUTS_KEPT = 4096, REPORTS = 100, GROWTH_MOST_PERCENT = 5 };
#define START_MS INT64_C(1600000000000)
#define RESIDENT_SLACK (4.0 * 1024 * 1024)

struct soak {
    struct bench_stages stages;
    struct driver *journey, *kpi; /* kpi NULL: not asked for */
    struct lives *lives;
    struct bytes scratch;
    size_t outputs;
};

static void soak_open(struct soak *soak, uint32_t customers, int64_t history_max, bool has_kpi)
{
    *soak = (struct soak){0};
    bench_stages_open(&soak->stages);
    soak->stages.journey_settings.history_max = history_max;
    soak->journey = driver_create(&journey_processor, &soak->stages.journey, 1);
    driver_keep_no_log(soak->journey);
    if (has_kpi) {
        soak->kpi = driver_create(&kpi_processor, &soak->stages.kpi, 1);
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
    bench_stages_close(&soak->stages);
    bytes_finish(&soak->scratch);
}

static void forget_outputs(struct soak *soak, struct driver *driver)
{
    soak->outputs += driver_output_count(driver);
    driver_forget_outputs(driver);
}

/* The journey stage's sums go on to the kpi stage; everything else has done its duty. */
static void commit(struct soak *soak)
{
    driver_commit(soak->journey);
    for (size_t i = 0; soak->kpi && i < driver_output_count(soak->journey); i++) {
        const struct driver_output *output = driver_output(soak->journey, i);
        if (strcmp(output->topic, kpi_processor.input) != 0)
            continue;
        driver_feed(soak->kpi, output->key, output->value, output->timestamp_ms);
        if (driver_output_count(soak->kpi) >= OUTPUTS_KEPT)
            forget_outputs(soak, soak->kpi);
    }
    forget_outputs(soak, soak->journey);
    if (soak->kpi == NULL)
        return;
    driver_commit(soak->kpi);
    forget_outputs(soak, soak->kpi);
}

static void feed_next(struct soak *soak, int64_t at_ms)
{
    struct touchpoint touch;
    lives_next(soak->lives, at_ms, &touch);
    bench_encode_touchpoint(&soak->scratch, &touch);
    driver_feed(soak->journey, touch.customer_id, bytes_view(&soak->scratch), at_ms);
    if (driver_output_count(soak->journey) >= OUTPUTS_KEPT)
        forget_outputs(soak, soak->journey); /* sums leave at a commit only */
}

struct weight {
    double heap, resident; /* bytes */
};

static struct weight weight_report(const struct soak *soak, size_t events, double days, double share, time_t began)
{
    struct mallinfo2 now = mallinfo2();
    struct weight weight = {(double)(now.uordblks + now.hblkhd), bench_resident_bytes()};
    double seconds = difftime(time(NULL), began);
    printf("%3.0f %%: %zu events, %.0f days, %zu outputs: %zu customers, %zu series, %.1f MB of heap, %.1f resident; %.0f s, some %.0f to go\n",
           share * 100, events, days, soak->outputs, driver_entry_count(soak->journey), soak->kpi ? driver_entry_count(soak->kpi) : 0,
           weight.heap / 1e6, weight.resident / 1e6, seconds, seconds / share * (1 - share));
    fflush(stdout);
    return weight;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return fprintf(stderr, "usage: bench-soak EVENTS CUSTOMERS HISTORY [kpi]\n"), 2;
    size_t events = (size_t)atoll(argv[1]), events_a_day = (size_t)atoll(argv[2]) * EVENTS_A_DAY, reported = 0;
    struct weight half_way = {0}, end = {0};
    time_t began = time(NULL);
    struct soak soak;
    soak_open(&soak, (uint32_t)atoll(argv[2]), atoll(argv[3]), argc > 4);
    for (size_t i = 1; i <= events; i++) {
        feed_next(&soak, START_MS + (int64_t)((double)i / (double)events_a_day * (double)DAYS(1)));
        if (i % (events_a_day / COMMITS_A_DAY) == 0)
            commit(&soak);
        if (i * REPORTS / events == reported)
            continue;
        reported = i * REPORTS / events;
        end = weight_report(&soak, i, (double)i / (double)events_a_day, (double)i / (double)events, began);
        half_way = reported == REPORTS / 2 ? end : half_way;
    }
    double heap = (end.heap / half_way.heap - 1) * 100, resident = (end.resident / half_way.resident - 1) * 100;
    bool is_more_resident = end.resident > half_way.resident * (1 + GROWTH_MOST_PERCENT / 100.0) + RESIDENT_SLACK;
    printf("growth from half way to the end: heap %.1f %%, resident %.1f %%, allowed %d %%\n", heap, resident, GROWTH_MOST_PERCENT);
    soak_close(&soak);
    return heap > GROWTH_MOST_PERCENT || is_more_resident;
}
