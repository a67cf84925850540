/* The `dashboard` service: the web page and its read API over Redis, live by server-sent events, and case actions, which go
 * back through Kafka as CaseActed touchpoints like everything else that happens to a customer. */
#ifndef TS_SINKS_DASHBOARD_DASHBOARD_H
#define TS_SINKS_DASHBOARD_DASHBOARD_H

#include "base/clock.h"
#include "base/tls.h"
#include "engine/kafka_settings.h"
#include "sinks/redis/redis_link.h"

#include <stdatomic.h>

struct dashboard_settings {
    char *listen;
    struct tls_options tls; /* HTTPS where certificate and key are given */
    char *token, *read_token;
    int64_t session_ms;
    int64_t threads, connections_max;
};

extern const struct setting dashboard_setting_rows[];

struct dashboard_config {
    const struct dashboard_settings *settings;
    const struct redis_settings *redis;
    const struct kafka_settings *kafka;
    const _Atomic uint32_t *touchpoint_schema_id; /* 0 until it is known: the page is there, case actions are 503 */
    struct clock *clock;
};

/* Blocks until *stop. STOP: cannot listen (logged). */
enum outcome dashboard_run(const struct dashboard_config *config, atomic_bool *stop);

#endif
