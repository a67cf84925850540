#include "engine/kafka/link.h"
#include "engine/kafka/properties.h"
#include "engine/kafka/waits.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_AGAIN_AFTER_US = 1000000, ASK_WAIT_MS = 500, SHAKY_US = 15000000, GONE_TOPICS_VERSION = 0x020601ff };

void kafka_link_doubt(struct kafka_link *link)
{
    atomic_store(&link->doubted_at_us, clock_monotonic_us());
    atomic_store(&link->is_doubtful, true);
}

static void link_unheard(struct kafka_link *link, const char *reason)
{
    log_debug("a broker is not to be had, or does not answer", "by", link->name, "error", reason, NULL);
    atomic_store(&link->unheard_at_us, clock_monotonic_us());
    kafka_link_doubt(link);
}

static void link_lost(struct kafka_link *link, const char *reason)
{
    link_unheard(link, reason);
    if (!atomic_exchange(&link->is_away, true))
        log_warning("kafka is away, waiting", "by", link->name, "brokers", link->brokers, "error", reason, NULL);
}

static void link_found(struct kafka_link *link)
{
    if (atomic_exchange(&link->is_away, false))
        log_info("kafka is back", "by", link->name, "brokers", link->brokers, NULL);
}

bool kafka_is_topic_missing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

void kafka_tell_topic_gone(const struct kafka_link *link, const char *topic)
{
    if (log_seldom("topic gone", topic))
        log_warning("kafka does not have a topic: was it deleted? Stop the processors before it is made anew (docs/RELIABILITY.md, «made anew»)", "error", topic,
                    "by", link->name, NULL);
}

void kafka_link_topic_gone(struct kafka_link *link, const char *topic)
{
    atomic_store(&link->is_topic_gone, true);
    atomic_store(&link->had_topic_gone, true);
    kafka_tell_topic_gone(link, topic);
}

void kafka_link_on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    struct kafka_link *link = opaque;
    char text[512];
    log_speak_for(link->service);
    if (kafka_is_topic_missing((rd_kafka_resp_err_t)code)) {
        snprintf(text, sizeof text, "%.*s", (int)strcspn(reason, " :"), reason); /* «TOPIC [PARTITION]: …» or «TOPIC: …» */
        kafka_link_topic_gone(link, text);
        return;
    }
    switch ((rd_kafka_resp_err_t)code) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        link_lost(link, reason);
        return;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        link_unheard(link, reason);
        return; /* one broker of several, or one try of many; ALL_BROKERS_DOWN says when it matters */
    case RD_KAFKA_RESP_ERR__FENCED:
        return; /* the call that was fenced says so, and rivalry.h what it means */
    case RD_KAFKA_RESP_ERR__FATAL: {
        rd_kafka_resp_err_t cause = rd_kafka_fatal_error(handle, text, sizeof text);
        atomic_store(&link->is_fatal, true);
        log_warning("kafka handle is finished", "by", link->name, "code", rd_kafka_err2name(cause), "error", text, NULL);
        return;
    }
    default:
        log_warning("kafka error", "by", link->name, "code", rd_kafka_err2name((rd_kafka_resp_err_t)code), "error",
                    reason, NULL);
    }
}

/* librdkafka says each failed connection attempt by itself; those are kafka_link_on_error's to sum up. */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    static const char *const said_elsewhere[] = {"FAIL", "ERROR", "DISCONN", "CONNFAIL", "REQTMOUT", "TXNERR", "FATAL", "REJOIN"};
    for (size_t i = 0; i < sizeof said_elsewhere / sizeof *said_elsewhere; i++) {
        if (strcmp(facility, said_elsewhere[i]) == 0)
            return;
    }
    struct kafka_link *link = rd_kafka_opaque(handle);
    /* A standstill breaks no connection, and the heartbeat's own time may not be up when it is over. */
    if (link && strcmp(facility, "SESSTMOUT") == 0)
        link_unheard(link, text);
    bool is_fencing = strstr(text, "fenced by a newer instance") || strstr(text, "with an old epoch"); /* as above */
    if (link)
        log_speak_for(link->service);
    log_line(level <= 3 && !is_fencing ? LOG_WARNING : LOG_DEBUG, "librdkafka", "by", link ? link->name : "", "facility", facility, "text",
             text, NULL);
}

void kafka_conf_set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char error[256];
    if (rd_kafka_conf_set(conf, key, value, error, sizeof error) == RD_KAFKA_CONF_OK)
        return;
    log_error("librdkafka refuses a setting", "key", key, "error", error, NULL);
    abort();
}

void kafka_conf_set_number(rd_kafka_conf_t *conf, const char *key, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    kafka_conf_set(conf, key, text);
}

/* A user's setting: what is wrong with it is said when the handle is made. */
static void set_if_given(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char error[256];
    if (value == NULL || *value == '\0')
        return;
    if (rd_kafka_conf_set(conf, key, value, error, sizeof error) != RD_KAFKA_CONF_OK)
        log_error("kafka setting refused", "key", key, "error", error, NULL);
}

rd_kafka_conf_t *kafka_conf_create(const struct kafka_settings *kafka, struct kafka_link *link, const char *name)
{
    *link = (struct kafka_link){.name = name, .brokers = kafka->brokers, .service = log_spoken_for()};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set_if_given(conf, "bootstrap.servers", kafka->brokers);
    set_if_given(conf, "security.protocol", kafka->security_protocol);
    set_if_given(conf, "sasl.mechanism", kafka->sasl_mechanism);
    set_if_given(conf, "sasl.username", kafka->sasl_username);
    set_if_given(conf, "sasl.password", kafka->sasl_password);
    set_if_given(conf, "ssl.ca.location", kafka->tls.ca_location);
    set_if_given(conf, "ssl.certificate.location", kafka->tls.certificate_location);
    set_if_given(conf, "ssl.key.location", kafka->tls.key_location);
    set_if_given(conf, "ssl.key.password", kafka->tls.key_password);
    kafka_conf_set(conf, "client.id", "touchstream");
    kafka_conf_set(conf, "log.connection.close", "false");
    kafka_conf_set(conf, "socket.nagle.disable", "true");
    kafka_conf_set(conf, "reconnect.backoff.ms", "100");
    kafka_conf_set(conf, "reconnect.backoff.max.ms", "2000");
    kafka_properties_set(conf, kafka->properties);
    rd_kafka_conf_set_opaque(conf, link);
    rd_kafka_conf_set_error_cb(conf, kafka_link_on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    kafka_waits_nap(conf);
    return conf;
}

rd_kafka_t *kafka_handle_create(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *error, size_t error_size)
{
    rd_kafka_t *handle = rd_kafka_new(type, conf, error, error_size);
    if (handle == NULL)
        rd_kafka_conf_destroy(conf);
    return handle;
}

bool kafka_link_ends(const struct kafka_link *link)
{
    return rd_kafka_version() >= GONE_TOPICS_VERSION || !atomic_load(&link->had_topic_gone);
}

bool kafka_link_is_shaky(const struct kafka_link *link)
{
    int64_t doubted_at_us = atomic_load_explicit(&link->doubted_at_us, memory_order_relaxed);
    return doubted_at_us && clock_monotonic_us() - doubted_at_us < SHAKY_US;
}

bool kafka_link_check(struct kafka_link *link, rd_kafka_t *handle)
{
    if (!atomic_load_explicit(&link->is_away, memory_order_relaxed))
        return true;
    int64_t now_us = clock_monotonic_us();
    int64_t asked_at_us = atomic_load(&link->asked_at_us);
    if (now_us - asked_at_us < ASK_AGAIN_AFTER_US || !atomic_compare_exchange_strong(&link->asked_at_us, &asked_at_us, now_us))
        return false;
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(handle, 0, NULL, &metadata, ASK_WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    rd_kafka_metadata_destroy(metadata);
    link_found(link);
    return true;
}

const char *kafka_error_text(rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP)
        return "kafka refuses dates more than an hour ahead of its own clock: this machine's clock is ahead, or the broker's behind. Set it right, and all goes on";
    return rd_kafka_err2str(code);
}

rd_kafka_resp_err_t kafka_partition_count(rd_kafka_t *handle, const char *topic, int wait_ms, int32_t *count)
{
    rd_kafka_topic_t *only = rd_kafka_topic_new(handle, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, only, &metadata, wait_ms);
    rd_kafka_topic_destroy(only);
    *count = 0;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return code;
    code = metadata->topic_cnt ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        *count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return code;
}

struct record kafka_record_of(const rd_kafka_message_t *message, struct view topic)
{
    rd_kafka_timestamp_type_t type;
    struct record record = {
        .topic = topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .key = view_of(message->key, message->key_len),
        .value = view_of(message->payload, message->len),
    };
    return record;
}

bool kafka_message_is_record(struct kafka_link *link, const rd_kafka_message_t *message)
{
    if (kafka_is_topic_missing(message->err) && message->rkt) {
        kafka_link_topic_gone(link, rd_kafka_topic_name(message->rkt));
        return false;
    }
    switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return true;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        return false;
    default:
        log_warning("kafka consumer error", "code", rd_kafka_err2name(message->err), "error", rd_kafka_message_errstr(message),
                    NULL);
        return false;
    }
}
