#include "engine/admin.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/kafka/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 10000 };
#define TOMBSTONES_KEPT_MS "2592000000" /* 30 days */

struct admin {
    struct kafka_link link;
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
};

static bool admin_open(struct admin *admin, const struct kafka_settings *kafka, char *error, size_t error_size)
{
    rd_kafka_conf_t *conf = kafka_conf_create(kafka, &admin->link, "admin");
    rd_kafka_conf_set_error_cb(conf, NULL); /* the caller is told by return value */
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

static const struct rd_kafka_metadata *metadata_ask(struct admin *admin, const char *topic, int timeout_ms, char *error,
                                                    size_t error_size)
{
    rd_kafka_topic_t *only = topic ? rd_kafka_topic_new(admin->handle, topic, NULL) : NULL;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(admin->handle, 0, only, &metadata, timeout_ms);
    if (only)
        rd_kafka_topic_destroy(only);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return metadata;
    snprintf(error, error_size, "Kafka at %s does not answer: %s", admin->link.brokers, rd_kafka_err2str(code));
    return NULL;
}

enum outcome admin_ping(const struct kafka_settings *kafka, int timeout_ms, char *error, size_t error_size)
{
    struct admin admin;
    if (!admin_open(&admin, kafka, error, error_size))
        return OUTCOME_STOP;
    const struct rd_kafka_metadata *metadata = metadata_ask(&admin, NULL, timeout_ms, error, error_size);
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    admin_close(&admin);
    return metadata ? OUTCOME_OK : OUTCOME_RETRY;
}

int32_t admin_partition_count(const struct kafka_settings *kafka, const char *topic)
{
    struct admin admin;
    char error[256];
    if (!admin_open(&admin, kafka, error, sizeof error))
        return -2;
    const struct rd_kafka_metadata *metadata = metadata_ask(&admin, topic, WAIT_MS, error, sizeof error);
    int32_t count = metadata == NULL ? -2 : -1;
    if (metadata) {
        if (metadata->topic_cnt > 0 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR)
            count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    admin_close(&admin);
    return count;
}

/* --- admin_ensure_topics */

static void full_name(const struct kafka_settings *kafka, const char *name, char *out, size_t out_size)
{
    snprintf(out, out_size, "%s%s", kafka->topic_prefix ? kafka->topic_prefix : "", name);
}

static rd_kafka_NewTopic_t *new_topic_of(const struct topic_wanted *wanted, const char *name)
{
    char error[256];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, wanted->partitions, wanted->replication, error, sizeof error);
    if (topic == NULL) {
        log_error("topic cannot be described", "topic", name, "error", error, NULL);
        abort();
    }
    char retention[32];
    snprintf(retention, sizeof retention, "%" PRId64, wanted->retention_ms);
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", wanted->is_compacted ? "compact" : "delete");
    if (wanted->is_compacted) /* tombstones must outlive the longest downtime (engine/checkpoint.h) */
        rd_kafka_NewTopic_set_config(topic, "delete.retention.ms", TOMBSTONES_KEPT_MS);
    else
        rd_kafka_NewTopic_set_config(topic, "retention.ms", retention);
    if (wanted->is_dated_on_arrival)
        rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", "LogAppendTime");
    rd_kafka_NewTopic_set_config(topic, "max.message.bytes", "2097152");
    return topic;
}

/* One line for each topic that could not be made; a topic that exists already is no news. */
static bool report_created(const rd_kafka_CreateTopics_result_t *result, struct bytes *report)
{
    size_t count = 0;
    bool is_good = true;
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        is_good = false;
        const char *text = rd_kafka_topic_result_error_string(topics[i]);
        bytes_printf(report, "%s: cannot be created: %s\n", rd_kafka_topic_result_name(topics[i]),
                     text ? text : rd_kafka_err2str(code));
    }
    return is_good;
}

static enum outcome create_missing(struct admin *admin, const struct kafka_settings *kafka, const struct topic_wanted *topics,
                                   size_t count, struct bytes *report)
{
    rd_kafka_NewTopic_t **wanted = memory_zeroed(count, sizeof *wanted);
    char name[512];
    for (size_t i = 0; i < count; i++) {
        full_name(kafka, topics[i].name, name, sizeof name);
        wanted[i] = new_topic_of(&topics[i], name);
    }
    rd_kafka_CreateTopics(admin->handle, wanted, count, NULL, admin->queue);
    rd_kafka_NewTopic_destroy_array(wanted, count);
    free(wanted);

    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->queue, 6 * WAIT_MS);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bytes_printf(report, "Kafka at %s does not answer: %s\n", admin->link.brokers,
                     event ? rd_kafka_event_error_string(event) : "no answer in time");
        if (event)
            rd_kafka_event_destroy(event);
        return OUTCOME_RETRY;
    }
    bool is_good = report_created(rd_kafka_event_CreateTopics_result(event), report);
    rd_kafka_event_destroy(event);
    return is_good ? OUTCOME_OK : OUTCOME_STOP;
}

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

static void check_cleanup(struct admin *admin, const char *name, bool is_compacted, struct bytes *report)
{
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_DescribeConfigs(admin->handle, &resource, 1, NULL, admin->queue);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->queue, 6 * WAIT_MS);
    if (event == NULL)
        return;
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    size_t count = 0;
    const rd_kafka_ConfigResource_t **found = result ? rd_kafka_DescribeConfigs_result_resources(result, &count) : NULL;
    const char *policy = count ? config_value(found[0], "cleanup.policy") : NULL;
    const char *wanted = is_compacted ? "compact" : "delete";
    if (policy && strcmp(policy, wanted) != 0)
        bytes_printf(report, "%s: cleanup.policy is %s, wanted %s\n", name, policy, wanted);
    rd_kafka_event_destroy(event);
}

static void check_topic(struct admin *admin, const struct topic_wanted *wanted, const char *name, struct bytes *report)
{
    char error[256];
    const struct rd_kafka_metadata *metadata = metadata_ask(admin, name, WAIT_MS, error, sizeof error);
    if (metadata == NULL) {
        bytes_printf(report, "%s: %s\n", name, error);
        return;
    }
    int32_t count = metadata->topic_cnt ? metadata->topics[0].partition_cnt : 0;
    bool is_fine = count == wanted->partitions || (wanted->is_any_more_fine && count > wanted->partitions);
    if (count > 0 && !is_fine)
        bytes_printf(report, "%s: has %d partitions, wanted %d\n", name, count, wanted->partitions);
    rd_kafka_metadata_destroy(metadata);
    check_cleanup(admin, name, wanted->is_compacted, report);
}

enum outcome admin_ensure_topics(const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count,
                                 char *report, size_t report_size)
{
    struct admin admin;
    report[0] = '\0';
    if (!admin_open(&admin, kafka, report, report_size))
        return OUTCOME_STOP;
    struct bytes lines = {0};
    enum outcome outcome = create_missing(&admin, kafka, topics, count, &lines);
    for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++) {
        char name[512];
        full_name(kafka, topics[i].name, name, sizeof name);
        check_topic(&admin, &topics[i], name, &lines);
    }
    snprintf(report, report_size, "%s", bytes_text(&lines));
    bytes_finish(&lines);
    admin_close(&admin);
    return outcome;
}
