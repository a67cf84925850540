/* The kpi stage under the simulation: deltas of a few series, and the clocks of two journey partitions. As for the journey stage,
 * a stormy run must say what a quiet run of the same input says: every KPI's value in the end, every shift, and every alert about
 * a missed target. */
#include "tests/sim/digest.h"
#include "tests/sim/subject.h"

#include "base/memory.h"
#include "processors/kpi/kpi.h"
#include "schemas/kpi_names.h"
#include "schemas/records.h"
#include "schemas/wire.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCHEMA_ID = 1, SOURCES = 2, DAY_OF_HOURS = 24, HASTE = 12000 /* a simulated minute is eight days of events */ };

struct open_kpi {
    struct kpi_settings settings;
    struct settings_section sections[1]; /* of the file, as long as it lives */
    struct settings_file *file;
    struct kpi_shared shared; /* handed out */
};

static struct open_kpi opened;

static void about_products(struct text_list *sets)
{
    free(sets->items[0]);
    sets->items[0] = memory_copy_text("product");
}

static void *open_shared(void)
{
    struct bytes error = {0};
    opened.sections[0] = (struct settings_section){kpi_setting_rows, &opened.settings};
    opened.file = settings_load(NULL, opened.sections, 1, &error);
    opened.settings.alert_least_n = 2; /* so that targets are missed, and met again, all the time; of products, which is what is here */
    about_products(&opened.settings.alert_dimensions);
    about_products(&opened.settings.shift_dimensions);
    opened.settings.burn_least_n = 1;
    opened.settings.trend_false_alarms_per_month = 100000;
    opened.shared = (struct kpi_shared){.settings = &opened.settings,
                                        .deltas = record_reader_create(&kpi_delta_shape, NULL),
                                        .ids = {SCHEMA_ID, SCHEMA_ID, SCHEMA_ID, SCHEMA_ID, SCHEMA_ID},
                                        .sentiment_version = "sim"};
    record_reader_learn(opened.shared.deltas, SCHEMA_ID);
    if (opened.file && kpi_shared_init(&opened.shared, &error))
        return &opened.shared;
    fprintf(stderr, "%s\n", bytes_text(&error));
    exit(2);
}

static void close_shared(void *shared)
{
    (void)shared;
    kpi_shared_finish(&opened.shared);
    record_reader_destroy(opened.shared.deltas);
    settings_destroy(opened.file);
}

static void append(struct world *world, int partition, struct view key, const struct kpi_delta *delta)
{
    struct bytes value = {0};
    wire_begin(&value, SCHEMA_ID);
    kpi_delta_encode(&value, delta);
    world_append_input(world, partition, key, bytes_view(&value), world->clock.at_ms);
    bytes_finish(&value);
}

static int64_t event_now_ms(const struct world *world)
{
    return 1700000000000 + (world->clock.at_ms - 1700000000000) * HASTE;
}

static void append_addition(struct world *world)
{
    static const char *const kpis[] = {"csat", "nps", "backlog_inflow", "first_response_time", "sla_resolution"};
    struct random *random = &world->random;
    int partition = (int)random_below(random, (uint32_t)world->partition_count);
    const char *kpi = kpis[random_below(random, 5)];
    char key[80], dimension[40];
    snprintf(dimension, sizeof dimension, "product=p%d-%u", partition, random_below(random, 2));
    int key_size = snprintf(key, sizeof key, "%s|%s", kpi, dimension);
    struct kpi_delta_bin bin = {.index = 5 + (int32_t)random_below(random, 20), .count = 1};
    bool is_bad_day = event_now_ms(world) / 86400000 / 3 % 2;
    int64_t sum = (is_bad_day ? 1 : 4) + random_below(random, 2);
    struct kpi_delta_bucket bucket = {.minute = event_now_ms(world) / 60000 - random_below(random, 3000),
                                      .n = 1,
                                      .num = random_below(random, 2),
                                      .sum = sum,
                                      .sum_squares_low = sum * sum};
    if (strcmp(kpi, "first_response_time") == 0) {
        bucket.histogram.items = &bin;
        bucket.histogram.count = 1;
    }
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = view_of_text(kpi), .dimension = view_of_text(dimension)};
    delta.buckets.items = &bucket;
    delta.buckets.count = 1;
    append(world, partition, view_of(key, (size_t)key_size), &delta);
}

/* A share by the hour, without gaps, that jumps every 31 of them: something for the detectors, and for who is told of what they find. */
static void append_share(struct world *world)
{
    struct kpi_delta_bucket hours[DAY_OF_HOURS];
    struct kpi_delta delta = {.kind = DELTA_KIND_ADD, .kpi = VIEW_LITERAL("review_low"), .dimension = VIEW_LITERAL("product=p0")};
    int64_t now_hour = event_now_ms(world) / 3600000;
    for (int i = 0; i < DAY_OF_HOURS; i++) {
        int64_t hour = now_hour - DAY_OF_HOURS + 1 + i;
        hours[i] = (struct kpi_delta_bucket){.minute = hour * 60, .n = 200, .num = (hour / 31 % 2 ? 120 : 60) + hour * hour % 11};
    }
    delta.buckets.items = hours;
    delta.buckets.count = DAY_OF_HOURS;
    append(world, 0, VIEW_LITERAL("review_low|product=p0"), &delta);
}

/* A source that sends nearly every hour, for two days of three; what crosses what is on its way. */
static void append_heard(struct world *world)
{
    struct kpi_delta_bucket minutes[DAY_OF_HOURS];
    struct kpi_delta delta = {.kind = DELTA_KIND_HEARD, .kpi = VIEW_LITERAL(""), .dimension = VIEW_LITERAL("source=shop")};
    int64_t now_hour = event_now_ms(world) / 3600000;
    if (now_hour / 24 % 3 == 2)
        return;
    for (int i = 0; i < DAY_OF_HOURS; i++)
        minutes[i] = (struct kpi_delta_bucket){.minute = (now_hour - DAY_OF_HOURS + i) * 60 + random_below(&world->random, 60), .n = 1};
    delta.buckets.items = minutes;
    delta.buckets.count = DAY_OF_HOURS;
    append(world, 0, VIEW_LITERAL(KPI_SOURCE_KEY "source=shop"), &delta);
}

/* What a collector refuses of it: nothing for days, so it is forgotten in between. */
static void append_refused(struct world *world)
{
    struct kpi_delta delta = {.kind = DELTA_KIND_HEARD, .kpi = VIEW_LITERAL("bad_mapping"), .dimension = VIEW_LITERAL("source=shop"), .source_partition = -1};
    for (int left = (int)random_below(&world->random, 4); left > 0; left--) {
        struct kpi_delta_bucket minute = {.minute = event_now_ms(world) / 60000 - random_below(&world->random, 20),
                                          .n = random_below(&world->random, 400),
                                          .num = random_below(&world->random, 30)};
        delta.buckets.items = &minute;
        delta.buckets.count = 1;
        append(world, 0, VIEW_LITERAL(KPI_REFUSED_KEY "source=shop"), &delta);
    }
}

static void append_clocks(struct world *world, int32_t source)
{
    struct kpi_delta delta = {.kind = DELTA_KIND_CLOCK, .kpi = VIEW_LITERAL(""), .dimension = VIEW_LITERAL("")};
    delta.source_partition = source;
    delta.clock_at_ms = event_now_ms(world) - random_below(&world->random, 3600000);
    delta.has_is_behind = delta.is_behind = random_below(&world->random, 2);
    for (int partition = 0; partition < world->partition_count; partition++)
        append(world, partition, VIEW_LITERAL(KPI_CLOCK_KEY), &delta);
}

static void append_input(struct world *world, int64_t *number)
{
    ++*number;
    for (int left = 1 + (int)random_below(&world->random, 8); left > 0; left--)
        append_addition(world);
    append_share(world);
    append_heard(world);
    append_refused(world);
    append_clocks(world, (int32_t)random_below(&world->random, SOURCES));
}

static void hear_outputs(struct map *map, struct world *world)
{
    for (int topic = 0; topic < world->output_count; topic++) {
        for (int p = 0; p < world->output_partitions; p++) {
            for (size_t i = 0; i < world->outputs[topic][p].count; i++) {
                const struct sim_record *record = &world->outputs[topic][p].records[i];
                if (!sim_is_visible(record))
                    continue;
                struct digest *digest = digest_of(map, kpi_processor.outputs[topic], view_of(record->key, record->key_size));
                if (topic == KPI_OUTPUT_KPIS)
                    digest->hash = 0, digest->count = 0; /* a compacted topic: what stands in the end counts */
                if (record->value)
                    digest_add(digest, view_of(record->value, record->value_size));
            }
        }
    }
}

static void audit(struct world *world, struct world *reference, char *failure, size_t failure_size)
{
    struct map got = {0}, wanted = {0};
    hear_outputs(&got, world);
    hear_outputs(&wanted, reference);
    digest_compare(&wanted, &got, "wanted", failure, failure_size);
    if (failure[0] == '\0')
        digest_compare(&got, &wanted, "not wanted", failure, failure_size);
    if (failure[0] == '\0' && got.count < 3)
        snprintf(failure, failure_size, "nothing was said at all");
    map_finish(&got, free);
    map_finish(&wanted, free);
}

const struct sim_subject kpi_subject = {.name = "kpi",
                                        .processor = &kpi_processor,
                                        .open = open_shared,
                                        .close = close_shared,
                                        .append_input = append_input,
                                        .audit = audit,
                                        .wants_reference = true};
