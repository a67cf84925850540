/* Who is the primary now? Redis Sentinel knows, and answers any client (https://redis.io/docs/latest/develop/reference/sentinel-clients/):
 * its instances are asked one after the other, the one that answered last first. One thread at a time. */
#ifndef TS_SINKS_REDIS_SENTINEL_H
#define TS_SINKS_REDIS_SENTINEL_H

#include "base/address.h"
#include "sinks/redis/redis_link.h"

struct sentinel {
    size_t latest; /* the one that answered last */
};

bool sentinel_is_used(const struct redis_settings *redis);

/* false and "KEY: what is wrong, what would be right". */
bool sentinel_settings_check(const struct redis_settings *redis, struct bytes *error);

/* May take some seconds for each instance that is away. false: nobody knows; `why` names the last one asked and what
 * it said. */
bool sentinel_find_primary(struct sentinel *sentinel, const struct redis_settings *redis, struct address *primary, char *why, size_t why_size);

#endif
