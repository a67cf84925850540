/* `touchstream replay`: rejected records back through ingest, after a fix. A record keeps the id it has, so that one which got through
 * after all is a duplicate and changes nothing.
 *
 * The rejected topic is read twice. A payload that was rejected several times stands there several times: the first reading notes the
 * latest attempt of each, the second sends only that. What is refused again is rejected again, as the next attempt. */
#ifndef TS_INGEST_REPLAY_H
#define TS_INGEST_REPLAY_H

#include "base/clock.h"
#include "base/map.h"
#include "ingest/intake.h"
#include "ingest/outlet.h"
#include "schemas/reader.h"

#include <stdatomic.h>

struct replay_options {
    const char *source;     /* only records of this source; NULL: all */
    const char *code;       /* only those rejected for this; NULL: all */
    int64_t attempts_max;   /* what failed so often is left alone */
    struct mapping *mapping; /* for payloads of webhooks; NULL: they are the JSON form */
};

/* false: `error` names the option, what it was given and what is allowed. */
bool replay_options_are_good(const struct replay_options *options, struct bytes *error);

struct replay_counts {
    uint64_t found, accepted, rejected, passed_over;
};

struct replay {
    struct replay_options options;
    const struct outlet *outlet;
    struct record_reader *touchpoints; /* for payloads that a processor parked: Avro in the wire format */
    struct clock *clock;
    atomic_bool *stop;
    void *message_context;
    struct map attempts; /* fingerprint of source and payload → latest attempt */
    struct arena arena;
    struct bytes scratch;
    struct replay_counts counts;
};

void replay_init(struct replay *replay); /* after the fields above it have been set */
void replay_finish(struct replay *replay);

void replay_note(struct replay *replay, const struct rejected *rejected); /* first reading */
bool replay_send(struct replay *replay, const struct rejected *rejected); /* second; false: Kafka takes no more */

#endif
