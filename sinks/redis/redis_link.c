#include "sinks/redis/redis_link.h"

#include "base/address.h"
#include "base/channel.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "sinks/redis/sentinel.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

const struct setting redis_setting_rows[] = {
    SETTING_TEXT(struct redis_settings, address, "redis.address", .standard_text = "127.0.0.1:6379",
                 .about = "Where Redis is: host:port. Not looked at with redis.sentinels."),
    SETTING_LIST(struct redis_settings, sentinels, "redis.sentinels",
                 .about = "Sentinel's instances, host:port each: they are asked who the primary is, again after each loss. With redis.tls they are spoken to over TLS, too."),
    SETTING_TEXT(struct redis_settings, sentinel_name, "redis.sentinel_name", .standard_text = "mymaster",
                 .about = "What Sentinel calls the primary and its replicas (sentinel monitor NAME)."),
    SETTING_TEXT(struct redis_settings, sentinel_username, "redis.sentinel_username", .about = "Name of Sentinel's own ACL user; empty: the default user."),
    SETTING_TEXT(struct redis_settings, sentinel_password, "redis.sentinel_password", .is_secret = true,
                 .about = "Sentinel's own password; better given as TOUCHSTREAM_REDIS_SENTINEL_PASSWORD; empty: it wants none."),
    SETTING_BOOLEAN(struct redis_settings, is_over_tls, "redis.tls", .standard = false, .about = "Talk to it over TLS; its certificate must be for the host in redis.address."),
    SETTING_TEXT(struct redis_settings, tls.ca_location, "redis.tls_ca_location",
                 .about = "With redis.tls: file of the certificate authorities to trust; empty: the system's."),
    SETTING_TEXT(struct redis_settings, tls.certificate_location, "redis.tls_certificate_location",
                 .about = "File of our own certificate (PEM, with those between it and the authority), where Redis asks for one."),
    SETTING_TEXT(struct redis_settings, tls.key_location, "redis.tls_key_location", .about = "File of its key (PEM)."),
    SETTING_TEXT(struct redis_settings, tls.key_password, "redis.tls_key_password", .is_secret = true,
                 .about = "The key's password; better given as TOUCHSTREAM_REDIS_TLS_KEY_PASSWORD."),
    SETTING_TEXT(struct redis_settings, username, "redis.username", .about = "Name of an ACL user, with redis.password; empty: the default user."),
    SETTING_TEXT(struct redis_settings, password, "redis.password", .is_secret = true,
                 .about = "Password; better given as TOUCHSTREAM_REDIS_PASSWORD."),
    SETTING_TEXT(struct redis_settings, prefix, "redis.prefix", .standard_text = "ts:", .about = "Put before every key."),
    SETTING_INTEGER(struct redis_settings, database, "redis.database", .standard = 0, .least = 0, .most = 1000,
                    .about = "Number of the logical database."),
    SETTING_DURATION(struct redis_settings, timeout_ms, "redis.timeout", .standard = SECONDS(10), .least = 10,
                     .most = MINUTES(5), .about = "An answer that takes longer counts as Redis being away."),
    SETTING_INTEGER(struct redis_settings, journey_entries_max, "redis.journey_entries_max", .standard = 100, .least = 1, .most = 10000,
                    .about = "How many touchpoints of a customer Redis holds (journey:ID), about 1 KB each: most of what it holds (docs/RELIABILITY.md); the page shows a hundred."),
    SETTING_DURATION(struct redis_settings, journey_kept_ms, "redis.journey_kept", .standard = DAYS(400), .least = DAYS(1), .most = DAYS(36500),
                     .about = "They leave when nothing has come of the customer for so long."),
    SETTING_END};

enum { REDIS_PORT = 6379, CONNECT_MS = 3000 };

/* hiredis connects and makes answers of bytes. It does not move them: its 0.14, Debian 12's, knows no TLS. */
struct redis_link {
    const struct redis_settings *settings;
    redisContext *context; /* NULL: not connected */
    struct channel channel;
    struct sentinel sentinel;
    struct address address; /* looked for last */
    char address_text[ADDRESS_TEXT_MAX];
    bool is_quiet;
    char why_away[256];    /* empty: it is there */
    char refusal[256];     /* what was said of it; empty: it takes everything */
};

bool redis_settings_check(const struct redis_settings *redis, struct bytes *error)
{
    const struct tls_options *tls = &redis->tls;
    if (!sentinel_settings_check(redis, error))
        return false;
    const char *given = tls->ca_location[0] ? "ca" : tls->certificate_location[0] ? "certificate" : tls->key_location[0] ? "key" : NULL;
    if (given == NULL || redis->is_over_tls)
        return tls_options_check(tls, "redis.tls_", error);
    bytes_printf(error, "redis.tls_%s_location: is for TLS, and redis.tls is not true", given);
    return false;
}

struct redis_link *redis_link_create(const struct redis_settings *settings)
{
    struct redis_link *link = memory_zeroed(1, sizeof *link);
    link->settings = settings;
    snprintf(link->address_text, sizeof link->address_text, "%s", settings->address);
    return link;
}

struct redis_link *redis_link_create_quiet(const struct redis_settings *settings)
{
    struct redis_link *link = redis_link_create(settings);
    link->is_quiet = true;
    return link;
}

static void hang_up(struct redis_link *link)
{
    tls_close(link->channel.tls);
    if (link->context)
        redisFree(link->context);
    link->context = NULL;
    link->channel = (struct channel){.socket = -1};
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

const char *redis_link_address(const struct redis_link *link)
{
    return link->address_text;
}

static enum outcome gone(struct redis_link *link, const char *why)
{
    if (!link->why_away[0] && !link->is_quiet)
        log_warning("redis is away, waiting", "address", link->address_text, "error", why, NULL);
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

bool redis_is_read_only(struct view error)
{
    return error.size >= 8 && memcmp(error.data, "READONLY", 8) == 0;
}

void redis_link_note_refusal(struct redis_link *link, struct view error)
{
    char text[sizeof link->refusal];
    snprintf(text, sizeof text, "%.*s", VIEW_ARGUMENTS(error));
    if (strcmp(text, link->refusal) != 0)
        log_warning(redis_is_read_only(error) ? "redis is read-only, a replica it seems: redis.address has to name the primary (or make this one it: REPLICAOF NO ONE). Trying again and again"
                                              : "redis refuses, trying again and again",
                    "address", link->address_text, "error", text, NULL);
    memcpy(link->refusal, text, sizeof text);
}

void redis_link_note_taken(struct redis_link *link)
{
    if (link->refusal[0])
        log_info("redis takes what it refused", "address", link->address_text, NULL);
    link->refusal[0] = '\0';
}

/* Whose timeout it was: a link may have less patience than redis.timeout. */
static void write_silence(const struct redis_link *link, char *why, size_t why_size)
{
    snprintf(why, why_size, "no answer within %lld ms", (long long)link->settings->timeout_ms);
}

static enum outcome silent(struct redis_link *link)
{
    char why[64];
    write_silence(link, why, sizeof why);
    return gone(link, why);
}

static struct timeval time_value(int64_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* --- bytes --- */

static bool send_bytes(struct redis_link *link, const struct resp *commands)
{
    return channel_send(&link->channel, commands->bytes.data, commands->bytes.size, (int)link->settings->timeout_ms);
}

/* The next answer, the caller's to free; NULL when none comes within `wait_ms`. false: the connection is of no use any more, see `why`. */
static bool next_reply(struct redis_link *link, int wait_ms, redisReply **reply, const char **why)
{
    char data[16 * 1024];
    redisReader *reader = link->context->reader;
    for (;;) {
        void *found = NULL;
        if (redisReaderGetReply(reader, &found) != REDIS_OK) {
            *why = reader->errstr;
            return false;
        }
        ssize_t got = found ? 0 : channel_receive(&link->channel, data, sizeof data, wait_ms);
        *reply = found;
        if (got == 0)
            return true;
        *why = got < 0 ? channel_why(&link->channel) : "out of memory";
        if (got < 0 || redisReaderFeed(reader, data, (size_t)got) != REDIS_OK)
            return false;
    }
}

/* --- connecting --- */

/* What is most likely missing where the other side hangs up on the first command: why it does is not always heard. */
static const char *missing(const struct redis_link *link)
{
    if (link->channel.tls == NULL)
        return "; a port that is for TLS wants redis.tls: true";
    return link->settings->tls.certificate_location[0] ? "" : "; it may want a certificate (redis.tls_certificate_location)";
}

/* The answer, the caller's to free; NULL: there is none, see `why`, and the connection is of no use any more. */
static redisReply *answer_to(struct redis_link *link, struct resp *command, const char *name, char *why, size_t why_size)
{
    redisReply *reply = NULL;
    const char *lost = NULL;
    bool is_there = send_bytes(link, command);
    if (!is_there)
        lost = channel_why(&link->channel);
    is_there = is_there && next_reply(link, (int)link->settings->timeout_ms, &reply, &lost);
    char silence[64];
    write_silence(link, silence, sizeof silence);
    if (!reply)
        snprintf(why, why_size, "%s: %s%s", name, is_there ? silence : lost, is_there ? "" : missing(link));
    resp_finish(command);
    return reply;
}

/* An error answer is told as it came. */
static bool is_good_answer(struct redis_link *link, struct resp *command, const char *name, char *why, size_t why_size)
{
    redisReply *reply = answer_to(link, command, name, why, why_size);
    bool is_good = reply && reply->type != REDIS_REPLY_ERROR;
    if (reply && !is_good)
        snprintf(why, why_size, "%s: %s", name, reply->str);
    freeReplyObject(reply);
    return is_good;
}

static bool log_in(struct redis_link *link, char *why, size_t why_size)
{
    const struct redis_settings *settings = link->settings;
    struct resp command = {0};
    if (!settings->username[0] && !settings->password[0])
        return true;
    resp_command(&command, settings->username[0] ? 3 : 2, "AUTH");
    if (settings->username[0])
        resp_text(&command, settings->username);
    resp_text(&command, settings->password);
    return is_good_answer(link, &command, "AUTH", why, why_size);
}

static bool select_database(struct redis_link *link, char *why, size_t why_size)
{
    struct resp command = {0};
    if (!link->settings->database)
        return true;
    resp_command(&command, 2, "SELECT");
    resp_integer(&command, link->settings->database);
    return is_good_answer(link, &command, "SELECT", why, why_size);
}

/* PING is not needed to talk, and some user may not be allowed it; but who needs a password and gets none says so only when asked. */
static bool greet(struct redis_link *link, char *why, size_t why_size)
{
    struct resp command = {0};
    if (!log_in(link, why, why_size) || !select_database(link, why, why_size))
        return false;
    resp_command(&command, 1, "PING");
    return is_good_answer(link, &command, "PING", why, why_size) || strstr(why, "NOPERM");
}

static bool secure(struct redis_link *link, const char *host, char *why, size_t why_size)
{
    char error[200] = "";
    link->channel.tls = tls_open(link->channel.socket, host, &link->settings->tls, CONNECT_MS, error, sizeof error);
    bool is_foreign = strstr(error, "no answer") || strstr(error, "wrong version"); /* to who talks plainly a greeting of TLS is a long line */
    if (link->channel.tls == NULL)
        snprintf(why, why_size, "TLS: %s%s", error, is_foreign ? "; a port that is not for TLS wants redis.tls: false" : "");
    return link->channel.tls != NULL;
}

/* A user who may not ask for the role is believed, and so is whoever does not know of roles. */
static bool is_primary(struct redis_link *link, char *why, size_t why_size)
{
    struct resp command = {0};
    resp_command(&command, 1, "ROLE");
    redisReply *reply = answer_to(link, &command, "ROLE", why, why_size);
    bool is_told = reply && reply->type == REDIS_REPLY_ARRAY && reply->elements && reply->element[0]->str;
    bool is_replica = is_told && strcmp(reply->element[0]->str, "slave") == 0, is_answered = reply != NULL;
    if (is_replica)
        snprintf(why, why_size, "Sentinel calls it the primary, and it is a replica still");
    freeReplyObject(reply);
    return is_answered && !is_replica;
}

static bool find_address(struct redis_link *link, char *why, size_t why_size)
{
    const struct redis_settings *settings = link->settings;
    bool is_found = sentinel_is_used(settings) ? sentinel_find_primary(&link->sentinel, settings, &link->address, why, why_size)
                                               : address_read(settings->address, REDIS_PORT, &link->address);
    if (is_found)
        address_print(&link->address, link->address_text);
    else if (!why[0])
        snprintf(why, why_size, "redis.address is not host:port");
    return is_found;
}

static enum outcome connect_now(struct redis_link *link)
{
    char why[256] = "";
    if (!find_address(link, why, sizeof why))
        return gone(link, why);
    link->context = redisConnectWithTimeout(link->address.host, link->address.port, time_value(CONNECT_MS));
    if (link->context == NULL || link->context->err)
        return gone(link, link->context ? link->context->errstr : "out of memory");
    link->channel = (struct channel){.socket = link->context->fd};
    fcntl(link->channel.socket, F_SETFL, fcntl(link->channel.socket, F_GETFL) | O_NONBLOCK);
    if ((link->settings->is_over_tls && !secure(link, link->address.host, why, sizeof why)) || !greet(link, why, sizeof why))
        return turned_away(link, why);
    if (sentinel_is_used(link->settings) && !is_primary(link, why, sizeof why))
        return turned_away(link, why);
    if (link->why_away[0] && !link->is_quiet)
        log_info("redis is back", "address", link->address_text, NULL);
    link->why_away[0] = '\0';
    return OUTCOME_OK;
}

/* --- asking --- */

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

/* Why an answer means that we should go and come again; NULL: it does not. */
static const char *is_no_use(const struct redis_link *link, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR)
        return NULL;
    if (strncmp(reply->str, "LOADING", 7) == 0)
        return "it is loading its data";
    bool is_demoted = sentinel_is_used(link->settings) && redis_is_read_only(view_of(reply->str, (size_t)reply->len));
    return is_demoted ? "it is a replica now; asking Sentinel for the primary" : NULL;
}

enum outcome redis_link_begin(struct redis_link *link, const struct resp *commands)
{
    if (link->context && !channel_is_open(&link->channel))
        hang_up(link); /* Redis ends what is idle for long (its `timeout`), others in between do, too: no reason to call it away */
    if (link->context == NULL && connect_now(link) != OUTCOME_OK)
        return OUTCOME_RETRY;
    return send_bytes(link, commands) ? OUTCOME_OK : gone(link, channel_why(&link->channel));
}

enum outcome redis_link_finish(struct redis_link *link, size_t command_count, struct arena *arena, struct redis_answer **answers)
{
    if (link->context == NULL)
        return OUTCOME_RETRY;
    struct redis_answer *room = answers ? arena_zeroed(arena, command_count, sizeof *room) : NULL;
    for (size_t i = 0; i < command_count; i++) {
        redisReply *reply = NULL;
        const char *why = NULL;
        if (!next_reply(link, (int)link->settings->timeout_ms, &reply, &why))
            return gone(link, why);
        if (reply == NULL)
            return silent(link);
        why = is_no_use(link, reply);
        if (room)
            copy_answer(reply, arena, &room[i]);
        freeReplyObject(reply);
        if (why)
            return gone(link, why);
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

struct view redis_answer_field(const struct redis_answer *hash, const char *name)
{
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        if (view_equal_text(hash->items[i].text, name))
            return hash->items[i + 1].text;
    }
    return (struct view){NULL, 0};
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
    redisReply *reply = NULL;
    const char *why = NULL;
    if (!next_reply(link, timeout_ms, &reply, &why))
        return gone(link, why);
    if (reply == NULL)
        return OUTCOME_RETRY;
    copy_answer(reply, arena, answer);
    freeReplyObject(reply);
    return OUTCOME_OK;
}
