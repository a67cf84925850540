#include "engine/kafka/survey.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/kafka/link.h"
#include "engine/kafka/membership.h"
#include "engine/kafka/protocol.h"

#include <string.h>

enum { SETTLES_WITHIN_US = 5000000, SPREAD_US = 5000000, AGAIN_US = 5000000, DOUBLED_MOST = 6, ASK_MS = 1000 };

int survey_count_assigned(const void *assignment, int size, const char *topic)
{
    struct protocol given = {.channel.socket = -1};
    size_t assigned = 0;
    bytes_append(&given.in, assignment, (size_t)size);
    protocol_get_int16(&given); /* the version, of which each begins like this */
    for (size_t topics = protocol_get_count(&given); topics && !given.is_broken; topics--) {
        bool is_it = view_equal_text(protocol_get_text(&given), topic);
        size_t count = protocol_get_count(&given);
        assigned += is_it ? count : 0;
        for (size_t left = count; left && !given.is_broken; left--)
            protocol_get_int32(&given);
    }
    if (given.is_broken)
        assigned = 0;
    protocol_close(&given);
    return (int)assigned;
}

/* −1: not to be known now; a rebalance is under way, or no answer. */
static int count_unassigned(const struct survey_subject *subject)
{
    const struct rd_kafka_group_list *list = NULL;
    int32_t partitions, assigned = -1;
    if (kafka_partition_count(subject->consumer, subject->topic, ASK_MS, &partitions) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_list_groups(subject->consumer, subject->group, &list, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
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
        membership_join(subject->consumer, subject->topic);
    } else if (survey->due_at_us && now_us >= survey->due_at_us && !survey->is_leaving) {
        look(survey, subject, now_us);
    }
}
