/* `touchstream ingest`: touchpoints and vendors' webhooks over HTTP, to Kafka (docs/INGEST.md).
 *
 * A record answered with 2xx is in Kafka, acknowledged by every in-sync replica. Nothing is kept here: a request sleeps until its
 * records are acknowledged. What cannot be taken is said at once: 401, 413, 415, 429, 503. */
#ifndef TS_INGEST_COLLECTOR_H
#define TS_INGEST_COLLECTOR_H

#include "base/clock.h"
#include "ingest/outlet.h"
#include "ingest/settings.h"

#include <stdatomic.h>

struct collector;

struct collector_parts {
    const struct ingest_settings *settings;
    const struct outlet *outlet;   /* whose publisher was created with batch_delivered */
    atomic_bool *is_open;          /* the outlet is looked at only once this is true; until then requests are answered 503 */
    struct clock *clock;
};

/* Listens at once. NULL: `error` says why. */
struct collector *collector_create(const struct collector_parts *parts, struct bytes *error);
int collector_port(const struct collector *collector);

/* To be called some times a second: answers 503 where Kafka has not acknowledged within settings->acknowledge_ms_max, and as long as
 * it has not, to all others at once. */
void collector_look_after(struct collector *collector);

/* No new requests, the open ones are answered; at most settings->drain_ms_max. Before the publisher ends: its last callbacks
 * answer what is left, and must find their requests alive. */
void collector_drain(struct collector *collector);

/* After the publisher has ended. NULL is fine. */
void collector_destroy(struct collector *collector);

#endif
