/* The client's side of TLS over a connected socket that does not block. One thread at a time. */
#ifndef TS_BASE_TLS_H
#define TS_BASE_TLS_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Names of files in PEM; NULL or empty: none. A part of the settings of whoever speaks TLS, which own the texts; borrowed for the call here. */
struct tls_options {
    char *ca_location; /* whom to trust: a file, or a folder of hashed names; none: whom the system trusts */
    char *certificate_location, *key_location, *key_password;
};

/* false and "KEY: what is wrong, what would be right" where they cannot work: a file that cannot be read, a certificate without its key.
 * KEY is `prefix` and ca_location, certificate_location or key_location. */
bool tls_options_check(const struct tls_options *options, const char *prefix, struct bytes *error);

/* false: the certificate and its key cannot be used; `error` names the file and says why. */
bool tls_certificate_is_usable(const struct tls_options *options, char *error, size_t error_size);

struct tls;

/* The other side's certificate must be for `host`, a name or an address. Each wait for the other side is `wait_ms` at most. NULL: see error.
 * The socket stays the caller's, and is to outlive what is opened. */
struct tls *tls_open(int socket, const char *host, const struct tls_options *options, int wait_ms, char *error, size_t error_size);

/* All of it, or false: the connection is of no use any more. */
bool tls_send(struct tls *tls, const char *data, size_t size, int wait_ms);
/* What is there, `size` at most, waiting for the first of it. 0: nothing came in time; −1: the other side is gone, or talks nonsense. */
ssize_t tls_receive(struct tls *tls, char *data, size_t size, int wait_ms);

/* Is the other side still there, as far as has been heard? Waits for nothing, takes nothing away. */
bool tls_is_open(struct tls *tls);

/* Why the thread's last call failed, as far as TLS knows; NULL: it does not. */
const char *tls_why(void);

/* Takes NULL, too. */
void tls_close(struct tls *tls);

#endif
