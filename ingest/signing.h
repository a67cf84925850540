/* How a source signs what it sends: an HMAC with a secret that both know, over the raw body and perhaps a stamp before it. */
#ifndef TS_INGEST_SIGNING_H
#define TS_INGEST_SIGNING_H

#include "base/bytes.h"
#include "base/signature.h"

/* A stamp this far from our clock, either way, is refused: who has overheard a request cannot send it again tomorrow. */
enum { SIGNING_STAMP_MS_MAX = 5 * 60 * 1000 };

struct signing {
    struct view secret;
    const char *separator; /* between a stamp in a header of its own and the body; never NULL */
    enum signature_hash hash;
};

/* Is `given`, the value of the signature's header, right for `body` at now_ms (ms since the epoch)? It has one of two forms:
 *
 *     sha256=HEX, HEX or BASE64 of what is signed: `stamp`, the separator, the body. `stamp` is what stands in a header of its
 *     own, null where the source has none. Seconds since 1970 are held to SIGNING_STAMP_MS_MAX, and with a separator it must be such.
 *     t=SECONDS,v1=HEX[,v1=HEX…], as Stripe has it: signed is the t, «.» and the body; any v1 may fit, other parts say nothing.
 *
 * The time it takes tells nothing of the right signature. Any thread. */
bool signing_is_right(const struct signing *signing, struct view given, struct view stamp, struct view body, int64_t now_ms);

#endif
