/* Vendors' webhooks: each NAME of /v1/hooks/NAME is a mapping, compiled at its first payload and kept. */
#ifndef TS_INGEST_HOOKS_H
#define TS_INGEST_HOOKS_H

#include "base/clock.h"
#include "base/http_server.h"
#include "ingest/accept.h"

struct hooks;

/* A mapping that is stopped for so many payloads in a row, because it would not end, is not tried for a while: each of them holds a thread for
 * seconds. Payloads are bad_mapping meanwhile. After that one more is enough. */
enum { HOOK_STOPPED_MAX = 3, HOOK_REST_MS = 60000 };

/* `mappings_dir`: the operator's own, or empty; `mapping_ms_max`: for one payload. */
struct hooks *hooks_create(const char *mappings_dir, int64_t mapping_ms_max, struct clock *clock);
void hooks_destroy(struct hooks *hooks);

/* Runs the request's body through mapping `name`, calling `each` for every touchpoint or fault (is_good false). *is_json says whether
 * the body was JSON at all. false: there is no such mapping, or it does not compile; `error` says. Any thread; payloads of one mapping
 * take turns. */
bool hooks_run(struct hooks *hooks, struct view name, const struct http_exchange *exchange, struct view default_source,
               struct arena *arena,
               void (*each)(void *context, struct touchpoint *touch, bool is_good, struct json_fault *fault),
               void *context, bool *is_json, struct bytes *error);

#endif
