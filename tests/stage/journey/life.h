/* For the journey's stage tests: touchpoints told in few words, and what the KPI stage would hear of them. */
#ifndef TS_TESTS_STAGE_JOURNEY_LIFE_H
#define TS_TESTS_STAGE_JOURNEY_LIFE_H

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "processors/journey/memory/customer.h"
#include "processors/journey/journey.h"
#include "schemas/json_form.h"
#include "schemas/kpi_sums.h"
#include "schemas/wire.h"
#include "tests/stage/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LIFE_START_MS INT64_C(1767225600000) /* 2026-01-01 */

struct life_series {
    struct kpi_sums sums;   /* over all minutes */
    int64_t touched_minute; /* the newest that was told of though it came to nothing; 0: none */
};

struct life {
    struct journey_settings settings;
    struct settings_section sections[2]; /* of the file, as long as it lives */
    struct settings_file *file;
    struct journey_shared shared;
    struct driver *driver;
    struct map sums; /* "KPI DIMENSION" → struct life_series */
    size_t rejected, enriched;
    struct enriched_touchpoint last;
    struct arena arena;
    uint32_t events;
    bool holds_back; /* what is added is not committed */
    const char *customer_id; /* who does what is added; NULL: c-1 */
};

static inline void life_begin(struct life *life)
{
    *life = (struct life){.shared = {.time_zone = "UTC", .ids = {1, 1, 1, 1, 1, 1}}};
    struct bytes error = {0};
    life->sections[0] = (struct settings_section){journey_setting_rows, &life->settings};
    life->sections[1] = (struct settings_section){case_setting_rows, &life->settings.cases};
    life->file = settings_load(NULL, life->sections, 2, &error);
    assert_non_null(life->file);
    life->shared.settings = &life->settings;
    life->shared.touchpoints = record_reader_create(&touchpoint_shape, NULL);
    record_reader_learn(life->shared.touchpoints, 1);
    assert_true(journey_shared_init(&life->shared, &error));
    life->driver = driver_create(&journey_processor, &life->shared, 1);
    arena_init(&life->arena);
}

static inline void life_end(struct life *life)
{
    driver_destroy(life->driver);
    journey_shared_finish(&life->shared);
    record_reader_destroy(life->shared.touchpoints);
    settings_destroy(life->file);
    map_finish(&life->sums, free);
    arena_finish(&life->arena);
}

static inline void life_hear(struct life *life, const struct kpi_delta *delta)
{
    char key[512];
    int size = snprintf(key, sizeof key, "%.*s %.*s", VIEW_ARGUMENTS(delta->kpi), VIEW_ARGUMENTS(delta->dimension));
    void **place = map_place(&life->sums, view_of(key, (size_t)size));
    if (*place == NULL)
        *place = memory_zeroed(1, sizeof(struct life_series));
    struct life_series *series = *place;
    for (size_t i = 0; i < delta->buckets.count; i++) {
        const struct kpi_delta_bucket *bucket = &delta->buckets.items[i];
        struct kpi_sums more = {.n = bucket->n, .num = bucket->num, .sum = bucket->sum, .immature = bucket->immature};
        kpi_sums_add(&series->sums, &more, 1);
        if (kpi_sums_are_zero(&more) && bucket->histogram.count == 0 && bucket->minute > series->touched_minute)
            series->touched_minute = bucket->minute;
    }
}

/* Commits, and takes in what came out. */
static inline void life_commit(struct life *life)
{
    driver_commit(life->driver);
    for (size_t i = 0; i < driver_output_count(life->driver); i++) {
        const struct driver_output *output = driver_output(life->driver, i);
        uint32_t id;
        struct view avro;
        struct kpi_delta delta;
        if (!wire_split(output->value, &id, &avro))
            continue;
        if (strcmp(output->topic, "kpi.deltas") == 0) {
            assert_true(kpi_delta_decode(&delta, avro, &life->arena));
            life_hear(life, &delta);
        } else if (strcmp(output->topic, "touchpoints.enriched") == 0) {
            avro = arena_copy(&life->arena, avro);
            assert_true(enriched_touchpoint_decode(&life->last, avro, &life->arena));
            life->enriched++;
        }
        life->rejected += strcmp(output->topic, "touchpoints.rejected") == 0;
    }
    driver_forget_outputs(life->driver);
}

/* In the place of a life that has only just begun. */
static inline void life_configure(struct life *life, const char *yaml)
{
    char path[] = "/tmp/touchstream-life-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    fputs(yaml, file);
    fclose(file);
    driver_destroy(life->driver);
    journey_shared_finish(&life->shared);
    settings_destroy(life->file);
    struct bytes error = {0};
    life->file = settings_load(path, life->sections, 2, &error);
    remove(path);
    if (life->file == NULL || !journey_shared_init(&life->shared, &error))
        fail_msg("%s", bytes_text(&error));
    life->driver = driver_create(&journey_processor, &life->shared, 1);
}

/* A touchpoint of one customer, `at_ms` after the start; `more` are further fields, such as "\"segment\":\"smb\"," or "". */
static inline enum outcome life_add_with(struct life *life, int64_t at_ms, const char *type, const char *data, const char *more)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"event_id\":\"e%u\",\"customer_id\":\"%s\",\"occurred_at\":\"2026-01-01T00:00:00.000Z\",\"source\":\"test\","
             "\"channel\":\"EMAIL\",%s\"type\":\"%s\",\"data\":{%s}}",
             life->events++, life->customer_id ? life->customer_id : "c-1", more, type, data);
    struct touchpoint touch;
    struct json_fault fault;
    struct bytes value = {0};
    if (!touchpoint_from_json(&touch, view_of_text(text), (struct view){NULL, 0}, &life->arena, &fault))
        fail_msg("%.*s: %.*s", VIEW_ARGUMENTS(fault.path), VIEW_ARGUMENTS(fault.reason));
    touch.occurred_at_ms = LIFE_START_MS + at_ms;
    touch.received_at_ms = LIFE_START_MS + DAYS(3000) + life->events;
    wire_begin(&value, 1);
    touchpoint_encode(&value, &touch);
    enum outcome outcome = driver_feed(life->driver, touch.customer_id, bytes_view(&value), touch.received_at_ms);
    bytes_finish(&value);
    if (!life->holds_back)
        life_commit(life);
    return outcome;
}

static inline enum outcome life_add(struct life *life, int64_t at_ms, const char *type, const char *data)
{
    return life_add_with(life, at_ms, type, data, "");
}

static inline void life_ticket(struct life *life, int64_t at_ms, const char *action)
{
    char data[256];
    snprintf(data, sizeof data, "\"ticket_id\":\"t1\",\"action\":\"%s\"", action);
    life_add(life, at_ms, "TicketChanged", data);
}

static inline void life_tick(struct life *life, int64_t at_ms)
{
    driver_tick(life->driver, LIFE_START_MS + at_ms);
    life_commit(life);
}

/* All that was ever added to a series. */
static inline struct kpi_sums life_sums(struct life *life, const char *series)
{
    struct life_series *found = map_find(&life->sums, view_of_text(series));
    return found ? found->sums : (struct kpi_sums){0};
}

/* How long after the start something of a series came and went, the last time; −1: never. */
static inline int64_t life_touched_at_ms(struct life *life, const char *series)
{
    struct life_series *found = map_find(&life->sums, view_of_text(series));
    return found && found->touched_minute ? MINUTES(found->touched_minute) - LIFE_START_MS : -1;
}

static inline const struct customer *life_customer(struct life *life)
{
    struct entry *entry = driver_entry(life->driver, VIEW_LITERAL("c-1"));
    return entry ? entry->state : NULL;
}

#endif
