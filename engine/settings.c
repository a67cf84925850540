/* The settings of the engine: how to reach Kafka, and how a processor's workers run. */
#include "base/clock.h"
#include "engine/kafka_settings.h"
#include "engine/runner.h"

#include <string.h>
#include <strings.h>

const struct setting kafka_setting_rows[] = {
    SETTING_TEXT(struct kafka_settings, brokers, "kafka.brokers", .standard_text = "127.0.0.1:9092",
                 .about = "Where Kafka is: host:port, several separated by commas."),
    SETTING_CHOICE(struct kafka_settings, security_protocol, "kafka.security_protocol", .standard_text = "plaintext",
                   .choices = "plaintext|ssl|sasl_plaintext|sasl_ssl", .about = "How to talk to the brokers."),
    SETTING_TEXT(struct kafka_settings, sasl_mechanism, "kafka.sasl_mechanism",
                 .about = "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, with a sasl protocol. (SCRAM with Kafka 4 wants librdkafka 2.6.1; Debian 12 has 2.0.2.)"),
    SETTING_TEXT(struct kafka_settings, sasl_username, "kafka.sasl_username", .about = "User name, with a sasl protocol."),
    SETTING_TEXT(struct kafka_settings, sasl_password, "kafka.sasl_password", .is_secret = true,
                 .about = "Password; better given as TOUCHSTREAM_KAFKA_SASL_PASSWORD."),
    SETTING_TEXT(struct kafka_settings, tls.ca_location, "kafka.ssl_ca_location",
                 .about = "File of the certificate authorities to trust; empty: the system's."),
    SETTING_TEXT(struct kafka_settings, tls.certificate_location, "kafka.ssl_certificate_location",
                 .about = "File of our own certificate (PEM, with those between it and the authority), where brokers ask for one."),
    SETTING_TEXT(struct kafka_settings, tls.key_location, "kafka.ssl_key_location", .about = "File of its key (PEM)."),
    SETTING_TEXT(struct kafka_settings, tls.key_password, "kafka.ssl_key_password", .is_secret = true,
                 .about = "The key's password; better given as TOUCHSTREAM_KAFKA_SSL_KEY_PASSWORD."),
    SETTING_TREE(struct kafka_settings, properties, "kafka.properties",
                 .about = "More about the connection, a map by librdkafka's names: {client.rack: eu-1a, socket.keepalive.enable: true, sasl.oauthbearer.…}."),
    SETTING_TEXT(struct kafka_settings, topic_prefix, "topics.prefix",
                 .about = "Put before every topic, consumer group and transactional id, so that installations share a cluster."),
    SETTING_END};

static bool is_given(const char *text)
{
    return text && *text;
}

bool kafka_is_over_tls(const struct kafka_settings *kafka)
{
    const char *protocol = kafka->security_protocol;
    return is_given(protocol) && (strcasecmp(protocol, "ssl") == 0 || strcasecmp(protocol, "sasl_ssl") == 0);
}

bool kafka_wants_login(const struct kafka_settings *kafka)
{
    return is_given(kafka->security_protocol) && strncasecmp(kafka->security_protocol, "sasl_", 5) == 0;
}

bool kafka_settings_check(const struct kafka_settings *kafka, struct bytes *error)
{
    if (kafka_wants_login(kafka) && !is_given(kafka->sasl_mechanism)) {
        bytes_printf(error, "kafka.sasl_mechanism: is missing; kafka.security_protocol %s needs PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", kafka->security_protocol);
        return false;
    }
    return tls_options_check(&kafka->tls, "kafka.ssl_", error);
}

const struct setting runner_setting_rows[] = {
    SETTING_INTEGER(struct runner_settings, threads, "engine.threads", .standard = 1, .least = 1, .most = 256,
                    .about = "Worker threads of each processor; at most one per partition does work."),
    SETTING_DURATION(struct runner_settings, commit_interval_ms, "engine.commit_interval", .standard = 50, .least = 1,
                     .most = MINUTES(1), .about = "A transaction is committed this often (twice as often with an alert in it); outputs become visible then."),
    SETTING_DURATION(struct runner_settings, summary_interval_ms, "engine.summary_interval", .standard = 100, .least = 1,
                     .most = MINUTES(1), .about = "What is added up over many events (KPI deltas) leaves so often."),
    SETTING_DURATION(struct runner_settings, summary_interval_behind_ms, "engine.summary_interval_behind", .standard = 1000, .least = 1,
                     .most = MINUTES(1), .about = "And so often while more than 10,000 records wait: then how much counts, not how soon."),
    SETTING_INTEGER(struct runner_settings, batch_records_max, "engine.batch_records_max", .standard = 100000, .least = 1,
                    .most = 1000000, .about = "A transaction holds at most this many input records."),
    SETTING_BYTES(struct runner_settings, batch_bytes_max, "engine.batch_bytes_max", .standard = 5 << 20,
                  .least = 1 << 16, .most = 1 << 30, .about = "A transaction holds at most about this much output."),
    SETTING_DURATION(struct runner_settings, checkpoint_interval_ms, "engine.checkpoint_interval", .standard = MINUTES(1),
                     .least = 100, .most = HOURS(24),
                     .about = "Length of one checkpoint pass: what a restart after a crash has to read again."),
    SETTING_DURATION(struct runner_settings, tick_after_ms, "engine.tick_after", .standard = SECONDS(1), .least = 0,
                     .most = HOURS(1), .about = "A partition silent for so long gets a tick, so that timers fire on time, and one to which only events of the past come after sixty times as long; 0: never."),
    SETTING_DURATION(struct runner_settings, allowed_disorder_ms, "engine.allowed_disorder", .standard = 500, .least = 0,
                     .most = HOURS(24), .about = "A partition's clock runs this far behind its newest event."),
    SETTING_INTEGER(struct runner_settings, entries_max, "engine.entries_max", .standard = 20000000, .least = 1,
                    .most = 4e9, .about = "Entries (customers, series) of one worker; what is over is parked and counted."),
    SETTING_DURATION(struct runner_settings, transaction_timeout_ms, "engine.transaction_timeout", .standard = SECONDS(30),
                     .least = SECONDS(1), .most = MINUTES(15), .about = "Kafka aborts a transaction of a dead worker after this."),
    SETTING_DURATION(struct runner_settings, session_timeout_ms, "engine.session_timeout", .standard = SECONDS(10),
                     .least = SECONDS(6), .most = MINUTES(5), .about = "Kafka gives a silent worker's partitions to others after this, and those of one that has a name (engine.instance) and has ended."),
    SETTING_TEXT(struct runner_settings, instance_id, "engine.instance", .standard_text = "1",
                 .about = "Name of this process among those of its group, the same after a restart: recovery is fast then. Where it is given it is sink's and "
                          "notify's, too: those beside one that is started anew are not stopped for it."),
    SETTING_END};
