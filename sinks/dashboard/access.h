/* Who may read, and who may act.
 *
 * Reading is everybody's who reaches the address, or, with dashboard.read_token, theirs who know it (or dashboard.token, which may do
 * more): a program sends it as a bearer token; a browser, which cannot send one with its stream of events, signs in with it
 * (POST /api/session) and has a cookie then. That is «expiry.HMAC-SHA256(read_token, …expiry)», so nothing is kept of who signed in: any dashboard
 * with the same token takes it, and a new token ends all sessions. Acting takes dashboard.token as a bearer token, never a cookie: no other site can
 * make a visitor's browser send it.
 *
 * Any thread. */
#ifndef TS_SINKS_DASHBOARD_ACCESS_H
#define TS_SINKS_DASHBOARD_ACCESS_H

#include "base/http_server.h"
#include "sinks/dashboard/dashboard.h"

struct access {
    const struct dashboard_settings *settings;
    struct clock *clock;
    int port; /* browsers send a host's cookies to all of its ports: ours has the port in its name */
};

bool access_may_read(const struct access *access, const struct http_exchange *exchange);
bool access_may_act(const struct access *access, const struct http_exchange *exchange);

/* 401, and what to do about it. */
void access_refuse_reader(struct http_exchange *exchange);

#define ACCESS_METHODS "GET, HEAD, POST, DELETE"

/* /api/session. POST {"token": …}: signs in, {"may_act": …}. DELETE: signs out. GET: {"sign_in": must one?}, or 401. */
void access_handle_session(const struct access *access, struct http_exchange *exchange);

/* --- for tests --- */

/* What stands in the cookie of a session that ends then. */
void access_session_print(struct view read_token, int64_t ends_at_s, struct bytes *out);
bool access_session_holds(struct view read_token, struct view session, int64_t now_s);

#endif
