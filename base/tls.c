#include "base/tls.h"

#include "base/descriptor.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* --- whom to trust, and who we are --- */

static int password_give(char *buffer, int size, int is_writing, void *password)
{
    (void)is_writing;
    int given = snprintf(buffer, (size_t)size, "%s", (const char *)password);
    return given < size ? given : 0;
}

static bool trust(SSL_CTX *context, const char *location)
{
    if (!is_given(location))
        return SSL_CTX_set_default_verify_paths(context) == 1;
    return SSL_CTX_load_verify_file(context, location) == 1 || SSL_CTX_load_verify_dir(context, location) == 1;
}

static bool present(SSL_CTX *context, const struct tls_options *options)
{
    if (!is_given(options->certificate_location))
        return true;
    SSL_CTX_set_default_passwd_cb(context, password_give);
    SSL_CTX_set_default_passwd_cb_userdata(context, (void *)(options->key_password ? options->key_password : ""));
    bool is_done = SSL_CTX_use_certificate_chain_file(context, options->certificate_location) == 1 &&
                   SSL_CTX_use_PrivateKey_file(context, options->key_location ? options->key_location : "", SSL_FILETYPE_PEM) == 1 &&
                   SSL_CTX_check_private_key(context) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL); /* borrowed for the call */
    return is_done;
}

static bool expect_host(SSL *session, const char *host)
{
    struct in6_addr address;
    if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
    return SSL_set_tlsext_host_name(session, host) == 1 && SSL_set1_host(session, host) == 1;
}

/* --- waiting --- */

/* Is what the call wants to go on there in time? */
static bool wait_for(const struct tls *tls, int result, int wait_ms)
{
    int wanted = SSL_get_error(tls->session, result);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
        return false;
    return descriptor_is_ready(tls->socket, wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, wait_ms);
}

static void why(const struct tls *tls, char *error, size_t error_size)
{
    long verdict = tls->session ? SSL_get_verify_result(tls->session) : X509_V_OK;
    unsigned long code = ERR_peek_last_error();
    const char *reason = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : code ? ERR_reason_error_string(code) : NULL;
    snprintf(error, error_size, "%s", reason ? reason : "no answer in time");
}

struct tls *tls_open(int socket, const char *host, const struct tls_options *options, int wait_ms, char *error, size_t error_size)
{
    struct tls *tls = memory_zeroed(1, sizeof *tls);
    tls->socket = socket;
    ERR_clear_error();
    tls->context = SSL_CTX_new(TLS_client_method());
    bool is_ready = tls->context && trust(tls->context, options->ca_location) && present(tls->context, options);
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
    why(tls, error, error_size);
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

bool tls_receive(struct tls *tls, char *data, size_t size, int wait_ms)
{
    while (size) {
        ERR_clear_error();
        int got = SSL_read(tls->session, data, size < INT_MAX ? (int)size : INT_MAX);
        if (got <= 0 && !wait_for(tls, got, wait_ms))
            return false;
        data += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

void tls_close(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->session);
    SSL_CTX_free(tls->context);
    free(tls);
}
