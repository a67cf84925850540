/* The service desk's view of the journey stage: touchpoints in few words, and the alerts and follow-ups that come of them.
 * Events are received the moment they happen, unless told otherwise. */
#ifndef TS_TESTS_STAGE_JOURNEY_DESK_H
#define TS_TESTS_STAGE_JOURNEY_DESK_H

#include "base/clock.h"
#include "base/memory.h"
#include "processors/journey/care/care.h"
#include "schemas/json_form.h"
#include "schemas/kpi_sums.h"
#include "schemas/wire.h"
#include "tests/stage/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DESK_START_MS INT64_C(1767225600000) /* 2026-01-01 */

enum { DESK_ALERTS_MAX = 8192, DESK_FOLLOWUPS_MAX = 2048 };

struct desk {
    struct journey_settings settings;
    struct settings_section sections[2]; /* of the file, as long as it lives */
    struct settings_file *file;
    struct journey_shared shared;
    struct driver *driver;
    struct arena arena;
    uint32_t events;
    struct alert *alerts;      /* all that were told, in order */
    struct follow_up *followups;
    size_t alert_count, followup_count;
    int64_t sums[KPI_COUNT_OF_ALL][2]; /* n and num of `all`, over all minutes */
    struct enriched_touchpoint last;
    struct bytes told; /* every alert and follow-up as JSON lines: two runs are alike when these are */
    int64_t received_late_ms;
};

static inline void desk_open_with(struct desk *desk, const char *config)
{
    *desk = (struct desk){.shared = {.time_zone = "UTC", .ids = {1, 1, 1, 1, 1, 1}}};
    desk->alerts = memory_zeroed(DESK_ALERTS_MAX, sizeof *desk->alerts);
    desk->followups = memory_zeroed(DESK_FOLLOWUPS_MAX, sizeof *desk->followups);
    struct bytes error = {0};
    desk->sections[0] = (struct settings_section){journey_setting_rows, &desk->settings};
    desk->sections[1] = (struct settings_section){case_setting_rows, &desk->settings.cases};
    desk->file = settings_load(config, desk->sections, 2, &error);
    assert_non_null(desk->file);
    desk->shared.settings = &desk->settings;
    desk->shared.touchpoints = record_reader_create(&touchpoint_shape, NULL);
    record_reader_learn(desk->shared.touchpoints, 1);
    assert_true(journey_shared_init(&desk->shared, &error));
    desk->driver = driver_create(&journey_processor, &desk->shared, 1);
    arena_init(&desk->arena);
}

static inline void desk_open(struct desk *desk)
{
    desk_open_with(desk, NULL);
}

static inline void desk_close(struct desk *desk)
{
    driver_destroy(desk->driver);
    journey_shared_finish(&desk->shared);
    record_reader_destroy(desk->shared.touchpoints);
    settings_destroy(desk->file);
    arena_finish(&desk->arena);
    bytes_finish(&desk->told);
    free(desk->alerts);
    free(desk->followups);
}

static inline void desk_hear(struct desk *desk, const struct driver_output *output)
{
    uint32_t id;
    struct view avro;
    struct kpi_delta delta;
    if (!wire_split(arena_copy(&desk->arena, output->value), &id, &avro))
        return;
    if (strcmp(output->topic, "alerts") == 0) {
        struct alert *alert = &desk->alerts[desk->alert_count++];
        assert_true(desk->alert_count < DESK_ALERTS_MAX && alert_decode(alert, avro, &desk->arena));
        assert_true(view_equal(output->key, alert->case_id.data ? alert->case_id : alert->alert_id));
        record_to_json(&desk->told, &alert_shape, alert);
        bytes_append_byte(&desk->told, '\n');
    } else if (strcmp(output->topic, "followups") == 0) {
        struct follow_up *followup = &desk->followups[desk->followup_count++];
        assert_true(desk->followup_count < DESK_FOLLOWUPS_MAX && follow_up_decode(followup, avro, &desk->arena));
        record_to_json(&desk->told, &follow_up_shape, followup);
        bytes_append_byte(&desk->told, '\n');
    } else if (strcmp(output->topic, "touchpoints.enriched") == 0) {
        assert_true(enriched_touchpoint_decode(&desk->last, avro, &desk->arena));
    } else if (strcmp(output->topic, "kpi.deltas") == 0 && kpi_delta_decode(&delta, avro, &desk->arena)) {
        enum kpi_id kpi;
        for (size_t i = 0; view_equal_text(delta.dimension, "all") && kpi_from_name(delta.kpi, &kpi) && i < delta.buckets.count; i++) {
            desk->sums[kpi][0] += delta.buckets.items[i].n;
            desk->sums[kpi][1] += delta.buckets.items[i].num;
        }
    }
}

static inline void desk_commit(struct desk *desk)
{
    driver_commit(desk->driver);
    for (size_t i = 0; i < driver_output_count(desk->driver); i++)
        desk_hear(desk, driver_output(desk->driver, i));
    driver_forget_outputs(desk->driver);
}

/* A touchpoint of customer c-1, `at_ms` after the start, as event `number`. */
static inline enum outcome desk_add_as(struct desk *desk, uint32_t number, int64_t at_ms, const char *type, const char *data)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"event_id\":\"e%u\",\"customer_id\":\"c-1\",\"occurred_at\":\"2026-01-01T00:00:00.000Z\",\"source\":\"test\","
             "\"channel\":\"EMAIL\",\"type\":\"%s\",\"data\":{%s}}",
             number, type, data);
    struct touchpoint touch;
    struct json_fault fault;
    struct bytes value = {0};
    if (!touchpoint_from_json(&touch, view_of_text(text), (struct view){NULL, 0}, &desk->arena, &fault))
        fail_msg("%.*s: %.*s", VIEW_ARGUMENTS(fault.path), VIEW_ARGUMENTS(fault.reason));
    touch.occurred_at_ms = DESK_START_MS + at_ms;
    touch.received_at_ms = touch.occurred_at_ms + desk->received_late_ms;
    wire_begin(&value, 1);
    touchpoint_encode(&value, &touch);
    enum outcome outcome = driver_feed(desk->driver, touch.customer_id, bytes_view(&value), touch.received_at_ms);
    bytes_finish(&value);
    desk_commit(desk);
    return outcome;
}

static inline void desk_add(struct desk *desk, int64_t at_ms, const char *type, const char *data)
{
    assert_int_equal(desk_add_as(desk, desk->events++, at_ms, type, data), OUTCOME_OK);
}

static inline void desk_nps(struct desk *desk, int64_t at_ms, const char *survey, int score)
{
    char data[256];
    snprintf(data, sizeof data, "\"survey_id\":\"%s\",\"kind\":\"NPS\",\"score\":%d", survey, score);
    desk_add(desk, at_ms, "SurveyAnswered", data);
}

static inline void desk_ticket(struct desk *desk, int64_t at_ms, const char *ticket, const char *action)
{
    char data[256];
    snprintf(data, sizeof data, "\"ticket_id\":\"%s\",\"action\":\"%s\"", ticket, action);
    desk_add(desk, at_ms, "TicketChanged", data);
}

static inline void desk_act_by(struct desk *desk, int64_t at_ms, struct view case_id, const char *action, const char *note,
                               const char *actor)
{
    char data[512];
    snprintf(data, sizeof data, "\"case_id\":\"%.*s\",\"action\":\"%s\",\"actor\":\"%s\"%s%s%s", VIEW_ARGUMENTS(case_id), action,
             actor, note ? ",\"note\":\"" : "", note ? note : "", note ? "\"" : "");
    desk_add(desk, at_ms, "CaseActed", data);
}

static inline void desk_act(struct desk *desk, int64_t at_ms, struct view case_id, const char *action, const char *note)
{
    desk_act_by(desk, at_ms, case_id, action, note, "ada");
}

static inline void desk_tick(struct desk *desk, int64_t at_ms)
{
    driver_tick(desk->driver, DESK_START_MS + at_ms);
    desk_commit(desk);
}

/* The newest revision of the case, if any. */
static inline const struct alert *desk_case(const struct desk *desk)
{
    for (size_t i = desk->alert_count; i > 0; i--) {
        if (desk->alerts[i - 1].case_id.data && view_equal(desk->alerts[i - 1].alert_id, desk->alerts[i - 1].case_id))
            return &desk->alerts[i - 1];
    }
    return NULL;
}

static inline const struct alert *desk_rule(const struct desk *desk, const char *rule)
{
    for (size_t i = desk->alert_count; i > 0; i--) {
        if (view_equal_text(desk->alerts[i - 1].rule, rule))
            return &desk->alerts[i - 1];
    }
    return NULL;
}

static inline size_t desk_followups(const struct desk *desk, enum follow_up_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < desk->followup_count; i++)
        count += desk->followups[i].kind == kind;
    return count;
}

static inline int64_t desk_n(const struct desk *desk, enum kpi_id kpi)
{
    return desk->sums[kpi][0];
}

static inline int64_t desk_num(const struct desk *desk, enum kpi_id kpi)
{
    return desk->sums[kpi][1];
}

#endif
