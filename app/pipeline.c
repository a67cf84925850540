/* START HERE: every service of touchstream, with its topics in and out.
 *
 *   producers ──HTTP, webhooks, files──▶ ingest ──▶ touchpoints
 *   touchpoints ──▶ journey ──▶ touchpoints.enriched, journeys, alerts, followups, kpi.deltas
 *   kpi.deltas ──▶ kpi ──▶ kpis, trend.shifts, alerts, kpi.deltas (its partitions ask each other what a shift comes from)
 *   kpis, alerts, touchpoints.enriched, journeys, followups, trend.shifts ──▶ sink ──▶ Redis ──▶ dashboard, top
 *   alerts ──▶ notify ──▶ webhooks
 *
 * A service is a row below. Each runs alone (`touchstream journey`), as often as there are partitions to share, or all
 * together in one process (`touchstream run`). A case action on the dashboard is a touchpoint again and takes the same way.
 *
 * To follow one record: engine/worker.c polls it, engine/step.c applies it, processors/journey/journey.c is what happens to it,
 * engine/outbox.c holds what comes out, engine/txn.c commits it. */
#include "app/pipeline.h"

#include "app/collect.h"
#include "app/health.h"
#include "app/notify_test.h"
#include "app/sense.h"
#include "app/stages.h"
#include "app/status.h"
#include "app/topics.h"
#include "base/log.h"
#include "base/thread.h"
#include "sinks/dashboard/dashboard.h"
#include "sinks/notify/notify.h"
#include "sinks/redis/redis_sink.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* What the services of one process share. */
struct pipeline {
    struct app *app;
    struct registry *registry;
    struct schema_ids ids;
    _Atomic uint32_t touchpoint_schema_id; /* for who began before it was known; 0: not yet */
    atomic_bool is_ready;
    struct health *health;
    struct runner_status *journey_status, *kpi_status;
};

/* --- the services ------------------------------------------------------------------------------------------------ */

static enum outcome run_processor(struct pipeline *pipeline, const struct processor *processor, void *shared)
{
    bool is_journey = processor == &journey_processor;
    struct runner_config config = {.processor = processor,
                                   .shared = shared,
                                   .status = is_journey ? pipeline->journey_status : pipeline->kpi_status,
                                   .kafka = &pipeline->app->config.kafka,
                                   .settings = pipeline->app->config.engine,
                                   .clock = &clock_system};
    /* Disorder is a property of what happens to customers; the deltas between our own stages come in order. */
    if (!is_journey)
        config.settings.allowed_disorder_ms = processor->allowed_disorder_ms;
    return runner_run(&config, &pipeline->app->stop);
}

static enum outcome run_journey(struct pipeline *pipeline)
{
    struct journey_shared shared;
    if (!stage_open_journey(&shared, &pipeline->app->config, pipeline->registry, &pipeline->ids))
        return OUTCOME_STOP;
    enum outcome outcome = run_processor(pipeline, &journey_processor, &shared);
    stage_close_journey(&shared);
    return outcome;
}

static enum outcome run_kpi(struct pipeline *pipeline)
{
    struct kpi_shared shared;
    if (!stage_open_kpi(&shared, &pipeline->app->config, pipeline->registry, &pipeline->ids))
        return OUTCOME_STOP;
    enum outcome outcome = run_processor(pipeline, &kpi_processor, &shared);
    stage_close_kpi(&shared);
    return outcome;
}

/* The name that the processors have is theirs, too, once somebody has given it: sinks without one may be as many as there are. */
static struct follow_member member_of(const struct config *config)
{
    bool is_named = settings_is_given(config->file, "engine.instance");
    return (struct follow_member){is_named ? config->engine.instance_id : "", config->engine.session_timeout_ms};
}

static enum outcome run_sink(struct pipeline *pipeline)
{
    struct redis_sink_config config = {.redis = &pipeline->app->config.redis,
                                       .kafka = &pipeline->app->config.kafka,
                                       .registry = pipeline->registry,
                                       .member = member_of(&pipeline->app->config)};
    return redis_sink_run(&config, &pipeline->app->stop);
}

static enum outcome run_notify(struct pipeline *pipeline)
{
    struct notify_config config = {.settings = &pipeline->app->config.notify,
                                   .kafka = &pipeline->app->config.kafka,
                                   .registry = pipeline->registry,
                                   .member = member_of(&pipeline->app->config),
                                   .rejected_schema_id = schema_id_of(&pipeline->ids, "alerts.undelivered"),
                                   .escalated_schema_id = schema_id_of(&pipeline->ids, "alerts.escalated"),
                                   .clock = &clock_system};
    return notify_run(&config, &pipeline->app->stop);
}

static enum outcome run_dashboard(struct pipeline *pipeline)
{
    struct dashboard_config config = {.settings = &pipeline->app->config.dashboard,
                                      .redis = &pipeline->app->config.redis,
                                      .kafka = &pipeline->app->config.kafka,
                                      .touchpoint_schema_id = &pipeline->touchpoint_schema_id,
                                      .clock = &clock_system};
    return dashboard_run(&config, &pipeline->app->stop);
}

static enum outcome run_ingest(struct pipeline *pipeline)
{
    return collect_run(pipeline->app);
}

static const struct service {
    const char *name;
    const char *reads, *writes;
    enum outcome (*run)(struct pipeline *pipeline); /* blocks until app->stop */
    bool is_early; /* answers before Kafka and the registry do: a sender hears 503, and what Redis has is shown */
} services[] = {
    {"ingest", "HTTP", "touchpoints, touchpoints.rejected, kpi.deltas", run_ingest, true},
    {"journey", "touchpoints", "touchpoints.enriched, journeys, alerts, followups, kpi.deltas, touchpoints.rejected", run_journey},
    {"kpi", "kpi.deltas", "kpis, trend.shifts, alerts, kpi.deltas, touchpoints.rejected", run_kpi},
    {"sink", "kpis, alerts, touchpoints.enriched, journeys, followups, trend.shifts", "Redis", run_sink},
    {"notify", "alerts, alerts.escalated", "webhooks, alerts.undelivered, alerts.escalated", run_notify},
    {"dashboard", "Redis", "HTTP, touchpoints (case actions)", run_dashboard, true},
};
enum { SERVICE_COUNT = sizeof services / sizeof *services };

/* --- running them ------------------------------------------------------------------------------------------------ */

struct running {
    const struct service *service;
    struct pipeline *pipeline;
    pthread_t thread;
    enum outcome outcome;
};

/* The sink knows its own position and throughput best, and writes its own row. */
static void add_to_health(struct pipeline *pipeline, const char *name)
{
    if (strcmp(name, "sink") == 0)
        return;
    health_add(pipeline->health, name,
               strcmp(name, "journey") == 0 ? pipeline->journey_status
               : strcmp(name, "kpi") == 0   ? pipeline->kpi_status
                                            : NULL);
}

static void *run_one(void *context)
{
    struct running *running = context;
    log_speak_for(running->service->name);
    log_info("started", "service", running->service->name, "reads", running->service->reads, "writes",
             running->service->writes, NULL);
    running->outcome = running->service->run(running->pipeline);
    log_info("stopped", "service", running->service->name, "outcome", outcome_name(running->outcome), NULL);
    if (running->outcome == OUTCOME_STOP)
        atomic_store(&running->pipeline->app->stop, true); /* one cannot go on: end all, to be restarted */
    return NULL;
}

#define ALL_SERVICES ((1U << SERVICE_COUNT) - 1)

/* Its bit; 0: there is none of that name. */
static unsigned service_find(const char *name)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (strcmp(services[i].name, name) == 0)
            return 1U << i;
    }
    return 0;
}

/* Answers how many of those wanted it began. */
static size_t begin(struct pipeline *pipeline, unsigned wanted, bool early, struct running *running)
{
    size_t count = 0;
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (!(wanted >> i & 1) || services[i].is_early != early)
            continue;
        running[count] = (struct running){&services[i], pipeline, 0, OUTCOME_OK};
        add_to_health(pipeline, services[i].name);
        thread_start(&running[count].thread, run_one, &running[count]);
        count++;
    }
    return count;
}

static int run_services(struct app *app, unsigned wanted)
{
    const char *doubt = wanted & service_find("dashboard") ? sense_doubt_of_dashboard(&app->config) : NULL;
    if (doubt)
        log_warning("doubtful configuration", "setting", "dashboard.listen", "doubt", doubt, NULL);
    struct pipeline pipeline = {.app = app, .registry = registry_create(&app->config.registry)};
    registry_heed(pipeline.registry, &app->stop);
    struct status_server *status = status_start(&app->config, &pipeline.is_ready);
    pipeline.journey_status = runner_status_create();
    pipeline.kpi_status = runner_status_create();
    pipeline.health = health_start(&app->config);
    struct running running[SERVICE_COUNT];
    size_t count = begin(&pipeline, wanted, true, running);
    bool is_broken = topics_prepare(&app->config, pipeline.registry, &pipeline.ids, true, &app->stop) == OUTCOME_STOP;
    if (is_broken) {
        atomic_store(&app->stop, true); /* for those that have begun */
    } else if (!atomic_load(&app->stop)) {
        atomic_store(&pipeline.touchpoint_schema_id, schema_id_of(&pipeline.ids, "touchpoints"));
        atomic_store(&pipeline.is_ready, true);
        count += begin(&pipeline, wanted, false, running + count);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(running[i].thread, NULL);
        is_broken |= running[i].outcome == OUTCOME_STOP;
    }
    status_stop(status);
    health_stop(pipeline.health, is_broken);
    runner_status_destroy(pipeline.journey_status);
    runner_status_destroy(pipeline.kpi_status);
    registry_destroy(pipeline.registry);
    return is_broken ? EXIT_FAILED : EXIT_FINE;
}

static int service_command(struct app *app, const char *name, int argc, char **argv)
{
    if (!app_parse_options(name, argc, argv, (struct option[]){OPTIONS_END}, NULL))
        return EXIT_USAGE;
    return run_services(app, service_find(name));
}

int journey_command(struct app *app, int argc, char **argv)
{
    return service_command(app, "journey", argc, argv);
}

int kpi_command(struct app *app, int argc, char **argv)
{
    return service_command(app, "kpi", argc, argv);
}

static bool wants_test;
static const struct option notify_rows[] = {
    {"--test", OPTION_FLAG, &wants_test, NULL, "sends one test alert to each receiver, or to those named, says what came back, and ends"}, OPTIONS_END};

const struct option *notify_options(void)
{
    return notify_rows;
}

int notify_command(struct app *app, int argc, char **argv)
{
    struct text_list receivers = {0};
    if (!app_parse_options("notify", argc, argv, notify_rows, &receivers))
        return EXIT_USAGE;
    if (wants_test)
        return notify_test(app, &receivers);
    if (receivers.count) {
        fprintf(stderr, "touchstream notify: '%s' is only of use with --test (touchstream notify --help)\n", receivers.items[0]);
        return EXIT_USAGE;
    }
    return run_services(app, service_find("notify"));
}

int dashboard_command(struct app *app, int argc, char **argv)
{
    return service_command(app, "dashboard", argc, argv);
}

static void complain_no_service(const char *name)
{
    fprintf(stderr, "touchstream run: no service '%s'; there are", name);
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        fprintf(stderr, "%s %s", i ? "," : "", services[i].name);
    fputc('\n', stderr);
}

int run_command_all(struct app *app, int argc, char **argv)
{
    struct text_list names = {0};
    bool is_good = app_parse_options("run", argc, argv, (struct option[]){OPTIONS_END}, &names);
    unsigned wanted = names.count ? 0 : ALL_SERVICES;
    for (size_t i = 0; i < names.count && is_good; i++) {
        unsigned found = service_find(names.items[i]);
        if (found == 0)
            complain_no_service(names.items[i]);
        is_good = found != 0;
        wanted |= found;
    }
    return is_good ? run_services(app, wanted) : EXIT_USAGE;
}

static bool wants_rebuild;
static const struct option sink_rows[] = {
    {"--rebuild", OPTION_FLAG, &wants_rebuild, NULL, "empty Redis (every key under redis.prefix) and fill it again from the topics"},
    OPTIONS_END};

const struct option *sink_options(void)
{
    return sink_rows;
}

int sink_command(struct app *app, int argc, char **argv)
{
    if (!app_parse_options("sink", argc, argv, sink_rows, NULL))
        return EXIT_USAGE;
    int64_t deleted;
    if (wants_rebuild) {
        if (redis_sink_clear(&app->config.redis, &deleted) != OUTCOME_OK) {
            fprintf(stderr, "touchstream sink: --rebuild: redis at %s cannot be reached\n", app->config.redis.address);
            return EXIT_FAILED;
        }
        log_info("emptied redis", "prefix", app->config.redis.prefix, "keys", LOG_NUMBER(deleted), NULL);
    }
    return run_services(app, service_find("sink"));
}
