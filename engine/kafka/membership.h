/* The place in the group under which a worker holds its partitions: what Kafka is shown when offsets go into a transaction, so that it
 * refuses those of a worker whose partitions are another's by now.
 *
 * librdkafka is in the group by itself, in threads of its own: it joins again, under a new generation or even as a new member, before we
 * are told what became of our partitions. Whoever asks it for its place when offsets are to be sent may be given one that is valid and
 * has nothing to do with the partitions that the offsets are of; a coordinator that was killed, came back, and had given us up by then
 * makes it so. Then two workers commit the same records. So the place that counts is the one of the last rebalance that we were told of,
 * and offsets wait while librdkafka's own is another. */
#ifndef TS_ENGINE_KAFKA_MEMBERSHIP_H
#define TS_ENGINE_KAFKA_MEMBERSHIP_H

#include "engine/broker.h"

#include <librdkafka/rdkafka.h>

/* Of one consumer; zeroed at first. Used by its worker's thread alone. */
struct membership {
    rd_kafka_consumer_group_metadata_t *told; /* NULL: none, or lost */
    char *member;                             /* its member id */
    bool is_replaced;                         /* holding partitions, we became another member: they may have been others' since */
};

/* Makes the consumer a member, or one again. */
void membership_join(rd_kafka_t *consumer, const char *topic);

/* From within the rebalance callback. */
void membership_told(struct membership *membership, rd_kafka_t *consumer, bool is_lost);

/* May offsets be sent now, under `told`? RETRY: a rebalance is on its way, and its callback will come. STOP: the place is gone; begin anew
 * from the committed offsets. `is_owed`: a rebalance waits for our answer, so none can have followed it. */
enum outcome membership_check(const struct membership *membership, rd_kafka_t *consumer, bool is_owed);

/* Partitions, by librdkafka's account; true when that is not to be had. */
bool membership_holds_any(rd_kafka_t *consumer);

void membership_finish(struct membership *membership);

#endif
