#include "sinks/dashboard/access.h"

#include "base/signature.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- sessions ---------------------------------------------------------------------------------------------------- */

void access_session_print(struct view read_token, int64_t ends_at_s, struct bytes *out)
{
    unsigned char raw[SIGNATURE_SIZE];
    struct bytes signed_text = {0};
    bytes_printf(&signed_text, "touchstream dashboard session until %lld", (long long)ends_at_s);
    signature_hmac_sha256(raw, read_token, bytes_view(&signed_text));
    bytes_printf(out, "%lld.", (long long)ends_at_s);
    signature_append_hex(out, view_of((const char *)raw, sizeof raw));
    bytes_finish(&signed_text);
}

bool access_session_holds(struct view read_token, struct view session, int64_t now_s)
{
    int64_t ends_at_s = 0;
    for (size_t i = 0; i < session.size && i < 12 && session.data[i] >= '0' && session.data[i] <= '9'; i++)
        ends_at_s = ends_at_s * 10 + session.data[i] - '0';
    struct bytes wanted = {0};
    access_session_print(read_token, ends_at_s, &wanted);
    bool holds = signature_equal(session, bytes_view(&wanted)) && now_s < ends_at_s;
    bytes_finish(&wanted);
    return holds;
}

/* --- what a request brings --------------------------------------------------------------------------------------- */

static bool is_token(const char *token, struct view given)
{
    return token[0] && given.data && signature_equal(given, view_of_text(token));
}

static bool is_reading_token(const struct access *access, struct view given)
{
    return is_token(access->settings->read_token, given) || is_token(access->settings->token, given);
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

bool access_may_read(const struct access *access, const struct http_exchange *exchange)
{
    const char *token = access->settings->read_token;
    if (token[0] == '\0' || is_reading_token(access, http_exchange_bearer(exchange)))
        return true;
    struct view session = session_of(access, exchange);
    return session.data && access_session_holds(view_of_text(token), session, clock_now_ms(access->clock) / 1000);
}

bool access_may_act(const struct access *access, const struct http_exchange *exchange)
{
    if (access->settings->token[0])
        return is_token(access->settings->token, http_exchange_bearer(exchange));
    return is_json(exchange) && access_may_read(access, exchange);
}

void access_refuse_reader(struct http_exchange *exchange)
{
    http_exchange_add_header(exchange, "WWW-Authenticate", "Bearer realm=\"touchstream\"");
    http_exchange_refuse(exchange, 401, "unauthorized", "reading needs the dashboard's read token: as a bearer token, or sign in on the page");
}

/* --- /api/session ------------------------------------------------------------------------------------------------ */

/* A proxy that speaks HTTPS for us says so; who lies about it gets a cookie that their own browser keeps to itself. */
static bool is_https(const struct access *access, const struct http_exchange *exchange)
{
    struct view forwarded = http_exchange_header(exchange, "X-Forwarded-Proto");
    return access->settings->tls.certificate_location[0] || view_equal_text(forwarded, "https");
}

static void set_cookie(const struct access *access, struct http_exchange *exchange, bool is_signed_in)
{
    struct bytes cookie = {0};
    int64_t length_s = access->settings->session_ms / 1000;
    cookie_name_print(access, &cookie);
    if (is_signed_in)
        access_session_print(view_of_text(access->settings->read_token), clock_now_ms(access->clock) / 1000 + length_s, &cookie);
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
    if (token == NULL) {
        http_exchange_refuse(exchange, 400, "bad_json", "the body is {\"token\": …}, as application/json");
    } else if (access->settings->read_token[0] && !is_reading_token(access, view_of_text(token))) {
        http_exchange_refuse(exchange, 401, "unauthorized", "that is not the token");
    } else {
        set_cookie(access, exchange, true);
        bool may_act = is_token(access->settings->token, view_of_text(token));
        http_exchange_answer(exchange, 200, "application/json", may_act ? VIEW_LITERAL("{\"may_act\": true}") : VIEW_LITERAL("{\"may_act\": false}"));
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
    } else if (!access_may_read(access, exchange)) {
        access_refuse_reader(exchange);
    } else {
        bool must = access->settings->read_token[0] != '\0';
        http_exchange_answer(exchange, 200, "application/json", must ? VIEW_LITERAL("{\"sign_in\": true}") : VIEW_LITERAL("{\"sign_in\": false}"));
    }
}
