/* The `notify` service: alerts to webhooks.
 *
 * Each receiver has a thread and a consumer group of its own, so that one that is down holds up nobody else, and nothing
 * is forgotten meanwhile: Kafka keeps what it has not taken. A message is sent on a change of state or severity only, at
 * least once; receivers tell repeats by `webhook-id` (alert id and revision). Busy or broken receivers are tried again with
 * growing pauses; what a receiver refuses for good, or has not taken within notify.give_up_after, goes to the topic
 * alerts.undelivered. Imported history notifies nobody. What a receiver is not to hear at once (it
 * has `after`, or another alert inhibits it) waits by real time (waiting.h); where that depends on other alerts, one process tells the receiver and
 * the others stand by. */
#ifndef TS_SINKS_NOTIFY_NOTIFY_H
#define TS_SINKS_NOTIFY_NOTIFY_H

#include "engine/follow.h"
#include "engine/kafka_settings.h"
#include "schemas/registry.h"
#include "sinks/notify/receivers.h"

#include "base/clock.h"
#include "base/outcome.h"

#include <stdatomic.h>

struct notify_config {
    const struct notify_settings *settings;
    const struct kafka_settings *kafka;
    struct registry *registry;
    struct follow_member member;
    uint32_t rejected_schema_id;  /* of the records in alerts.undelivered */
    uint32_t escalated_schema_id; /* of those in alerts.escalated */
    struct clock *clock;
};

/* Blocks until *stop. STOP: the configuration of the receivers is wrong (logged). */
enum outcome notify_run(const struct notify_config *config, atomic_bool *stop);

#endif
