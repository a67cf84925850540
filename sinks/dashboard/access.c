#include "sinks/dashboard/access.h"

#include "base/random.h"
#include "base/signature.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHANCE_TEXT_SIZE = 32 };

/* --- sessions ---------------------------------------------------------------------------------------------------- */

void access_session_print(struct view read_token, int64_t ends_at_s, struct view chance, struct bytes *out)
{
    unsigned char raw[SIGNATURE_SIZE];
    struct bytes signed_text = {0};
    bytes_printf(&signed_text, "touchstream dashboard session until %lld, %.*s", (long long)ends_at_s, VIEW_ARGUMENTS(chance));
    signature_hmac_sha256(raw, read_token, bytes_view(&signed_text));
    bytes_printf(out, "%lld.%.*s.", (long long)ends_at_s, VIEW_ARGUMENTS(chance));
    signature_append_hex(out, view_of((const char *)raw, sizeof raw));
    bytes_finish(&signed_text);
}

bool access_session_read(struct view read_token, struct view session, int64_t *ends_at_s)
{
    size_t at = 0, chance_at;
    *ends_at_s = 0;
    for (; at < session.size && at < 12 && session.data[at] >= '0' && session.data[at] <= '9'; at++)
        *ends_at_s = *ends_at_s * 10 + session.data[at] - '0';
    for (chance_at = ++at; at < session.size && at < chance_at + CHANCE_TEXT_SIZE && isalnum((unsigned char)session.data[at]); at++)
        ;
    struct bytes wanted = {0};
    struct view chance = at <= session.size ? view_of(session.data + chance_at, at - chance_at) : VIEW_LITERAL("");
    access_session_print(read_token, *ends_at_s, chance, &wanted);
    bool is_ours = signature_equal(session, bytes_view(&wanted));
    bytes_finish(&wanted);
    return is_ours;
}

/* --- what a request brings --------------------------------------------------------------------------------------- */

static bool is_token(const char *token, struct view given)
{
    return token[0] && given.data && signature_equal(given, view_of_text(token));
}

static void cookie_name_print(const struct access *access, struct bytes *out)
{
    bytes_printf(out, "touchstream_%d=", access->port);
}

/* The value of our cookie among «name=value; name=value»; null: none. */
static struct view session_of(const struct access *access, const struct http_exchange *exchange)
{
    struct view left = http_exchange_header(exchange, "Cookie"), found = {NULL, 0};
    struct bytes name = {0};
    cookie_name_print(access, &name);
    while (left.size && found.data == NULL) {
        const char *end = memchr(left.data, ';', left.size);
        size_t size = end ? (size_t)(end - left.data) : left.size;
        if (size > name.size && memcmp(left.data, name.data, name.size) == 0)
            found = view_of(left.data + name.size, size - name.size);
        size += end != NULL;
        while (size < left.size && left.data[size] == ' ')
            size++;
        left = view_of(left.data + size, left.size - size);
    }
    bytes_finish(&name);
    return found;
}

/* Another web site cannot have a visitor's browser send this without asking first. */
static bool is_json(const struct http_exchange *exchange)
{
    struct view type = http_exchange_header(exchange, "Content-Type");
    return type.size >= 16 && strncasecmp(type.data, "application/json", 16) == 0;
}

/* --- who may ----------------------------------------------------------------------------------------------------- */

/* What somebody may who shows this. */
struct judgement {
    bool may_read, may_act;
    bool is_wrong; /* it never was ours: a guess */
    int wait_s;    /* nobody looked, and will not for so long */
};

static struct judgement compare_token(const struct access *access, struct view token)
{
    bool may_act = is_token(access->settings->token, token), may_read = is_token(access->settings->read_token, token) || may_act;
    return (struct judgement){.may_read = may_read, .may_act = may_act, .is_wrong = !may_read};
}

static struct judgement compare_session(const struct access *access, struct view session)
{
    int64_t ends_at_s;
    bool is_ours = access_session_read(view_of_text(access->settings->read_token), session, &ends_at_s);
    return (struct judgement){.may_read = is_ours && clock_now_ms(access->clock) / 1000 < ends_at_s, .is_wrong = !is_ours};
}

static struct judgement judge(const struct access *access, const struct http_exchange *exchange, enum guess_kind kind, struct view given)
{
    struct guesses *guesses = access->guesses;
    struct http_peer peer = http_exchange_peer(exchange);
    int64_t now_ms = clock_monotonic_ms(access->clock);
    if (given.data == NULL || guesses_were_wrong(guesses, kind, given))
        return (struct judgement){0};
    int wait_s = guesses_were_right(guesses, kind, given) ? 0 : guesses_wait_s(guesses, &peer, kind, now_ms);
    if (wait_s)
        return (struct judgement){.wait_s = wait_s};
    struct judgement judgement = kind == GUESS_TOKEN ? compare_token(access, given) : compare_session(access, given);
    (judgement.is_wrong ? guesses_note_wrong : guesses_note_right)(guesses, &peer, kind, given, now_ms);
    return judgement;
}

static struct judgement judge_reader(const struct access *access, const struct http_exchange *exchange)
{
    if (access->settings->read_token[0] == '\0')
        return (struct judgement){.may_read = true};
    struct judgement by_token = judge(access, exchange, GUESS_TOKEN, http_exchange_bearer(exchange));
    if (by_token.may_read)
        return by_token;
    struct judgement by_session = judge(access, exchange, GUESS_SESSION, session_of(access, exchange));
    return by_token.wait_s && !by_session.may_read ? by_token : by_session;
}

static struct judgement judge_actor(const struct access *access, const struct http_exchange *exchange)
{
    if (access->settings->token[0])
        return judge(access, exchange, GUESS_TOKEN, http_exchange_bearer(exchange));
    struct judgement judgement = judge_reader(access, exchange);
    judgement.may_act = judgement.may_read && is_json(exchange);
    return judgement;
}

/* --- refusing ---------------------------------------------------------------------------------------------------- */

static void refuse_guesser(struct http_exchange *exchange, int wait_s)
{
    char wait[16], reason[120];
    struct http_peer peer = http_exchange_peer(exchange);
    snprintf(wait, sizeof wait, "%d", wait_s);
    snprintf(reason, sizeof reason, "too many wrong tokens came from your address, or from all; none is looked at for %d s", wait_s);
    guesses_tell("dashboard", &peer, wait_s);
    http_exchange_add_header(exchange, "Retry-After", wait);
    http_exchange_refuse(exchange, 429, "too_many_guesses", reason);
}

static void refuse_reader(struct http_exchange *exchange)
{
    http_exchange_add_header(exchange, "WWW-Authenticate", "Bearer realm=\"touchstream\"");
    http_exchange_refuse(exchange, 401, "unauthorized", "reading needs the dashboard's read token: as a bearer token, or sign in on the page");
}

bool access_lets_read(const struct access *access, struct http_exchange *exchange)
{
    struct judgement judgement = judge_reader(access, exchange);
    if (judgement.wait_s)
        refuse_guesser(exchange, judgement.wait_s);
    else if (!judgement.may_read)
        refuse_reader(exchange);
    return judgement.may_read;
}

bool access_lets_act(const struct access *access, struct http_exchange *exchange)
{
    struct judgement judgement = judge_actor(access, exchange);
    if (judgement.wait_s)
        refuse_guesser(exchange, judgement.wait_s);
    else if (!judgement.may_act)
        http_exchange_refuse(exchange, 401, "unauthorized", "case actions need the dashboard's token as a bearer token");
    return judgement.may_act;
}

/* --- /api/session ------------------------------------------------------------------------------------------------ */

/* A proxy that speaks HTTPS for us says so; who lies about it gets a cookie that their own browser keeps to itself. */
static bool is_https(const struct access *access, const struct http_exchange *exchange)
{
    struct view forwarded = http_exchange_header(exchange, "X-Forwarded-Proto");
    return access->settings->tls.certificate_location[0] || view_equal_text(forwarded, "https");
}

static void session_print(const struct access *access, const struct http_exchange *exchange, int64_t length_s, struct bytes *out)
{
    char raw[CHANCE_TEXT_SIZE / 2];
    struct http_peer peer = http_exchange_peer(exchange);
    struct bytes chance = {0}, session = {0};
    random_secret(raw, sizeof raw);
    signature_append_hex(&chance, view_of(raw, sizeof raw));
    access_session_print(view_of_text(access->settings->read_token), clock_now_ms(access->clock) / 1000 + length_s, bytes_view(&chance), &session);
    guesses_note_right(access->guesses, &peer, GUESS_SESSION, bytes_view(&session), clock_monotonic_ms(access->clock));
    bytes_append_view(out, bytes_view(&session));
    bytes_finish(&session);
    bytes_finish(&chance);
}

static void set_cookie(const struct access *access, struct http_exchange *exchange, bool is_signed_in)
{
    struct bytes cookie = {0};
    int64_t length_s = access->settings->session_ms / 1000;
    cookie_name_print(access, &cookie);
    if (is_signed_in)
        session_print(access, exchange, length_s, &cookie);
    bytes_printf(&cookie, "; Max-Age=%lld; HttpOnly; SameSite=Strict%s", (long long)(is_signed_in ? length_s : 0),
                 is_https(access, exchange) ? "; Secure" : "");
    http_exchange_add_header(exchange, "Set-Cookie", bytes_text(&cookie));
    bytes_finish(&cookie);
}

static void sign_in(const struct access *access, struct http_exchange *exchange)
{
    struct view body = http_exchange_body(exchange);
    json_t *json = body.size && is_json(exchange) ? json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *token = json_string_value(json_object_get(json, "token"));
    bool is_secret = access->settings->read_token[0] || access->settings->token[0];
    struct judgement judgement = token && is_secret ? judge(access, exchange, GUESS_TOKEN, view_of_text(token)) : (struct judgement){0};
    if (token == NULL) {
        http_exchange_refuse(exchange, 400, "bad_json", "the body is {\"token\": …}, as application/json");
    } else if (judgement.wait_s) {
        refuse_guesser(exchange, judgement.wait_s);
    } else if (access->settings->read_token[0] && !judgement.may_read) {
        http_exchange_refuse(exchange, 401, "unauthorized", "that is not the token");
    } else {
        set_cookie(access, exchange, true);
        http_exchange_answer(exchange, 200, "application/json",
                             judgement.may_act ? VIEW_LITERAL("{\"may_act\": true}") : VIEW_LITERAL("{\"may_act\": false}"));
    }
    json_decref(json);
}

void access_handle_session(const struct access *access, struct http_exchange *exchange)
{
    struct view method = http_exchange_method(exchange);
    http_exchange_add_header(exchange, "Cache-Control", "no-store");
    if (view_equal_text(method, "POST")) {
        sign_in(access, exchange);
    } else if (view_equal_text(method, "DELETE")) {
        set_cookie(access, exchange, false);
        http_exchange_answer(exchange, 200, "application/json", VIEW_LITERAL("{}"));
    } else if (access_lets_read(access, exchange)) {
        bool must = access->settings->read_token[0] != '\0';
        http_exchange_answer(exchange, 200, "application/json", must ? VIEW_LITERAL("{\"sign_in\": true}") : VIEW_LITERAL("{\"sign_in\": false}"));
    }
}
