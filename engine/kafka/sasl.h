/* Logging in over a connection of our own (protocol.h), as the settings say: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
#ifndef TS_ENGINE_KAFKA_SASL_H
#define TS_ENGINE_KAFKA_SASL_H

#include "engine/kafka/protocol.h"
#include "engine/kafka_settings.h"

/* Do the settings ask for a mechanism that librdkafka knows and we do not? */
bool sasl_is_foreign(const struct kafka_settings *kafka);

/* true: done, or not asked for. false: the connection is broken from then on; why is in the log. */
bool sasl_log_in(struct protocol *protocol, const struct kafka_settings *kafka);

/* protocol_connect, and then that. Close in any case. */
bool sasl_connect(struct protocol *protocol, const struct kafka_settings *kafka, const char *host, const char *port);

/* To one of kafka.brokers: "host:port", perhaps with a scheme before it. */
bool sasl_connect_to(struct protocol *protocol, const struct kafka_settings *kafka, const char *broker);

#endif
