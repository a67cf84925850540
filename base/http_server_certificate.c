/* The certificate that an HTTPS server shows: read when the server begins, and again when its files have changed, so that one that was renewed is
 * shown from the next connection on. GnuTLS, which is what libmicrohttpd speaks TLS by, asks for it at each handshake. */
#include "base/http_server_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { CHAIN_MOST = 16, PEM_BYTES_MAX = 1 << 20, LOOK_EVERY_US = 1000000, KEPT_US = 120 * 1000000 /* longer than any handshake */ };

/* A certificate with those between it and the authority, and its key. */
struct shown {
    gnutls_pcert_st chain[CHAIN_MOST];
    unsigned count;
    gnutls_privkey_t key;
    struct shown *older; /* a handshake may be at work with it still */
    int64_t since_us;
};

/* What tells a file from the one that was there before. */
struct version {
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct served_certificate {
    struct tls_options tls; /* its texts are the server's settings' */
    pthread_mutex_t lock;
    struct shown *shown;
    struct version certificate, key; /* tried last */
    int64_t looked_us;
};

/* --- reading --- */

static bool file_read(const char *path, struct bytes *out, char *error, size_t error_size)
{
    if (bytes_append_file(out, path, PEM_BYTES_MAX))
        return true;
    snprintf(error, error_size, "cannot read %s: %s", path, strerror(errno));
    return false;
}

static void bytes_wipe(struct bytes *bytes)
{
    if (bytes->data)
        explicit_bzero(bytes->data, bytes->size);
    bytes_finish(bytes);
}

static gnutls_datum_t datum_of(const struct bytes *bytes)
{
    return (gnutls_datum_t){(unsigned char *)bytes->data, (unsigned)bytes->size};
}

static void shown_destroy(struct shown *shown)
{
    for (unsigned i = 0; i < shown->count; i++)
        gnutls_pcert_deinit(&shown->chain[i]);
    if (shown->key)
        gnutls_privkey_deinit(shown->key);
    free(shown);
}

static int shown_read(struct shown *shown, const struct tls_options *tls, const struct bytes *certificate, const struct bytes *key)
{
    gnutls_datum_t pem = datum_of(certificate), secret = datum_of(key);
    const char *password = tls->key_password && tls->key_password[0] ? tls->key_password : NULL;
    unsigned count = CHAIN_MOST;
    int code = gnutls_pcert_list_import_x509_raw(shown->chain, &count, &pem, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0)
        return code;
    shown->count = count;
    code = gnutls_privkey_init(&shown->key);
    return code < 0 ? code : gnutls_privkey_import_x509_raw(shown->key, &secret, GNUTLS_X509_FMT_PEM, password, 0);
}

/* NULL: see error. OpenSSL is asked first: it names the file, and knows whether the key is the certificate's. */
static struct shown *shown_load(const struct tls_options *tls, char *error, size_t error_size)
{
    struct bytes certificate = {0}, key = {0};
    struct shown *shown = memory_zeroed(1, sizeof *shown);
    bool is_read = tls_certificate_is_usable(tls, error, error_size) && file_read(tls->certificate_location, &certificate, error, error_size) &&
                   file_read(tls->key_location, &key, error, error_size);
    int code = is_read ? shown_read(shown, tls, &certificate, &key) : 0;
    if (code < 0)
        snprintf(error, error_size, "%s: %s", tls->certificate_location, gnutls_strerror(code));
    bytes_finish(&certificate);
    bytes_wipe(&key);
    shown->since_us = clock_monotonic_us();
    if (is_read && code >= 0)
        return shown;
    shown_destroy(shown);
    return NULL;
}

/* --- again when it has changed --- */

static struct version version_of(const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return (struct version){0};
    return (struct version){found.st_ino, found.st_size, found.st_mtim};
}

static bool is_same(const struct version *a, const struct version *b)
{
    return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static void forget_older(struct shown *shown, int64_t now_us)
{
    struct shown **at = &shown->older;
    while (*at && now_us - (*at)->since_us < KEPT_US)
        at = &(*at)->older;
    while (*at) {
        struct shown *older = *at;
        *at = older->older;
        shown_destroy(older);
    }
}

/* With the lock held. Of a pair that is being written one file is there before the other: what cannot be used is tried again when either has
 * changed once more, and what was shown is shown on. */
static void look(struct served_certificate *served, int64_t now_us)
{
    struct version certificate = version_of(served->tls.certificate_location), key = version_of(served->tls.key_location);
    if (is_same(&certificate, &served->certificate) && is_same(&key, &served->key))
        return;
    served->certificate = certificate;
    served->key = key;
    char error[256] = "";
    struct shown *shown = shown_load(&served->tls, error, sizeof error);
    if (shown == NULL) {
        log_warning("the certificate's files have changed and cannot be used; the one before is shown on", "error", error, NULL);
        return;
    }
    served->shown->since_us = now_us; /* retired then */
    shown->older = served->shown;
    served->shown = shown;
    forget_older(shown, now_us);
    log_info("the certificate was read anew", "file", served->tls.certificate_location, NULL);
}

int served_certificate_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                                const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain, unsigned *count,
                                gnutls_privkey_t *key)
{
    (void)authorities, (void)authority_count, (void)algorithms, (void)algorithm_count;
    struct watch *watch = connection_watch(gnutls_session_get_ptr(session)); /* libmicrohttpd's connection */
    if (watch == NULL)
        return GNUTLS_E_INTERNAL_ERROR;
    struct served_certificate *served = watch->server->certificate;
    pthread_mutex_lock(&served->lock);
    int64_t now_us = clock_monotonic_us();
    if (now_us - served->looked_us >= LOOK_EVERY_US) {
        served->looked_us = now_us;
        look(served, now_us);
    }
    *chain = served->shown->chain;
    *count = served->shown->count;
    *key = served->shown->key;
    pthread_mutex_unlock(&served->lock);
    return 0;
}

struct served_certificate *served_certificate_create(const struct tls_options *tls, char *error, size_t error_size)
{
    struct served_certificate *served = memory_zeroed(1, sizeof *served);
    served->tls = *tls;
    served->certificate = version_of(tls->certificate_location); /* before it is read: what changes meanwhile is seen later */
    served->key = version_of(tls->key_location);
    served->shown = shown_load(tls, error, error_size);
    if (served->shown == NULL) {
        free(served);
        return NULL;
    }
    pthread_mutex_init(&served->lock, NULL);
    return served;
}

void served_certificate_destroy(struct served_certificate *served)
{
    if (served == NULL)
        return;
    for (struct shown *shown = served->shown, *older; shown; shown = older) {
        older = shown->older;
        shown_destroy(shown);
    }
    pthread_mutex_destroy(&served->lock);
    free(served);
}
