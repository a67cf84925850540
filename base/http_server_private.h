/* What the files of the HTTP server share; nobody else includes this.
 *
 * http_server.c: a request's way through libmicrohttpd, limits, beginning and end; http_server_exchange.c: looking at a request and
 * answering it; http_server_stream.c: answers without an end; http_server_certificate.c: what HTTPS shows of us. */
#ifndef TS_BASE_HTTP_SERVER_PRIVATE_H
#define TS_BASE_HTTP_SERVER_PRIVATE_H

#include "base/http_server.h"

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum exchange_state { EXCHANGE_RECEIVING, EXCHANGE_HANDLED, EXCHANGE_ANSWERED };

enum { HEADERS_MAX = 12, DISCARD_BYTES_MAX = 64 << 20 };

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_exchange *next, *previous; /* in server->exchanges */
    char *method, *path;
    struct bytes body;
    enum exchange_state state;
    bool is_suspended, is_too_large, is_stream;
    int64_t discarded_bytes;
    int status;
    struct MHD_Response *response;
    struct {
        char *name, *value;
    } headers[HEADERS_MAX];
    int header_count;
};

/* One open connection: whose request must be complete, or whose answer taken, by a certain time. */
struct watch {
    struct watch *next, *previous;
    struct http_server *server;
    int socket;
    int64_t deadline_us; /* INT64_MAX while a request is being handled */
};

struct http_stream {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct watch *watch;                 /* of the connection, while it lasts */
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
    struct served_certificate *certificate; /* NULL: HTTP */
    const char *service; /* whose threads libmicrohttpd's are (log.h) */
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

struct http_exchange *exchange_create(struct http_server *server, struct MHD_Connection *connection, const char *path,
                                      const char *method);
void exchange_destroy(struct http_exchange *exchange);

/* Stores the answer and wakes the connection where it sleeps. Takes the response. Any thread, once. */
void exchange_answer_response(struct http_exchange *exchange, int status, const char *content_type,
                              struct MHD_Response *response);

/* Why it is not certain where the request ends; NULL: it is. */
const char *request_doubt(struct MHD_Connection *connection, const char *version);

/* The connection's own, or NULL. */
struct watch *connection_watch(struct MHD_Connection *connection);

/* Called with the lock held. */
void stream_wake(struct http_stream *stream);

/* --- HTTPS --- */

/* The files of `tls`, whose texts are to outlive it. NULL: see error. */
struct served_certificate *served_certificate_create(const struct tls_options *tls, char *error, size_t error_size);
void served_certificate_destroy(struct served_certificate *served); /* NULL is fine */

/* A gnutls_certificate_retrieve_function2, for MHD_OPTION_HTTPS_CERT_CALLBACK. Any thread. */
int served_certificate_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                                const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain, unsigned *count,
                                gnutls_privkey_t *key);

#endif
