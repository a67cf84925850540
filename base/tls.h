/* The client's side of TLS over a connected socket that does not block. One thread at a time. */
#ifndef TS_BASE_TLS_H
#define TS_BASE_TLS_H

#include <stdbool.h>
#include <stddef.h>

/* Names of files in PEM; NULL or empty: none. Borrowed for the call. */
struct tls_options {
    const char *ca_location; /* whom to trust: a file, or a folder of hashed names; none: whom the system trusts */
    const char *certificate_location, *key_location, *key_password;
};

struct tls;

/* The other side's certificate must be for `host`, a name or an address. Each wait for the other side is `wait_ms` at most. NULL: see error.
 * The socket stays the caller's, and is to outlive what is opened. */
struct tls *tls_open(int socket, const char *host, const struct tls_options *options, int wait_ms, char *error, size_t error_size);

/* All of it, or false: the connection is of no use any more. */
bool tls_send(struct tls *tls, const char *data, size_t size, int wait_ms);
bool tls_receive(struct tls *tls, char *data, size_t size, int wait_ms);

/* Takes NULL, too. */
void tls_close(struct tls *tls);

#endif
