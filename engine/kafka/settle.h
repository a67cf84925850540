/* Transactions that Kafka has forgotten to end.
 *
 * A broker that dies after it has decided a transaction's end, and before that end stands in every partition, writes the rest when it
 * comes back. Kafka 4.3 may not: while the restarted broker is not its partitions' leader yet, its coordinator takes a partition
 * without a leader for a deleted one, skips it, and notes the transaction as complete. What it held then stays open for ever: no
 * reader of committed records gets past it, and the group's offsets are not to be had. It needs an only replica, and a broker that is
 * killed within the few milliseconds of a commit; under load some one kill in ten does it.
 *
 * Such a transaction is open in a partition though its coordinator says that it has ended. We end it the same way, as its own
 * producer might: the partitions are added to a transaction of the same id and epoch, which is ended as the coordinator had decided.
 * No record is written, only the marker that is missing. librdkafka 2.0 has no call for any of it (protocol.h), so over TLS or SASL
 * this is left to the operator: kafka-transactions.sh find-hanging, then abort. */
#ifndef TS_ENGINE_KAFKA_SETTLE_H
#define TS_ENGINE_KAFKA_SETTLE_H

#include "engine/kafka/kafka_broker.h"

enum settled {
    SETTLED,            /* nothing hangs any more */
    SETTLED_LATER,      /* a transaction is still under way: its end, or its timeout, comes by itself */
    SETTLED_AWAY,       /* no broker answers */
    SETTLED_IMPOSSIBLE  /* not ours to ask or to end */
};

/* Looks at every partition that this worker's kind writes to, the group's offsets included. Only at what its own transactional id
 * left behind, at once; or, with `is_of_anybody`, at dead processes' too. Says what it ended. A few ms; up to some 5 s while Kafka
 * is starting. Only between transactions of this worker's. */
enum settled kafka_settle(const struct kafka_broker *self, bool is_of_anybody);

/* Records or offsets stay hidden, perhaps behind such a transaction: ended, whoever's it is; where we cannot look, the log says what an
 * operator can do. */
void kafka_settle_hidden(const struct kafka_broker *self);

#endif
