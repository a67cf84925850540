/* Reading a topic once, without a group: inspect, explain, backtests. */
#include "engine/follow.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/admin.h"
#include "engine/kafka/link.h"

#include <stdlib.h>
#include <time.h>

enum { ASK_MS = 10000, ASK_SLICE_MS = 1000, KNOWN_AFTER_MS = 2000, WAIT_SLICE_MS = 200, BATCH_RECORDS = 1000 };

struct scanner {
    struct kafka_link link;
    const struct scan *scan;
    const struct kafka_settings *kafka;
    atomic_bool *stop;
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    int partitions_unfinished;
    bool *is_finished; /* by partition */
};

static rd_kafka_topic_partition_list_t *partitions_wanted(const struct scanner *scanner, int32_t count)
{
    const struct scan *scan = scanner->scan;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int32_t partition = 0; partition < count; partition++) {
        if (scan->only_key.data && hash_kafka_partition(scan->only_key, count) != partition)
            continue;
        if (scan->only_partition && *scan->only_partition != partition)
            continue;
        rd_kafka_topic_partition_list_add(list, scan->topic, partition)->offset =
            scan->since_ms == INT64_MIN ? RD_KAFKA_OFFSET_BEGINNING : scan->since_ms;
    }
    return list;
}

/* A topic that was made an instant ago is not known to every broker yet, or has partitions that nobody leads. */
static bool may_be_new(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
}

/* false: not worth another try. */
static bool wait_for_it(rd_kafka_resp_err_t code, int64_t until_us)
{
    if (!may_be_new(code) || clock_monotonic_us() >= until_us)
        return false;
    nanosleep(&(struct timespec){0, KNOWN_AFTER_MS / 20 * 1000000L}, NULL);
    return true;
}

static bool is_away(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

/* «Broker transport failure» says nothing about why: a broker asked once more does. */
static void say_why(const struct scanner *scanner, rd_kafka_resp_err_t code)
{
    char error[512] = "";
    if (is_away(code))
        admin_ping(scanner->kafka, ASK_SLICE_MS, error, sizeof error);
    log_error("cannot read topic", "topic", scanner->scan->topic, "error", error[0] ? error : rd_kafka_err2str(code), NULL);
}

/* In slices, so that who asks us to end need not wait for a Kafka that is away. 0: nothing is to be read. */
static int32_t partition_count(struct scanner *scanner, int64_t until_us)
{
    int32_t count = 0;
    rd_kafka_resp_err_t code;
    int64_t away_until_us = clock_monotonic_us() + (int64_t)ASK_MS * 1000;
    do {
        code = kafka_partition_count(scanner->handle, scanner->scan->topic, ASK_SLICE_MS, &count);
        if (is_away(code))
            kafka_link_on_error(scanner->handle, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, rd_kafka_err2str(code), &scanner->link);
    } while (!atomic_load(scanner->stop) && (wait_for_it(code, until_us) || (is_away(code) && clock_monotonic_us() < away_until_us)));
    if (count == 0 && !atomic_load(scanner->stop))
        say_why(scanner, code);
    return count;
}

/* The partitions, and where to start in each. */
static rd_kafka_topic_partition_list_t *places_wanted(const struct scanner *scanner, int32_t count, int64_t until_us, rd_kafka_resp_err_t *code)
{
    rd_kafka_topic_partition_list_t *list = partitions_wanted(scanner, count);
    *code = RD_KAFKA_RESP_ERR_NO_ERROR;
    while (scanner->scan->since_ms != INT64_MIN && (*code = rd_kafka_offsets_for_times(scanner->handle, list, ASK_MS)) && wait_for_it(*code, until_us)) {
        rd_kafka_topic_partition_list_destroy(list); /* it may have answers in it */
        list = partitions_wanted(scanner, count);
    }
    return list;
}

static enum outcome scanner_start(struct scanner *scanner)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)KNOWN_AFTER_MS * 1000;
    int32_t count = partition_count(scanner, until_us);
    if (count == 0)
        return atomic_load(scanner->stop) ? OUTCOME_OK : OUTCOME_STOP;
    scanner->is_finished = memory_zeroed((size_t)count, sizeof *scanner->is_finished);
    rd_kafka_resp_err_t code;
    rd_kafka_topic_partition_list_t *list = places_wanted(scanner, count, until_us, &code);
    scanner->partitions_unfinished = list->cnt;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = rd_kafka_assign(scanner->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return OUTCOME_OK;
    say_why(scanner, code);
    return OUTCOME_STOP;
}

/* false: the reader has had enough, or all partitions are at their end. */
static bool take(struct scanner *scanner, const rd_kafka_message_t *message)
{
    const struct scan *scan = scanner->scan;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && !scanner->is_finished[message->partition]) {
        scanner->is_finished[message->partition] = true;
        scanner->partitions_unfinished--;
    }
    if (!kafka_message_is_record(&scanner->link, message))
        return scan->keeps_following || scanner->partitions_unfinished > 0;
    struct record record = kafka_record_of(message, view_of_text(scan->topic));
    if (scan->only_key.data && !(record.key.data && view_equal(record.key, scan->only_key)))
        return true;
    return scan->on_record(scan->context, &record);
}

static void read_on(struct scanner *scanner, atomic_bool *stop)
{
    static _Thread_local rd_kafka_message_t *messages[BATCH_RECORDS];
    bool goes_on = true;
    while (goes_on && !atomic_load(stop)) {
        ssize_t count = rd_kafka_consume_batch_queue(scanner->queue, WAIT_SLICE_MS, messages, 1);
        if (count > 0) {
            ssize_t more = rd_kafka_consume_batch_queue(scanner->queue, 0, messages + 1, BATCH_RECORDS - 1);
            count += more > 0 ? more : 0;
        }
        for (ssize_t i = 0; i < count; i++) {
            goes_on = goes_on && take(scanner, messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
        kafka_link_check(&scanner->link, scanner->handle);
    }
}

static bool scanner_open(struct scanner *scanner)
{
    char error[512];
    rd_kafka_conf_t *conf = kafka_conf_create(scanner->kafka, &scanner->link, "scan");
    kafka_conf_set(conf, "group.id", "touchstream-scan"); /* never joined: librdkafka wants a name */
    kafka_conf_set(conf, "enable.auto.commit", "false");
    kafka_conf_set(conf, "enable.partition.eof", "true");
    kafka_conf_set(conf, "auto.offset.reset", "earliest");
    kafka_conf_set(conf, "isolation.level", "read_committed");
    kafka_conf_set(conf, "fetch.wait.max.ms", "100");
    scanner->handle = kafka_handle_create(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    if (scanner->handle == NULL) {
        log_error("cannot read", "topic", scanner->scan->topic, "error", error, NULL);
        return false;
    }
    rd_kafka_poll_set_consumer(scanner->handle);
    scanner->queue = rd_kafka_queue_get_consumer(scanner->handle);
    return true;
}

/* What is left behind stays: its threads look at the link. */
static void scanner_close(struct scanner *scanner)
{
    free(scanner->is_finished);
    if (scanner->handle) {
        rd_kafka_consumer_close(scanner->handle);
        if (!kafka_link_ends(&scanner->link))
            return;
        rd_kafka_queue_destroy(scanner->queue);
        rd_kafka_destroy(scanner->handle);
    }
    free(scanner);
}

enum outcome scan_run(const struct scan *scan, const struct kafka_settings *kafka, atomic_bool *stop)
{
    struct scanner *scanner = memory_zeroed(1, sizeof *scanner);
    *scanner = (struct scanner){.scan = scan, .kafka = kafka, .stop = stop};
    enum outcome outcome = scanner_open(scanner) ? scanner_start(scanner) : OUTCOME_STOP;
    if (outcome == OUTCOME_OK)
        read_on(scanner, stop);
    scanner_close(scanner);
    return outcome;
}
