#include "sinks/dashboard/dashboard.h"

#include "base/address.h"
#include "base/http_server.h"
#include "base/log.h"
#include "base/memory.h"
#include "sinks/dashboard/access.h"
#include "sinks/dashboard/api.h"
#include "sinks/dashboard/case_action.h"
#include "sinks/dashboard/live.h"
#include "sinks/dashboard/pages.h"
#include "sinks/dashboard/question.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LINKS_MAX = 16, DASHBOARD_PORT = 8081 };

const struct setting dashboard_setting_rows[] = {
    SETTING_TEXT(struct dashboard_settings, listen, "dashboard.listen", .standard_text = "127.0.0.1:8081",
                 .about = "Where the page and its API answer."),
    SETTINGS_SERVED_TLS(struct dashboard_settings, tls, "dashboard", "DASHBOARD", "the page speaks"),
    SETTING_TEXT(struct dashboard_settings, token, "dashboard.token", .is_secret = true,
                 .about = "Who acts on cases must send it as a bearer token; empty: case actions are refused from other sites "
                          "but need no token."),
    SETTING_TEXT(struct dashboard_settings, read_token, "dashboard.read_token", .is_secret = true,
                 .about = "Who reads the page or its API must know it, or dashboard.token: by signing in on the page, or as a bearer token; "
                          "empty: whoever reaches the address reads. Wrong ones of either token: ten at once from an address, then one every 30 s, and a "
                          "hundred and one every 3 s from all addresses; further ones are answered 429. Behind a proxy all have its address."),
    SETTING_DURATION(struct dashboard_settings, session_ms, "dashboard.session", .standard = HOURS(12), .least = MINUTES(1), .most = DAYS(400),
                     .about = "How long a browser stays signed in."),
    SETTING_INTEGER(struct dashboard_settings, threads, "dashboard.threads", .standard = 2, .least = 1, .most = 64,
                    .about = "Threads that answer requests."),
    SETTING_INTEGER(struct dashboard_settings, connections_max, "dashboard.connections_max", .standard = 1000, .least = 1,
                    .most = 100000, .about = "Open connections at most."),
    SETTING_END};

struct dashboard {
    const struct dashboard_config *config;
    struct access access;
    struct live *live;
    struct case_actions *actions;
    pthread_mutex_t lock; /* guards the idle links */
    struct redis_link *links[LINKS_MAX];
    size_t link_count;
};

/* --- links lent to requests -------------------------------------------------------------------------------------- */

static struct redis_link *link_borrow(struct dashboard *dashboard)
{
    pthread_mutex_lock(&dashboard->lock);
    struct redis_link *link = dashboard->link_count ? dashboard->links[--dashboard->link_count] : NULL;
    pthread_mutex_unlock(&dashboard->lock);
    return link ? link : redis_link_create(dashboard->config->redis);
}

static void link_give_back(struct dashboard *dashboard, struct redis_link *link)
{
    pthread_mutex_lock(&dashboard->lock);
    bool has_room = dashboard->link_count < LINKS_MAX;
    if (has_room)
        dashboard->links[dashboard->link_count++] = link;
    pthread_mutex_unlock(&dashboard->lock);
    if (!has_room)
        redis_link_destroy(link);
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

/* The page may load only what we serve ourselves, be framed by nobody and run no inline script. */
static void add_security_headers(struct http_exchange *exchange)
{
    http_exchange_add_header(exchange, "Content-Security-Policy",
                             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    http_exchange_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_exchange_add_header(exchange, "Referrer-Policy", "no-referrer");
}

static void answer_json(struct http_exchange *exchange, enum outcome outcome, const struct bytes *body)
{
    if (outcome == OUTCOME_OK) {
        http_exchange_add_header(exchange, "Cache-Control", "no-store");
        http_exchange_answer(exchange, 200, "application/json", bytes_view(body));
    } else if (outcome == OUTCOME_PARK) {
        http_exchange_refuse(exchange, 404, "no_such_customer", "nothing is known of such a customer");
    } else {
        http_exchange_add_header(exchange, "Retry-After", "1");
        http_exchange_refuse(exchange, 503, "redis_away", "Redis does not answer; try again");
    }
}

static struct view after(struct view path, const char *start)
{
    size_t size = strlen(start);
    if (path.size <= size || memcmp(path.data, start, size) != 0)
        return (struct view){NULL, 0};
    return view_of(path.data + size, path.size - size);
}

static void handle_question(struct dashboard *dashboard, struct http_exchange *exchange, struct view what)
{
    struct arena arena;
    struct bytes body = {0};
    if (!question_check(exchange, what))
        return;
    arena_init(&arena);
    struct api api = {link_borrow(dashboard), dashboard->config->redis->prefix, &arena};
    enum outcome outcome = question_ask(&api, exchange, what, &body);
    link_give_back(dashboard, api.link);
    answer_json(exchange, outcome, &body);
    bytes_finish(&body);
    arena_finish(&arena);
}

static const struct page *page_find(struct view path)
{
    if (view_equal_text(path, "/"))
        path = VIEW_LITERAL("/index.html");
    for (const struct page *page = pages; page->path; page++) {
        if (view_equal_text(path, page->path))
            return page;
    }
    return NULL;
}

/* --- case actions ------------------------------------------------------------------------------------------------ */

struct verb_body {
    json_t *json;
    struct view actor, note;
};

static bool is_text_or_none(const json_t *value)
{
    return value == NULL || json_is_null(value) || json_is_string(value);
}

static bool read_verb_body(struct view text, struct verb_body *body)
{
    *body = (struct verb_body){.json = text.size ? json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL) : json_object()};
    if (!json_is_object(body->json))
        return false;
    const json_t *given_actor = json_object_get(body->json, "actor"), *given_note = json_object_get(body->json, "note");
    if (!is_text_or_none(given_actor) || !is_text_or_none(given_note))
        return false; /* a number taken for nobody would have somebody else act */
    const char *actor = json_string_value(given_actor), *note = json_string_value(given_note);
    body->actor = view_of_text(actor && actor[0] ? actor : "dashboard");
    body->note = view_of_text(note);
    return body->actor.size <= 256 && body->note.size <= 16384;
}

static void act(struct dashboard *dashboard, struct http_exchange *exchange, struct view case_id, struct view verb,
                const struct verb_body *body)
{
    struct arena arena;
    arena_init(&arena);
    struct api api = {link_borrow(dashboard), dashboard->config->redis->prefix, &arena};
    struct view customer_id;
    enum outcome outcome = api_case_customer(&api, case_id, &customer_id);
    link_give_back(dashboard, api.link);
    char event_id[37] = "";
    if (outcome == OUTCOME_OK && customer_id.data == NULL) {
        http_exchange_refuse(exchange, 404, "no_such_case", "there is no such case");
    } else if (outcome != OUTCOME_OK) {
        answer_json(exchange, outcome, NULL);
    } else {
        outcome = case_action_send(dashboard->actions, customer_id, case_id, verb, body->actor, body->note, event_id);
        struct bytes answer = {0};
        bytes_printf(&answer, "{\"accepted\": 1, \"event_id\": \"%s\"}", event_id);
        if (outcome == OUTCOME_OK)
            http_exchange_answer(exchange, 200, "application/json", bytes_view(&answer));
        else if (outcome == OUTCOME_PARK)
            http_exchange_refuse(exchange, 404, "no_such_verb", "acknowledge, assign, contact, close, snooze or reopen");
        else
            http_exchange_refuse(exchange, 503, "kafka_away", "Kafka did not take the action; nothing was done, try again");
        bytes_finish(&answer);
    }
    arena_finish(&arena);
}

static void handle_action(struct dashboard *dashboard, struct http_exchange *exchange, struct view rest)
{
    const char *slash = rest.size ? memrchr(rest.data, '/', rest.size) : NULL;
    struct verb_body body;
    if (!access_lets_act(&dashboard->access, exchange))
        return;
    if (slash == NULL) {
        http_exchange_refuse(exchange, 404, "not_found", "POST /api/cases/ID/VERB");
        return;
    }
    if (read_verb_body(http_exchange_body(exchange), &body))
        act(dashboard, exchange, view_of(rest.data, (size_t)(slash - rest.data)),
            view_of(slash + 1, rest.size - (size_t)(slash - rest.data) - 1), &body);
    else
        http_exchange_refuse(exchange, 400, "bad_json", "the body is {\"actor\": …, \"note\": …}, at most 256 B and 16 KiB");
    json_decref(body.json);
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

/* What we have under a path, and the methods it takes. */
enum place { PLACE_NOWHERE, PLACE_HEALTH, PLACE_PAGE, PLACE_STREAM, PLACE_QUESTION, PLACE_ACTION, PLACE_SESSION };

static enum place place_of(struct view path, const struct page **page)
{
    struct view question = after(path, "/api/");
    *page = page_find(path);
    return *page                                     ? PLACE_PAGE
           : view_equal_text(path, "/healthz")       ? PLACE_HEALTH
           : view_equal_text(question, "stream")     ? PLACE_STREAM
           : view_equal_text(question, "session")    ? PLACE_SESSION
           : question_exists(question)               ? PLACE_QUESTION
           : after(path, "/api/cases/").data != NULL ? PLACE_ACTION
                                                     : PLACE_NOWHERE;
}

static const char *methods_of(enum place place)
{
    return place == PLACE_ACTION ? "POST" : place == PLACE_SESSION ? ACCESS_METHODS : "GET, HEAD";
}

/* The page's own files say nothing of anybody, and let one sign in. */
static bool is_for_readers(enum place place)
{
    return place == PLACE_STREAM || place == PLACE_QUESTION;
}

static void handle(void *context, struct http_exchange *exchange)
{
    struct dashboard *dashboard = context;
    struct view path = http_exchange_path(exchange);
    const struct page *page;
    enum place place = place_of(path, &page);
    add_security_headers(exchange);
    if (place != PLACE_NOWHERE && !http_exchange_allows(exchange, methods_of(place))) {
        http_exchange_refuse(exchange, 405, "bad_method", "this path takes another method");
        return;
    }
    if (is_for_readers(place) && !access_lets_read(&dashboard->access, exchange))
        return;
    switch (place) {
    case PLACE_NOWHERE:
        http_exchange_refuse(exchange, 404, "not_found", "here are the page at /, GET /api/{" QUESTION_PATHS "} and POST /api/cases/ID/VERB");
        break;
    case PLACE_HEALTH: http_exchange_answer(exchange, 200, "text/plain", VIEW_LITERAL("ok\n")); break;
    case PLACE_PAGE:
        http_exchange_add_header(exchange, "Cache-Control", "no-cache");
        http_exchange_answer(exchange, 200, page->content_type, view_of(page->data, page->size));
        break;
    case PLACE_STREAM:
        http_exchange_add_header(exchange, "Cache-Control", "no-store");
        live_add(dashboard->live, http_exchange_stream(exchange, "text/event-stream"));
        break;
    case PLACE_QUESTION: handle_question(dashboard, exchange, after(path, "/api/")); break;
    case PLACE_ACTION: handle_action(dashboard, exchange, after(path, "/api/cases/")); break;
    case PLACE_SESSION: access_handle_session(&dashboard->access, exchange); break;
    }
}

static struct http_server *listen_at(struct dashboard *dashboard, char *error, size_t error_size)
{
    const struct dashboard_settings *settings = dashboard->config->settings;
    struct address address;
    if (!address_read(settings->listen, DASHBOARD_PORT, &address)) {
        snprintf(error, error_size, "not host:port");
        return NULL;
    }
    dashboard->access.port = address.port;
    struct http_server_settings http = {.address = address.host,
                                        .port = address.port,
                                        .tls = settings->tls,
                                        .threads = (int)settings->threads,
                                        .body_bytes_max = 64 * 1024,
                                        .connections_max = (int)settings->connections_max};
    struct http_handler handler = {.context = dashboard, .handle = handle};
    return http_server_create(&http, &handler, error, error_size);
}

enum outcome dashboard_run(const struct dashboard_config *config, atomic_bool *stop)
{
    struct dashboard dashboard = {.config = config, .access = {.settings = config->settings, .clock = config->clock}};
    char error[256];
    pthread_mutex_init(&dashboard.lock, NULL);
    struct case_actions_config actions = {config->kafka, config->touchpoint_schema_id, config->clock};
    dashboard.actions = case_actions_create(&actions, error, sizeof error);
    if (dashboard.actions == NULL) {
        log_error("dashboard cannot start", "error", error, NULL);
        return OUTCOME_STOP;
    }
    dashboard.access.guesses = guesses_create();
    dashboard.live = live_create(config->redis, stop);
    struct http_server *server = listen_at(&dashboard, error, sizeof error);
    if (server == NULL) {
        log_error("dashboard cannot listen", "dashboard.listen", config->settings->listen, "error", error, NULL);
        atomic_store(stop, true);
    } else {
        log_info("dashboard is there", "url", config->settings->listen, NULL);
    }
    while (!atomic_load(stop))
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);

    live_destroy(dashboard.live);
    http_server_destroy(server);
    guesses_destroy(dashboard.access.guesses);
    case_actions_destroy(dashboard.actions);
    for (size_t i = 0; i < dashboard.link_count; i++)
        redis_link_destroy(dashboard.links[i]);
    pthread_mutex_destroy(&dashboard.lock);
    return server ? OUTCOME_OK : OUTCOME_STOP;
}
