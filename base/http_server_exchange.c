/* Looking at a request, and answering it, from any thread. */
#include "base/http_server_private.h"

#include "base/json_writer.h"
#include "base/memory.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>

/* --- the request --- */

struct view http_exchange_method(const struct http_exchange *exchange)
{
    return view_of_text(exchange->method);
}

struct view http_exchange_path(const struct http_exchange *exchange)
{
    return view_of_text(exchange->path);
}

static struct view lookup(const struct http_exchange *exchange, enum MHD_ValueKind kind, const char *name)
{
    const char *value = NULL;
    size_t size = 0;
    if (MHD_lookup_connection_value_n(exchange->connection, kind, name, strlen(name), &value, &size) != MHD_YES)
        return (struct view){NULL, 0};
    return view_of(value ? value : "", size);
}

struct view http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    return lookup(exchange, MHD_HEADER_KIND, name);
}

struct view http_exchange_bearer(const struct http_exchange *exchange)
{
    static const char scheme[] = "Bearer ";
    const size_t size = sizeof scheme - 1;
    struct view header = http_exchange_header(exchange, "Authorization");
    bool has_token = header.size > size && strncasecmp(header.data, scheme, size) == 0;
    return has_token ? view_of(header.data + size, header.size - size) : (struct view){NULL, 0};
}

struct view http_exchange_query(const struct http_exchange *exchange, const char *name)
{
    return lookup(exchange, MHD_GET_ARGUMENT_KIND, name);
}

struct view http_exchange_body(const struct http_exchange *exchange)
{
    return bytes_view(&exchange->body);
}

struct http_peer http_exchange_peer(const struct http_exchange *exchange)
{
    static const unsigned char v4[12] = {[10] = 0xff, [11] = 0xff};
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    struct http_peer peer = {{0}};
    if (address && address->sa_family == AF_INET6) {
        memcpy(peer.bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof peer.bytes);
    } else if (address && address->sa_family == AF_INET) {
        memcpy(peer.bytes, v4, sizeof v4);
        memcpy(peer.bytes + sizeof v4, &((const struct sockaddr_in *)address)->sin_addr, 4);
    }
    return peer;
}

struct each_header {
    void (*each)(void *context, struct view name, struct view value);
    void *context;
};

static enum MHD_Result on_each_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    const struct each_header *call = context;
    (void)kind;
    call->each(call->context, view_of_text(name), view_of_text(value ? value : ""));
    return MHD_YES;
}

void http_exchange_each_header(const struct http_exchange *exchange,
                               void (*each)(void *context, struct view name, struct view value), void *context)
{
    struct each_header call = {each, context};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, on_each_header, &call);
}

struct http_exchange *exchange_create(struct http_server *server, struct MHD_Connection *connection,
                                             const char *path, const char *method)
{
    struct http_exchange *exchange = memory_zeroed(1, sizeof *exchange);
    exchange->server = server;
    exchange->connection = connection;
    exchange->method = memory_copy_text(method);
    exchange->path = memory_copy_text(path);
    pthread_mutex_lock(&server->lock);
    LIST_PUSH(server->exchanges, exchange);
    pthread_mutex_unlock(&server->lock);
    return exchange;
}

/* Called with the lock held. Only a drain waits for this; waking the watcher at each answer would be a tenth of the server's CPU. */
static void handled_less(struct http_server *server)
{
    server->handled_count--;
    if (server->is_draining)
        pthread_cond_broadcast(&server->changed);
}

void exchange_destroy(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    LIST_REMOVE(server->exchanges, exchange);
    if (exchange->state == EXCHANGE_HANDLED)
        handled_less(server);
    pthread_mutex_unlock(&server->lock);
    if (exchange->response)
        MHD_destroy_response(exchange->response);
    for (int i = 0; i < exchange->header_count; i++) {
        free(exchange->headers[i].name);
        free(exchange->headers[i].value);
    }
    bytes_finish(&exchange->body);
    free(exchange->method);
    free(exchange->path);
    free(exchange);
}

/* --- the answer --- */

void http_exchange_add_header(struct http_exchange *exchange, const char *name, const char *value)
{
    if (exchange->header_count == HEADERS_MAX)
        return;
    exchange->headers[exchange->header_count].name = memory_copy_text(name);
    exchange->headers[exchange->header_count].value = memory_copy_text(value);
    exchange->header_count++;
}

void exchange_answer_response(struct http_exchange *exchange, int status, const char *content_type,
                                     struct MHD_Response *response)
{
    struct http_server *server = exchange->server;
    if (content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    for (int i = 0; i < exchange->header_count; i++)
        MHD_add_response_header(response, exchange->headers[i].name, exchange->headers[i].value);

    pthread_mutex_lock(&server->lock);
    if (server->is_draining)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    exchange->response = response;
    exchange->status = status;
    if (exchange->state == EXCHANGE_HANDLED)
        handled_less(server);
    exchange->state = EXCHANGE_ANSWERED;
    if (exchange->is_suspended) {
        exchange->is_suspended = false;
        MHD_resume_connection(exchange->connection);
    }
    pthread_mutex_unlock(&server->lock);
}

void http_exchange_answer(struct http_exchange *exchange, int status, const char *content_type, struct view body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.size, (void *)(uintptr_t)(body.size ? body.data : ""), MHD_RESPMEM_MUST_COPY);
    exchange_answer_response(exchange, status, content_type, response);
}

bool http_exchange_allows(struct http_exchange *exchange, const char *methods)
{
    struct view method = http_exchange_method(exchange);
    for (const char *at = methods; *at; at += strspn(at, ", ")) {
        size_t size = strcspn(at, ", ");
        if (view_equal(method, view_of(at, size)))
            return true;
        at += size;
    }
    http_exchange_add_header(exchange, "Allow", methods);
    return false;
}

void http_exchange_refuse(struct http_exchange *exchange, int status, const char *code, const char *reason)
{
    struct bytes text = {0};
    struct json_writer json = json_writer_on(&text);
    json_open_object(&json);
    json_key(&json, "error");
    json_open_object(&json);
    json_key(&json, "code");
    json_write_text(&json, view_of_text(code));
    json_key(&json, "reason");
    json_write_text(&json, view_of_text(reason));
    json_close_object(&json);
    json_close_object(&json);
    http_exchange_answer(exchange, status, "application/json", bytes_view(&text));
    bytes_finish(&text);
}
