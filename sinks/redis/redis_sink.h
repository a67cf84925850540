/* The `sink` service: results from Kafka into Redis, each batch of records exactly once.
 *
 * Redis itself keeps the place: ts:position:TOPIC:PARTITION holds the next offset wanted, written in the same MULTI as what
 * the batch changed. Before it the position is read under WATCH: if somebody else (a sink that took over, or an operator
 * who flushed the database) moved it, nothing is written and reading starts again where Redis says. All positions are looked at once a
 * second, too, whether records come or not. A Redis that is empty, or back from an older snapshot, is therefore filled again from the
 * topics by itself, and a zombie cannot overwrite what its successor wrote. */
#ifndef TS_SINKS_REDIS_REDIS_SINK_H
#define TS_SINKS_REDIS_REDIS_SINK_H

#include "engine/follow.h"
#include "engine/kafka_settings.h"
#include "schemas/registry.h"
#include "sinks/redis/redis_link.h"

#include <stdatomic.h>

struct redis_sink_config {
    const struct redis_settings *redis;
    const struct kafka_settings *kafka;
    struct registry *registry; /* shared, thread-safe; outlives the run */
    struct follow_member member;
};

/* Blocks until *stop. When it cannot go on it sets *stop itself and returns STOP. */
enum outcome redis_sink_run(const struct redis_sink_config *config, atomic_bool *stop);

/* Deletes every key under the prefix, positions included, so that the next redis_sink_run fills Redis anew. */
enum outcome redis_sink_clear(const struct redis_settings *redis, int64_t *deleted);

#endif
