/* The publisher over librdkafka: an idempotent producer, and one thread that hands out the delivery reports.
 *
 * «Never spinning»: the thread sleeps in rd_kafka_poll until a report, an error or POLL_MS comes. A full queue is answered
 * with RETRY at once, because only the caller knows whom to tell (the collector says 503, import waits). */
#include "engine/publisher.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/thread.h"
#include "engine/kafka/link.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { POLL_MS = 100, LAST_REPORTS_MS = 1000, REOPEN_PAUSE_MS = 1000 };

struct publisher {
    struct kafka_link link;
    const struct kafka_settings *kafka;
    struct publisher_settings settings; /* gaps filled */
    publisher_done done;
    pthread_t thread;
    atomic_bool is_ending;
    pthread_rwlock_t lock; /* of what follows; to write is to replace both */
    rd_kafka_t *handle; /* NULL: a new one is on its way */
    struct map topics; /* name -> rd_kafka_topic_t */
    pthread_mutex_t topics_lock; /* to add one, with `lock` held for reading */
};

/* Of what nobody waits for. That a topic is not there says its consumer. */
static void tell_of_loss(const struct publisher *publisher, const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);
    if (atomic_load(&publisher->is_ending) || kafka_is_topic_missing(message->err) || !log_seldom(rd_kafka_err2name(message->err), topic))
        return;
    log_warning("a tick or a note did not reach kafka", "error", kafka_error_text(message->err), "topic", topic, NULL);
}

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    (void)handle;
    struct publisher *publisher = (struct publisher *)(void *)opaque; /* the link is its first member */
    bool is_acknowledged = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (publisher->done)
        publisher->done(message->_private, is_acknowledged, is_acknowledged ? NULL : kafka_error_text(message->err));
    else if (!is_acknowledged)
        tell_of_loss(publisher, message);
}

/* Java's clients hash with murmur2, and so must we, or one customer would be in two partitions. */
static int32_t partition_by_key(const rd_kafka_topic_t *topic, const void *key, size_t key_size, int32_t partition_count,
                                void *topic_opaque, void *message_opaque)
{
    (void)topic, (void)topic_opaque, (void)message_opaque;
    return hash_kafka_partition(view_of(key, key_size), partition_count);
}

static int or_standard(int value, int standard)
{
    return value > 0 ? value : standard;
}

static rd_kafka_t *handle_open(struct publisher *publisher, char *error, size_t error_size)
{
    const struct publisher_settings *settings = &publisher->settings;
    rd_kafka_conf_t *conf = kafka_conf_create(publisher->kafka, &publisher->link, "publisher");
    kafka_conf_set(conf, "enable.idempotence", "true"); /* implies acks=all and order */
    kafka_conf_set(conf, "compression.codec", settings->compression);
    kafka_conf_set_number(conf, "linger.ms", settings->linger_ms);
    kafka_conf_set_number(conf, "queue.buffering.max.messages", settings->queue_messages_max);
    kafka_conf_set_number(conf, "delivery.timeout.ms", settings->delivery_timeout_ms);
    kafka_conf_set_number(conf, "message.max.bytes", 2 * 1024 * 1024);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    return kafka_handle_create(RD_KAFKA_PRODUCER, conf, error, error_size);
}

static void destroy_topic(void *topic)
{
    rd_kafka_topic_destroy(topic);
}

/* What has not been delivered by now fails, so that every context hears of its end exactly once. */
static void tell_the_rest(struct publisher *publisher)
{
    rd_kafka_purge(publisher->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(publisher->handle, LAST_REPORTS_MS);
}

static void pause_unless_ending(const struct publisher *publisher)
{
    for (int left_ms = REOPEN_PAUSE_MS; left_ms > 0 && !atomic_load(&publisher->is_ending); left_ms -= POLL_MS)
        nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
}

/* An idempotent producer may be finished for good by a broker's death («sequence desynchronization», librdkafka before 2.3), and
 * with it the collector, or the ticks and so the time of silent partitions. Who was told of a failure sends again, to the new
 * handle. Without the lock while none is to be had: who wants to send, or to end, is not kept waiting. */
static void reopen(struct publisher *publisher)
{
    char error[512];
    tell_the_rest(publisher);
    pthread_rwlock_wrlock(&publisher->lock);
    map_finish(&publisher->topics, destroy_topic);
    publisher->topics = (struct map){0};
    rd_kafka_destroy(publisher->handle);
    publisher->handle = NULL;
    pthread_rwlock_unlock(&publisher->lock);
    rd_kafka_t *fresh;
    while ((fresh = handle_open(publisher, error, sizeof error)) == NULL && !atomic_load(&publisher->is_ending)) {
        if (log_seldom("cannot publish", error))
            log_error("cannot publish", "error", error, NULL);
        pause_unless_ending(publisher);
    }
    pthread_rwlock_wrlock(&publisher->lock);
    publisher->handle = fresh;
    pthread_rwlock_unlock(&publisher->lock);
    if (fresh)
        log_info("publishing again, with a new handle", NULL);
}

static void *poll_reports(void *argument)
{
    struct publisher *publisher = argument;
    while (!atomic_load(&publisher->is_ending)) { /* who replaces the handle, too */
        rd_kafka_poll(publisher->handle, POLL_MS);
        kafka_link_check(&publisher->link, publisher->handle);
        if (atomic_load(&publisher->link.is_fatal) && !atomic_load(&publisher->is_ending))
            reopen(publisher);
    }
    return NULL;
}

struct publisher *publisher_create(const struct kafka_settings *kafka, const struct publisher_settings *settings,
                                   publisher_done done, char *error, size_t error_size)
{
    struct publisher *publisher = memory_zeroed(1, sizeof *publisher);
    publisher->kafka = kafka;
    publisher->done = done;
    publisher->settings = (struct publisher_settings){
        .linger_ms = or_standard(settings->linger_ms, 5),
        .queue_messages_max = or_standard(settings->queue_messages_max, 200000),
        .compression = settings->compression ? settings->compression : "lz4",
        .delivery_timeout_ms = or_standard(settings->delivery_timeout_ms, 30000),
    };
    publisher->settings.farewell_ms = or_standard(settings->farewell_ms, publisher->settings.delivery_timeout_ms);
    publisher->handle = handle_open(publisher, error, error_size);
    if (publisher->handle == NULL) {
        free(publisher);
        return NULL;
    }
    pthread_rwlock_init(&publisher->lock, NULL);
    pthread_mutex_init(&publisher->topics_lock, NULL);
    thread_start(&publisher->thread, poll_reports, publisher);
    return publisher;
}

void publisher_destroy(struct publisher *publisher)
{
    if (publisher == NULL)
        return;
    publisher_flush(publisher, publisher->settings.farewell_ms);
    atomic_store(&publisher->is_ending, true);
    pthread_join(publisher->thread, NULL);
    if (publisher->handle) {
        tell_the_rest(publisher);
        map_finish(&publisher->topics, destroy_topic);
        rd_kafka_destroy(publisher->handle);
    }
    pthread_rwlock_destroy(&publisher->lock);
    pthread_mutex_destroy(&publisher->topics_lock);
    free(publisher);
}

/* With `lock` held for reading. */
static rd_kafka_topic_t *topic_open(struct publisher *publisher, const char *name)
{
    pthread_mutex_lock(&publisher->topics_lock);
    void **place = map_place(&publisher->topics, view_of_text(name));
    if (*place == NULL) {
        rd_kafka_topic_conf_t *conf = rd_kafka_topic_conf_new();
        rd_kafka_topic_conf_set_partitioner_cb(conf, partition_by_key);
        *place = rd_kafka_topic_new(publisher->handle, name, conf);
    }
    rd_kafka_topic_t *topic = *place;
    pthread_mutex_unlock(&publisher->topics_lock);
    return topic;
}

/* With `lock` held for reading. */
static rd_kafka_resp_err_t produce(struct publisher *publisher, const char *topic, int32_t partition, struct view key,
                                   struct view value, int64_t timestamp_ms, void *message_context)
{
    if (publisher->handle == NULL || atomic_load_explicit(&publisher->link.is_fatal, memory_order_relaxed))
        return RD_KAFKA_RESP_ERR__FATAL;
    rd_kafka_topic_t *handle = topic_open(publisher, topic);
    if (handle == NULL)
        return RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    return rd_kafka_producev(
        publisher->handle, RD_KAFKA_V_RKT(handle), RD_KAFKA_V_PARTITION(partition < 0 ? RD_KAFKA_PARTITION_UA : partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data, key.size),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.size), RD_KAFKA_V_TIMESTAMP(timestamp_ms),
        RD_KAFKA_V_OPAQUE(message_context), RD_KAFKA_V_END);
}

enum outcome publisher_send(struct publisher *publisher, const char *topic, int32_t partition, struct view key,
                            struct view value, int64_t timestamp_ms, void *message_context)
{
    pthread_rwlock_rdlock(&publisher->lock);
    rd_kafka_resp_err_t code = produce(publisher, topic, partition, key, value, timestamp_ms, message_context);
    pthread_rwlock_unlock(&publisher->lock);
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return OUTCOME_OK;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR__FATAL: /* a new handle is on its way */
        return OUTCOME_RETRY;
    default:
        if (kafka_is_topic_missing(code))
            kafka_tell_topic_gone(&publisher->link, topic);
        else if (log_seldom(rd_kafka_err2name(code), topic))
            log_error("cannot publish", "topic", topic, "code", rd_kafka_err2name(code), NULL);
        return OUTCOME_STOP;
    }
}

enum outcome publisher_flush(struct publisher *publisher, int timeout_ms)
{
    pthread_rwlock_rdlock(&publisher->lock);
    rd_kafka_resp_err_t code = publisher->handle ? rd_kafka_flush(publisher->handle, timeout_ms) : RD_KAFKA_RESP_ERR__FATAL;
    pthread_rwlock_unlock(&publisher->lock);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? OUTCOME_OK : OUTCOME_RETRY;
}

bool publisher_is_connected(struct publisher *publisher)
{
    pthread_rwlock_rdlock(&publisher->lock);
    bool has_handle = publisher->handle != NULL;
    pthread_rwlock_unlock(&publisher->lock);
    return has_handle && !atomic_load(&publisher->link.is_away) && !atomic_load(&publisher->link.is_fatal);
}
