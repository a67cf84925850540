/* What a command needs to send touchpoints: topics and schemas made sure of, a publisher, and the outlet over both. */
#ifndef TS_APP_OUTGOING_H
#define TS_APP_OUTGOING_H

#include "app/app.h"
#include "ingest/outlet.h"

struct outgoing {
    struct registry *registry;
    struct publisher *publisher;
    struct outlet outlet;
    struct bytes touchpoints_topic, rejected_topic, deltas_topic;
};

/* Waits for Kafka and the registry (and says so) until app->stop. false: refused, or stopped while waiting. */
bool outgoing_open(struct outgoing *outgoing, struct app *app, const struct publisher_settings *settings, publisher_done done);

/* Waits for what is in flight, says so while Kafka is away; a second after app->stop it gives up. false: not all was acknowledged. */
bool outgoing_flush(struct outgoing *outgoing, struct app *app);
void outgoing_close(struct outgoing *outgoing);

#endif
