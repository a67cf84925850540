/* Which topics are they that bear these names? Kafka gives each an id of its own (since 2.8), and whoever deletes one and makes it anew has another
 * one, with other records at the old offsets. librdkafka tells of ids from 2.3 on, so brokers are asked directly (protocol.h): once
 * a second, and whenever somebody wants to know how it is from now on. A thread of its own does, for one that does not answer keeps
 * it waiting. One for all workers of a runner. */
#ifndef TS_ENGINE_KAFKA_IDENTITY_H
#define TS_ENGINE_KAFKA_IDENTITY_H

#include "base/outcome.h"
#include "engine/broker.h"
#include "engine/kafka_settings.h"

struct identity;

/* `kafka` outlives it, `topics` (with prefix) are copied. */
struct identity *identity_create(const struct kafka_settings *kafka, const char *const topics[ORIGINS]);
void identity_destroy(struct identity *identity); /* NULL is fine; within a second or so, whatever Kafka does */

/* As the last look found it: "" for no answer, no such topic, or a Kafka without ids. Any thread. */
void identity_read(struct identity *identity, struct broker_ids *ids);

/* As it is found by a look that begins no sooner than the first of these calls: `*ticket` is 0 then, and again after OK. RETRY: no answer yet, within
 * a tenth of a second. Any thread, with a ticket of its own. */
enum outcome identity_ask(struct identity *identity, int64_t *ticket, struct broker_ids *ids);

#endif
