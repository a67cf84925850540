#include "schemas/registry.h"
#include "base/bytes.h"
#include "base/http_client.h"
#include "base/memory.h"
#include "base/percent_text.h"
#include "base/utf8.h"
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { REQUEST_TIMEOUT_MS = 10000, SCHEMAS_MAX = 4096 };

/* 409 means that a schema is not compatible with what there is, and also, of a registry in front of a database, that another was
 * just about to register the very same: all services of a new installation do when they are started together. Asked again it tells which. */
enum { CONFLICT = 409, CONFLICT_TRIES = 5, CONFLICT_PAUSE_MS = 100 };

const struct setting registry_setting_rows[] = {
    SETTING_TEXT(struct registry_settings, url, "registry.url", .standard_text = "http://127.0.0.1:8082/apis/ccompat/v7",
                 .about = "The schema registry's Confluent-compatible API."),
    SETTING_TEXT(struct registry_settings, username, "registry.username", .about = "User name (or key) where the registry asks for one."),
    SETTING_TEXT(struct registry_settings, password, "registry.password", .is_secret = true,
                 .about = "Password (or secret); better given as TOUCHSTREAM_REGISTRY_PASSWORD."),
    SETTING_TEXT(struct registry_settings, tls.ca_location, "registry.tls_ca_location",
                 .about = "With https: file of the certificate authorities to trust; empty: the system's."),
    SETTING_TEXT(struct registry_settings, tls.certificate_location, "registry.tls_certificate_location",
                 .about = "File of our own certificate (PEM), where the registry asks for one."),
    SETTING_TEXT(struct registry_settings, tls.key_location, "registry.tls_key_location", .about = "File of its key (PEM)."),
    SETTING_TEXT(struct registry_settings, tls.key_password, "registry.tls_key_password", .is_secret = true,
                 .about = "The key's password; better given as TOUCHSTREAM_REGISTRY_TLS_KEY_PASSWORD."),
    SETTING_END};

struct known_schema {
    uint32_t id;
    char *text;
};

struct registry {
    const struct registry_settings *settings;
    char *url;       /* without a slash at its end */
    char *shown_url; /* without user and password */
    pthread_mutex_t lock;
    struct http_client *http;
    const atomic_bool *stop; /* NULL: none */
    struct known_schema *schemas;
    size_t schema_count;
};

static char *without_credentials(const char *url)
{
    struct bytes shown = {0};
    http_url_show(&shown, url, true);
    char *copy = memory_copy_text(bytes_text(&shown));
    bytes_finish(&shown);
    return copy;
}

const char *registry_shown_url(const struct registry *registry)
{
    return registry->shown_url;
}

bool registry_settings_check(const struct registry_settings *settings, struct bytes *error)
{
    return tls_options_check(&settings->tls, "registry.tls_", error);
}

struct registry *registry_create(const struct registry_settings *settings)
{
    struct registry *registry = memory_zeroed(1, sizeof *registry);
    registry->settings = settings;
    registry->url = memory_copy_text(settings->url);
    for (size_t size = strlen(registry->url); size > 0 && registry->url[size - 1] == '/'; size--)
        registry->url[size - 1] = '\0';
    registry->shown_url = without_credentials(registry->url);
    registry->http = http_client_create();
    pthread_mutex_init(&registry->lock, NULL);
    return registry;
}

void registry_heed(struct registry *registry, const atomic_bool *stop)
{
    registry->stop = stop;
}

void registry_destroy(struct registry *registry)
{
    if (registry == NULL)
        return;
    http_client_destroy(registry->http);
    for (size_t i = 0; i < registry->schema_count; i++)
        free(registry->schemas[i].text);
    free(registry->schemas);
    free(registry->url);
    free(registry->shown_url);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}

static void explain(char *error, size_t error_size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* It may become the reason of a rejected record: whole characters, whatever the registry answered. */
static void explain(char *error, size_t error_size, const char *format, ...)
{
    char whole[1024];
    if (error == NULL || error_size == 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(whole, sizeof whole, format, arguments);
    va_end(arguments);
    utf8_copy(error, error_size, view_of_text(whole));
}

/* The registry's own words out of {"error_code": …, "message": "…"}; else the body's beginning. */
static void message_of(const struct http_response *response, char *text, size_t size)
{
    json_t *body = json_loadb(response->body.data, response->body.size, 0, NULL);
    const char *message = json_string_value(json_object_get(body, "message"));
    if (message)
        snprintf(text, size, "%s", message);
    else
        snprintf(text, size, "%.*s", (int)(response->body.size < 200 ? response->body.size : 200),
                 response->body.data ? response->body.data : "");
    json_decref(body);
}

/* `what` names the matter in messages: "schema for touchpoints-value". */
static enum outcome outcome_of(const struct http_response *response, bool is_answered, const char *what, char *error,
                               size_t error_size)
{
    char message[400];
    if (!is_answered) {
        explain(error, error_size, "schema registry cannot be reached (%s): %s", what, response->error);
        return OUTCOME_RETRY;
    }
    if (response->status >= 200 && response->status < 300)
        return OUTCOME_OK;
    message_of(response, message, sizeof message);
    if (response->status >= 500 || response->status == 429 || response->status == 408) {
        explain(error, error_size, "schema registry answered %ld (%s): %s", response->status, what, message);
        return OUTCOME_RETRY;
    }
    if (response->status == 404) {
        explain(error, error_size, "schema registry knows no %s: %s", what, message);
        return OUTCOME_PARK;
    }
    if (response->status == CONFLICT)
        explain(error, error_size, "schema registry refuses the %s as incompatible with what is registered: %s", what,
                message);
    else
        explain(error, error_size, "schema registry refuses the %s with status %ld: %s", what, response->status,
                message);
    return OUTCOME_STOP;
}

static bool exchange(struct registry *registry, const struct http_request *request, struct http_response *response)
{
    pthread_mutex_lock(&registry->lock);
    bool is_answered = http_client_send(registry->http, request, response);
    pthread_mutex_unlock(&registry->lock);
    return is_answered;
}

/* One exchange; the answer's JSON in *answer (the caller's to decref) when OK. */
static enum outcome ask(struct registry *registry, const char *method, struct bytes *path, struct view body,
                        const char *what, json_t **answer, char *error, size_t error_size)
{
    static const char *const headers[] = {"Content-Type: application/vnd.schemaregistry.v1+json",
                                          "Accept: application/vnd.schemaregistry.v1+json, application/json", NULL};
    struct bytes url = {0};
    struct http_response response = {0};
    bytes_append_text(&url, registry->url);
    bytes_append_view(&url, bytes_view(path));
    struct http_request request = {.method = method, .url = bytes_text(&url), .headers = headers, .body = body,
                                   .username = registry->settings->username, .password = registry->settings->password, .tls = &registry->settings->tls,
                                   .timeout_ms = REQUEST_TIMEOUT_MS, .stop = registry->stop};

    bool is_answered = exchange(registry, &request, &response);
    for (int tries = 1; is_answered && response.status == CONFLICT && tries < CONFLICT_TRIES; tries++) {
        nanosleep(&(struct timespec){.tv_nsec = CONFLICT_PAUSE_MS * 1000000L}, NULL);
        bytes_finish(&response.body);
        is_answered = exchange(registry, &request, &response);
    }

    enum outcome outcome = outcome_of(&response, is_answered, what, error, error_size);
    if (outcome == OUTCOME_OK) {
        *answer = json_loadb(response.body.data, response.body.size, 0, NULL);
        if (*answer == NULL) {
            explain(error, error_size, "schema registry answered something that is no JSON (%s)", what);
            outcome = OUTCOME_RETRY; /* a proxy in between, most likely */
        }
    }
    bytes_finish(&response.body);
    bytes_finish(&url);
    bytes_finish(path);
    return outcome;
}

/* An "id" out of the answer. */
static enum outcome take_id(json_t *answer, const char *what, uint32_t *id, char *error, size_t error_size)
{
    json_t *number = json_object_get(answer, "id");
    bool has_id = json_is_integer(number) && json_integer_value(number) >= 0 &&
                  json_integer_value(number) <= INT32_MAX;
    if (has_id)
        *id = (uint32_t)json_integer_value(number);
    else
        explain(error, error_size, "schema registry answered without an id (%s)", what);
    json_decref(answer);
    return has_id ? OUTCOME_OK : OUTCOME_RETRY;
}

enum outcome registry_register(struct registry *registry, const char *subject, const char *schema_json, uint32_t *id,
                               char *error, size_t error_size)
{
    struct bytes path = {0};
    json_t *request = json_object(), *answer = NULL;
    char what[300];
    json_object_set_new(request, "schema", json_string(schema_json));
    char *body = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    bytes_append_text(&path, "/subjects/");
    percent_append(&path, view_of_text(subject));
    bytes_append_text(&path, "/versions");
    snprintf(what, sizeof what, "schema for %s", subject);
    enum outcome outcome = ask(registry, "POST", &path, view_of_text(body), what, &answer, error, error_size);
    free(body);
    /* A 404 here is a wrong URL: there is nothing to park. */
    if (outcome == OUTCOME_PARK)
        return OUTCOME_STOP;
    return outcome == OUTCOME_OK ? take_id(answer, what, id, error, error_size) : outcome;
}

enum outcome registry_require_backward(struct registry *registry, const char *subject, char *error, size_t error_size)
{
    struct bytes path = {0};
    json_t *answer = NULL;
    char what[300];
    bytes_append_text(&path, "/config/");
    percent_append(&path, view_of_text(subject));
    snprintf(what, sizeof what, "compatibility setting of %s", subject);
    enum outcome outcome = ask(registry, "PUT", &path, VIEW_LITERAL("{\"compatibility\": \"BACKWARD\"}"), what, &answer,
                               error, error_size);
    json_decref(answer);
    return outcome == OUTCOME_PARK ? OUTCOME_STOP : outcome;
}

enum outcome registry_ping(struct registry *registry, char *error, size_t error_size)
{
    struct bytes path = {0};
    json_t *answer = NULL;
    bytes_append_text(&path, "/schemas/types");
    enum outcome outcome = ask(registry, "GET", &path, (struct view){NULL, 0}, "list of schema types", &answer, error, error_size);
    json_decref(answer);
    if (outcome != OUTCOME_PARK)
        return outcome;
    explain(error, error_size, "who answers there has no schema registry's API at this path");
    return OUTCOME_STOP;
}

enum outcome registry_latest(struct registry *registry, const char *subject, uint32_t *id, char *error,
                             size_t error_size)
{
    struct bytes path = {0};
    json_t *answer = NULL;
    char what[300];
    bytes_append_text(&path, "/subjects/");
    percent_append(&path, view_of_text(subject));
    bytes_append_text(&path, "/versions/latest");
    snprintf(what, sizeof what, "schema for %s", subject);
    enum outcome outcome = ask(registry, "GET", &path, (struct view){NULL, 0}, what, &answer, error, error_size);
    return outcome == OUTCOME_OK ? take_id(answer, what, id, error, error_size) : outcome;
}

/* --- by id, kept --- */

static struct view find_known(struct registry *registry, uint32_t id)
{
    struct view text = {NULL, 0};
    pthread_mutex_lock(&registry->lock);
    for (size_t i = 0; i < registry->schema_count && text.data == NULL; i++) {
        if (registry->schemas[i].id == id)
            text = view_of_text(registry->schemas[i].text);
    }
    pthread_mutex_unlock(&registry->lock);
    return text;
}

/* Two threads may fetch the same id; the first to keep it wins. NULL data: there are more schemas than anyone has. */
static struct view keep(struct registry *registry, uint32_t id, const char *text)
{
    struct view known = find_known(registry, id);
    if (known.data)
        return known;
    pthread_mutex_lock(&registry->lock);
    if (registry->schema_count < SCHEMAS_MAX) {
        registry->schemas =
            memory_resize(registry->schemas, (registry->schema_count + 1) * sizeof *registry->schemas);
        struct known_schema *schema = &registry->schemas[registry->schema_count++];
        *schema = (struct known_schema){id, memory_copy_text(text)};
        known = view_of_text(schema->text);
    }
    pthread_mutex_unlock(&registry->lock);
    return known;
}

enum outcome registry_schema(struct registry *registry, uint32_t id, struct view *schema_json, char *error,
                             size_t error_size)
{
    struct bytes path = {0};
    json_t *answer = NULL;
    char what[64];
    *schema_json = find_known(registry, id);
    if (schema_json->data)
        return OUTCOME_OK;
    snprintf(what, sizeof what, "schema with id %u", id);
    bytes_printf(&path, "/schemas/ids/%u", id);
    enum outcome outcome = ask(registry, "GET", &path, (struct view){NULL, 0}, what, &answer, error, error_size);
    if (outcome != OUTCOME_OK)
        return outcome;
    const char *text = json_string_value(json_object_get(answer, "schema"));
    if (text)
        *schema_json = keep(registry, id, text);
    json_decref(answer);
    if (schema_json->data)
        return OUTCOME_OK;
    explain(error, error_size, text ? "too many different schema ids" : "schema registry answered without a schema (%s)",
            what);
    return text ? OUTCOME_STOP : OUTCOME_RETRY;
}
