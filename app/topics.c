/* The topics of an installation, and what is in them. */
#include "app/topics.h"

#include "app/asyncapi.h"
#include "base/clock.h"
#include "base/log.h"
#include "schemas/registry.h"

#include <stdio.h>
#include <time.h>

enum { FOR_EVER = -1, AHEAD_MOST_MS = 60 * 60 * 1000 };
#define TOMBSTONES_KEPT_MS DAYS(30)

const struct topic_row topic_rows[] = {
    {.name = "touchpoints",
     .shape = &touchpoint_shape,
     .retention_ms = DAYS(30),
     .is_dated_by_others = true,
     .key = "customer id",
     .summary = "Every accepted event. A record with a null key and a null value is a tick, which moves its partition's clock."},
    {.name = "touchpoints.rejected",
     .shape = &rejected_shape,
     .retention_ms = DAYS(90),
     .key = "customer id, or none",
     .summary = "What could not be accepted: the original bytes, code, path and reason."},
    {.name = "touchpoints.enriched",
     .shape = &enriched_touchpoint_shape,
     .retention_ms = DAYS(30),
     .key = "customer id",
     .summary = "Every event once, with stage, sentiment, topics, hot score, churn risk and the customer as of then."},
    {.name = "journeys",
     .shape = &journey_shape,
     .is_compacted = true,
     .retention_ms = FOR_EVER,
     .key = "customer id",
     .summary = "One record a customer: where they stand. Also the journey processor's checkpoint; written some seconds after the "
                "events."},
    {.name = "alerts",
     .shape = &alert_shape,
     .is_sparse = true,
     .retention_ms = DAYS(90),
     .key = "case id, else alert id",
     .summary = "Hot tickets and other alerts through their whole life; a higher revision replaces a lower one."},
    {.name = "alerts.undelivered",
     .shape = &rejected_shape,
     .retention_ms = DAYS(90),
     .key = "case id, else alert id",
     .summary = "Alerts that a webhook's receiver refused for good; payload is the message."},
    {.name = "alerts.escalated",
     .shape = &alert_shape,
     .is_sparse = true,
     .retention_ms = DAYS(90),
     .key = "alert id",
     .summary = "Which revisions of alerts the receivers (actor) were told of; without customer. text is empty, capped (put off until a digest), digest (told in it), kept (told before, and not over) or, about no alert, begun."},
    {.name = "followups",
     .shape = &follow_up_shape,
     .is_sparse = true,
     .retention_ms = DAYS(30),
     .key = "customer id",
     .summary = "What to send to whom, and when."},
    {.name = "kpi.deltas",
     .shape = &kpi_delta_shape,
     .retention_ms = DAYS(2),
     .key = "KPI|DIMENSION",
     .summary = "Internal: additions to series, between the two processors; and what the kpi stage asks itself about a shift.",
     /* They are made of touchpoints of up to 30 days ago when these are read again: dated as such, Kafka would delete them unread. */
     .is_dated_on_arrival = true},
    {.name = "kpis",
     .shape = &kpi_shape,
     .is_compacted = true,
     .retention_ms = FOR_EVER,
     .key = "KPI|WINDOW|DIMENSION",
     .summary = "The latest rolling value of each series and window."},
    {.name = "trend.shifts",
     .shape = &trend_shift_shape,
     .is_sparse = true,
     .retention_ms = DAYS(365),
     .key = "KPI|DIMENSION",
     .summary = "Detected changes; a higher revision replaces a lower one."},
    {.name = "kpi.state",
     .shape = &kpi_state_shape,
     .is_compacted = true,
     .retention_ms = FOR_EVER,
     .key = "private",
     .summary = "Private: the kpi processor's checkpoint."},
    {.name = NULL},
};

const struct topic_row *topic_row_find(const char *name)
{
    for (const struct topic_row *row = topic_rows; row->name; row++) {
        if (strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}

/* Calls again, with a pause, while the other side is away; *stop ends it. */
static void pause_before_retry(void)
{
    nanosleep(&(struct timespec){.tv_sec = 0, .tv_nsec = 500000000}, NULL);
}

/* Every partition that a transaction touches costs it a request, a record and an end marker. Alerts and follow-ups are touched by each. */
static int32_t partitions_of(const struct topic_row *row, const struct config *config)
{
    return (int32_t)(row->is_sparse ? (config->topics.partitions + 3) / 4 : config->topics.partitions);
}

size_t topics_wanted(const struct config *config, struct topic_wanted wanted[TOPICS_MAX])
{
    size_t count = 0;
    for (const struct topic_row *row = topic_rows; row->name; row++)
        wanted[count++] = (struct topic_wanted){.name = row->name,
                                                .partitions = partitions_of(row, config),
                                                .is_any_more_fine = row->is_sparse,
                                                .replication = (int16_t)config->topics.replication,
                                                .is_compacted = row->is_compacted,
                                                .is_dated_on_arrival = row->is_dated_on_arrival,
                                                .retention_ms = row->retention_ms,
                                                .tombstones_kept_ms = TOMBSTONES_KEPT_MS,
                                                .ahead_most_ms = row->is_dated_by_others ? AHEAD_MOST_MS : 0};
    return count;
}

static void log_report(enum log_level level, const char *message, struct bytes *report)
{
    for (const char *line = bytes_text(report), *end; *line; line = *end ? end + 1 : end) {
        char text[1024];
        end = line + strcspn(line, "\n");
        snprintf(text, sizeof text, "%.*s", (int)(end - line), line);
        log_line(level, message, "report", text, NULL);
    }
}

static enum outcome create_topics(const struct config *config, bool waits, atomic_bool *stop)
{
    struct topic_wanted wanted[TOPICS_MAX];
    size_t count = topics_wanted(config, wanted);
    struct bytes report = {0};
    enum outcome outcome;
    for (bool has_said = false;; has_said = true) {
        char error[512] = "";
        bytes_clear(&report);
        /* A look first: librdkafka waits a whole minute with a request to brokers that are not there. */
        outcome = admin_ping(&config->kafka, 2000, error, sizeof error);
        if (outcome == OUTCOME_OK)
            outcome = admin_ensure_topics(&config->kafka, wanted, count, stop, &report);
        else
            bytes_append_text(&report, error);
        if (outcome != OUTCOME_RETRY || !waits || atomic_load(stop))
            break;
        if (!has_said)
            log_report(LOG_WARNING, "kafka is away, waiting", &report);
        pause_before_retry();
    }
    if (outcome != OUTCOME_RETRY || !atomic_load(stop)) /* asked to end while it waits: all has been said */
        log_report(outcome == OUTCOME_OK ? LOG_WARNING : LOG_ERROR, outcome == OUTCOME_OK ? "a topic is not as it should be" : "topics", &report);
    bytes_finish(&report);
    return outcome;
}

static enum outcome register_one(struct registry *registry, const struct config *config, const struct topic_row *row,
                                 uint32_t *id, char *error, size_t error_size)
{
    struct bytes subject = {0};
    bytes_printf(&subject, "%s%s-value", config->kafka.topic_prefix, row->name);
    enum outcome outcome = registry_require_backward(registry, bytes_text(&subject), error, error_size);
    if (outcome == OUTCOME_OK)
        outcome = registry_register(registry, bytes_text(&subject), row->shape->schema_json, id, error, error_size);
    bytes_finish(&subject);
    return outcome;
}

static enum outcome register_schemas(struct registry *registry, const struct config *config, struct schema_ids *ids,
                                     bool waits, atomic_bool *stop)
{
    bool has_said = false;
    for (size_t i = 0; topic_rows[i].name;) {
        char error[1024] = "";
        enum outcome outcome = register_one(registry, config, &topic_rows[i], &ids->of_topic[i], error, sizeof error);
        if (outcome == OUTCOME_OK) {
            i++;
            continue;
        }
        if (outcome == OUTCOME_RETRY && has_said && atomic_load(stop))
            return outcome;
        if (outcome != OUTCOME_RETRY || !waits || atomic_load(stop)) {
            log_error("the schema registry did not take a schema", "topic", topic_rows[i].name, "url",
                      registry_shown_url(registry), "error", error, NULL);
            return outcome;
        }
        if (!has_said)
            log_warning("the schema registry is away, waiting", "url", registry_shown_url(registry), "error", error, NULL);
        has_said = true;
        pause_before_retry();
    }
    return OUTCOME_OK;
}

enum outcome topics_prepare(const struct config *config, struct registry *registry, struct schema_ids *ids, bool waits,
                            atomic_bool *stop)
{
    enum outcome outcome = create_topics(config, waits, stop);
    return outcome == OUTCOME_OK ? register_schemas(registry, config, ids, waits, stop) : outcome;
}

uint32_t schema_id_of(const struct schema_ids *ids, const char *topic)
{
    return ids->of_topic[topic_row_find(topic) - topic_rows];
}

static bool wants_asyncapi;
static const struct option rows[] = {
    {"--asyncapi", OPTION_FLAG, &wants_asyncapi, NULL, "print an AsyncAPI 3.0 document of the topics instead (docs/asyncapi.yaml)"},
    OPTIONS_END};

const struct option *topics_options(void)
{
    return rows;
}

int topics_command(struct app *app, int argc, char **argv)
{
    if (!app_parse_options("topics", argc, argv, rows, NULL))
        return EXIT_USAGE;
    if (wants_asyncapi) {
        asyncapi_print(stdout);
        return EXIT_FINE;
    }
    struct registry *registry = registry_create(&app->config.registry);
    struct schema_ids ids = {{0}};
    registry_heed(registry, &app->stop);
    enum outcome outcome = topics_prepare(&app->config, registry, &ids, true, &app->stop);
    for (size_t i = 0; outcome == OUTCOME_OK && topic_rows[i].name; i++)
        printf("%s%-22s %-7s schema %u\n", app->config.kafka.topic_prefix, topic_rows[i].name,
               topic_rows[i].is_compacted ? "compact" : "delete", ids.of_topic[i]);
    registry_destroy(registry);
    if (outcome == OUTCOME_RETRY && atomic_load(&app->stop))
        return app_stopped_early("topics", "so not all topics and schemas are there; run it again");
    return outcome == OUTCOME_OK ? EXIT_FINE : EXIT_FAILED;
}
