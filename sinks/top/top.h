/* `touchstream top`: the dashboard's essentials in a terminal: KPIs of a window, the hottest cases, the latest shifts. */
#ifndef TS_SINKS_TOP_TOP_H
#define TS_SINKS_TOP_TOP_H

#include "sinks/redis/redis_link.h"

#include <stdatomic.h>

struct top_settings {
    const struct redis_settings *redis;
    const char *window;   /* "24h" */
    int64_t refresh_ms;
    bool once;            /* print one frame as plain text to stdout and end: for scripts and tests */
};

/* Blocks until q, Ctrl-C or *stop. RETRY: once, and Redis is away. */
enum outcome top_run(const struct top_settings *settings, atomic_bool *stop);

#endif
