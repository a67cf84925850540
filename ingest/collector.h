/* `touchstream ingest`: touchpoints and vendors' webhooks over HTTP, to Kafka (docs/CONTRACT.md §3).
 *
 * A record answered with 2xx is in Kafka, acknowledged by every in-sync replica. Nothing is kept here: a request sleeps until its
 * records are acknowledged. What cannot be taken is said at once: 401, 413, 415, 429, 503. */
#ifndef TS_INGEST_COLLECTOR_H
#define TS_INGEST_COLLECTOR_H

#include "base/clock.h"
#include "ingest/outlet.h"
#include "ingest/settings.h"

struct collector;

struct collector_parts {
    const struct ingest_settings *settings;
    const struct outlet *outlet;   /* whose publisher was created with batch_delivered */
    struct publisher *publisher;   /* asked for readiness; NULL: always ready (tests) */
    struct clock *clock;
};

/* Listens at once. NULL: `error` says why. */
struct collector *collector_create(const struct collector_parts *parts, struct bytes *error);
int collector_port(const struct collector *collector);

/* No new requests, the open ones are answered; at most settings->drain_ms_max. Then frees. */
void collector_destroy(struct collector *collector);

#endif
