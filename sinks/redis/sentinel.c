#include "sinks/redis/sentinel.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { SENTINEL_PORT = 26379, ASK_MS = SECONDS(2) /* they are many, and one of them is enough */ };

bool sentinel_is_used(const struct redis_settings *redis)
{
    return redis->sentinels.count > 0;
}

bool sentinel_settings_check(const struct redis_settings *redis, struct bytes *error)
{
    struct address address;
    for (size_t i = 0; i < redis->sentinels.count; i++) {
        if (address_read(redis->sentinels.items[i], SENTINEL_PORT, &address))
            continue;
        bytes_printf(error, "redis.sentinels: '%s' is not host:port", redis->sentinels.items[i]);
        return false;
    }
    if (sentinel_is_used(redis) && !redis->sentinel_name[0])
        bytes_printf(error, "redis.sentinel_name: is empty; the name of the primary in Sentinel's configuration (sentinel monitor NAME …) is wanted");
    return !sentinel_is_used(redis) || redis->sentinel_name[0];
}

/* A sentinel speaks as Redis does, with users of its own and without data. */
static struct redis_settings settings_for(const struct redis_settings *redis, size_t number, char address[ADDRESS_TEXT_MAX])
{
    struct redis_settings settings = *redis;
    struct address where;
    address_read(redis->sentinels.items[number], SENTINEL_PORT, &where);
    address_print(&where, address);
    settings.address = address;
    settings.sentinels = (struct text_list){0};
    settings.username = redis->sentinel_username;
    settings.password = redis->sentinel_password;
    settings.database = 0;
    settings.timeout_ms = redis->timeout_ms < ASK_MS ? redis->timeout_ms : ASK_MS;
    return settings;
}

/* Host and port. */
static bool read_answer(const struct redis_answer *answer, struct address *primary)
{
    if (answer->kind != REDIS_LIST || answer->count != 2)
        return false;
    const struct redis_answer *host = &answer->items[0], *port = &answer->items[1];
    if (host->kind != REDIS_TEXT || port->kind != REDIS_TEXT)
        return false;
    snprintf(primary->host, sizeof primary->host, "%.*s", VIEW_ARGUMENTS(host->text));
    char text[8];
    snprintf(text, sizeof text, "%.*s", VIEW_ARGUMENTS(port->text));
    primary->port = atoi(text);
    return host->text.size < sizeof primary->host && primary->port > 0 && primary->port <= ADDRESS_PORT_MOST;
}

static bool ask(const struct redis_settings *redis, size_t number, struct address *primary, char *why, size_t why_size)
{
    char text[ADDRESS_TEXT_MAX];
    struct redis_settings settings = settings_for(redis, number, text);
    struct redis_link *link = redis_link_create_quiet(&settings);
    struct redis_answer answer = {0};
    struct arena arena;
    arena_init(&arena);
    bool is_answered = redis_link_ask(link, &arena, &answer, "SENTINEL", "get-master-addr-by-name", redis->sentinel_name, NULL) == OUTCOME_OK;
    bool is_known = is_answered && read_answer(&answer, primary);
    if (!is_answered)
        snprintf(why, why_size, "sentinel %s: %s", text, redis_link_why_away(link));
    else if (answer.kind == REDIS_ERROR)
        snprintf(why, why_size, "sentinel %s: %.*s", text, VIEW_ARGUMENTS(answer.text));
    else if (!is_known)
        snprintf(why, why_size, "sentinel %s knows no primary '%s' (redis.sentinel_name)", text, redis->sentinel_name);
    arena_finish(&arena);
    redis_link_destroy(link);
    return is_known;
}

bool sentinel_find_primary(struct sentinel *sentinel, const struct redis_settings *redis, struct address *primary, char *why, size_t why_size)
{
    size_t count = redis->sentinels.count;
    for (size_t i = 0; i < count; i++) {
        size_t number = (sentinel->latest + i) % count;
        if (!ask(redis, number, primary, why, why_size))
            continue;
        sentinel->latest = number;
        return true;
    }
    return false;
}
