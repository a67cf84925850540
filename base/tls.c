#include "base/tls.h"

#include "base/descriptor.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls {
    SSL_CTX *context;
    SSL *session;
    int socket;
};

static bool is_given(const char *text)
{
    return text && *text;
}

/* --- files --- */

static bool can_be_read(const char *prefix, const char *name, const char *path, struct bytes *error)
{
    if (!is_given(path) || access(path, R_OK) == 0)
        return true;
    bytes_printf(error, "%s%s: cannot read %s: %s", prefix, name, path, strerror(errno));
    return false;
}

bool tls_options_check(const struct tls_options *options, const char *prefix, struct bytes *error)
{
    bool has_certificate = is_given(options->certificate_location), has_key = is_given(options->key_location);
    if (has_certificate != has_key) {
        bytes_printf(error, "%s%s: needs %s%s, too: a certificate and its key belong together", prefix,
                     has_certificate ? "certificate_location" : "key_location", prefix, has_certificate ? "key_location" : "certificate_location");
        return false;
    }
    return can_be_read(prefix, "ca_location", options->ca_location, error) &&
           can_be_read(prefix, "certificate_location", options->certificate_location, error) &&
           can_be_read(prefix, "key_location", options->key_location, error);
}

/* --- whom to trust, and who we are --- */

static int password_give(char *buffer, int size, int is_writing, void *password)
{
    (void)is_writing;
    int given = snprintf(buffer, (size_t)size, "%s", (const char *)password);
    return given < size ? given : 0;
}

/* Here and in `present`: the file that does not do; NULL: there is none. */
static const char *trust(SSL_CTX *context, const char *location)
{
    if (!is_given(location))
        return SSL_CTX_set_default_verify_paths(context) == 1 ? NULL : "the system's certificate authorities";
    return SSL_CTX_load_verify_file(context, location) == 1 || SSL_CTX_load_verify_dir(context, location) == 1 ? NULL : location;
}

static const char *present(SSL_CTX *context, const struct tls_options *options)
{
    if (!is_given(options->certificate_location))
        return NULL;
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate_location) != 1)
        return options->certificate_location;
    SSL_CTX_set_default_passwd_cb(context, password_give);
    SSL_CTX_set_default_passwd_cb_userdata(context, (void *)(options->key_password ? options->key_password : ""));
    const char *key_location = options->key_location ? options->key_location : "";
    bool is_done = SSL_CTX_use_PrivateKey_file(context, key_location, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(context) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL); /* borrowed for the call */
    return is_done ? NULL : key_location;
}

static bool expect_host(SSL *session, const char *host)
{
    struct in6_addr address;
    if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
    return SSL_set_tlsext_host_name(session, host) == 1 && SSL_set1_host(session, host) == 1;
}

/* --- waiting --- */

static bool is_to_be_waited_for(const struct tls *tls, int result, short *events)
{
    int wanted = SSL_get_error(tls->session, result);
    *events = wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE;
}

/* Is what the call wants to go on there in time? */
static bool wait_for(const struct tls *tls, int result, int wait_ms)
{
    short events;
    return is_to_be_waited_for(tls, result, &events) && descriptor_is_ready(tls->socket, events, wait_ms);
}

/* The first error is the cause of those behind it. */
const char *tls_why(void)
{
    unsigned long code = ERR_peek_error();
    return code ? ERR_reason_error_string(code) : NULL;
}

static void say_unusable(const char *file, char *error, size_t error_size)
{
    const char *reason = tls_why();
    snprintf(error, error_size, "cannot use %s: %s", file, reason ? reason : "it is of no use");
}

bool tls_certificate_is_usable(const struct tls_options *options, char *error, size_t error_size)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    const char *bad_file = context ? present(context, options) : "TLS";
    if (bad_file)
        say_unusable(bad_file, error, error_size);
    SSL_CTX_free(context);
    return bad_file == NULL;
}

static void why(const struct tls *tls, const char *file, char *error, size_t error_size)
{
    long verdict = tls->session ? SSL_get_verify_result(tls->session) : X509_V_OK;
    const char *reason = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : tls_why();
    if (file)
        say_unusable(file, error, error_size);
    else
        snprintf(error, error_size, "%s", reason ? reason : "no answer in time");
}

struct tls *tls_open(int socket, const char *host, const struct tls_options *options, int wait_ms, char *error, size_t error_size)
{
    struct tls *tls = memory_zeroed(1, sizeof *tls);
    tls->socket = socket;
    ERR_clear_error();
    tls->context = SSL_CTX_new(TLS_client_method());
    const char *bad_file = tls->context ? trust(tls->context, options->ca_location) : NULL;
    if (tls->context && bad_file == NULL)
        bad_file = present(tls->context, options);
    bool is_ready = tls->context && bad_file == NULL;
    if (is_ready) {
        SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
        tls->session = SSL_new(tls->context);
    }
    is_ready = tls->session && expect_host(tls->session, host) && SSL_set_fd(tls->session, socket) == 1;
    while (is_ready) {
        ERR_clear_error();
        int result = SSL_connect(tls->session);
        if (result == 1)
            return tls;
        is_ready = wait_for(tls, result, wait_ms);
    }
    why(tls, bad_file, error, error_size);
    tls_close(tls);
    return NULL;
}

bool tls_send(struct tls *tls, const char *data, size_t size, int wait_ms)
{
    while (size) {
        ERR_clear_error();
        int sent = SSL_write(tls->session, data, size < INT_MAX ? (int)size : INT_MAX);
        if (sent <= 0 && !wait_for(tls, sent, wait_ms))
            return false;
        data += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

ssize_t tls_receive(struct tls *tls, char *data, size_t size, int wait_ms)
{
    for (;;) {
        ERR_clear_error();
        int got = SSL_read(tls->session, data, size < INT_MAX ? (int)size : INT_MAX);
        if (got > 0)
            return got;
        short events;
        if (!is_to_be_waited_for(tls, got, &events))
            return -1;
        if (!descriptor_is_ready(tls->socket, events, wait_ms))
            return 0;
    }
}

bool tls_is_open(struct tls *tls)
{
    char next;
    short events;
    ERR_clear_error();
    int got = SSL_peek(tls->session, &next, 1);
    return got > 0 || is_to_be_waited_for(tls, got, &events);
}

void tls_close(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->session);
    SSL_CTX_free(tls->context);
    free(tls);
}
