/* One message to one receiver: tried until the receiver takes it or refuses it for good, or time is up, and kept in alerts.undelivered then. */
#ifndef TS_SINKS_NOTIFY_DELIVERY_H
#define TS_SINKS_NOTIFY_DELIVERY_H

#include "base/http_client.h"
#include "engine/publisher.h"
#include "schemas/records.h"
#include "sinks/notify/message.h"
#include "sinks/notify/notify.h"

/* Of one receiver's thread. */
struct delivery {
    const struct notify_config *config;
    const struct receiver *receiver;
    struct publisher *undelivered;
    atomic_bool *stop;
    struct http_client *http;
    struct metric *sent_total, *failed_total, *undelivered_total;
};

/* Borrows all it is given until delivery_finish. */
void delivery_init(struct delivery *delivery, const struct notify_config *config, const struct receiver *receiver,
                   struct publisher *undelivered, atomic_bool *stop);
void delivery_finish(struct delivery *delivery);

/* `waited_ms`: how long nobody acknowledged it, for the text; 0: news. `told_again_ms`: it was told before, then, so that this is another message
 * with an id of its own; 0: it is not told again. Blocks until it is taken, refused, given up or stopped. false: stopped, so
 * nothing is settled. */
bool delivery_send(struct delivery *delivery, const struct alert *alert, int64_t waited_ms, int64_t told_again_ms);

/* One attempt, as a receiver that groups is told of one, too. true: it was taken; `response` is what came back, its body the caller's. Needs no `undelivered`. */
bool delivery_send_once(struct delivery *delivery, const struct alert *alert, struct http_response *response);

/* The same with several alerts in one message; webhook-id is made of all their ids and revisions. */
bool delivery_send_group(struct delivery *delivery, const struct group_message *group);
bool delivery_send_digest(struct delivery *delivery, const struct digest_summary *summary); /* webhook-id: of the receiver's day */

#endif
