/* A client of a Confluent-compatible schema registry: register, look up by id, ask for BACKWARD compatibility.
 *
 * Thread-safe: one request at a time, answers by id are kept for ever (an id never changes its meaning). Nothing waits
 * or tries again by itself; the outcome says what makes sense:
 *   OK
 *   PARK   no such schema id: the record that names it can never be read
 *   RETRY  the registry is away, busy or in trouble
 *   STOP   it refused: an incompatible or invalid schema, or our credentials; a person must act
 * Whatever is not OK leaves one sentence for people in `error` (which may be NULL). */
#ifndef TS_SCHEMAS_REGISTRY_H
#define TS_SCHEMAS_REGISTRY_H

#include "base/outcome.h"
#include "base/settings.h"
#include "base/tls.h"
#include "base/view.h"

#include <stdatomic.h>
#include <stdint.h>

/* registry.*; texts may be NULL for empty. */
struct registry_settings {
    char *url;                 /* "http://127.0.0.1:8081", or with a path in front of /subjects; user:password@ is honoured */
    char *username, *password; /* of HTTP's Basic authentication; empty: none but what the URL has */
    struct tls_options tls;    /* for https */
};

extern const struct setting registry_setting_rows[];

/* false and "KEY: what is wrong, what would be right" where they cannot work. */
bool registry_settings_check(const struct registry_settings *settings, struct bytes *error);

struct registry;

/* `settings` must outlive it; passwords are never printed. Nothing is connected yet. http_client_global_init must have been called. */
struct registry *registry_create(const struct registry_settings *settings);
void registry_destroy(struct registry *registry);

/* Once *stop is true an answer that is waited for has another second or two. Before any other thread has the registry; `stop` outlives it. */
void registry_heed(struct registry *registry, const atomic_bool *stop);

/* The URL for people and logs: without user and password. Lives as long as the registry. */
const char *registry_shown_url(const struct registry *registry);

/* Does somebody answer there who speaks a registry's API? STOP: somebody else does. */
enum outcome registry_ping(struct registry *registry, char *error, size_t error_size);

/* The id of `schema_json` under `subject` ("<topic>-value"), registered now unless it was already. */
enum outcome registry_register(struct registry *registry, const char *subject, const char *schema_json, uint32_t *id,
                               char *error, size_t error_size);

/* Ask the registry to hold `subject` to BACKWARD compatibility from now on. */
enum outcome registry_require_backward(struct registry *registry, const char *subject, char *error, size_t error_size);

/* The schema with this id; it lives as long as the registry. */
enum outcome registry_schema(struct registry *registry, uint32_t id, struct view *schema_json, char *error,
                             size_t error_size);

/* The id of the latest schema under `subject`, without registering anything; PARK: the subject is not known. */
enum outcome registry_latest(struct registry *registry, const char *subject, uint32_t *id, char *error,
                             size_t error_size);

#endif
