/* One connection to Redis, over TLS where the settings say so; the only user of hiredis. Lost connections are made again by the next call, to whoever
 * Sentinel says is the primary by then, where the settings name its instances (sentinel.h). One thread at a time. */
#ifndef TS_SINKS_REDIS_REDIS_LINK_H
#define TS_SINKS_REDIS_REDIS_LINK_H

#include "base/arena.h"
#include "base/outcome.h"
#include "base/settings.h"
#include "base/tls.h"
#include "sinks/redis/resp.h"

struct redis_settings {
    char *address;  /* redis.address: host:port */
    struct text_list sentinels; /* that know the primary's address; none: it is `address` */
    char *sentinel_name, *sentinel_username, *sentinel_password;
    char *username; /* of an ACL user; empty: the default one */
    char *password; /* empty: none */
    bool is_over_tls; /* redis.tls */
    struct tls_options tls;
    char *prefix;   /* of every key; "ts:" */
    int64_t database;
    int64_t timeout_ms;
    int64_t journey_entries_max; /* of ts:journey:ID */
    int64_t journey_kept_ms;     /* after its newest entry */
};

extern const struct setting redis_setting_rows[];

/* false and "KEY: what is wrong, what would be right" where they cannot work: files that cannot be read, or are given without redis.tls. */
bool redis_settings_check(const struct redis_settings *redis, struct bytes *error);

struct redis_link;

/* Does not connect yet. `settings` must outlive the link. */
struct redis_link *redis_link_create(const struct redis_settings *settings);
struct redis_link *redis_link_create_quiet(const struct redis_settings *settings); /* it says nothing in the log of being away and back */
void redis_link_destroy(struct redis_link *link);

/* An answer, copied into an arena. */
struct redis_answer {
    enum redis_answer_kind { REDIS_NIL, REDIS_TEXT, REDIS_INTEGER, REDIS_ERROR, REDIS_LIST } kind;
    struct view text; /* TEXT (also status) and ERROR */
    int64_t integer;
    struct redis_answer *items; /* LIST */
    size_t count;
};

/* Of a hash or a stream's entry, a list of names and values in turn: the value, or null. */
struct view redis_answer_field(const struct redis_answer *hash, const char *name);

/* Sends all commands at once and reads all answers, in order: `answers` (may be NULL: not wanted) is an array of
 * command_count in the arena. OK: answers came (some may be REDIS_ERROR). RETRY: Redis is away (logged once, and once when it is back);
 * what was sent may or may not have been done. */
enum outcome redis_link_send(struct redis_link *link, const struct resp *commands, struct arena *arena,
                             struct redis_answer **answers);

/* The same in two halves, so that the caller can do something else while Redis works: begin sends, finish waits. Nothing else may be
 * asked over this link in between. */
enum outcome redis_link_begin(struct redis_link *link, const struct resp *commands);
enum outcome redis_link_finish(struct redis_link *link, size_t command_count, struct arena *arena, struct redis_answer **answers);

/* One command of text arguments, NULL-terminated. */
enum outcome redis_link_ask(struct redis_link *link, struct arena *arena, struct redis_answer *answer, ...)
    __attribute__((sentinel));

/* For subscribers: waits at most timeout_ms for the next pushed message. RETRY: none came. REDO: the connection was
 * lost and made again; subscribe again. */
enum outcome redis_link_next_push(struct redis_link *link, int timeout_ms, struct arena *arena, struct redis_answer *answer);

bool redis_link_is_connected(const struct redis_link *link);

/* Where it was looked for last: redis.address, or what Sentinel said. */
const char *redis_link_address(const struct redis_link *link);

/* Why Redis is away, as far as the last attempt knows; empty: it is not. */
const char *redis_link_why_away(const struct redis_link *link);

/* Redis is there and refuses what is needed: no memory left, no permission. Said once, however often it is tried, until it takes it. */
void redis_link_note_refusal(struct redis_link *link, struct view error);
bool redis_is_read_only(struct view error); /* such a refusal: a replica takes no writes */
void redis_link_note_taken(struct redis_link *link);

#endif
