/* Transactions that Kafka has forgotten to end.
 *
 * A broker that dies after it has decided a transaction's end, and before that end stands in every partition,
 * writes the rest when it comes back. Kafka 4.3 may not: while the restarted broker is not its partitions'
 * leader yet, its coordinator takes a partition without a leader for a deleted one, skips it, and notes the
 * transaction as complete. What it held then stays open for ever: no reader of committed records gets past
 * it, and the group's offsets are not to be had. It needs an only replica, and a broker that is killed within
 * the few milliseconds of a commit; under load some one kill in ten does it.
 *
 * Such a transaction is open in a partition though its coordinator says that it has ended. We write the
 * marker that is missing, as the coordinator had decided, and nothing else: it changes nothing at the
 * coordinator, and to do it twice does no harm.
 *
 * The decision is the coordinator's as long as no later transaction of the same id replaces it. So a worker
 * begins none before it knows that the last one has ended everywhere: not its producer (which would forget
 * the decision at its init), and not the next transaction (whose own end would become the end of what hangs
 * as well: half of a committed transaction could go with an abort).
 *
 * librdkafka 2.0 has no call for any of it (protocol.h), nor for its connections to be used, so we have some of our own; with a mechanism
 * of SASL that sasl.h does not have this is left to the operator: kafka-transactions.sh find-hanging, then abort. Where brokers ask for
 * rights, ours needs ClusterAction to write a marker. */
#ifndef TS_ENGINE_KAFKA_SETTLE_H
#define TS_ENGINE_KAFKA_SETTLE_H

#include "engine/kafka/kafka_broker.h"

enum settled {
    SETTLED,         /* nothing hangs any more */
    SETTLED_ONGOING, /* the last transaction is not decided: it ends by itself, or by the next init of its id,
                        which aborts it */
    SETTLED_LATER,   /* not to be known yet: an end is on its way, or a partition has no leader */
    SETTLED_AWAY,    /* no broker answers */
    SETTLED_IMPOSSIBLE /* not ours to ask or to end */
};

/* Has our last transaction ended, as far as its coordinator knows? Waits some 100 ms for an end that is on
 * its way. One request of some 100 us mostly. If a broker has been away since, that does not say that it has
 * ended everywhere: kafka_settle_own does. Not where that was IMPOSSIBLE. */
enum settled kafka_settle_last(struct kafka_broker *self);

/* Looks at every partition that this worker's kind writes to, the group's offsets included, for what our own
 * transactional id left open, and ends it. A few ms; up to some 5 s while Kafka is starting. Only between
 * transactions of this worker's. */
enum settled kafka_settle_own(const struct kafka_broker *self);

/* The same for everybody's transactions: of those who died and do not come back. Whoever lives ends its own
 * within a second; what hangs is ended here only when it still does after two, during which the worker
 * stands. */
enum settled kafka_settle_others(const struct kafka_broker *self);

/* Records or offsets stay hidden, perhaps behind such a transaction: ended, whoever's it is; where we cannot
 * look, the log says what an operator can do. */
void kafka_settle_hidden(const struct kafka_broker *self);

/* Forgets what kafka_settle_last keeps. */
void kafka_settle_close(struct kafka_producer *producer);

#endif
