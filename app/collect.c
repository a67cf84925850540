/* `touchstream ingest`, the collector as a service: what it is made of and how it ends; the work is ingest/collector.c's. */
#include "app/collect.h"

#include "app/outgoing.h"
#include "base/log.h"
#include "ingest/batch.h"
#include "ingest/collector.h"

#include <stdio.h>
#include <time.h>

enum outcome collect_run(struct app *app)
{
    const struct ingest_settings *settings = &app->config.ingest;
    struct publisher_settings publisher = {.linger_ms = 2,
                                           .queue_messages_max = (int)settings->queue_messages_max,
                                           .compression = "lz4",
                                           .delivery_timeout_ms = (int)settings->acknowledge_ms_max};
    /* It listens before Kafka is there: a sender hears 503 and when to come again, and /healthz answers. */
    struct outgoing outgoing = {0};
    struct bytes error = {0};
    atomic_bool is_open = false;
    struct collector_parts parts = {settings, &outgoing.outlet, &is_open, &clock_system};
    struct collector *collector = collector_create(&parts, &error);
    if (!collector) {
        log_error("the collector cannot start", "error", bytes_text(&error), NULL);
        bytes_finish(&error);
        return OUTCOME_STOP;
    }
    log_info("collector listens", "on", settings->listen, NULL);
    enum outcome outcome = OUTCOME_OK;
    if (outgoing_open(&outgoing, app, &publisher, batch_delivered)) {
        atomic_store(&is_open, true);
        while (!atomic_load(&app->stop)) {
            collector_look_after(collector);
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        }
    } else if (!atomic_load(&app->stop)) {
        outcome = OUTCOME_STOP;
    }
    collector_drain(collector);
    outgoing_close(&outgoing);
    collector_destroy(collector);
    bytes_finish(&error);
    return outcome;
}

int collect_command(struct app *app, int argc, char **argv)
{
    if (!app_parse_options("ingest", argc, argv, (struct option[]){OPTIONS_END}, NULL))
        return EXIT_USAGE;
    return collect_run(app) == OUTCOME_OK ? EXIT_FINE : EXIT_FAILED;
}
