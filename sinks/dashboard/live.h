/* What changes, pushed to every open page: Redis pub/sub in, server-sent events out. One thread of its own.
 *
 * KPI changes are gathered for a quarter of a second and only the latest of each series is sent on, as one event. After a lost
 * Redis connection the pages are told to ask for everything again, since pub/sub forgets. */
#ifndef TS_SINKS_DASHBOARD_LIVE_H
#define TS_SINKS_DASHBOARD_LIVE_H

#include "base/http_server.h"
#include "sinks/redis/redis_link.h"

#include <stdatomic.h>

struct live;

struct live *live_create(const struct redis_settings *redis, atomic_bool *stop);
void live_destroy(struct live *live); /* after *stop; closes all streams */

/* A page opened /api/stream. Any thread; the live takes the stream. */
void live_add(struct live *live, struct http_stream *take_stream);

#endif
