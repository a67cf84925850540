/* How to reach Kafka: filled from the configuration by app/, read-only after. */
#ifndef TS_ENGINE_KAFKA_SETTINGS_H
#define TS_ENGINE_KAFKA_SETTINGS_H

#include "base/settings.h"
#include "base/tls.h"

struct kafka_settings {
    char *brokers;               /* kafka.brokers, "host:port,…" */
    char *security_protocol;     /* kafka.security_protocol: plaintext, ssl, sasl_ssl … */
    char *sasl_mechanism, *sasl_username, *sasl_password; /* empty: none */
    struct tls_options tls;      /* kafka.ssl_* */
    struct settings_node *properties; /* kafka.properties: of librdkafka, by its names (kafka/properties.h); NULL: none */
    char *topic_prefix;          /* topics.prefix: an installation's topics, groups and transactional ids stand under it */
};

/* What kafka.security_protocol asks for. */
bool kafka_is_over_tls(const struct kafka_settings *kafka);
bool kafka_wants_login(const struct kafka_settings *kafka);

/* false and "KEY: what is wrong, what would be right" where they cannot work: a file that cannot be read, a certificate without its key,
 * SASL without a mechanism. */
bool kafka_settings_check(const struct kafka_settings *kafka, struct bytes *error);

/* false and "line N: kafka.properties: NAME …" where one cannot be set. `properties` may be NULL. librdkafka is asked, so it stands in
 * kafka/properties.c. */
bool kafka_properties_check(const struct settings_node *properties, struct bytes *error);

/* kafka.* and topics.prefix: rows that fill a struct kafka_settings. */
extern const struct setting kafka_setting_rows[];

#endif
