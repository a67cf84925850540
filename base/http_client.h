/* One HTTP request after another over libcurl: for the schema registry and webhooks. A client belongs to one thread. */
#ifndef TS_BASE_HTTP_CLIENT_H
#define TS_BASE_HTTP_CLIENT_H

#include "base/bytes.h"

#include <stdatomic.h>

struct http_client;
struct tls_options;

struct http_request {
    const char *method;             /* "GET", "POST", "PUT", "DELETE" */
    const char *url;
    const char *const *headers;     /* "Name: value", NULL-terminated; may be NULL */
    struct view body;
    const char *username, *password; /* of HTTP's Basic authentication; NULL or empty: none but what the URL has */
    const struct tls_options *tls;  /* for https; NULL: whom the system trusts, no certificate of ours */
    int timeout_ms;                 /* 0: 10 s */
    const atomic_bool *stop;        /* once it is set the answer has another second or two; NULL: never */
};

struct http_response {
    long status;                    /* 0: no answer, see error */
    struct bytes body;              /* at most 16 MiB; owned by the caller: bytes_finish */
    long retry_after_s;             /* of Retry-After, be it seconds or a date; 0: none */
    char error[256];
};

/* Call once before threads start. */
void http_client_global_init(void);

struct http_client *http_client_create(void);
void http_client_destroy(struct http_client *client);

/* true: an answer came, whatever its status. Connections are kept and used again. Redirects are not followed. */
bool http_client_send(struct http_client *client, const struct http_request *request, struct http_response *response);

/* Connects to where the URL leads, through TLS for https, and sends nothing. false: `error` says why not. */
bool http_client_connect(struct http_client *client, const char *url, int timeout_ms, char *error, size_t error_size);

/* Appends a URL as people may see it: without who logs in; and without what follows the host unless `has_path`. Any thread. */
void http_url_show(struct bytes *out, const char *url, bool has_path);

#endif
