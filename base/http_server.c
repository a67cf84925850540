/* The server over libmicrohttpd: connections, limits, and answers that come later.
 *
 * An exchange moves RECEIVING → HANDLED → ANSWERED. While it is HANDLED and the handler has returned, its connection is
 * suspended. Whoever answers stores the response and wakes the connection; libmicrohttpd's thread then queues it. Both
 * sides meet under the server's one lock, not under a lock of the exchange: the moment a connection wakes, its exchange
 * may be freed by the other thread. */
#include "base/http_server.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum exchange_state { EXCHANGE_RECEIVING, EXCHANGE_HANDLED, EXCHANGE_ANSWERED };

enum { HEADERS_MAX = 12 };

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_exchange *next, *previous; /* in server->exchanges */
    char *method, *path;
    struct bytes body;
    char peer[INET6_ADDRSTRLEN];
    enum exchange_state state;
    bool is_suspended, is_too_large;
    int status;
    struct MHD_Response *response;
    struct {
        char *name, *value;
    } headers[HEADERS_MAX];
    int header_count;
};

/* One open connection: whose request must be complete by a certain time. */
struct watch {
    struct watch *next, *previous;
    int socket;
    int64_t deadline_us; /* INT64_MAX while a request is being handled */
};

struct http_stream {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_stream *next, *previous; /* in server->streams */
    struct bytes unsent;
    size_t sent;
    bool is_suspended, is_ended, is_gone; /* ended: by us; gone: by the reader */
    int references;                       /* the owner's and the connection's */
};

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_handler handler;
    struct http_server_settings settings;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_exchange *exchanges;
    struct http_stream *streams;
    struct watch *watches;
    int handled_count; /* exchanges being handled */
    atomic_bool is_draining;
    bool is_stopping;
    pthread_t watcher;
    int listen_socket; /* after quiesce */
};

#define LIST_PUSH(head, item)                                                                                          \
    do {                                                                                                               \
        (item)->previous = NULL;                                                                                       \
        (item)->next = (head);                                                                                         \
        if (head)                                                                                                      \
            (head)->previous = (item);                                                                                 \
        (head) = (item);                                                                                               \
    } while (0)
#define LIST_REMOVE(head, item)                                                                                        \
    do {                                                                                                               \
        if ((item)->previous)                                                                                          \
            (item)->previous->next = (item)->next;                                                                     \
        else                                                                                                           \
            (head) = (item)->next;                                                                                     \
        if ((item)->next)                                                                                              \
            (item)->next->previous = (item)->previous;                                                                 \
    } while (0)

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

struct view http_exchange_query(const struct http_exchange *exchange, const char *name)
{
    return lookup(exchange, MHD_GET_ARGUMENT_KIND, name);
}

struct view http_exchange_body(const struct http_exchange *exchange)
{
    return bytes_view(&exchange->body);
}

struct view http_exchange_peer(const struct http_exchange *exchange)
{
    return view_of_text(exchange->peer);
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

static void exchange_note_peer(struct http_exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !info->client_addr)
        return;
    if (info->client_addr->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr, exchange->peer,
                  sizeof exchange->peer);
    else if (info->client_addr->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr, exchange->peer,
                  sizeof exchange->peer);
}

static struct http_exchange *exchange_create(struct http_server *server, struct MHD_Connection *connection,
                                             const char *path, const char *method)
{
    struct http_exchange *exchange = memory_zeroed(1, sizeof *exchange);
    exchange->server = server;
    exchange->connection = connection;
    exchange->method = memory_copy_text(method);
    exchange->path = memory_copy_text(path);
    exchange_note_peer(exchange);
    pthread_mutex_lock(&server->lock);
    LIST_PUSH(server->exchanges, exchange);
    pthread_mutex_unlock(&server->lock);
    return exchange;
}

static void exchange_destroy(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    LIST_REMOVE(server->exchanges, exchange);
    if (exchange->state == EXCHANGE_HANDLED) {
        server->handled_count--;
        pthread_cond_broadcast(&server->changed);
    }
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

static void exchange_answer_response(struct http_exchange *exchange, int status, const char *content_type,
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
    if (exchange->state == EXCHANGE_HANDLED) {
        server->handled_count--;
        pthread_cond_broadcast(&server->changed);
    }
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

/* --- streams --- */

/* Called with the lock held. */
static void stream_release(struct http_stream *stream)
{
    if (--stream->references > 0)
        return;
    LIST_REMOVE(stream->server->streams, stream);
    bytes_finish(&stream->unsent);
    free(stream);
}

static ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t size)
{
    struct http_stream *stream = context;
    struct http_server *server = stream->server;
    (void)position;
    pthread_mutex_lock(&server->lock);
    size_t ready = stream->unsent.size - stream->sent;
    ssize_t result = 0;
    if (ready > 0) {
        result = (ssize_t)(ready < size ? ready : size);
        memcpy(buffer, stream->unsent.data + stream->sent, (size_t)result);
        stream->sent += (size_t)result;
        if (stream->sent == stream->unsent.size) {
            stream->sent = 0;
            bytes_clear(&stream->unsent);
        }
    } else if (stream->is_ended || server->is_stopping) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->is_suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&server->lock);
    return result;
}

static void stream_free(void *context)
{
    struct http_stream *stream = context;
    struct http_server *server = stream->server;
    pthread_mutex_lock(&server->lock);
    stream->is_gone = true;
    stream_release(stream);
    pthread_mutex_unlock(&server->lock);
}

struct http_stream *http_exchange_stream(struct http_exchange *exchange, const char *content_type)
{
    struct http_server *server = exchange->server;
    struct http_stream *stream = memory_zeroed(1, sizeof *stream);
    stream->server = server;
    stream->connection = exchange->connection;
    stream->references = 2;
    pthread_mutex_lock(&server->lock);
    LIST_PUSH(server->streams, stream);
    pthread_mutex_unlock(&server->lock);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, stream_read, stream, stream_free);
    exchange_answer_response(exchange, MHD_HTTP_OK, content_type, response);
    return stream;
}

/* Called with the lock held. */
static void stream_wake(struct http_stream *stream)
{
    if (!stream->is_suspended)
        return;
    stream->is_suspended = false;
    MHD_resume_connection(stream->connection);
}

bool http_stream_write(struct http_stream *stream, struct view text)
{
    struct http_server *server = stream->server;
    pthread_mutex_lock(&server->lock);
    bool is_taken = !stream->is_gone && !stream->is_ended &&
                    (int64_t)(stream->unsent.size - stream->sent + text.size) <= server->settings.stream_bytes_max;
    if (is_taken) {
        bytes_append_view(&stream->unsent, text);
        stream_wake(stream);
    }
    pthread_mutex_unlock(&server->lock);
    return is_taken;
}

void http_stream_close(struct http_stream *stream)
{
    struct http_server *server = stream->server;
    pthread_mutex_lock(&server->lock);
    stream->is_ended = true;
    if (!stream->is_gone)
        stream_wake(stream);
    stream_release(stream);
    pthread_mutex_unlock(&server->lock);
}

/* --- a request's way through libmicrohttpd --- */

static void watch_set_deadline(struct http_server *server, struct MHD_Connection *connection, int64_t deadline_us)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (!info || !info->socket_context)
        return;
    struct watch *watch = info->socket_context;
    pthread_mutex_lock(&server->lock);
    watch->deadline_us = deadline_us;
    pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result exchange_send(struct http_exchange *exchange)
{
    return MHD_queue_response(exchange->connection, (unsigned)exchange->status, exchange->response);
}

static enum MHD_Result exchange_begin(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct view length = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length.data && strtoll(length.data, NULL, 10) > server->settings.body_bytes_max)
        http_exchange_refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "too_large", "the body is larger than this server takes");
    else if (server->is_draining)
        http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping", "this server is stopping; ask another");
    else if (server->handler.on_headers)
        server->handler.on_headers(server->handler.context, exchange);
    return exchange->state == EXCHANGE_ANSWERED ? exchange_send(exchange) : MHD_YES;
}

static enum MHD_Result exchange_receive(struct http_exchange *exchange, const char *data, size_t *size)
{
    int64_t limit = exchange->server->settings.body_bytes_max;
    int64_t total = (int64_t)exchange->body.size + (int64_t)*size;
    if (exchange->is_too_large || total > limit) {
        /* Only a chunked body gets here. It is read on and thrown away for a while, so that the sender can hear 413. */
        exchange->is_too_large = true;
        if (total > 4 * limit)
            return MHD_NO;
        exchange->body.size = exchange->body.size + *size > (size_t)limit ? (size_t)limit : exchange->body.size;
    } else {
        bytes_append(&exchange->body, data, *size);
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result exchange_handle(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    watch_set_deadline(server, exchange->connection, INT64_MAX);
    if (exchange->is_too_large) {
        http_exchange_refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
                             "the body is larger than this server takes");
        return exchange_send(exchange);
    }
    pthread_mutex_lock(&server->lock);
    exchange->state = EXCHANGE_HANDLED;
    server->handled_count++;
    pthread_mutex_unlock(&server->lock);
    server->handler.handle(server->handler.context, exchange);

    pthread_mutex_lock(&server->lock);
    bool is_answered = exchange->state == EXCHANGE_ANSWERED;
    if (!is_answered) {
        exchange->is_suspended = true;
        MHD_suspend_connection(exchange->connection);
    }
    pthread_mutex_unlock(&server->lock);
    return is_answered ? exchange_send(exchange) : MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *data_size,
                                  void **slot)
{
    (void)version;
    struct http_exchange *exchange = *slot;
    if (!exchange) {
        *slot = exchange = exchange_create(context, connection, path, method);
        return exchange_begin(exchange);
    }
    if (*data_size > 0)
        return exchange_receive(exchange, data, data_size);
    if (exchange->state == EXCHANGE_RECEIVING)
        return exchange_handle(exchange);
    return exchange_send(exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode reason)
{
    struct http_server *server = context;
    (void)reason;
    watch_set_deadline(server, connection, clock_monotonic_us() + server->settings.request_ms_max * 1000);
    if (*slot)
        exchange_destroy(*slot);
    *slot = NULL;
}

/* --- connections that take too long --- */

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;
    pthread_mutex_lock(&server->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        struct watch *watch = memory_zeroed(1, sizeof *watch);
        watch->socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        watch->deadline_us = clock_monotonic_us() + server->settings.request_ms_max * 1000;
        LIST_PUSH(server->watches, watch);
        *slot = watch;
    } else if (*slot) {
        struct watch *watch = *slot;
        LIST_REMOVE(server->watches, watch);
        free(watch);
        *slot = NULL;
    }
    pthread_mutex_unlock(&server->lock);
}

/* libmicrohttpd's own timeout counts silence only: a sender of one byte a second would stay for ever. */
static void *watcher_run(void *context)
{
    struct http_server *server = context;
    pthread_mutex_lock(&server->lock);
    while (!server->is_stopping) {
        int64_t now_us = clock_monotonic_us();
        for (struct watch *watch = server->watches; watch; watch = watch->next) {
            if (watch->deadline_us > now_us)
                continue;
            shutdown(watch->socket, SHUT_RDWR);
            watch->deadline_us = INT64_MAX;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 500 * 1000 * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&server->changed, &server->lock, &until);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* --- life --- */

static void settings_complete(struct http_server_settings *settings)
{
    if (!settings->address)
        settings->address = "127.0.0.1";
    if (settings->threads <= 0)
        settings->threads = 1;
    if (settings->body_bytes_max <= 0)
        settings->body_bytes_max = 8 << 20;
    if (settings->header_bytes_max <= 0)
        settings->header_bytes_max = 16 << 10;
    if (settings->request_ms_max <= 0)
        settings->request_ms_max = SECONDS(30);
    if (settings->connections_max <= 0)
        settings->connections_max = 1000;
    if (settings->stream_bytes_max <= 0)
        settings->stream_bytes_max = 1 << 20;
}

static struct addrinfo *address_resolve(const struct http_server_settings *settings, char *error, size_t error_size)
{
    char port[16];
    snprintf(port, sizeof port, "%d", settings->port);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int code = getaddrinfo(settings->address, port, &hints, &found);
    if (code != 0)
        snprintf(error, error_size, "%s: not an address to listen on: %s", settings->address, gai_strerror(code));
    return code == 0 ? found : NULL;
}

static void daemon_log(void *context, const char *format, va_list arguments)
{
    char text[256];
    (void)context;
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http", "detail", text, NULL);
}

static struct MHD_Daemon *daemon_start(struct http_server *server, const struct addrinfo *address)
{
    const struct http_server_settings *settings = &server->settings;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                     (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    /* A pool of one is refused; the plain internal thread is that. */
    unsigned pool = settings->threads > 1 ? (unsigned)settings->threads : 0;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, daemon_log, NULL,
        MHD_OPTION_SOCK_ADDR, address->ai_addr, MHD_OPTION_THREAD_POOL_SIZE, pool, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)settings->connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)(settings->header_bytes_max + 16 * 1024), MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

struct http_server *http_server_create(const struct http_server_settings *settings, const struct http_handler *handler,
                                       char *error, size_t error_size)
{
    struct http_server *server = memory_zeroed(1, sizeof *server);
    server->settings = *settings;
    server->handler = *handler;
    server->listen_socket = -1;
    settings_complete(&server->settings);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    struct addrinfo *address = address_resolve(&server->settings, error, error_size);
    if (address) {
        server->daemon = daemon_start(server, address);
        if (!server->daemon)
            snprintf(error, error_size, "%s:%d: cannot listen: %s", server->settings.address, server->settings.port,
                     strerror(errno));
        freeaddrinfo(address);
    }
    if (!server->daemon) {
        free(server);
        return NULL;
    }
    pthread_create(&server->watcher, NULL, watcher_run, server);
    return server;
}

int http_server_port(const struct http_server *server)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

bool http_server_drain(struct http_server *server, int64_t timeout_ms)
{
    if (server->listen_socket < 0) {
        server->listen_socket = MHD_quiesce_daemon(server->daemon);
        shutdown(server->listen_socket, SHUT_RDWR); /* closed at the end; until then nobody may connect to it */
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&server->lock);
    server->is_draining = true;
    int code = 0;
    while (server->handled_count > 0 && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    bool is_empty = server->handled_count == 0;
    pthread_mutex_unlock(&server->lock);
    return is_empty;
}

void http_server_destroy(struct http_server *server)
{
    if (!server)
        return;
    http_server_drain(server, 0);
    pthread_mutex_lock(&server->lock);
    server->is_stopping = true;
    pthread_cond_broadcast(&server->changed);
    for (struct http_stream *stream = server->streams; stream; stream = stream->next)
        stream_wake(stream);
    /* libmicrohttpd refuses to stop with sleeping connections; their answers are lost with them. */
    for (struct http_exchange *exchange = server->exchanges; exchange; exchange = exchange->next) {
        if (!exchange->is_suspended)
            continue;
        exchange->response = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
        exchange->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        exchange->state = EXCHANGE_ANSWERED;
        exchange->is_suspended = false;
        server->handled_count--;
        MHD_resume_connection(exchange->connection);
    }
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->watcher, NULL);
    MHD_stop_daemon(server->daemon);
    if (server->listen_socket >= 0)
        close(server->listen_socket);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
    free(server);
}
