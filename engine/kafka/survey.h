/* Does every partition of the input belong to some member of the group? Kafka gives no answer by itself: a cooperative rebalance has two
 * parts, first partitions are let go, then they are given out. A static member that dies in between and is back within its session is
 * handed its old place without a rebalance, the second part never comes, and what was let go is nobody's until some member comes or
 * leaves, which may be weeks. So a while after each rebalance every member looks, and if something is nobody's twice in a row, it leaves
 * and joins again: that makes a rebalance. */
#ifndef TS_ENGINE_KAFKA_SURVEY_H
#define TS_ENGINE_KAFKA_SURVEY_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

/* Of one consumer; zeroed at first. Used by its worker's thread alone. */
struct survey {
    int64_t due_at_us; /* 0: nothing to look for */
    bool was_short;    /* at the look before */
    bool is_leaving;   /* so as to join again */
    int tries;         /* in vain, in a row: the next one waits twice as long */
};

/* What a survey asks about. Borrowed. */
struct survey_subject {
    rd_kafka_t *consumer;
    const char *worker, *group, *topic;
};

/* From within the rebalance callback: there is something to look for again. */
void survey_plan(struct survey *survey);

/* Between polls, when no rebalance waits for an answer. Asks Kafka when the time has come (some ms; 2 s at most). */
void survey_go_on(struct survey *survey, const struct survey_subject *subject);

/* How many partitions of `topic` a member's assignment names, in the form of Kafka's consumer protocol; 0 if it cannot be read. */
int survey_count_assigned(const void *assignment, int size, const char *topic);

#endif
