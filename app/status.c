#include "app/status.h"

#include "base/address.h"
#include "base/http_server.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"

#include <stdlib.h>

enum { STATUS_PORT = 8083 };

struct status_server {
    struct http_server *http;
    atomic_bool *is_ready;
};

static void handle(void *context, struct http_exchange *exchange)
{
    struct status_server *server = context;
    struct view path = http_exchange_path(exchange);
    bool is_ready = atomic_load(server->is_ready);
    bool is_known = view_equal_text(path, "/metrics") || view_equal_text(path, "/healthz") || view_equal_text(path, "/readyz");
    if (is_known && !http_exchange_allows(exchange, "GET, HEAD"))
        http_exchange_refuse(exchange, 405, "bad_method", "this path takes another method");
    else if (view_equal_text(path, "/metrics"))
        process_answer_metrics(exchange);
    else if (view_equal_text(path, "/healthz") || (view_equal_text(path, "/readyz") && is_ready))
        http_exchange_answer(exchange, 200, "text/plain", VIEW_LITERAL("ok\n"));
    else if (view_equal_text(path, "/readyz"))
        http_exchange_refuse(exchange, 503, "not_ready", "still starting: waiting for Kafka or the schema registry");
    else
        http_exchange_refuse(exchange, 404, "not_found", "here are /metrics, /healthz and /readyz");
}

struct status_server *status_start(const struct config *config, atomic_bool *is_ready)
{
    const char *listen = config->status.listen;
    if (listen[0] == '\0')
        return NULL;
    struct address address;
    char error[256];
    if (!address_read(listen, STATUS_PORT, &address)) /* the configuration has been looked at */
        return NULL;
    struct status_server *server = memory_zeroed(1, sizeof *server);
    server->is_ready = is_ready;
    struct http_server_settings settings = {.address = address.host, .port = address.port, .tls = config->status.tls, .threads = 1};
    struct http_handler handler = {.context = server, .handle = handle};
    server->http = http_server_create(&settings, &handler, error, sizeof error);
    if (server->http == NULL) {
        log_warning("no /metrics: cannot listen", "status.listen", listen, "error", error, NULL);
        free(server);
        return NULL;
    }
    return server;
}

void status_stop(struct status_server *server)
{
    if (server == NULL)
        return;
    http_server_destroy(server->http);
    free(server);
}
