/* The server over libmicrohttpd: connections, limits, and answers that come later.
 *
 * An exchange moves RECEIVING → HANDLED → ANSWERED. While it is HANDLED and the handler has returned, its connection is
 * suspended. Whoever answers stores the response and wakes the connection; libmicrohttpd's thread then queues it. Both
 * sides meet under the server's one lock, not under a lock of the exchange: the moment a connection wakes, its exchange
 * may be freed by the other thread. */
#include "base/http_server_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a request's way through libmicrohttpd --- */

struct watch *connection_watch(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void watch_set_deadline(struct http_server *server, struct MHD_Connection *connection, int64_t deadline_us)
{
    struct watch *watch = connection_watch(connection);
    if (!watch)
        return;
    pthread_mutex_lock(&server->lock);
    watch->deadline_us = deadline_us;
    pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result exchange_send(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server; /* a stream's deadline begins when it is closed */
    watch_set_deadline(server, exchange->connection,
                       exchange->is_stream ? INT64_MAX : clock_monotonic_us() + server->settings.request_ms_max * 1000);
    return MHD_queue_response(exchange->connection, (unsigned)exchange->status, exchange->response);
}

/* A connection closed with bytes unread is reset, and the reset may overtake the answer: so who is refused early is still read to the
 * end, into nothing. Not so where the sender waits to be asked for the body, or means to send very much. */
static bool is_worth_reading(const struct http_exchange *exchange)
{
    struct view length = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return http_exchange_header(exchange, MHD_HTTP_HEADER_EXPECT).data == NULL &&
           (length.data == NULL || strtoll(length.data, NULL, 10) <= DISCARD_BYTES_MAX);
}

static bool is_head_too_large(const struct http_exchange *exchange)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info && (int64_t)info->header_size > exchange->server->settings.header_bytes_max;
}

/* Of what was answered already nothing more becomes. */
static void refuse_unasked(struct http_exchange *exchange, int status, const char *code, const char *reason)
{
    const struct http_handler *handler = &exchange->server->handler;
    if (handler->on_refused && exchange->state != EXCHANGE_ANSWERED)
        handler->on_refused(handler->context, status);
    http_exchange_refuse(exchange, status, code, reason);
}

/* Answered at once and the last answer of its connection: what follows the headers may be anything. */
static enum MHD_Result exchange_break(struct http_exchange *exchange, int status, const char *code, const char *reason)
{
    http_exchange_add_header(exchange, MHD_HTTP_HEADER_CONNECTION, "close");
    refuse_unasked(exchange, status, code, reason);
    return exchange_send(exchange);
}

static enum MHD_Result exchange_begin(struct http_exchange *exchange, const char *version)
{
    const char *doubt = request_doubt(exchange->connection, version);
    if (doubt)
        return exchange_break(exchange, MHD_HTTP_BAD_REQUEST, "ambiguous_length", doubt);
    if (is_head_too_large(exchange))
        return exchange_break(exchange, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "header_too_large",
                              "request line and headers are larger than this server takes");
    struct http_server *server = exchange->server;
    struct view length = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length.data && strtoll(length.data, NULL, 10) > server->settings.body_bytes_max)
        refuse_unasked(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "too_large", "the body is larger than this server takes");
    else if (server->is_draining)
        refuse_unasked(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping", "this server is stopping; ask another");
    else if (server->handler.on_headers)
        server->handler.on_headers(server->handler.context, exchange);
    return exchange->state == EXCHANGE_ANSWERED && !is_worth_reading(exchange) ? exchange_send(exchange) : MHD_YES;
}

static enum MHD_Result exchange_receive(struct http_exchange *exchange, const char *data, size_t *size)
{
    bool is_wanted = exchange->state == EXCHANGE_RECEIVING && !exchange->is_too_large;
    if (is_wanted && (int64_t)(exchange->body.size + *size) <= exchange->server->settings.body_bytes_max) {
        bytes_append(&exchange->body, data, *size);
    } else {
        exchange->is_too_large = true; /* or refused already */
        exchange->discarded_bytes += (int64_t)*size;
        if (exchange->discarded_bytes > DISCARD_BYTES_MAX)
            return MHD_NO;
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result exchange_handle(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    watch_set_deadline(server, exchange->connection, INT64_MAX);
    if (exchange->is_too_large) {
        refuse_unasked(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
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

/* A proxy may name us in full, and we are to understand it (RFC 9112, 3.2.2): http://host:port/path. */
static const char *path_within(const char *target)
{
    const char *rest = strstr(target, "://");
    if (*target == '/' || !rest)
        return target;
    rest = strchr(rest + strlen("://"), '/');
    return rest ? rest : "/";
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *data_size,
                                  void **slot)
{
    struct http_exchange *exchange = *slot;
    if (!exchange) {
        log_speak_for(((struct http_server *)context)->service);
        *slot = exchange = exchange_create(context, connection, path_within(path), method);
        return exchange_begin(exchange, version);
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
        watch->server = server;
        watch->socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        watch->deadline_us = clock_monotonic_us() + server->settings.request_ms_max * 1000;
        LIST_PUSH(server->watches, watch);
        *slot = watch;
    } else if (*slot) {
        struct watch *watch = *slot;
        for (struct http_stream *stream = server->streams; stream; stream = stream->next)
            if (stream->watch == watch)
                stream->watch = NULL;
        LIST_REMOVE(server->watches, watch);
        free(watch);
        *slot = NULL;
    }
    pthread_mutex_unlock(&server->lock);
}

enum { LOOK_EVERY_US = 500000 };

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
        thread_wait(&server->changed, &server->lock, now_us + LOOK_EVERY_US);
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

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decodes in place. %00 stays as it is: libmicrohttpd hands paths on as C texts, and /customers/ann%00x would be Ann's. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    char *to = text;
    for (const char *from = text; *from; to++) {
        int high = from[0] == '%' ? hex_value(from[1]) : -1, low = high >= 0 ? hex_value(from[2]) : -1;
        bool is_code = low >= 0 && high + low > 0;
        *to = is_code ? (char)(16 * high + low) : *from;
        from += is_code ? 3 : 1;
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* --- HTTPS --- */

static bool is_secure(const struct http_server *server)
{
    return server->settings.tls.certificate_location && server->settings.tls.certificate_location[0];
}

static bool certificate_load(struct http_server *server, char *error, size_t error_size)
{
    if (!is_secure(server))
        return true;
    if (MHD_is_feature_supported(MHD_FEATURE_HTTPS_CERT_CALLBACK) == MHD_YES)
        server->certificate = served_certificate_create(&server->settings.tls, error, error_size);
    else
        snprintf(error, error_size, "this libmicrohttpd was built without TLS");
    return server->certificate != NULL;
}

static struct MHD_Daemon *daemon_start(struct http_server *server, const struct addrinfo *address)
{
    const struct http_server_settings *settings = &server->settings;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                     (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0) | (is_secure(server) ? MHD_USE_TLS : 0);
    struct MHD_OptionItem secure[] = {{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)served_certificate_retrieve}, {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    /* A pool of one is refused; the plain internal thread is that. */
    unsigned pool = settings->threads > 1 ? (unsigned)settings->threads : 0;
    /* Not MHD_OPTION_LISTENING_ADDRESS_REUSE: that is SO_REUSEPORT, and a second process on the same address would silently take half
     * of the connections. Without it libmicrohttpd sets SO_REUSEADDR, which is all a quick restart needs. */
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, daemon_log, NULL, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
        MHD_OPTION_SOCK_ADDR, address->ai_addr, MHD_OPTION_THREAD_POOL_SIZE, pool, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)settings->connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)(settings->header_bytes_max + 16 * 1024), MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, is_secure(server) ? secure : none, MHD_OPTION_END);
}

struct http_server *http_server_create(const struct http_server_settings *settings, const struct http_handler *handler,
                                       char *error, size_t error_size)
{
    struct http_server *server = memory_zeroed(1, sizeof *server);
    server->settings = *settings;
    server->handler = *handler;
    server->listen_socket = -1;
    server->service = log_spoken_for();
    settings_complete(&server->settings);
    pthread_mutex_init(&server->lock, NULL);
    thread_condition_init(&server->changed);
    struct addrinfo *address = certificate_load(server, error, error_size) ? address_resolve(&server->settings, error, error_size) : NULL;
    if (address) {
        server->daemon = daemon_start(server, address);
        if (!server->daemon)
            snprintf(error, error_size, "%s:%d: cannot listen: %s", server->settings.address, server->settings.port,
                     strerror(errno));
        freeaddrinfo(address);
    }
    if (!server->daemon) {
        served_certificate_destroy(server->certificate);
        free(server);
        return NULL;
    }
    thread_start(&server->watcher, watcher_run, server);
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
    int64_t until_us = clock_monotonic_us() + timeout_ms * 1000;
    pthread_mutex_lock(&server->lock);
    server->is_draining = true;
    while (server->handled_count > 0 && thread_wait(&server->changed, &server->lock, until_us))
        ;
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
    served_certificate_destroy(server->certificate);
    free(server);
}
