#include "engine/admin.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/kafka/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WAIT_MS = 10000, KNOWN_WITHIN_MS = 5000, LOOK_AGAIN_MS = 50, SLICE_MS = 100, SLOW_ANSWER_MS = 2000, REFUSED_WITHIN_MS = 1000, ERROR_MAX = 512, TOPIC_NAME_MAX = 512, MESSAGE_BYTES_MAX = 2097152 };

/* Kafka compacts only segments that are full (or a week old, by its own standard): with its standard of 1 GB each partition of a checkpoint topic
 * is at least so large however little is in it, and who recovers reads all of it. */
enum { COMPACTED_SEGMENT_BYTES = 64 * 1024 * 1024 };

struct admin {
    struct kafka_link link; /* the first member: see on_error */
    char cause[ERROR_MAX];  /* what librdkafka said last about a connection; empty: nothing */
    bool is_refused;        /* a password or a certificate that does not do: it will not do later either */
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    const atomic_bool *stop; /* NULL: none */
};

/* Why a broker is not to be had: refused, no such host, a password, a certificate. That all are down sums up what was said before. */
static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    struct admin *admin = opaque;
    (void)handle;
    if ((rd_kafka_resp_err_t)code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        snprintf(admin->cause, sizeof admin->cause, "%s", reason);
    admin->is_refused |= code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL;
}

static bool admin_open(struct admin *admin, const struct kafka_settings *kafka, const atomic_bool *stop, char *error, size_t error_size)
{
    rd_kafka_conf_t *conf = kafka_conf_create(kafka, &admin->link, "admin");
    admin->cause[0] = '\0';
    admin->is_refused = false;
    admin->stop = stop;
    rd_kafka_conf_set_error_cb(conf, on_error);
    admin->handle = kafka_handle_create(RD_KAFKA_PRODUCER, conf, error, error_size);
    if (admin->handle == NULL)
        return false;
    admin->queue = rd_kafka_queue_new(admin->handle);
    return true;
}

static void admin_close(struct admin *admin)
{
    rd_kafka_queue_destroy(admin->queue);
    rd_kafka_destroy(admin->handle);
}

/* Before that version librdkafka says its nonce twice, which Kafka minds since 4.0. */
static const char *remedy_for(const char *cause)
{
    enum { SCRAM_WORKS_SINCE = 0x020601ff };
    return strstr(cause, "mechanism SCRAM") && rd_kafka_version() < SCRAM_WORKS_SINCE
               ? "; librdkafka before 2.6.1 cannot log in to Kafka 4 by SCRAM, whatever the password: PLAIN over TLS works, and a certificate (kafka.ssl_certificate_location)"
               : "";
}

static bool is_stopped(const struct admin *admin)
{
    return admin->stop && atomic_load(admin->stop);
}

/* A minute at most: so long librdkafka waits itself. */
static rd_kafka_event_t *answer_of(struct admin *admin)
{
    rd_kafka_event_t *event = NULL;
    for (int waited_ms = 0; event == NULL && waited_ms < 6 * WAIT_MS && !is_stopped(admin); waited_ms += SLICE_MS)
        event = rd_kafka_queue_poll(admin->queue, SLICE_MS);
    return event;
}

/* In slices, to hear a stop; not so short that a slow broker never answers within one. */
static rd_kafka_resp_err_t metadata_wait(struct admin *admin, bool wants_topics, int timeout_ms, const struct rd_kafka_metadata **metadata)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int left_ms = timeout_ms; left_ms > 0 && code != RD_KAFKA_RESP_ERR_NO_ERROR && !is_stopped(admin); left_ms -= SLOW_ANSWER_MS)
        code = rd_kafka_metadata(admin->handle, wants_topics, NULL, metadata, left_ms < SLOW_ANSWER_MS ? left_ms : SLOW_ANSWER_MS);
    return code;
}

static const struct rd_kafka_metadata *metadata_ask(struct admin *admin, bool wants_topics, int timeout_ms, char *error, size_t error_size)
{
    const struct rd_kafka_metadata *metadata = NULL;
    int at_first_ms = timeout_ms < REFUSED_WITHIN_MS ? timeout_ms : REFUSED_WITHIN_MS;
    rd_kafka_resp_err_t code = metadata_wait(admin, wants_topics, at_first_ms, &metadata);
    rd_kafka_poll(admin->handle, 0); /* what on_error is to hear */
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !admin->is_refused && timeout_ms > at_first_ms) {
        code = metadata_wait(admin, wants_topics, timeout_ms - at_first_ms, &metadata);
        rd_kafka_poll(admin->handle, 0);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return metadata;
    const char *cause = admin->cause[0] ? admin->cause : rd_kafka_err2str(code);
    snprintf(error, error_size, "Kafka at %.120s does not answer: %.280s%s", admin->link.brokers, cause, remedy_for(cause));
    return NULL;
}

enum outcome admin_ping(const struct kafka_settings *kafka, int timeout_ms, char *error, size_t error_size)
{
    struct admin admin;
    if (!admin_open(&admin, kafka, NULL, error, error_size))
        return OUTCOME_STOP;
    const struct rd_kafka_metadata *metadata = metadata_ask(&admin, false, timeout_ms, error, error_size);
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    admin_close(&admin);
    return metadata ? OUTCOME_OK : OUTCOME_RETRY;
}

/* --- making topics */

static void full_name(const struct kafka_settings *kafka, const char *name, char *out, size_t out_size)
{
    snprintf(out, out_size, "%s%s", kafka->topic_prefix ? kafka->topic_prefix : "", name);
}

static rd_kafka_NewTopic_t *new_topic_of(const struct topic_wanted *wanted, const char *name, bool is_old)
{
    char error[256];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, wanted->partitions, wanted->replication, error, sizeof error);
    if (topic == NULL) {
        log_error("topic cannot be described", "topic", name, "error", error, NULL);
        abort();
    }
    char kept[32], bytes_max[32], ahead_most[32], segment_bytes[32];
    snprintf(kept, sizeof kept, "%" PRId64, wanted->is_compacted ? wanted->tombstones_kept_ms : wanted->retention_ms);
    snprintf(bytes_max, sizeof bytes_max, "%d", MESSAGE_BYTES_MAX);
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", wanted->is_compacted ? "compact" : "delete");
    rd_kafka_NewTopic_set_config(topic, wanted->is_compacted ? "delete.retention.ms" : "retention.ms", kept);
    snprintf(segment_bytes, sizeof segment_bytes, "%d", COMPACTED_SEGMENT_BYTES);
    if (wanted->is_compacted)
        rd_kafka_NewTopic_set_config(topic, "segment.bytes", segment_bytes);
    if (wanted->is_dated_on_arrival)
        rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", "LogAppendTime");
    rd_kafka_NewTopic_set_config(topic, "max.message.bytes", bytes_max);
    snprintf(ahead_most, sizeof ahead_most, "%" PRId64, wanted->ahead_most_ms);
    if (wanted->ahead_most_ms && !is_old) /* Kafka 4's own standard; before it there was no bound */
        rd_kafka_NewTopic_set_config(topic, "message.timestamp.after.max.ms", ahead_most);
    return topic;
}

/* One line for each topic that could not be made; a topic that exists already is no news. PARK: a configuration is not known here, and nothing
 * else is wrong. */
static enum outcome report_created(const rd_kafka_CreateTopics_result_t *result, struct bytes *report)
{
    size_t count = 0;
    enum outcome outcome = OUTCOME_OK;
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        outcome = code == RD_KAFKA_RESP_ERR_INVALID_CONFIG && outcome != OUTCOME_STOP ? OUTCOME_PARK : OUTCOME_STOP;
        const char *text = rd_kafka_topic_result_error_string(topics[i]);
        bytes_printf(report, "%s: cannot be created: %s\n", rd_kafka_topic_result_name(topics[i]),
                     text ? text : rd_kafka_err2str(code));
    }
    return outcome;
}

/* `is_old`: Kafka before 3.6, which does not know how far ahead a record may be dated. PARK: as report_created; RETRY: Kafka does not answer. */
static enum outcome create_with(struct admin *admin, const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count,
                                bool is_old, struct bytes *report)
{
    rd_kafka_NewTopic_t **wanted = memory_zeroed(count, sizeof *wanted);
    char name[TOPIC_NAME_MAX];
    for (size_t i = 0; i < count; i++) {
        full_name(kafka, topics[i].name, name, sizeof name);
        wanted[i] = new_topic_of(&topics[i], name, is_old);
    }
    rd_kafka_CreateTopics(admin->handle, wanted, count, NULL, admin->queue);
    rd_kafka_NewTopic_destroy_array(wanted, count);
    free(wanted);

    rd_kafka_event_t *event = answer_of(admin);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bytes_printf(report, "Kafka at %s does not answer: %s\n", admin->link.brokers,
                     event ? rd_kafka_event_error_string(event) : "no answer in time");
        if (event)
            rd_kafka_event_destroy(event);
        return OUTCOME_RETRY;
    }
    enum outcome outcome = report_created(rd_kafka_event_CreateTopics_result(event), report);
    rd_kafka_event_destroy(event);
    return outcome;
}

static enum outcome create_missing(struct admin *admin, const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count,
                                   struct bytes *report)
{
    size_t before = report->size;
    enum outcome outcome = create_with(admin, kafka, topics, count, false, report);
    if (outcome == OUTCOME_PARK) {
        report->size = before; /* what is said of them at the second try holds */
        outcome = create_with(admin, kafka, topics, count, true, report);
    }
    return outcome == OUTCOME_PARK ? OUTCOME_STOP : outcome;
}

/* --- looking at topics */

static const char *config_value(const rd_kafka_ConfigResource_t *resource, const char *key)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), key) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    }
    return NULL;
}

/* NULL: brokers of that age do not have it, or did not say. */
static bool config_number(const rd_kafka_ConfigResource_t *resource, const char *key, int64_t *number)
{
    const char *value = config_value(resource, key);
    if (value == NULL)
        return false;
    *number = strtoll(value, NULL, 10);
    return true;
}

static void check_retention(const rd_kafka_ConfigResource_t *resource, const struct topic_wanted *wanted, const char *name, struct bytes *report)
{
    int64_t kept_ms;
    if (!wanted->is_compacted && config_number(resource, "retention.ms", &kept_ms) && kept_ms >= 0 && kept_ms < wanted->retention_ms)
        bytes_printf(report, "%s: retention.ms is %" PRId64 ", wanted at least %" PRId64 ": what a stage has not read by then is gone\n", name,
                     kept_ms, wanted->retention_ms);
    if (wanted->is_compacted && config_number(resource, "delete.retention.ms", &kept_ms) && kept_ms < wanted->tombstones_kept_ms)
        bytes_printf(report, "%s: delete.retention.ms is %" PRId64 ", wanted at least %" PRId64
                             ": after a longer stop what was deleted would be back\n", name, kept_ms, wanted->tombstones_kept_ms);
    int64_t bytes;
    if (wanted->is_compacted && config_number(resource, "segment.bytes", &bytes) && bytes > 2 * COMPACTED_SEGMENT_BYTES)
        bytes_printf(report, "%s: segment.bytes is %" PRId64 ", wanted %d: so much of each partition is never compacted, and read after a crash\n", name,
                     bytes, COMPACTED_SEGMENT_BYTES);
}

static void check_config(const rd_kafka_ConfigResource_t *resource, const struct topic_wanted *wanted, const char *name, struct bytes *report)
{
    int64_t number;
    const char *policy = config_value(resource, "cleanup.policy"), *wanted_policy = wanted->is_compacted ? "compact" : "delete";
    const char *dated = config_value(resource, "message.timestamp.type");
    if (policy && strcmp(policy, wanted_policy) != 0)
        bytes_printf(report, "%s: cleanup.policy is %s, wanted %s\n", name, policy, wanted_policy);
    else
        check_retention(resource, wanted, name, report);
    if (config_number(resource, "max.message.bytes", &number) && number < MESSAGE_BYTES_MAX)
        bytes_printf(report, "%s: max.message.bytes is %" PRId64 ", wanted at least %d: with a larger record its stage cannot go on\n", name, number,
                     MESSAGE_BYTES_MAX);
    if (wanted->is_dated_on_arrival && dated && strcmp(dated, "LogAppendTime") != 0)
        bytes_printf(report, "%s: message.timestamp.type is %s, wanted LogAppendTime: what is made of old events may be gone unread\n", name, dated);
    if (wanted->ahead_most_ms && config_number(resource, "message.timestamp.after.max.ms", &number) && number > wanted->ahead_most_ms)
        bytes_printf(report, "%s: message.timestamp.after.max.ms is %" PRId64 ", wanted at most %" PRId64
                             ": a single record dated far ahead would move its partition's clock there for good\n", name, number,
                     wanted->ahead_most_ms);
}

static void check_configs(struct admin *admin, const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count,
                          struct bytes *report)
{
    rd_kafka_ConfigResource_t **asked = memory_zeroed(count, sizeof *asked);
    char name[TOPIC_NAME_MAX];
    for (size_t i = 0; i < count; i++) {
        full_name(kafka, topics[i].name, name, sizeof name);
        asked[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    }
    rd_kafka_DescribeConfigs(admin->handle, asked, count, NULL, admin->queue);
    rd_kafka_ConfigResource_destroy_array(asked, count);
    free(asked);
    rd_kafka_event_t *event = answer_of(admin);
    const rd_kafka_DescribeConfigs_result_t *result = event ? rd_kafka_event_DescribeConfigs_result(event) : NULL;
    size_t found_count = 0;
    const rd_kafka_ConfigResource_t **found = result ? rd_kafka_DescribeConfigs_result_resources(result, &found_count) : NULL;
    for (size_t i = 0; i < count; i++) {
        full_name(kafka, topics[i].name, name, sizeof name);
        for (size_t j = 0; j < found_count; j++) {
            if (strcmp(rd_kafka_ConfigResource_name(found[j]), name) == 0 && !rd_kafka_ConfigResource_error(found[j]))
                check_config(found[j], &topics[i], name, report);
        }
    }
    if (event)
        rd_kafka_event_destroy(event);
}

/* NULL: there is none. */
static const struct rd_kafka_metadata_topic *topic_among(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        if (strcmp(topic->topic, name) == 0)
            return topic->err == RD_KAFKA_RESP_ERR_NO_ERROR ? topic : NULL;
    }
    return NULL;
}

/* Of the partition that has the fewest. */
static int copies_of(const struct rd_kafka_metadata_topic *topic)
{
    int fewest = INT16_MAX;
    for (int i = 0; i < topic->partition_cnt; i++) {
        if (topic->partitions[i].replica_cnt < fewest)
            fewest = topic->partitions[i].replica_cnt;
    }
    return fewest;
}

static void check_topic(const struct rd_kafka_metadata *metadata, const struct topic_wanted *wanted, const char *name, bool is_new_fine,
                        struct bytes *report)
{
    const struct rd_kafka_metadata_topic *topic = topic_among(metadata, name);
    if (topic == NULL) {
        if (!is_new_fine)
            bytes_printf(report, "%s: missing\n", name);
        return;
    }
    int count = topic->partition_cnt, copies = copies_of(topic);
    if (count < wanted->partitions || (count > wanted->partitions && !wanted->is_any_more_fine))
        bytes_printf(report, "%s: has %d partitions, wanted %d (topics.partitions)\n", name, count, wanted->partitions);
    if (copies < wanted->replication)
        bytes_printf(report, "%s: has %d %s of each partition, wanted %d (topics.replication); kafka-reassign-partitions.sh makes more\n", name, copies,
                     copies == 1 ? "copy" : "copies", wanted->replication);
}

static bool are_known(const struct rd_kafka_metadata *metadata, const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count)
{
    char name[TOPIC_NAME_MAX];
    for (size_t i = 0; i < count; i++) {
        full_name(kafka, topics[i].name, name, sizeof name);
        if (topic_among(metadata, name) == NULL)
            return false;
    }
    return true;
}

/* What the controller has made the brokers hear of some moments later: whoever looks next is to find it. */
static const struct rd_kafka_metadata *metadata_ask_until_known(struct admin *admin, const struct kafka_settings *kafka, const struct topic_wanted *topics,
                                                                size_t count, char *error, size_t error_size)
{
    const struct rd_kafka_metadata *metadata = metadata_ask(admin, true, WAIT_MS, error, error_size);
    for (int waited_ms = 0; metadata && waited_ms < KNOWN_WITHIN_MS && !are_known(metadata, kafka, topics, count); waited_ms += LOOK_AGAIN_MS) {
        nanosleep(&(struct timespec){0, LOOK_AGAIN_MS * 1000000L}, NULL);
        rd_kafka_metadata_destroy(metadata);
        metadata = metadata_ask(admin, true, WAIT_MS, error, error_size);
    }
    return metadata;
}

/* `are_new`: they were made a moment ago, and a broker that does not know them even in a while is no news. */
static enum outcome look_at(struct admin *admin, const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count,
                            bool are_new, struct bytes *report)
{
    char error[ERROR_MAX], name[TOPIC_NAME_MAX];
    const struct rd_kafka_metadata *metadata = are_new ? metadata_ask_until_known(admin, kafka, topics, count, error, sizeof error)
                                                       : metadata_ask(admin, true, WAIT_MS, error, sizeof error);
    if (metadata == NULL) {
        bytes_printf(report, "%s\n", error);
        return OUTCOME_RETRY;
    }
    for (size_t i = 0; i < count; i++) {
        full_name(kafka, topics[i].name, name, sizeof name);
        check_topic(metadata, &topics[i], name, are_new, report);
    }
    rd_kafka_metadata_destroy(metadata);
    check_configs(admin, kafka, topics, count, report);
    return OUTCOME_OK;
}

enum outcome admin_look_at_topics(const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count, struct bytes *report)
{
    struct admin admin;
    char error[ERROR_MAX];
    if (!admin_open(&admin, kafka, NULL, error, sizeof error)) {
        bytes_printf(report, "%s\n", error);
        return OUTCOME_STOP;
    }
    enum outcome outcome = look_at(&admin, kafka, topics, count, false, report);
    admin_close(&admin);
    return outcome;
}

enum outcome admin_ensure_topics(const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count, const atomic_bool *stop,
                                 struct bytes *report)
{
    struct admin admin;
    char error[ERROR_MAX];
    if (!admin_open(&admin, kafka, stop, error, sizeof error)) {
        bytes_printf(report, "%s\n", error);
        return OUTCOME_STOP;
    }
    enum outcome outcome = create_missing(&admin, kafka, topics, count, report);
    if (outcome == OUTCOME_OK)
        outcome = look_at(&admin, kafka, topics, count, true, report);
    admin_close(&admin);
    return outcome;
}
