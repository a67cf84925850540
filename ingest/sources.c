#include "ingest/sources.h"

#include "base/address.h"
#include "base/memory.h"
#include "ingest/signing.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { BURST_SECONDS = 10, WAIT_SECONDS_MAX = 3600 };

struct member {
    struct source source;
    struct view token; /* empty: not this way; nor with an empty secret */
    struct signing signing;
    const char *signature_header, *signed_header;
    double rate;      /* records a second; 0: unlimited */
    double allowance; /* below zero: in debt */
    int64_t filled_at_us;
};

struct sources {
    pthread_mutex_t lock; /* guards the allowances */
    struct member *items;
    size_t count;
    bool is_open; /* to everyone */
};

/* --- configuration --- */

static bool complain(struct bytes *error, int line, const char *what)
{
    bytes_printf(error, "line %d: ingest.sources: %s", line, what);
    return false;
}

/* One record at least: who may send one a minute would never have a whole one in ten seconds. */
static double burst_of(const struct member *member)
{
    return fmax(member->rate * BURST_SECONDS, 1);
}

static const char *const member_keys[] = {"name", "token", "secret", "signature_header", "signature_hash",
                                          "signed_header", "signed_separator", "rate", NULL};

static bool hash_read(struct member *member, const struct settings_node *node, struct bytes *error)
{
    bool is_sha1 = strcmp(node->scalar, "sha1") == 0;
    member->signing.hash = is_sha1 ? SIGNATURE_SHA1 : SIGNATURE_SHA256;
    return is_sha1 || strcmp(node->scalar, "sha256") == 0 || complain(error, node->line, "signature_hash is sha256 or sha1");
}

static bool member_field(struct member *member, const struct settings_node *node, struct bytes *error)
{
    char *end;
    if (node->kind != SETTINGS_SCALAR)
        return complain(error, node->line, "a source's fields are plain values");
    if (strcmp(node->key, "name") == 0)
        member->source.name = view_of_text(node->scalar);
    else if (strcmp(node->key, "token") == 0)
        member->token = view_of_text(node->scalar);
    else if (strcmp(node->key, "secret") == 0)
        member->signing.secret = view_of_text(node->scalar);
    else if (strcmp(node->key, "signature_header") == 0)
        member->signature_header = node->scalar;
    else if (strcmp(node->key, "signed_header") == 0)
        member->signed_header = node->scalar;
    else if (strcmp(node->key, "signed_separator") == 0)
        member->signing.separator = node->scalar;
    else if (strcmp(node->key, "signature_hash") == 0)
        return hash_read(member, node, error);
    else if (strcmp(node->key, "rate") != 0)
        return settings_unknown_key(node, "ingest.sources", member_keys, error);
    else if (member->rate = strtod(node->scalar, &end), *end || !(member->rate > 0) || !isfinite(member->rate))
        return complain(error, node->line, "rate is a positive number of records a second");
    return true;
}

static bool member_read(struct member *member, const struct settings_node *node, struct bytes *error)
{
    *member = (struct member){.signature_header = "X-Touchstream-Signature", .signing.separator = ""};
    if (node->kind != SETTINGS_MAP)
        return complain(error, node->line, "each source is a map with a name");
    for (size_t i = 0; i < node->child_count; i++)
        if (!member_field(member, &node->children[i], error))
            return false;
    if (member->source.name.size == 0)
        return complain(error, node->line, "a source needs a name");
    if (member->token.size == 0 && member->signing.secret.size == 0)
        return complain(error, node->line, "a source needs a token or a secret");
    if (member->signing.separator[0] && !member->signed_header)
        return complain(error, node->line, "signed_separator stands between signed_header and the body: name both or neither");
    member->allowance = burst_of(member);
    return true;
}

/* Of two with the same proof only the first would ever be recognised. */
static bool is_told_apart(const struct member *a, const struct member *b)
{
    bool is_same_token = a->token.size && view_equal(a->token, b->token);
    bool is_same_secret = a->signing.secret.size && view_equal(a->signing.secret, b->signing.secret) &&
                          strcasecmp(a->signature_header, b->signature_header) == 0 &&
                          strcasecmp(a->signed_header ? a->signed_header : "", b->signed_header ? b->signed_header : "") == 0;
    return !is_same_token && !is_same_secret;
}

static bool members_are_told_apart(const struct sources *sources, const struct settings_node *tree, struct bytes *error)
{
    for (size_t i = 0; i < sources->count; i++) {
        for (size_t other = i + 1; other < sources->count; other++) {
            const struct member *a = &sources->items[i], *b = &sources->items[other];
            if (is_told_apart(a, b))
                continue;
            bool is_anyone = other + 1 == sources->count;
            bytes_printf(error, "line %d: ingest.sources: '%.*s' has the token or secret of %s%.*s%s: give each its own, or the sender's "
                                "events would be taken for the other's", tree->children[is_anyone ? i : other].line,
                         VIEW_ARGUMENTS(is_anyone ? a->source.name : b->source.name), is_anyone ? "" : "'",
                         VIEW_ARGUMENTS(is_anyone ? VIEW_LITERAL("ingest.token") : a->source.name), is_anyone ? "" : "'");
            return false;
        }
    }
    return true;
}

static struct sources *sources_read(const struct ingest_settings *settings, struct bytes *error)
{
    const struct settings_node *tree = settings->sources;
    size_t named = tree && tree->kind == SETTINGS_LIST ? tree->child_count : 0;
    struct sources *sources = memory_zeroed(1, sizeof *sources);
    pthread_mutex_init(&sources->lock, NULL);
    sources->items = memory_zeroed(named + 1, sizeof *sources->items);
    bool is_good = !tree || tree->kind == SETTINGS_LIST || complain(error, tree->line, "a list of sources was expected");
    for (size_t i = 0; is_good && i < named; i++)
        is_good = member_read(&sources->items[sources->count++], &tree->children[i], error);
    struct member *anyone = &sources->items[sources->count++];
    anyone->signature_header = "";
    anyone->token = view_of_text(settings->token);
    sources->is_open = named == 0 && anyone->token.size == 0;
    if (is_good && members_are_told_apart(sources, tree, error))
        return sources;
    sources_destroy(sources);
    return NULL;
}

bool sources_check(const struct ingest_settings *settings, struct bytes *error)
{
    struct sources *sources = sources_read(settings, error);
    sources_destroy(sources);
    return sources != NULL;
}

bool sources_may_listen(const struct ingest_settings *settings)
{
    bool has_sources = settings->sources && settings->sources->child_count > 0;
    return has_sources || settings->token[0] || address_is_loopback(settings->listen);
}

struct sources *sources_create(const struct ingest_settings *settings, struct bytes *error)
{
    struct sources *sources = sources_read(settings, error);
    if (sources && !sources_may_listen(settings)) {
        bytes_printf(error, "ingest.listen is %s and nobody has to say who they are: set ingest.token or ingest.sources",
                     settings->listen);
        sources_destroy(sources);
        return NULL;
    }
    return sources;
}

void sources_destroy(struct sources *sources)
{
    if (!sources)
        return;
    pthread_mutex_destroy(&sources->lock);
    free(sources->items);
    free(sources);
}

/* --- who is it --- */

bool sources_know_bearer(struct sources *sources, const struct http_exchange *exchange, const struct source **out,
                         bool *may_sign)
{
    struct view token = http_exchange_bearer(exchange);
    *out = sources->is_open ? &sources->items[sources->count - 1].source : NULL;
    *may_sign = false;
    for (size_t i = 0; i < sources->count; i++) {
        const struct member *member = &sources->items[i];
        if (token.data && member->token.size && signature_equal(token, member->token))
            *out = &member->source;
        *may_sign |= member->signing.secret.size && http_exchange_header(exchange, member->signature_header).data != NULL;
    }
    return *out != NULL;
}

static bool is_signed_by(const struct member *member, const struct http_exchange *exchange, struct view given, int64_t now_ms)
{
    struct view stamp = {NULL, 0};
    if (member->signed_header && (stamp = http_exchange_header(exchange, member->signed_header)).data == NULL)
        return false;
    return signing_is_right(&member->signing, given, stamp, http_exchange_body(exchange), now_ms);
}

const struct source *sources_authenticate(struct sources *sources, const struct http_exchange *exchange, int64_t now_ms)
{
    const struct source *found;
    bool may_sign;
    if (sources_know_bearer(sources, exchange, &found, &may_sign))
        return found;
    for (size_t i = 0; may_sign && i < sources->count; i++) {
        const struct member *member = &sources->items[i];
        struct view given = member->signing.secret.size ? http_exchange_header(exchange, member->signature_header) : (struct view){NULL, 0};
        if (given.data && is_signed_by(member, exchange, given, now_ms))
            return &member->source;
    }
    return NULL;
}

/* --- how fast --- */

int sources_take(struct sources *sources, const struct source *source, uint64_t records, int64_t now_us)
{
    struct member *member = (struct member *)(uintptr_t)source; /* its first member */
    if (member->rate <= 0)
        return 0;
    pthread_mutex_lock(&sources->lock);
    if (member->filled_at_us) {
        member->allowance += member->rate * (double)(now_us - member->filled_at_us) / 1e6;
        member->allowance = fmin(member->allowance, burst_of(member));
    }
    member->filled_at_us = now_us;
    /* A batch larger than a burst is let through on a full allowance, and paid back before the next. */
    bool is_allowed = member->allowance >= 1;
    int wait = is_allowed ? 0 : (int)fmin(ceil((1 - member->allowance) / member->rate), WAIT_SECONDS_MAX);
    if (is_allowed)
        member->allowance -= (double)records;
    pthread_mutex_unlock(&sources->lock);
    return wait;
}
