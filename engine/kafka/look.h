/* A look at a cluster, past librdkafka: its brokers, the partitions that a worker writes to, and which of them hold records of a
 * transaction without its end. For settle.c. */
#ifndef TS_ENGINE_KAFKA_LOOK_H
#define TS_ENGINE_KAFKA_LOOK_H

#include "engine/kafka/kafka_broker.h"
#include "engine/kafka/protocol.h"

enum { LOOK_NODES_MAX = 64, LOOK_TOPICS_MAX = OUTBOX_TOPICS_MAX + 2 };

struct node {
    int32_t id;
    char host[256], port[8];
    struct protocol link;
    bool is_connected;
};

struct place {
    size_t topic; /* in names */
    int32_t partition, leader;
};

/* A transaction's records in one partition, without their end. */
struct open_place {
    size_t topic;
    int32_t partition, leader;
    int64_t producer, start_offset;
    int16_t epoch;             /* the producer's */
    int32_t coordinator_epoch; /* of the last marker; −1: none yet */
};

struct open_list {
    struct open_place *places; /* free() */
    size_t count;
};

struct look {
    const struct kafka_broker *self;
    char names[LOOK_TOPICS_MAX][300];
    size_t name_count; /* the last one: the groups' offsets */
    struct node nodes[LOOK_NODES_MAX];
    size_t node_count;
    struct place *places;
    size_t place_count;
    bool is_incomplete; /* some partition has no leader, or its leader did not answer */
};

/* false: no broker answers. look_finish in any case. One that goes on after a standstill counts as dead until the controller has heard
 * of it; it answers, and there are no nodes. */
bool look_begin(struct look *look, const struct kafka_broker *self);
void look_finish(struct look *look);

struct protocol *look_link(const struct look *look, struct node *node); /* connects when needed; perhaps broken */
struct node *look_node(struct look *look, int32_t id); /* NULL: none of that number */
struct open_list look_for_open(struct look *look);
void open_list_add(struct open_list *list, struct open_place place);

#endif
