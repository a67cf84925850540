/* The port of broker.h over librdkafka: three handles to a worker. A consumer in the group, a transactional producer, and,
 * while partitions are being recovered, a reader of the checkpoint topic. */
#ifndef TS_ENGINE_KAFKA_BROKER_H
#define TS_ENGINE_KAFKA_BROKER_H

#include "engine/broker.h"
#include "engine/kafka/identity.h"
#include "engine/kafka/link.h"
#include "engine/kafka/membership.h"
#include "engine/kafka/rivalry.h"
#include "engine/kafka/survey.h"
#include "engine/outgoing.h"
#include "engine/publisher.h"
#include "engine/runner.h"

enum { POLL_RECORDS_MAX = 8192 };

#define KAFKA_DIED_AT_HEADER "touchstream-died-at" /* on tombstones of a checkpoint topic: an input offset, as text */
#define KAFKA_NOTE_HEADER "touchstream-note"       /* on some of them: processor.key_note, likewise */

/* Messages borrowed from librdkafka for one poll, and what they become. */
struct kafka_inbox {
    rd_kafka_message_t **messages;
    size_t held;                 /* messages to be given back at the next poll */
    size_t stashed;              /* of those the last ones, not handed out yet */
    struct record *records;
    struct broker_place *ends;
};

struct kafka_consumer {
    struct kafka_link link;
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    char topic[300], group[300], name[64];
    struct kafka_inbox inbox;
    struct membership membership;
    struct survey survey;
    enum broker_event event; /* noted by the callback, not handed out yet */
    enum broker_event owed;  /* handed out or not, librdkafka waits for our answer to it */
    bool had_event;          /* in its life */
    int unsteady_looks;      /* in a row, at which librdkafka said that it is not in the group */
    int32_t *event_partitions;
    size_t event_count;
    int64_t settle_at_us;         /* when to look for what dead processes left open; 0: no need */
    int64_t knock_at_us;          /* not before; see knock_when_low */
    int64_t unknown_since_us;     /* committed offsets were not to be had; 0: they were */
    int64_t id_ticket;            /* see identity_ask */
};

struct kafka_producer {
    struct kafka_link link;
    rd_kafka_t *handle;
    char id[300], name[64];
    struct rivalry *rivalry; /* the worker's, longer than this handle */
    rd_kafka_topic_t *topics[OUTBOX_TOPICS_MAX + 1]; /* [0]: the checkpoint topic */
    int32_t partition_counts[OUTBOX_TOPICS_MAX + 1];
    bool is_failing;          /* said so already */
    bool is_unsettled;        /* settle.c can do nothing here */
    bool is_looked_at;        /* the last transaction has been looked at, and has ended everywhere */
    int64_t settle_at_us;     /* not before; see doubt_clear */
    struct look *look;        /* settle.c's, kept from one transaction to the next; NULL: none */
    struct node *coordinator; /* in it; NULL: not known */
};

struct kafka_reader {
    struct kafka_link link;
    rd_kafka_t *handle; /* NULL: nothing to recover */
    rd_kafka_queue_t *queue;
    char topic[300], name[64];
    struct kafka_inbox inbox;
    struct broker_place *places; /* being read, and from where a new assignment would go on */
    size_t place_count;
    bool is_changed;             /* places, since the last assign */
    int64_t moved_at_us;         /* when Kafka last said anything */
    bool is_abandoned;           /* its handle could not be destroyed */
    int64_t hidden_since_us;     /* an open transaction hides records; 0: none that we know of */
};

/* What the workers of a runner have in common. Outlives them. */
struct kafka_shared {
    struct publisher *ticks;   /* NULL: no ticks */
    struct identity *identity; /* of the input and the checkpoint topic */
};

struct kafka_broker {
    struct broker broker; /* first */
    const struct runner_config *config;
    struct kafka_shared shared;
    struct kafka_consumer consumer;
    struct kafka_producer producer;
    struct kafka_reader reader;
};

/* Connects, fences what a former process of the same transactional id left behind, joins the group. Waits for Kafka as long as
 * *stop is false; `rivalry` outlives the broker. NULL: stopped, or a setting is wrong (*is_hopeless, logged). */
struct broker *kafka_broker_open(const struct runner_config *config, int thread, const struct kafka_shared *shared, struct rivalry *rivalry,
                                 atomic_bool *stop, bool *is_hopeless);

/* The parts, each in its own file. */
bool kafka_consumer_open(struct kafka_broker *self, int thread);
void kafka_consumer_close(struct kafka_consumer *consumer);
enum outcome kafka_consumer_poll(struct broker *broker, size_t records_max, int wait_ms, bool gathers,
                                 struct broker_batch *batch);
enum outcome kafka_consumer_committed(struct broker *broker, struct broker_commit *commits, size_t count);
enum outcome kafka_consumer_assign(struct broker *broker, const struct broker_place *places, size_t count);
enum outcome kafka_consumer_resume(struct broker *broker, int32_t partition, int64_t offset);
enum outcome kafka_consumer_unassign(struct broker *broker, const int32_t *partitions, size_t count);
int64_t kafka_consumer_begin_offset(struct broker *broker, int32_t partition);
int64_t kafka_consumer_end_offset(struct broker *broker, int32_t partition);
int32_t kafka_consumer_input_partitions(struct broker *broker);

bool kafka_producer_open(struct kafka_broker *self, int thread, atomic_bool *stop, bool *is_hopeless);
void kafka_producer_close(struct kafka_producer *producer);
bool kafka_producer_is_topic_gone(struct broker *broker);
enum outcome kafka_producer_begin(struct broker *broker);
enum outcome kafka_producer_produce(struct broker *broker, const struct broker_message *messages, size_t count, size_t *taken);
enum outcome kafka_producer_send_offsets(struct broker *broker, const struct broker_commit *commits, size_t count);
enum outcome kafka_producer_commit(struct broker *broker);
enum outcome kafka_producer_abort(struct broker *broker);

void kafka_reader_close(struct kafka_reader *reader);
void kafka_reader_close_when_through(struct kafka_reader *reader);
enum outcome kafka_reader_add(struct broker *broker, int32_t partition);
void kafka_reader_remove(struct broker *broker, int32_t partition);
enum outcome kafka_reader_poll(struct broker *broker, size_t records_max, int wait_ms, struct broker_batch *batch);

/* inbox.c */
void kafka_inbox_init(struct kafka_inbox *inbox);
void kafka_inbox_finish(struct kafka_inbox *inbox);
void kafka_inbox_give_back(struct kafka_inbox *inbox); /* all but the stashed */
/* Everything held and not yet sorted becomes records and ends of the batch. */
void kafka_inbox_sort(struct kafka_inbox *inbox, struct kafka_link *link, struct view topic, struct broker_batch *batch);

#endif
