/* `explain KPI [--by DIM] --window W`: where a number comes from.
 *
 * The log is the only source: every touchpoint from the beginning goes through the journey processor in memory, each addition
 * it makes to the asked series is noted with the event that caused it, and the additions go through the KPI processor
 * in memory. So the number printed owes nothing to what the services have stored, and must equal what they publish. */
#include "app/explain.h"

#include "app/explanation.h"
#include "app/stages.h"
#include "base/clock.h"
#include "base/edit_distance.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/follow.h"
#include "engine/rehearsal.h"
#include "schemas/kpi_names.h"
#include "schemas/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *by = "all", *window;
static const struct option explain_rows[] = {
    {"--by", OPTION_TEXT, &by, "DIMENSION", "as in Redis: all (default), channel=EMAIL, product=P1,channel=EMAIL …"},
    {"--window", OPTION_TEXT, &window, "WINDOW", "5m, 1h, 24h, 7d, 30d or 90d"},
    OPTIONS_END};

const struct option *explain_options(void)
{
    return explain_rows;
}

/* --- what comes out of the two processors ------------------------------------------------------------------------- */

static struct addition *addition_add(struct explanation *explanation)
{
    if (explanation->addition_count == explanation->addition_capacity) {
        explanation->addition_capacity = explanation->addition_capacity ? explanation->addition_capacity * 2 : 256;
        explanation->additions =
            memory_resize(explanation->additions, explanation->addition_capacity * sizeof *explanation->additions);
    }
    return &explanation->additions[explanation->addition_count++];
}

static void note_additions(struct explanation *explanation, const struct kpi_delta *delta)
{
    const struct touchpoint *touch = &explanation->current;
    for (size_t i = 0; i < delta->buckets.count; i++) {
        const struct kpi_delta_bucket *bucket = &delta->buckets.items[i];
        if (bucket->n == 0 && bucket->num == 0 && bucket->sum == 0)
            continue; /* it only changed what is sure, or came and went: the number is not made of it */
        struct addition *addition = addition_add(explanation);
        *addition = (struct addition){.has_event = explanation->has_current,
                                      .minute_at_ms = bucket->minute * 60000,
                                      .n = bucket->n,
                                      .num = bucket->num,
                                      .sum = bucket->sum};
        struct view customer_id = explanation->has_current ? touch->customer_id : bytes_view(&explanation->woken);
        addition->customer_id = memory_zeroed(1, customer_id.size + 1);
        memcpy(addition->customer_id, customer_id.data, customer_id.size);
        if (!explanation->has_current)
            continue;
        addition->event_id = touch->event_id;
        addition->occurred_at_ms = touch->occurred_at_ms;
        addition->type = touchpoint_body_kind_name(touch->body_kind);
    }
}

/* Retention is made of churn_rate's additions (schemas/kpi_names.h). */
static enum kpi_id delta_kpi(enum kpi_id kpi)
{
    return kpi == KPI_RETENTION ? KPI_CHURN_RATE : kpi;
}

static void on_journey_output(void *context, int topic, const struct record *output)
{
    struct explanation *explanation = context;
    bool is_clock = view_equal_text(output->key, KPI_CLOCK_KEY);
    if (topic == JOURNEY_OUTPUT_DELTAS)
        dimensions_seen_note(&explanation->seen, output->key, kpi_names[delta_kpi(explanation->kpi)].name);
    if (topic != JOURNEY_OUTPUT_DELTAS || (is_clock && output->partition != 0) ||
        (!is_clock && !view_equal(output->key, bytes_view(&explanation->series))))
        return;
    uint32_t id;
    struct view avro;
    struct kpi_delta delta;
    if (!is_clock && wire_split(output->value, &id, &avro) && kpi_delta_decode(&delta, avro, &explanation->arena))
        note_additions(explanation, &delta);
    struct record record = *output;
    record.partition = 0;
    record.offset = explanation->delta_offset++;
    rehearsal_feed(explanation->kpis, &record);
}

static void on_kpi_output(void *context, int topic, const struct record *output)
{
    struct explanation *explanation = context;
    if (topic != KPI_OUTPUT_KPIS || !view_equal(output->key, bytes_view(&explanation->kpi_key)))
        return;
    bytes_clear(&explanation->computed);
    if (output->value.data)
        bytes_append(&explanation->computed, output->value.data + WIRE_HEADER_BYTES, output->value.size - WIRE_HEADER_BYTES);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool feed_journey(struct explanation *explanation, const struct record *record)
{
    struct record ours = *record;
    ours.offset = explanation->journey_offset++;
    return rehearsal_feed(explanation->journey, &ours) != OUTCOME_STOP;
}

/* Timers one by one before the record that moves the clock over them: a deadline is not that record's doing, which may be another
 * customer's. What is left after so many goes with the record. */
enum { TIMERS_APART_MAX = 100000 };

static void wake_until(struct explanation *explanation, const struct record *cause, int64_t until_ms)
{
    struct view key;
    explanation->has_current = false;
    for (int i = 0; i < TIMERS_APART_MAX; i++) {
        int64_t due_ms = rehearsal_next_timer(explanation->journey, cause->partition, &key);
        if (due_ms == INT64_MAX || due_ms > until_ms)
            break;
        bytes_clear(&explanation->woken);
        bytes_append_view(&explanation->woken, key);
        struct record tick = {.topic = cause->topic, .partition = cause->partition, .timestamp_ms = due_ms};
        feed_journey(explanation, &tick);
    }
    bytes_clear(&explanation->woken);
}

static bool on_touchpoint(void *context, const struct record *record)
{
    struct explanation *explanation = context;
    arena_reset(&explanation->arena);
    const struct touchpoint *touch = &explanation->current;
    enum outcome outcome = OUTCOME_PARK;
    if (record->value.data)
        outcome = record_reader_read(explanation->touchpoints, record->value, &explanation->arena, &explanation->current, NULL, NULL);
    explanation->lacks_schema = outcome_is_for_later(outcome);
    if (explanation->lacks_schema)
        return false;
    bool is_event = outcome == OUTCOME_OK;
    int64_t seen_ms = !is_event ? record->timestamp_ms
                      : touch->occurred_at_ms < touch->received_at_ms ? touch->occurred_at_ms
                                                                      : touch->received_at_ms;
    wake_until(explanation, record, seen_ms - (is_event ? explanation->disorder_ms : 0));
    explanation->has_current = is_event;
    if (record->timestamp_ms > explanation->newest_ms)
        explanation->newest_ms = record->timestamp_ms;
    if (record->partition >= explanation->partitions_seen)
        explanation->partitions_seen = record->partition + 1;
    if (++explanation->events % 100000 == 0 && explanation->shows_progress)
        fprintf(stderr, "\r%lld events read", (long long)explanation->events);
    return feed_journey(explanation, record);
}

/* Time goes on to now in every partition, as the services' ticks make it, and once more so that the last second is told. */
static void let_time_pass(struct explanation *explanation, int64_t now_ms)
{
    explanation->has_current = false;
    for (int round = 0; round < 3; round++) {
        for (int32_t partition = 0; partition < explanation->partitions_seen; partition++) {
            struct record tick = {.partition = partition, .timestamp_ms = now_ms + round * 2000};
            arena_reset(&explanation->arena);
            wake_until(explanation, &tick, tick.timestamp_ms);
            feed_journey(explanation, &tick);
        }
    }
}

static bool on_published(void *context, const struct record *record)
{
    struct explanation *explanation = context;
    if (!view_equal(record->key, bytes_view(&explanation->kpi_key)))
        return true;
    bytes_clear(&explanation->published);
    if (record->value.data && record->value.size > WIRE_HEADER_BYTES)
        bytes_append(&explanation->published, record->value.data + WIRE_HEADER_BYTES, record->value.size - WIRE_HEADER_BYTES);
    return true;
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static enum outcome read_logs(struct explanation *explanation, struct app *app)
{
    struct bytes touchpoints = {0}, kpis = {0};
    bytes_printf(&touchpoints, "%stouchpoints", app->config.kafka.topic_prefix);
    bytes_printf(&kpis, "%skpis", app->config.kafka.topic_prefix);
    struct scan scan = {.topic = bytes_text(&touchpoints), .since_ms = INT64_MIN, .context = explanation, .on_record = on_touchpoint};
    enum outcome outcome = scan_run(&scan, &app->config.kafka, &app->stop);
    if (explanation->shows_progress && explanation->events >= 100000)
        fprintf(stderr, "\r%lld events read\n", (long long)explanation->events);
    if (explanation->lacks_schema)
        outcome = OUTCOME_STOP;
    int64_t now_ms = clock_now_ms(&clock_system);
    let_time_pass(explanation, now_ms > explanation->newest_ms ? now_ms : explanation->newest_ms);
    if (outcome == OUTCOME_OK) {
        scan = (struct scan){.topic = bytes_text(&kpis),
                             .since_ms = INT64_MIN,
                             .only_key = bytes_view(&explanation->kpi_key),
                             .context = explanation,
                             .on_record = on_published};
        outcome = scan_run(&scan, &app->config.kafka, &app->stop);
    }
    bytes_finish(&touchpoints);
    bytes_finish(&kpis);
    return outcome;
}

/* Begins with nothing known of `dimension`, whose name is copied into the keys. */
static void ask_by(struct explanation *explanation, const char *dimension)
{
    const char *kpi = kpi_names[explanation->kpi].name;
    bytes_clear(&explanation->series);
    bytes_clear(&explanation->kpi_key);
    bytes_printf(&explanation->series, "%s|%s", kpi_names[delta_kpi(explanation->kpi)].name, dimension);
    bytes_printf(&explanation->kpi_key, "%s|%s|%s", kpi, window, dimension);
    explanation->by = strchr(bytes_text(&explanation->series), '|') + 1;
    explanation->journey_offset = explanation->delta_offset = explanation->events = 0;
}

struct both_shared {
    struct journey_shared journey;
    struct kpi_shared kpi;
};

static enum outcome rehearse(struct explanation *explanation, struct app *app, struct both_shared *shared, const char *dimension)
{
    int64_t disorder_ms = app->config.engine.allowed_disorder_ms;
    ask_by(explanation, dimension);
    explanation->touchpoints = shared->journey.touchpoints;
    explanation->zone = shared->kpi.zone;
    explanation->disorder_ms = disorder_ms;
    explanation->kpis = rehearsal_create(&kpi_processor, &shared->kpi, kpi_processor.allowed_disorder_ms, 1, on_kpi_output, explanation);
    explanation->journey = rehearsal_create(&journey_processor, &shared->journey, disorder_ms, 1, on_journey_output, explanation);
    enum outcome outcome = read_logs(explanation, app);
    rehearsal_destroy(explanation->journey);
    rehearsal_destroy(explanation->kpis);
    return outcome;
}

/* Was it written in another way than keys are? Only the whole log knows, so it is read a second time. */
static enum outcome rehearse_as_written(struct explanation *explanation, struct app *app, struct both_shared *shared)
{
    enum outcome outcome = rehearse(explanation, app, shared, by);
    struct view same = dimensions_seen_like(&explanation->seen, by);
    if (outcome != OUTCOME_OK || explanation->addition_count > 0 || same.data == NULL || view_equal_text(same, by))
        return outcome;
    struct bytes name = {0};
    bytes_append_view(&name, same);
    fprintf(stderr, "touchstream explain: %s is written %s\n", by, bytes_text(&name));
    outcome = rehearse(explanation, app, shared, bytes_text(&name));
    bytes_finish(&name);
    return outcome;
}

static int explain(struct app *app, struct explanation *explanation)
{
    struct registry *registry = registry_create(&app->config.registry);
    struct schema_ids ids;
    struct both_shared shared;
    for (size_t i = 0; i < sizeof ids.of_topic / sizeof *ids.of_topic; i++)
        ids.of_topic[i] = 1; /* what we write stays here, so any id will do */
    int code = EXIT_FAILED;
    if (stage_open_journey(&shared.journey, &app->config, registry, &ids)) {
        if (stage_open_kpi(&shared.kpi, &app->config, registry, &ids)) {
            bool is_read = rehearse_as_written(explanation, app, &shared) == OUTCOME_OK;
            if (atomic_load(&app->stop)) { /* a part of the events makes another number */
                fprintf(stderr, "touchstream explain: stopped early, so there is no number\n");
                code = EXIT_FINE;
            } else if (is_read) {
                code = explanation_print(explanation);
            }
            stage_close_kpi(&shared.kpi);
        }
        stage_close_journey(&shared.journey);
    }
    registry_destroy(registry);
    return code;
}

static const struct window *window_find(const char *name)
{
    for (size_t i = 0; name && i < WINDOW_COUNT; i++) {
        if (strcmp(windows[i].name, name) == 0)
            return &windows[i];
    }
    return NULL;
}

static void complain_kpi(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (int kpi = 0; kpi < KPI_COUNT_OF_ALL; kpi++)
        nearest_offer(&nearest, kpi_names[kpi].name);
    fprintf(stderr, "touchstream explain: there is no KPI '%s'; did you mean '%s'? (all: docs/KPIS.md)\n", name, nearest.name);
}

/* A number that is not published would be explained as nothing, or as something that nobody defined. */
static bool window_is_had(enum kpi_id kpi, const struct window *asked)
{
    unsigned has = catalog_find(kpi)->windows;
    if (has >> (asked - windows) & 1)
        return true;
    fprintf(stderr, "touchstream explain: --window: %s has", kpi_names[kpi].name);
    for (size_t i = 0; i < WINDOW_COUNT; i++) {
        if (has >> i & 1)
            fprintf(stderr, " %s", windows[i].name);
    }
    fprintf(stderr, ", not %s\n", asked->name);
    return false;
}

static bool dimension_is_shaped(const char *dimension)
{
    const char *equals = strchr(dimension, '=');
    if (strcmp(dimension, "all") == 0 || (equals && equals > dimension && equals[1]))
        return true;
    fprintf(stderr, "touchstream explain: --by: '%s' is neither all nor NAME=VALUE, such as channel=EMAIL\n", dimension);
    return false;
}

static int run_explanation(struct app *app, struct explanation *explanation)
{
    arena_init(&explanation->arena);
    int code = explain(app, explanation);
    for (size_t i = 0; i < explanation->addition_count; i++)
        free(explanation->additions[i].customer_id);
    free(explanation->additions);
    dimensions_seen_finish(&explanation->seen);
    bytes_finish(&explanation->series);
    bytes_finish(&explanation->kpi_key);
    bytes_finish(&explanation->woken);
    bytes_finish(&explanation->computed);
    bytes_finish(&explanation->published);
    arena_finish(&explanation->arena);
    return code;
}

int explain_command(struct app *app, int argc, char **argv)
{
    struct text_list arguments = {0};
    struct explanation explanation = {.shows_progress = isatty(STDERR_FILENO)};
    if (!app_parse_options("explain", argc, argv, explain_rows, &arguments))
        return EXIT_USAGE;
    explanation.window = window_find(window);
    int code = EXIT_USAGE;
    if (arguments.count != 1)
        fprintf(stderr, "touchstream explain: wants the name of one KPI, such as nps (all: docs/KPIS.md)\n");
    else if (!kpi_from_name(view_of_text(arguments.items[0]), &explanation.kpi))
        complain_kpi(arguments.items[0]);
    else if (explanation.window == NULL)
        fprintf(stderr, "touchstream explain: --window: wants 5m, 1h, 24h, 7d, 30d or 90d\n");
    else if (window_is_had(explanation.kpi, explanation.window) && dimension_is_shaped(by))
        code = run_explanation(app, &explanation);
    return code;
}
