#include "engine/kafka/kafka_broker.h"

#include "base/memory.h"
#include "engine/farewell.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FAREWELL_MS = 15000 };

static int32_t partition_count(struct broker *broker, int topic)
{
    return ((struct kafka_broker *)broker)->producer.partition_counts[topic + 1];
}

static enum outcome tick(struct broker *broker, int32_t partition, int64_t timestamp_ms)
{
    struct kafka_broker *self = (struct kafka_broker *)broker;
    if (self->shared.ticks == NULL)
        return OUTCOME_RETRY;
    struct view nothing = {NULL, 0};
    return publisher_send(self->shared.ticks, self->consumer.topic, partition, nothing, nothing, timestamp_ms, NULL);
}

static enum outcome origin_ids(struct broker *broker, bool is_fresh, struct broker_ids *ids)
{
    struct kafka_broker *self = (struct kafka_broker *)broker;
    if (is_fresh)
        return identity_ask(self->shared.identity, &self->consumer.id_ticket, ids);
    identity_read(self->shared.identity, ids);
    return OUTCOME_OK;
}

static bool is_input_gone(struct broker *broker)
{
    return atomic_load(&((struct kafka_broker *)broker)->consumer.link.is_topic_gone);
}

static void close_broker(struct broker *broker)
{
    struct kafka_broker *self = (struct kafka_broker *)broker;
    kafka_consumer_close(&self->consumer);
    kafka_reader_close(&self->reader);
    kafka_producer_close(&self->producer);
    if (self->consumer.handle == NULL && !self->reader.is_abandoned) /* else its threads still look at us */
        free(self);
}

static const struct broker_port kafka_port = {
    .poll = kafka_consumer_poll,
    .committed = kafka_consumer_committed,
    .assign = kafka_consumer_assign,
    .resume = kafka_consumer_resume,
    .unassign = kafka_consumer_unassign,
    .begin_offset = kafka_consumer_begin_offset,
    .end_offset = kafka_consumer_end_offset,
    .input_partitions = kafka_consumer_input_partitions,
    .origin_ids = origin_ids,
    .is_input_gone = is_input_gone,
    .is_output_gone = kafka_producer_is_topic_gone,
    .begin = kafka_producer_begin,
    .produce = kafka_producer_produce,
    .send_offsets = kafka_producer_send_offsets,
    .commit = kafka_producer_commit,
    .abort = kafka_producer_abort,
    .tick = tick,
    .reader_add = kafka_reader_add,
    .reader_remove = kafka_reader_remove,
    .reader_poll = kafka_reader_poll,
    .partition_count = partition_count,
    .close = close_broker,
};

/* Names are stable across restarts when instance_id is: the same transactional id fences what the former process left open at
 * once, and the same member id gets the same partitions back without a rebalance. */
static void name_parts(struct kafka_broker *self, int thread)
{
    const char *prefix = self->config->kafka->topic_prefix ? self->config->kafka->topic_prefix : "";
    const char *role = self->config->processor->name;
    const char *instance = self->config->settings.instance_id;
    char own[64];
    if (instance == NULL || *instance == '\0') {
        char host[32] = "";
        gethostname(host, sizeof host - 1);
        snprintf(own, sizeof own, "%s-%ld", host, (long)getpid());
        instance = own;
    }
    snprintf(self->consumer.topic, sizeof self->consumer.topic, "%s%s", prefix, self->config->processor->input);
    snprintf(self->consumer.group, sizeof self->consumer.group, "%s%s", prefix, role);
    snprintf(self->reader.topic, sizeof self->reader.topic, "%s%s", prefix, self->config->processor->checkpoint);
    snprintf(self->producer.id, sizeof self->producer.id, "%s%s.%s.%d", prefix, role, instance, thread);
    snprintf(self->consumer.name, sizeof self->consumer.name, "%s-%d", role, thread);
    snprintf(self->producer.name, sizeof self->producer.name, "%s-%d", role, thread);
    snprintf(self->reader.name, sizeof self->reader.name, "%s-%d", role, thread);
}

struct broker *kafka_broker_open(const struct runner_config *config, int thread, const struct kafka_shared *shared, struct rivalry *rivalry,
                                 atomic_bool *stop, bool *is_hopeless)
{
    struct kafka_broker *self = memory_zeroed(1, sizeof *self);
    *self = (struct kafka_broker){.broker = {&kafka_port}, .config = config, .shared = *shared};
    self->producer.rivalry = rivalry;
    name_parts(self, thread);
    /* The producer first: when we join the group, nothing of a former life may still be open. */
    if (kafka_producer_open(self, thread, stop, is_hopeless) && kafka_consumer_open(self, thread))
        return &self->broker;
    farewell(broker_close, self, NULL, NULL, FAREWELL_MS);
    return NULL;
}
