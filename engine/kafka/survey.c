#include "engine/kafka/survey.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/view.h"
#include "engine/kafka/membership.h"

#include <string.h>

enum { SETTLES_WITHIN_US = 5000000, SPREAD_US = 5000000, AGAIN_US = 5000000, DOUBLED_MOST = 6, ASK_MS = 1000 };

/* --- what a member was given */

struct reader {
    const unsigned char *data;
    int left;
};

static int32_t number(struct reader *reader, int size)
{
    if (reader->left < size) {
        reader->left = 0;
        return 0;
    }
    uint32_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | reader->data[i];
    reader->data += size;
    reader->left -= size;
    return (int32_t)value;
}

static struct view bytes(struct reader *reader, int size)
{
    if (size < 0 || reader->left < size)
        size = reader->left = 0;
    struct view found = view_of(reader->data, (size_t)size);
    reader->data += size;
    reader->left -= size;
    return found;
}

int survey_count_assigned(const void *assignment, int size, const char *topic)
{
    struct reader reader = {assignment, size};
    int assigned = 0;
    number(&reader, 2); /* the version, of which each begins like this */
    for (int32_t topics = number(&reader, 4); topics > 0 && reader.left > 0; topics--) {
        struct view name = bytes(&reader, number(&reader, 2));
        int32_t count = number(&reader, 4);
        if (count < 0 || count > reader.left / 4)
            return 0;
        bytes(&reader, count * 4);
        assigned += view_equal_text(name, topic) ? count : 0;
    }
    return assigned;
}

/* --- asking */

static int count_partitions(const struct survey_subject *subject)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(subject->consumer, subject->topic, NULL);
    int count = 0;
    if (rd_kafka_metadata(subject->consumer, 0, topic, &metadata, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = metadata->topic_cnt ? metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    return count;
}

/* −1: not to be known now; a rebalance is under way, or no answer. */
static int count_unassigned(const struct survey_subject *subject)
{
    const struct rd_kafka_group_list *list = NULL;
    int partitions = count_partitions(subject), assigned = -1;
    if (partitions == 0 || rd_kafka_list_groups(subject->consumer, subject->group, &list, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    if (list->group_cnt == 1 && list->groups[0].err == RD_KAFKA_RESP_ERR_NO_ERROR && strcmp(list->groups[0].state, "Stable") == 0) {
        assigned = 0;
        for (int i = 0; i < list->groups[0].member_cnt; i++)
            assigned += survey_count_assigned(list->groups[0].members[i].member_assignment,
                                              list->groups[0].members[i].member_assignment_size, subject->topic);
    }
    rd_kafka_group_list_destroy(list);
    return assigned < 0 ? -1 : assigned < partitions ? partitions - assigned : 0;
}

/* --- mending */

void survey_subscribe(rd_kafka_t *consumer, const char *topic)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
}

/* Members look at different times, so that one of them leaves, and the others see it mended. */
void survey_plan(struct survey *survey)
{
    int64_t now_us = clock_monotonic_us();
    survey->due_at_us = now_us + ((SETTLES_WITHIN_US + now_us * 7919 % SPREAD_US) << survey->tries);
    survey->was_short = false;
}

static void look(struct survey *survey, const struct survey_subject *subject, int64_t now_us)
{
    int unassigned = count_unassigned(subject);
    if (unassigned > 0 && survey->was_short) {
        log_warning("partitions are nobody's since the last rebalance, leaving the group and joining it again so that they are given out",
                    "worker", subject->worker, "group", subject->group, "topic", subject->topic, "partitions", LOG_NUMBER(unassigned), NULL);
        survey->is_leaving = true;
        survey->tries += survey->tries < DOUBLED_MOST;
        rd_kafka_unsubscribe(subject->consumer);
    }
    if (unassigned == 0)
        survey->tries = 0;
    survey->was_short = unassigned > 0;
    survey->due_at_us = unassigned == 0 || survey->is_leaving ? 0 : now_us + AGAIN_US;
}

void survey_go_on(struct survey *survey, const struct survey_subject *subject)
{
    int64_t now_us = clock_monotonic_us();
    if (survey->is_leaving && !membership_holds_any(subject->consumer)) {
        survey->is_leaving = false;
        survey_subscribe(subject->consumer, subject->topic);
    } else if (survey->due_at_us && now_us >= survey->due_at_us && !survey->is_leaving) {
        look(survey, subject, now_us);
    }
}
