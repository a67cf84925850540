/* Producing outside a transaction: idempotent, acks=all, in order per partition; for the collector, import, generate.
 * Thread-safe. The callback comes from the publisher's own thread, exactly once a message. */
#ifndef TS_ENGINE_PUBLISHER_H
#define TS_ENGINE_PUBLISHER_H

#include "base/outcome.h"
#include "base/view.h"
#include "engine/kafka_settings.h"

#include <stdint.h>

struct publisher;

struct publisher_settings {
    int linger_ms;               /* how long a message may wait for company; default 5 */
    int queue_messages_max;      /* bounded queue; a publish beyond it says RETRY; default 200000 */
    const char *compression;     /* "lz4" */
    int delivery_timeout_ms;     /* after this a message has failed; default 30000 */
    int farewell_ms;             /* publisher_destroy waits so long for what is in flight; default delivery_timeout_ms */
};

/* is_acknowledged: every in-sync replica has it. Otherwise it will not be tried again. */
typedef void (*publisher_done)(void *message_context, bool is_acknowledged, const char *error);

struct publisher *publisher_create(const struct kafka_settings *kafka, const struct publisher_settings *settings,
                                   publisher_done done, char *error, size_t error_size); /* NULL: see error */
void publisher_destroy(struct publisher *publisher); /* waits for what is in flight, at most farewell_ms */

/* Key and value are copied. topic with prefix. partition -1: murmur2 of the key. done may be called before this returns OK.
 * RETRY: the queue is full, or the connection is being made anew; nothing was taken. STOP: it can never be taken (logged, once a minute). */
enum outcome publisher_send(struct publisher *publisher, const char *topic, int32_t partition, struct view key,
                            struct view value, int64_t timestamp_ms, void *message_context);

enum outcome publisher_flush(struct publisher *publisher, int timeout_ms);
bool publisher_is_connected(struct publisher *publisher); /* a broker answered lately */

#endif
