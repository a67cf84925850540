/* Who may send to the collector, how they prove it, and how fast they may.
 *
 *     ingest:
 *       sources:
 *         - name: shop
 *           token: 5e1f…                      # Authorization: Bearer 5e1f…
 *           rate: 500                         # records a second, with bursts of ten seconds' worth, and of one at least; none: unlimited
 *         - name: typeform
 *           secret: s3cret                    # HMAC-SHA256 of the raw body, hex or base64, with or without «sha256=»
 *           signature_header: Typeform-Signature   # default X-Touchstream-Signature
 *         - name: zendesk
 *           secret: …
 *           signature_header: X-Zendesk-Webhook-Signature
 *           signed_header: X-Zendesk-Webhook-Signature-Timestamp   # its value stands before the body in what is signed
 *         - name: chatwoot
 *           secret: …
 *           signature_header: X-Chatwoot-Signature
 *           signed_header: X-Chatwoot-Timestamp
 *           signed_separator: .               # between the two; the value is seconds since 1970 then, and at most five minutes off
 *         - name: stripe
 *           secret: whsec_…
 *           signature_header: Stripe-Signature     # t=SECONDS,v1=HEX: recognised by itself, at most five minutes off
 *         - name: intercom
 *           secret: …
 *           signature_header: X-Hub-Signature
 *           signature_hash: sha1              # for who does not sign with SHA-256
 */
#ifndef TS_INGEST_SOURCES_H
#define TS_INGEST_SOURCES_H

#include "base/bytes.h"
#include "base/http_server.h"
#include "ingest/settings.h"

struct sources;

struct source {
    struct view name; /* null: the bearer of ingest.token, or anyone, who may speak for every source */
};

/* Is ingest.sources right, whoever runs the collector? false: `error` is "line N: …". */
bool sources_check(const struct ingest_settings *settings, struct bytes *error);

/* false: everyone might send, and not from this machine alone. Asked of settings that sources_check has found right. */
bool sources_may_listen(const struct ingest_settings *settings);

/* NULL: `error` is a line for the user: what is wrong in ingest.sources, or that a collector open to everyone must listen on
 * loopback. */
struct sources *sources_create(const struct ingest_settings *settings, struct bytes *error);
void sources_destroy(struct sources *sources);

/* By bearer token alone, before the body is there. false: only a signature could still prove who this is, and *may_sign says
 * whether the request carries one. Any thread. */
bool sources_know_bearer(struct sources *sources, const struct http_exchange *exchange, const struct source **out,
                         bool *may_sign);

/* By token or signature, with the body, at now_ms of the wall clock (some signatures have a stamp). NULL: unknown. Any thread. */
const struct source *sources_authenticate(struct sources *sources, const struct http_exchange *exchange, int64_t now_ms);

/* Takes `records` from the source's allowance. 0: fine, else the seconds to wait, an hour at most. Any thread. */
int sources_take(struct sources *sources, const struct source *source, uint64_t records, int64_t now_us);

#endif
