#include "sinks/redis/redis_link.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

const struct setting redis_setting_rows[] = {
    SETTING_TEXT(struct redis_settings, address, "redis.address", .standard_text = "127.0.0.1:6379",
                 .about = "Where Redis is: host:port. It is spoken to without TLS; where that must be, put a tunnel (stunnel, ghostunnel) between."),
    SETTING_TEXT(struct redis_settings, username, "redis.username", .about = "Name of an ACL user, with redis.password; empty: the default user."),
    SETTING_TEXT(struct redis_settings, password, "redis.password", .is_secret = true,
                 .about = "Password; better given as TOUCHSTREAM_REDIS_PASSWORD."),
    SETTING_TEXT(struct redis_settings, prefix, "redis.prefix", .standard_text = "ts:", .about = "Put before every key."),
    SETTING_INTEGER(struct redis_settings, database, "redis.database", .standard = 0, .least = 0, .most = 1000,
                    .about = "Number of the logical database."),
    SETTING_DURATION(struct redis_settings, timeout_ms, "redis.timeout", .standard = SECONDS(10), .least = 10,
                     .most = MINUTES(5), .about = "An answer that takes longer counts as Redis being away."),
    SETTING_END};

enum { REDIS_PORT = 6379 };

struct redis_link {
    const struct redis_settings *settings;
    redisContext *context; /* NULL: not connected */
    char why_away[256];    /* empty: it is there */
    char refusal[256];     /* what was said of it; empty: it takes everything */
};

struct redis_link *redis_link_create(const struct redis_settings *settings)
{
    struct redis_link *link = memory_zeroed(1, sizeof *link);
    link->settings = settings;
    return link;
}

static void hang_up(struct redis_link *link)
{
    if (link->context)
        redisFree(link->context);
    link->context = NULL;
}

void redis_link_destroy(struct redis_link *link)
{
    if (link == NULL)
        return;
    hang_up(link);
    free(link);
}

bool redis_link_is_connected(const struct redis_link *link)
{
    return link->context != NULL;
}

const char *redis_link_why_away(const struct redis_link *link)
{
    return link->why_away;
}

static enum outcome gone(struct redis_link *link, const char *why)
{
    if (!link->why_away[0])
        log_warning("redis is away, waiting", "address", link->settings->address, "error", why, NULL);
    snprintf(link->why_away, sizeof link->why_away, "%s", why);
    hang_up(link);
    return OUTCOME_RETRY;
}

/* It answers, and does not let us in. That is told also when it was away before. */
static enum outcome turned_away(struct redis_link *link, const char *why)
{
    if (strcmp(link->why_away, why) != 0)
        link->why_away[0] = '\0';
    return gone(link, why);
}

void redis_link_note_refusal(struct redis_link *link, struct view error)
{
    char text[sizeof link->refusal];
    snprintf(text, sizeof text, "%.*s", VIEW_ARGUMENTS(error));
    if (strcmp(text, link->refusal) != 0)
        log_warning("redis refuses, trying again and again", "address", link->settings->address, "error", text, NULL);
    memcpy(link->refusal, text, sizeof text);
}

void redis_link_note_taken(struct redis_link *link)
{
    if (link->refusal[0])
        log_info("redis takes what it refused", "address", link->settings->address, NULL);
    link->refusal[0] = '\0';
}

static struct timeval time_value(int64_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* An error answer is told as it came. */
static bool is_good_answer(struct redis_link *link, const char *name, redisReply *reply, char *why, size_t why_size)
{
    bool is_good = reply && reply->type != REDIS_REPLY_ERROR;
    if (!is_good)
        snprintf(why, why_size, "%s: %s", name, reply ? reply->str : link->context->errstr);
    freeReplyObject(reply);
    return is_good;
}

/* PING is not needed to talk, and some user may not be allowed it; but who needs a password and gets none says so only when asked. */
static bool greet(struct redis_link *link, char *why, size_t why_size)
{
    const struct redis_settings *settings = link->settings;
    redisContext *context = link->context;
    bool is_good = true;
    if (settings->username[0])
        is_good = is_good_answer(link, "AUTH", redisCommand(context, "AUTH %s %s", settings->username, settings->password), why, why_size);
    else if (settings->password[0])
        is_good = is_good_answer(link, "AUTH", redisCommand(context, "AUTH %s", settings->password), why, why_size);
    if (is_good && settings->database)
        is_good = is_good_answer(link, "SELECT", redisCommand(context, "SELECT %lld", (long long)settings->database), why, why_size);
    if (!is_good)
        return false;
    return is_good_answer(link, "PING", redisCommand(context, "PING"), why, why_size) || strstr(why, "NOPERM");
}

static enum outcome connect_now(struct redis_link *link)
{
    struct address address;
    char why[256] = "";
    if (!address_read(link->settings->address, REDIS_PORT, &address))
        return gone(link, "redis.address is not host:port");
    link->context = redisConnectWithTimeout(address.host, address.port, time_value(3000));
    if (link->context == NULL || link->context->err)
        return gone(link, link->context ? link->context->errstr : "out of memory");
    redisSetTimeout(link->context, time_value(link->settings->timeout_ms));
    if (!greet(link, why, sizeof why))
        return turned_away(link, why);
    if (link->why_away[0])
        log_info("redis is back", "address", link->settings->address, NULL);
    link->why_away[0] = '\0';
    return OUTCOME_OK;
}

static void copy_answer(const redisReply *reply, struct arena *arena, struct redis_answer *answer)
{
    *answer = (struct redis_answer){.kind = REDIS_NIL};
    switch (reply->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        answer->kind = reply->type == REDIS_REPLY_ERROR ? REDIS_ERROR : REDIS_TEXT;
        answer->text = arena_copy(arena, view_of(reply->str, (size_t)reply->len));
        break;
    case REDIS_REPLY_INTEGER:
        answer->kind = REDIS_INTEGER;
        answer->integer = reply->integer;
        break;
    case REDIS_REPLY_ARRAY:
        answer->kind = REDIS_LIST;
        answer->count = reply->elements;
        answer->items = arena_zeroed(arena, reply->elements ? reply->elements : 1, sizeof *answer->items);
        for (size_t i = 0; i < reply->elements; i++)
            copy_answer(reply->element[i], arena, &answer->items[i]);
        break;
    default:
        break;
    }
}

static bool is_loading(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "LOADING", 7) == 0;
}

enum outcome redis_link_begin(struct redis_link *link, const struct resp *commands)
{
    if (link->context == NULL && connect_now(link) != OUTCOME_OK)
        return OUTCOME_RETRY;
    if (redisAppendFormattedCommand(link->context, commands->bytes.data, commands->bytes.size) != REDIS_OK)
        return gone(link, link->context->errstr);
    for (int is_written = 0; !is_written;) {
        if (redisBufferWrite(link->context, &is_written) != REDIS_OK)
            return gone(link, link->context->errstr);
    }
    return OUTCOME_OK;
}

enum outcome redis_link_finish(struct redis_link *link, size_t command_count, struct arena *arena, struct redis_answer **answers)
{
    if (link->context == NULL)
        return OUTCOME_RETRY;
    struct redis_answer *room = answers ? arena_zeroed(arena, command_count, sizeof *room) : NULL;
    for (size_t i = 0; i < command_count; i++) {
        void *reply = NULL;
        if (redisGetReply(link->context, &reply) != REDIS_OK)
            return gone(link, link->context->errstr);
        bool is_starting = is_loading(reply);
        if (room)
            copy_answer(reply, arena, &room[i]);
        freeReplyObject(reply);
        if (is_starting)
            return gone(link, "it is loading its data");
    }
    if (answers)
        *answers = room;
    return OUTCOME_OK;
}

enum outcome redis_link_send(struct redis_link *link, const struct resp *commands, struct arena *arena,
                             struct redis_answer **answers)
{
    if (commands->command_count == 0)
        return OUTCOME_OK;
    enum outcome outcome = redis_link_begin(link, commands);
    return outcome == OUTCOME_OK ? redis_link_finish(link, commands->command_count, arena, answers) : outcome;
}

enum outcome redis_link_ask(struct redis_link *link, struct arena *arena, struct redis_answer *answer, ...)
{
    const char *arguments[16];
    size_t count = 0;
    va_list list;
    va_start(list, answer);
    for (const char *one; count < 16 && (one = va_arg(list, const char *)) != NULL;)
        arguments[count++] = one;
    va_end(list);

    struct resp command = {0};
    resp_command(&command, count, arguments[0]);
    for (size_t i = 1; i < count; i++)
        resp_text(&command, arguments[i]);
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(link, &command, arena, &answers);
    if (outcome == OUTCOME_OK)
        *answer = answers[0];
    resp_finish(&command);
    return outcome;
}

enum outcome redis_link_next_push(struct redis_link *link, int timeout_ms, struct arena *arena, struct redis_answer *answer)
{
    if (link->context == NULL)
        return connect_now(link) == OUTCOME_OK ? OUTCOME_REDO : OUTCOME_RETRY;
    void *reply = NULL;
    if (redisGetReplyFromReader(link->context, &reply) != REDIS_OK)
        return gone(link, link->context->errstr);
    if (reply == NULL) {
        struct pollfd ready = {.fd = link->context->fd, .events = POLLIN};
        if (poll(&ready, 1, timeout_ms) <= 0)
            return OUTCOME_RETRY;
        if (redisBufferRead(link->context) != REDIS_OK || redisGetReplyFromReader(link->context, &reply) != REDIS_OK)
            return gone(link, link->context->errstr);
        if (reply == NULL)
            return OUTCOME_RETRY;
    }
    copy_answer(reply, arena, answer);
    freeReplyObject(reply);
    return OUTCOME_OK;
}
