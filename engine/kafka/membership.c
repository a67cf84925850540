#include "engine/kafka/membership.h"

#include <stdlib.h>
#include <string.h>

void membership_join(rd_kafka_t *consumer, const char *topic)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
}

static void forget(struct membership *membership)
{
    if (membership->told)
        rd_kafka_consumer_group_metadata_destroy(membership->told);
    if (membership->member)
        rd_kafka_mem_free(NULL, membership->member);
    membership->told = NULL;
    membership->member = NULL;
}

bool membership_holds_any(rd_kafka_t *consumer)
{
    rd_kafka_topic_partition_list_t *held = NULL;
    if (rd_kafka_assignment(consumer, &held) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return true; /* not to be known */
    bool is_any = held->cnt > 0;
    rd_kafka_topic_partition_list_destroy(held);
    return is_any;
}

/* One and the same member all the while: only then nobody else was given what it holds. */
static bool is_same_member(const char *one, const char *other)
{
    return one && other && *one && strcmp(one, other) == 0;
}

void membership_told(struct membership *membership, rd_kafka_t *consumer, bool is_lost)
{
    char *member = is_lost ? NULL : rd_kafka_memberid(consumer);
    if (!is_lost && membership->told && !is_same_member(member, membership->member) && membership_holds_any(consumer))
        membership->is_replaced = true;
    forget(membership);
    if (is_lost)
        return;
    membership->told = rd_kafka_consumer_group_metadata(consumer);
    membership->member = member;
}

/* librdkafka has no way to look into it but its written form, the same for the same place. */
static bool is_same_place(const rd_kafka_consumer_group_metadata_t *one, const rd_kafka_consumer_group_metadata_t *other)
{
    void *written[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    rd_kafka_error_t *errors[2] = {rd_kafka_consumer_group_metadata_write(one, &written[0], &sizes[0]),
                                   rd_kafka_consumer_group_metadata_write(other, &written[1], &sizes[1])};
    bool is_same = !errors[0] && !errors[1] && sizes[0] == sizes[1] && memcmp(written[0], written[1], sizes[0]) == 0;
    for (int i = 0; i < 2; i++) {
        if (errors[i])
            rd_kafka_error_destroy(errors[i]);
        rd_kafka_mem_free(NULL, written[i]);
    }
    return is_same;
}

enum outcome membership_check(const struct membership *membership, rd_kafka_t *consumer, bool is_owed)
{
    if (membership->is_replaced)
        return OUTCOME_STOP;
    if (membership->told == NULL)
        return OUTCOME_RETRY; /* lost, and about to be heard of */
    rd_kafka_consumer_group_metadata_t *present = rd_kafka_consumer_group_metadata(consumer);
    bool is_same = present && is_same_place(membership->told, present);
    if (present)
        rd_kafka_consumer_group_metadata_destroy(present);
    return is_same ? OUTCOME_OK : is_owed ? OUTCOME_STOP : OUTCOME_RETRY;
}

void membership_finish(struct membership *membership)
{
    forget(membership);
}
