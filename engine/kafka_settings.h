/* How to reach Kafka: filled from the configuration by app/, read-only after. */
#ifndef TS_ENGINE_KAFKA_SETTINGS_H
#define TS_ENGINE_KAFKA_SETTINGS_H

#include "base/settings.h"

struct kafka_settings {
    char *brokers;               /* kafka.brokers, "host:port,…" */
    char *security_protocol;     /* kafka.security_protocol: plaintext, ssl, sasl_ssl … */
    char *sasl_mechanism, *sasl_username, *sasl_password; /* empty: none */
    char *ssl_ca_location;
    char *topic_prefix;          /* topics.prefix: an installation's topics, groups and transactional ids stand under it */
};

/* kafka.* and topics.prefix: rows that fill a struct kafka_settings. */
extern const struct setting kafka_setting_rows[];

#endif
