/* How often one may be wrong about a token or a session.
 *
 * Each wrong one is a debt that is paid off with time, of the address it came from and of all addresses together. While either is too
 * large the dashboard looks at nothing else of its kind from there, or the right one would still be found; why the collector
 * looks, ingest/collector.c says. Four things would make that a way to lock others out, and are let off:
 *
 *   what was wrong before      a program with last month's token asks every second, and learns nothing by it
 *   tokens for sessions        their debts are apart: many browsers with sessions of last month's token can sign in all the same
 *   a session that was good    who is signed in stays so; its random part is what makes this no guess (sinks/dashboard/access.h)
 *   who was right before       has no share in what all addresses owe together
 *
 * An address is the connection's: what a header says of another is anybody's to write. Behind a proxy all are one address therefore. Of
 * IPv6 it is the network of 64 bits, of which one has all addresses. What is kept is bounded, and no token is among it. Any thread. */
#ifndef TS_BASE_GUESSES_H
#define TS_BASE_GUESSES_H

#include "base/http_server.h"

enum {
    GUESSES_AT_ONCE = 10, /* of one address and kind, then one every … */
    GUESSES_EACH_MS = 30000,
    GUESSES_OF_ALL_AT_ONCE = 100,
    GUESSES_OF_ALL_EACH_MS = 3000,
};

enum guess_kind { GUESS_TOKEN, GUESS_SESSION, GUESS_KINDS };

struct guesses;

struct guesses *guesses_create(void);
void guesses_destroy(struct guesses *guesses); /* NULL is fine */

/* Seconds until one of that kind from there is looked at again; 0: now. Instants are monotonic. */
int guesses_wait_s(struct guesses *guesses, const struct http_peer *peer, enum guess_kind kind, int64_t now_ms);

void guesses_note_wrong(struct guesses *guesses, const struct http_peer *peer, enum guess_kind kind, struct view given, int64_t now_ms);
void guesses_note_right(struct guesses *guesses, const struct http_peer *peer, enum guess_kind kind, struct view given, int64_t now_ms);

/* Was that noted, of late? Of what was right sessions alone are remembered: a token may be a guess. */
bool guesses_were_wrong(struct guesses *guesses, enum guess_kind kind, struct view given);
bool guesses_were_right(struct guesses *guesses, enum guess_kind kind, struct view given);

/* Warns in the log, once a minute, that somebody there must wait; whose tokens: "dashboard". */
void guesses_tell(const char *whose, const struct http_peer *peer, int wait_s);

#endif
