/* ts:health: how each service of this process stands, told to Redis once a second for the page and `top`.
 *
 * One field a service, of JSON: at, lag (records still to be applied; null: it has no input topic), watermark (the slowest
 * partition's clock), is_live (false: still recovering), records_per_second, last_error with last_error_at (the service's, or
 * the process's where a thread works for none of them).
 * A service that runs in several processes has a field each, `journey:2` for engine.instance 2. The sink tells of itself. */
#ifndef TS_APP_HEALTH_H
#define TS_APP_HEALTH_H

#include "app/config.h"
#include "engine/runner.h"

struct health;

/* Starts its thread. Redis away costs nothing but the rows. `config` must outlive it. */
struct health *health_start(const struct config *config);
/* `status`: what the service's runner fills, or NULL; it must outlive the health. Any thread. `name` is kept as it is. */
void health_add(struct health *health, const char *name, struct runner_status *status);
/* Takes the rows back, so that who looks sees that the service was stopped and did not die. `is_broken`: one of them could not go on; the rows stay,
 * with what it said last. NULL is fine. */
void health_stop(struct health *health, bool is_broken);

#endif
