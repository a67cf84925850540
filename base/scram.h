/* SCRAM (RFC 5802, RFC 7677), the client's side, without channel binding: three messages, of which the last proves that the other side
 * knows the password, too. Names and passwords are taken as they are (no SASLprep). One thread at a time. */
#ifndef TS_BASE_SCRAM_H
#define TS_BASE_SCRAM_H

#include "base/bytes.h"

#include <stdbool.h>

enum scram_hash { SCRAM_SHA_256, SCRAM_SHA_512 };

enum { SCRAM_DIGEST_MAX = 64, SCRAM_ITERATIONS_MAX = 1000000 /* a second of ours; brokers' standard is 4,096 */ };

struct scram {
    enum scram_hash hash;
    struct bytes first;  /* our first message, without its header */
    const char *nonce;   /* ours, in it */
    size_t nonce_size;
    unsigned char server_signature[SCRAM_DIGEST_MAX];
};

/* The first message, appended to `out`. `nonce`: printable, no comma, never twice. scram_finish in any case. */
void scram_begin(struct scram *scram, enum scram_hash hash, const char *user, const char *nonce, struct bytes *out);

/* To the server's first message the second of ours, appended to `out`. false: theirs is none, or asks for too much work; nothing appended. */
bool scram_answer(struct scram *scram, struct view message, const char *password, struct bytes *out);

/* Does the server's last message say that it knows the password? */
bool scram_is_server(const struct scram *scram, struct view message);

void scram_finish(struct scram *scram);

#endif
