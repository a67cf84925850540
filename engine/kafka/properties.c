#include "engine/kafka/properties.h"

#include "engine/kafka_settings.h"

#include <string.h>

/* With a setting of their own, which is looked at in more places than librdkafka (protocol.h), and can be given in the environment. */
static const struct owned {
    const char *name, *setting;
} owned[] = {{"bootstrap.servers", "kafka.brokers"}, {"metadata.broker.list", "kafka.brokers"}, {"security.protocol", "kafka.security_protocol"},
             {"sasl.mechanism", "kafka.sasl_mechanism"}, {"sasl.mechanisms", "kafka.sasl_mechanism"}, {"sasl.username", "kafka.sasl_username"},
             {"sasl.password", "kafka.sasl_password"}, {"ssl.ca.location", "kafka.ssl_ca_location"},
             {"ssl.certificate.location", "kafka.ssl_certificate_location"}, {"ssl.key.location", "kafka.ssl_key_location"},
             {"ssl.key.password", "kafka.ssl_key_password"}};

static const char *const beginnings[] = {"client.", "socket.", "broker.address.", "broker.version.", "api.version.", "ssl.", "sasl.", "enable.sasl.",
                                         "enable.ssl.", "metadata.", "topic.metadata.", "reconnect.", "connections.", "debug", "log."};

static const char *setting_of(const char *name)
{
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        if (strcmp(name, owned[i].name) == 0)
            return owned[i].setting;
    return NULL;
}

static bool is_of_the_connection(const char *name)
{
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static bool complain(const struct settings_node *one, const char *what, const char *more, struct bytes *error)
{
    bytes_printf(error, "line %d: kafka.properties: %s %s%s", one->line, one->key, what, more);
    return false;
}

static bool property_check(rd_kafka_conf_t *conf, const struct settings_node *one, struct bytes *error)
{
    char why[256];
    if (one->kind != SETTINGS_SCALAR || one->scalar == NULL)
        return complain(one, "wants one value", "", error);
    if (setting_of(one->key))
        return complain(one, "is set by ", setting_of(one->key), error);
    if (!is_of_the_connection(one->key))
        return complain(one, "is not about the connection (client., socket., ssl., sasl., metadata., reconnect., debug …): how records are read and "
                             "written is not to be set", "", error);
    return rd_kafka_conf_set(conf, one->key, one->scalar, why, sizeof why) == RD_KAFKA_CONF_OK || complain(one, "is refused by librdkafka: ", why, error);
}

bool kafka_properties_check(const struct settings_node *properties, struct bytes *error)
{
    if (properties == NULL)
        return true;
    if (properties->kind != SETTINGS_MAP) {
        bytes_printf(error, "line %d: kafka.properties: wants a map from librdkafka's names to values, such as {client.rack: eu-1a}", properties->line);
        return false;
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool are_good = true;
    for (size_t i = 0; i < properties->child_count && are_good; i++)
        are_good = property_check(conf, &properties->children[i], error);
    rd_kafka_conf_destroy(conf);
    return are_good;
}

void kafka_properties_set(rd_kafka_conf_t *conf, const struct settings_node *properties)
{
    for (size_t i = 0; properties && i < properties->child_count; i++)
        rd_kafka_conf_set(conf, properties->children[i].key, properties->children[i].scalar, NULL, 0);
}
