/* A small HTTP/1.1 server for the collector, the dashboard and metrics: bounded in everything, answers from any thread.
 *
 * One handler is called per request, once its body is complete. It answers at once, or keeps the exchange and answers
 * later from any thread (the connection sleeps meanwhile and costs no thread). Limits are enforced before the handler
 * sees anything: a body over its bound is 413, a request that does not arrive within its time is cut off.
 * The only user of libmicrohttpd. */
#ifndef TS_BASE_HTTP_SERVER_H
#define TS_BASE_HTTP_SERVER_H

#include "base/bytes.h"
#include "base/tls.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct http_server;
struct http_exchange; /* one request and its answer; belongs to the server */
struct http_stream;   /* an answer without an end (server-sent events) */

struct http_server_settings {
    const char *address;       /* "127.0.0.1", "::1", "0.0.0.0" */
    int port;                  /* 0: any free one, see http_server_port */
    struct tls_options tls;    /* our certificate and its key make it HTTPS; files are read at the beginning, empty: HTTP */
    int threads;               /* that parse requests and run handlers; default 1 */
    int64_t body_bytes_max;    /* default 8 MiB */
    int64_t header_bytes_max;  /* request line and headers together, default 16 KiB */
    int64_t request_ms_max;    /* from the first byte (or the last answer) to the complete request; default 30 s */
    int connections_max;       /* default 1000; further ones are turned away */
    int64_t stream_bytes_max;  /* unsent bytes of one stream; a slower reader is dropped; default 1 MiB */
};

/* The rows of that certificate in the settings (base/settings.h) of whoever serves. */
#define SETTINGS_SERVED_TLS(type, field, section, section_in_environment, who_speaks)                                             \
    SETTING_TEXT(type, field.certificate_location, section ".tls_certificate_location",                                           \
                 .about = "File of a certificate (PEM, with those between it and the authority): " who_speaks " HTTPS then. "     \
                          "Read anew when it has changed."),                                                                      \
    SETTING_TEXT(type, field.key_location, section ".tls_key_location", .about = "File of its key (PEM)."),                       \
    SETTING_TEXT(type, field.key_password, section ".tls_key_password", .is_secret = true,                                        \
                 .about = "The key's password; better given as TOUCHSTREAM_" section_in_environment "_TLS_KEY_PASSWORD.")

/* `handle` runs on one of the server's threads. It must answer, or hand the exchange to someone who will. */
struct http_handler {
    void *context;
    void (*handle)(void *context, struct http_exchange *exchange);
    /* May be NULL. Called when the headers are there and the body is not: refuse here (by answering) what needs no
     * body to be refused. Not called for a request that breaks a limit. */
    void (*on_headers)(void *context, struct http_exchange *exchange);
    /* May be NULL. The server has refused a request by itself, with this status: for who counts answers. */
    void (*on_refused)(void *context, int status);
};

/* NULL: `error` says why (address in use, not an address). */
struct http_server *http_server_create(const struct http_server_settings *settings, const struct http_handler *handler,
                                       char *error, size_t error_size);
int http_server_port(const struct http_server *server);

/* No new connections; requests on open ones are answered 503. Waits until those being handled are answered.
 * false: some were not within timeout_ms. */
bool http_server_drain(struct http_server *server, int64_t timeout_ms);

/* Ends streams, answers what is left with 503, frees all. No handler runs afterwards. NULL is fine. */
void http_server_destroy(struct http_server *server);

/* --- the request; views live until the answer --- */
struct view http_exchange_method(const struct http_exchange *exchange);
struct view http_exchange_path(const struct http_exchange *exchange); /* percent-decoded, without the query */
struct view http_exchange_header(const struct http_exchange *exchange, const char *name); /* null: absent */
struct view http_exchange_bearer(const struct http_exchange *exchange); /* the token of «Authorization: Bearer …»; null: none */
struct view http_exchange_query(const struct http_exchange *exchange, const char *name);  /* decoded; null: absent */
struct view http_exchange_body(const struct http_exchange *exchange);
/* Whose connection it is, as IPv6 has it (IPv4: ::ffff:a.b.c.d): a proxy's, where one is between. Zeros: not known. */
struct http_peer {
    unsigned char bytes[16];
};
struct http_peer http_exchange_peer(const struct http_exchange *exchange);
/* Calls `each` for every header; names as the client wrote them. */
void http_exchange_each_header(const struct http_exchange *exchange,
                               void (*each)(void *context, struct view name, struct view value), void *context);

/* --- the answer: exactly once, any thread; the exchange is gone afterwards --- */
void http_exchange_add_header(struct http_exchange *exchange, const char *name, const char *value); /* before it */
void http_exchange_answer(struct http_exchange *exchange, int status, const char *content_type, struct view body);
/* Is the request's method among these («GET, HEAD»)? If not, they go into the answer (Allow), and all that is left is to refuse with 405. */
bool http_exchange_allows(struct http_exchange *exchange, const char *methods);
/* {"error": {"code": …, "reason": …}} */
void http_exchange_refuse(struct http_exchange *exchange, int status, const char *code, const char *reason);

/* --- streams --- */
/* 200 and headers now, body as it is written. The caller owns the result until http_stream_close. */
struct http_stream *http_exchange_stream(struct http_exchange *exchange, const char *content_type);
/* Any thread, never blocks. false: the reader is gone or too slow; close it. A reader who left is noticed at the next
 * write at the earliest, so write something now and then. */
bool http_stream_write(struct http_stream *stream, struct view text);
void http_stream_close(struct http_stream *stream); /* any thread; what was written is still sent */

#endif
