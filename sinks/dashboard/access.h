/* Who may read, and who may act.
 *
 * Reading is everybody's who reaches the address, or, with dashboard.read_token, theirs who know it (or dashboard.token, which may do
 * more): a program sends it as a bearer token; a browser, which cannot send one with its stream of events, signs in with it
 * (POST /api/session) and has a cookie then. That is «expiry.random.HMAC-SHA256(read_token, …expiry random)», so it needs nobody to keep who signed in: any
 * dashboard with the same token takes it, and a new token ends all sessions. Acting takes dashboard.token as a bearer token, never a cookie: no other site
 * can make a visitor's browser send it.
 *
 * Whoever knows no token can guess one, and a cookie is a guess, too: its token can be tried without asking us. base/guesses.h has how often. The random
 * part makes a cookie that we have seen to be good one that nobody can have come upon by guessing the token.
 *
 * Any thread. */
#ifndef TS_SINKS_DASHBOARD_ACCESS_H
#define TS_SINKS_DASHBOARD_ACCESS_H

#include "base/guesses.h"
#include "base/http_server.h"
#include "sinks/dashboard/dashboard.h"

struct access {
    const struct dashboard_settings *settings;
    struct clock *clock;
    struct guesses *guesses;
    int port; /* browsers send a host's cookies to all of its ports: ours has the port in its name */
};

/* false: not so, and answered: 401 and what to do about it, or 429 and when to try again. */
bool access_lets_read(const struct access *access, struct http_exchange *exchange);
bool access_lets_act(const struct access *access, struct http_exchange *exchange);

#define ACCESS_METHODS "GET, HEAD, POST, DELETE"

/* /api/session. POST {"token": …}: signs in, {"may_act": …}. DELETE: signs out. GET: {"sign_in": must one?}, or 401. */
void access_handle_session(const struct access *access, struct http_exchange *exchange);

/* --- for tests --- */

/* What stands in the cookie of a session that ends then; `chance`: its random part, letters and digits. */
void access_session_print(struct view read_token, int64_t ends_at_s, struct view chance, struct bytes *out);
/* Is it one of ours, ended or not? */
bool access_session_read(struct view read_token, struct view session, int64_t *ends_at_s);

#endif
