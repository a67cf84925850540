/* The configuration of an installation: every settings table of the program in one place. */
#ifndef TS_APP_CONFIG_H
#define TS_APP_CONFIG_H

#include "base/settings_environment.h"
#include "base/tls.h"
#include "engine/kafka_settings.h"
#include "engine/runner.h"
#include "ingest/settings.h"
#include "processors/journey/journey.h"
#include "processors/kpi/kpi.h"
#include "schemas/registry.h"
#include "sinks/dashboard/dashboard.h"
#include "sinks/notify/receivers.h"
#include "sinks/redis/redis_link.h"

#define CONFIG_PATH_VARIABLE "TOUCHSTREAM_CONFIG"

struct log_settings {
    char *level, *format;
};

struct topics_settings {
    int64_t partitions, replication;
};

struct status_settings {
    char *listen;
    struct tls_options tls; /* HTTPS where certificate and key are given */
};

struct config {
    struct log_settings log;
    struct kafka_settings kafka;
    struct registry_settings registry;
    struct topics_settings topics;
    struct status_settings status;
    struct runner_settings engine;
    struct ingest_settings ingest;
    struct journey_settings journey;
    struct kpi_settings kpi;
    struct redis_settings redis;
    struct notify_settings notify;
    struct dashboard_settings dashboard;
    struct settings_file *file;
    const char *place; /* where a mistake in a setting stands that has no line: the file's name, or "environment" */
};

/* false: `error` is a complete line for the user. */
bool config_load(struct config *config, const char *path, struct bytes *error);
/* Variables of the environment that begin like ours and have no effect; after config_load. */
void config_environment_doubts(const struct config *config, const struct settings_listener *listener);

void config_finish(struct config *config);

/* docs/CONFIGURATION.md */
void config_describe(struct bytes *out);

#endif
