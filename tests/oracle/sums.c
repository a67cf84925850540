/* journey-sums: touchpoints in their JSON form on stdin, a line each, through the journey stage in memory; on stdout what the
 * stage told the KPI stage, added up: a line "KPI DIMENSION MINUTE n num sum squares immature bins" for each bucket, and
 * "sentiment EVENT_ID LABEL SCALED TOPIC…" for each text, "alert …" and "followup …" as JSON.
 *
 * Lines between: "tick MS" moves the clock, "commit" ends a batch, "checkpoint N" writes N entries of a pass, "crash" kills
 * and recovers. Arguments: a configuration file, the time zone. For check.py and relations.py. */
#include "base/map.h"
#include "base/memory.h"
#include "processors/journey/journey.h"
#include "schemas/kpi_sums.h"
#include "schemas/json_form.h"
#include "schemas/wire.h"
#include "tests/stage/driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCHEMA_ID = 1 };

struct sums {
    struct kpi_sums sums;
    int64_t bins[KPI_DURATION_BINS];
};

static struct map totals; /* "KPI DIMENSION MINUTE" → struct sums */
static struct journey_settings settings;
static struct journey_shared shared = {.settings = &settings, .time_zone = "UTC", .ids = {SCHEMA_ID, SCHEMA_ID, SCHEMA_ID, SCHEMA_ID, SCHEMA_ID, SCHEMA_ID}};

static void die(const char *what)
{
    fprintf(stderr, "journey-sums: %s\n", what);
    exit(1);
}

static void bucket_add(const struct kpi_delta *delta, const struct kpi_delta_bucket *bucket)
{
    char key[2048];
    int size = snprintf(key, sizeof key, "%.*s %.*s %" PRId64, VIEW_ARGUMENTS(delta->kpi), VIEW_ARGUMENTS(delta->dimension),
                        bucket->minute);
    void **place = map_place(&totals, view_of(key, (size_t)size));
    if (*place == NULL)
        *place = memory_zeroed(1, sizeof(struct sums));
    struct sums *sums = *place;
    kpi_wide squares = (kpi_wide)bucket->sum_squares_high * ((kpi_wide)1 << 64) + (uint64_t)bucket->sum_squares_low;
    struct kpi_sums more = {bucket->n, bucket->num, bucket->sum, bucket->immature, squares};
    kpi_sums_add(&sums->sums, &more, 1);
    for (size_t i = 0; i < bucket->histogram.count; i++)
        sums->bins[bucket->histogram.items[i].index] += bucket->histogram.items[i].count;
}

static void enriched_tell(const struct enriched_touchpoint *enriched)
{
    char id[UUID_TEXT_SIZE + 1];
    uuid_format(&enriched->touch.event_id, id);
    printf("stage %s %s\n", id, stage_name(enriched->stage));
    if (!enriched->has_sentiment)
        return;
    printf("sentiment %s %s %lld", id, sentiment_label_name(enriched->sentiment.label),
           (long long)kpi_sums_of_sentiment(enriched->sentiment.score).sum);
    for (size_t i = 0; i < enriched->topics.count; i++)
        printf(" %.*s", VIEW_ARGUMENTS(enriched->topics.items[i]));
    printf("\n");
}

static void record_tell(const char *what, const struct record_shape *shape, const void *record)
{
    struct bytes line = {0};
    record_to_json(&line, shape, record);
    printf("%s %.*s\n", what, VIEW_ARGUMENTS(bytes_view(&line)));
    bytes_finish(&line);
}

static void outputs_take(struct driver *driver)
{
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < driver_output_count(driver); i++) {
        const struct driver_output *output = driver_output(driver, i);
        uint32_t id;
        struct view avro;
        if (output->value.data == NULL || !wire_split(output->value, &id, &avro))
            continue;
        struct kpi_delta delta;
        struct enriched_touchpoint enriched;
        struct alert alert;
        struct follow_up follow_up;
        if (strcmp(output->topic, "kpi.deltas") == 0) {
            if (!kpi_delta_decode(&delta, avro, &arena))
                die("a delta does not decode");
            for (size_t j = 0; delta.kind == DELTA_KIND_ADD && j < delta.buckets.count; j++)
                bucket_add(&delta, &delta.buckets.items[j]);
        } else if (strcmp(output->topic, "touchpoints.enriched") == 0) {
            if (!enriched_touchpoint_decode(&enriched, avro, &arena))
                die("an enriched touchpoint does not decode");
            enriched_tell(&enriched);
        } else if (strcmp(output->topic, "alerts") == 0) {
            if (!alert_decode(&alert, avro, &arena))
                die("an alert does not decode");
            record_tell("alert", &alert_shape, &alert);
        } else if (strcmp(output->topic, "followups") == 0) {
            if (!follow_up_decode(&follow_up, avro, &arena))
                die("a follow-up does not decode");
            record_tell("followup", &follow_up_shape, &follow_up);
        } else if (strcmp(output->topic, "touchpoints.rejected") == 0) {
            printf("rejected\n");
        }
    }
    driver_forget_outputs(driver);
    arena_finish(&arena);
}

static void touchpoint_feed(struct driver *driver, struct view line)
{
    struct arena arena;
    struct touchpoint touch;
    struct json_fault fault;
    struct bytes value = {0};
    arena_init(&arena);
    if (!touchpoint_from_json(&touch, line, (struct view){NULL, 0}, &arena, &fault)) {
        fprintf(stderr, "%.*s: %.*s\n", VIEW_ARGUMENTS(fault.path), VIEW_ARGUMENTS(fault.reason));
        die("a line is no touchpoint");
    }
    wire_begin(&value, SCHEMA_ID);
    touchpoint_encode(&value, &touch);
    driver_feed(driver, touch.customer_id, bytes_view(&value), touch.received_at_ms);
    bytes_finish(&value);
    arena_finish(&arena);
}

static void line_take(struct driver *driver, char *line, size_t size)
{
    if (line[0] != '{')
        driver_commit(driver); /* what the driver recovers to is all that was fed: an uncommitted rest would be lost */
    if (line[0] == '{')
        touchpoint_feed(driver, view_of(line, size));
    else if (strncmp(line, "tick ", 5) == 0)
        driver_tick(driver, strtoll(line + 5, NULL, 10));
    else if (strncmp(line, "checkpoint ", 11) == 0)
        driver_checkpoint_write(driver, (size_t)strtoll(line + 11, NULL, 10));
    else if (strncmp(line, "begin", 5) == 0)
        driver_checkpoint_begin(driver);
    else if (strncmp(line, "crash", 5) == 0)
        driver_recover(driver);
    if (driver_output_count(driver) > 1000) {
        driver_commit(driver);
        outputs_take(driver);
    }
}

static void wide_print(kpi_wide value)
{
    char digits[64];
    int at = sizeof digits;
    bool is_negative = value < 0;
    digits[--at] = '\0';
    do {
        int digit = (int)(value % 10);
        digits[--at] = (char)('0' + (digit < 0 ? -digit : digit));
        value /= 10;
    } while (value);
    printf(" %s%s", is_negative ? "-" : "", digits + at);
}

static void totals_print(void)
{
    size_t at = 0;
    for (struct map_slot *item; (item = map_next(&totals, &at));) {
        const struct sums *sums = item->value;
        printf("sum %.*s %" PRId64 " %" PRId64 " %" PRId64, (int)item->key_size, item->key, sums->sums.n, sums->sums.num,
               sums->sums.sum);
        wide_print(sums->sums.sum_squares);
        printf(" %" PRId64, sums->sums.immature);
        for (int i = 0; i < KPI_DURATION_BINS; i++) {
            if (sums->bins[i])
                printf(" %d:%" PRId64, i, sums->bins[i]);
        }
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    struct bytes error = {0};
    struct settings_section sections[] = {{journey_setting_rows, &settings}, {case_setting_rows, &settings.cases}};
    struct settings_file *file = settings_load(argc > 1 ? argv[1] : NULL, sections, 2, &error);
    settings.awake_max = 1; /* every customer rests between any two events of theirs */
    if (file == NULL)
        die(bytes_text(&error));
    if (argc > 2)
        shared.time_zone = argv[2];
    shared.touchpoints = record_reader_create(&touchpoint_shape, NULL);
    record_reader_learn(shared.touchpoints, SCHEMA_ID);
    if (!journey_shared_init(&shared, &error))
        die(bytes_text(&error));
    struct driver *driver = driver_create(&journey_processor, &shared, 2);
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t size; (size = getline(&line, &capacity, stdin)) > 0;) {
        if (line[size - 1] == '\n')
            line[--size] = '\0';
        if (size > 0)
            line_take(driver, line, (size_t)size);
    }
    driver_commit(driver);
    outputs_take(driver);
    totals_print();
    free(line);
    map_finish(&totals, free);
    driver_destroy(driver);
    journey_shared_finish(&shared);
    record_reader_destroy(shared.touchpoints);
    settings_destroy(file);
    bytes_finish(&error);
    return 0;
}
