/* Following topics for sinks: at least once.
 *
 * Offsets are stored after the callback said OK and committed by librdkafka once a second, at a revoke and at the end. A
 * crash in between hands up to a second of records over again, which an idempotent sink does not notice. */
#include "engine/follow.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "engine/farewell.h"
#include "engine/kafka/link.h"
#include "engine/kafka/rivalry.h"

#include <stdlib.h>
#include <time.h>

enum { WAIT_SLICE_MS = 200, BACKOFF_LEAST_MS = 100, BACKOFF_MOST_MS = 5000, ANEW_MOST_MS = 10000, FAREWELL_MS = 15000, ASK_MS = 10000 };

struct follower {
    struct kafka_link link;
    const struct follow *follow;
    char *name; /* in the log; the caller's may be gone before the handle is */
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    rd_kafka_message_t **messages;
    struct record *records;
    size_t batch_max;
    bool is_failing; /* the last callback said RETRY */
    int64_t failing_since_us;
    struct metric *behind;
    bool must_look_again; /* sole, and does not know of what yet */
    atomic_bool is_abandoned; /* its handle is left behind: whose context it had may be gone */
};

static int64_t start_offset(const struct follow *follow, const rd_kafka_topic_partition_t *partition)
{
    int64_t offset = follow->start_at(follow->context, view_of_text(partition->topic), partition->partition);
    return offset < 0 ? RD_KAFKA_OFFSET_STORED : offset;
}

static void ask_committed(struct follower *follower, const rd_kafka_topic_partition_list_t *partitions)
{
    const struct follow *follow = follower->follow;
    rd_kafka_topic_partition_list_t *asked = rd_kafka_topic_partition_list_copy(partitions);
    bool is_known = rd_kafka_committed(follower->handle, asked, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < asked->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &asked->elems[i];
        int64_t committed = !is_known || one->err ? -1 : one->offset > 0 ? one->offset : 0;
        follow->on_committed(follow->context, view_of_text(one->topic), one->partition, committed);
    }
    rd_kafka_topic_partition_list_destroy(asked);
}

static void assign(struct follower *follower, rd_kafka_topic_partition_list_t *partitions)
{
    const struct follow *follow = follower->follow;
    if (follow->on_committed && partitions->cnt)
        ask_committed(follower, partitions);
    for (int i = 0; i < partitions->cnt; i++) {
        rd_kafka_topic_partition_t *partition = &partitions->elems[i];
        if (follow->from_start_always)
            partition->offset = RD_KAFKA_OFFSET_BEGINNING;
        else if (follow->start_at)
            partition->offset = start_offset(follow, partition);
    }
    rd_kafka_assign(follower->handle, partitions);
}

/* After REDO: every partition we hold starts again where the callback says. Assigning anew throws away what was fetched. */
static void rewind_all(struct follower *follower)
{
    rd_kafka_topic_partition_list_t *partitions = NULL;
    if (rd_kafka_assignment(follower->handle, &partitions) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    assign(follower, partitions);
    rd_kafka_topic_partition_list_destroy(partitions);
}

/* The group says who: the member that is given partition 0 takes them all. Any member may commit any partition, so what it has read is known to
 * the next one. */
static void assign_sole(struct follower *follower, const rd_kafka_topic_partition_list_t *given)
{
    const char *topic = follower->follow->topics[0];
    rd_kafka_topic_partition_list_t *mine = rd_kafka_topic_partition_list_new(8);
    bool is_mine = rd_kafka_topic_partition_list_find(given, topic, 0) != NULL;
    int32_t count = 0;
    if (is_mine)
        kafka_partition_count(follower->handle, topic, ASK_MS, &count);
    for (int32_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(mine, topic, i);
    follower->must_look_again = is_mine && count == 0;
    assign(follower, mine);
    rd_kafka_topic_partition_list_destroy(mine);
}

/* The broker did not say how many there are. */
static void look_again(struct follower *follower)
{
    rd_kafka_topic_partition_list_t *first = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(first, follower->follow->topics[0], 0);
    assign_sole(follower, first);
    rd_kafka_topic_partition_list_destroy(first);
}

static void unassign(struct follower *follower)
{
    const struct follow *follow = follower->follow;
    rd_kafka_topic_partition_list_t *partitions = NULL;
    follower->must_look_again = false;
    if (follow->on_revoked && rd_kafka_assignment(follower->handle, &partitions) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; i < partitions->cnt; i++)
            follow->on_revoked(follow->context, view_of_text(partitions->elems[i].topic), partitions->elems[i].partition);
        rd_kafka_topic_partition_list_destroy(partitions);
    }
    rd_kafka_assign(follower->handle, NULL);
}

static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *partitions,
                         void *opaque)
{
    struct follower *follower = opaque; /* the link is its first member */
    if (atomic_load(&follower->is_abandoned))
        rd_kafka_assign(handle, NULL);
    else if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        unassign(follower);
    else if (follower->follow->is_sole)
        assign_sole(follower, partitions);
    else
        assign(follower, partitions);
}

static bool has_name(const struct follow *follow)
{
    return follow->member.instance && *follow->member.instance;
}

static bool follower_open(struct follower *follower, const struct kafka_settings *kafka)
{
    const struct follow *follow = follower->follow;
    rd_kafka_conf_t *conf = kafka_conf_create(kafka, &follower->link, follower->name);
    kafka_conf_set(conf, "group.id", follow->group);
    if (has_name(follow))
        kafka_conf_set(conf, "group.instance.id", follow->member.instance);
    kafka_conf_set(conf, "auto.offset.reset", "earliest");
    kafka_conf_set(conf, "enable.auto.offset.store", "false");
    kafka_conf_set(conf, "enable.auto.commit", "true");
    kafka_conf_set(conf, "auto.commit.interval.ms", "1000");
    kafka_conf_set(conf, "isolation.level", "read_committed");
    kafka_conf_set_number(conf, "session.timeout.ms", follow->member.session_timeout_ms);
    kafka_conf_set_number(conf, "heartbeat.interval.ms", follow->member.session_timeout_ms / 5);
    kafka_conf_set(conf, "max.poll.interval.ms", "600000"); /* a sink may wait long for its own server */
    kafka_conf_set(conf, "fetch.wait.max.ms", "100");
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    char error[512];
    follower->handle = kafka_handle_create(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    if (follower->handle == NULL) {
        log_error("cannot follow", "group", follow->group, "error", error, NULL);
        return false;
    }
    rd_kafka_poll_set_consumer(follower->handle);
    follower->queue = rd_kafka_queue_get_consumer(follower->handle);

    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(4);
    for (const char *const *topic = follow->topics; *topic; topic++)
        rd_kafka_topic_partition_list_add(topics, *topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(follower->handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return true;
}

/* Waits for the first message only, then takes what else is there: consume_batch alone would wait until it is full. */
static size_t fetch(struct follower *follower, int wait_ms, atomic_bool *stop)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)wait_ms * 1000;
    ssize_t count = 0;
    while (count <= 0 && !atomic_load(stop)) {
        int64_t left_ms = (until_us - clock_monotonic_us() + 999) / 1000;
        if (left_ms < 0)
            return 0;
        int slice_ms = left_ms < WAIT_SLICE_MS ? (int)left_ms : WAIT_SLICE_MS;
        count = rd_kafka_consume_batch_queue(follower->queue, slice_ms, follower->messages, 1);
        kafka_link_check(&follower->link, follower->handle);
        if (left_ms == 0)
            break;
    }
    if (count <= 0)
        return 0;
    ssize_t more = rd_kafka_consume_batch_queue(follower->queue, 0, follower->messages + 1, follower->batch_max - 1);
    return (size_t)(1 + (more > 0 ? more : 0));
}

/* Keeps only the records among the messages, in both arrays. */
static size_t sort_out(struct follower *follower, size_t count)
{
    rd_kafka_topic_t *topic = NULL;
    struct view name = {0};
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        rd_kafka_message_t *message = follower->messages[i];
        if (!kafka_message_is_record(&follower->link, message)) {
            rd_kafka_message_destroy(message);
            continue;
        }
        if (message->rkt != topic) {
            topic = message->rkt;
            name = view_of_text(rd_kafka_topic_name(topic));
        }
        follower->records[kept] = kafka_record_of(message, name);
        follower->messages[kept++] = message;
    }
    return kept;
}

static void sleep_ms(int ms, atomic_bool *stop)
{
    for (; ms > 0 && !atomic_load(stop); ms -= WAIT_SLICE_MS) {
        int slice_ms = ms < WAIT_SLICE_MS ? ms : WAIT_SLICE_MS;
        nanosleep(&(struct timespec){slice_ms / 1000, slice_ms % 1000 * 1000000L}, NULL);
    }
}

/* With nothing at hand, and the other side away, there may be more and more in Kafka: then how long that has been so. */
static void tell_behind(struct follower *follower, size_t count)
{
    double age = count ? (double)(clock_now_ms(&clock_system) - follower->records[0].timestamp_ms) / 1e3 : 0;
    double failing = follower->is_failing ? (double)(clock_monotonic_us() - follower->failing_since_us) / 1e6 : 0;
    metric_set(follower->behind, age > failing ? age : failing);
}

static enum outcome hand_over(struct follower *follower, size_t count, atomic_bool *stop)
{
    const struct follow *follow = follower->follow;
    int backoff_ms = BACKOFF_LEAST_MS;
    for (;;) {
        tell_behind(follower, count);
        enum outcome outcome = follow->on_batch(follow->context, follower->records, count);
        bool is_failing = outcome == OUTCOME_RETRY;
        if (is_failing && !follower->is_failing)
            follower->failing_since_us = clock_monotonic_us();
        if (is_failing != follower->is_failing)
            log_info(is_failing ? "batch not taken, trying again" : "batches are taken again", "group", follow->group, NULL);
        follower->is_failing = is_failing;
        if (!is_failing || atomic_load(stop))
            return outcome;
        sleep_ms(backoff_ms, stop);
        backoff_ms = backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : backoff_ms * 2;
    }
}

/* Storing the last offset of each run of one partition is enough: records come in order within it. */
static void store_offsets(struct follower *follower, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_message_t *message = follower->messages[i];
        bool is_last_of_run = i + 1 == count || follower->messages[i + 1]->partition != message->partition ||
                              follower->messages[i + 1]->rkt != message->rkt;
        if (is_last_of_run)
            rd_kafka_offset_store(message->rkt, message->partition, message->offset);
    }
}

static void handle_close(void *context)
{
    struct follower *follower = context;
    rd_kafka_consumer_close(follower->handle);
    if (!kafka_link_ends(&follower->link)) {
        log_debug("a topic was deleted, leaving the handle behind", "group", follower->name, NULL);
        atomic_store(&follower->is_abandoned, true);
        return;
    }
    rd_kafka_queue_destroy(follower->queue);
    rd_kafka_destroy(follower->handle);
}

static void follower_free(void *context)
{
    struct follower *follower = context;
    if (atomic_load(&follower->is_abandoned)) /* its handle's threads still look at it */
        return;
    free(follower->messages);
    free(follower->records);
    free(follower->name);
    free(follower);
}

static void follower_close(struct follower *follower)
{
    const char *group = follower->follow->group;
    if (farewell(handle_close, follower, follower_free, follower, FAREWELL_MS))
        return;
    atomic_store(&follower->is_abandoned, true);
    log_warning("a kafka handle does not close, left behind", "group", group, NULL);
}

static struct follower *follower_create(const struct follow *follow, const struct kafka_settings *kafka)
{
    struct follower *follower = memory_zeroed(1, sizeof *follower); /* not on the stack: who is left behind keeps it */
    follower->follow = follow;
    follower->name = memory_copy_text(follow->group);
    follower->batch_max = (size_t)(follow->batch_records_max > 0 ? follow->batch_records_max : 5000);
    if (!follower_open(follower, kafka)) {
        follower_free(follower);
        return NULL;
    }
    follower->messages = memory_allocate(follower->batch_max * sizeof *follower->messages);
    follower->records = memory_allocate(follower->batch_max * sizeof *follower->records);

    struct bytes label = {0};
    metrics_label(&label, "group", follow->group);
    follower->behind = metrics_gauge("touchstream_follow_behind_seconds", bytes_text(&label),
                                     "Age of what a sink has at hand and has not got rid of, or how long its server has not taken anything; 0: nothing waits.");
    bytes_finish(&label);
    return follower;
}

static enum outcome go_on(struct follower *follower, atomic_bool *stop)
{
    int wait_ms = follower->follow->wait_ms_max > 0 ? follower->follow->wait_ms_max : 1000;
    if (follower->must_look_again)
        look_again(follower);
    size_t count = sort_out(follower, fetch(follower, wait_ms, stop));
    enum outcome outcome = hand_over(follower, count, stop);
    if (outcome == OUTCOME_OK)
        store_offsets(follower, count);
    else if (outcome == OUTCOME_REDO)
        rewind_all(follower);
    for (size_t i = 0; i < count; i++)
        rd_kafka_message_destroy(follower->messages[i]);
    return outcome == OUTCOME_STOP ? OUTCOME_STOP : OUTCOME_OK;
}

/* Of a handle that Kafka has finished. Asked for, too: some fatal errors are told as a message of no partition and never to the callback.
 * REDO: it was fenced, and another can have its place. */
static enum outcome place_of(struct follower *follower, struct rivalry *rivalry)
{
    const struct follow *follow = follower->follow;
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(follower->handle, NULL, 0);
    rivalry_excuse(rivalry, atomic_load_explicit(&follower->link.unheard_at_us, memory_order_relaxed));
    if (fatal != RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        return fatal || atomic_load(&follower->link.is_fatal) ? OUTCOME_STOP : OUTCOME_OK;
    rivalry_note(rivalry, follow->group, follow->member.instance);
    unassign(follower); /* the close of a fenced one revokes nothing */
    return OUTCOME_REDO;
}

static enum outcome live(const struct follow *follow, const struct kafka_settings *kafka, struct rivalry *rivalry, atomic_bool *stop)
{
    struct follower *follower = follower_create(follow, kafka);
    enum outcome outcome = follower ? OUTCOME_OK : OUTCOME_STOP;
    while (outcome == OUTCOME_OK && !atomic_load(stop)) {
        outcome = go_on(follower, stop);
        if (outcome == OUTCOME_OK)
            outcome = place_of(follower, rivalry);
    }
    if (follower) {
        metric_hide(follower->behind);
        follower_close(follower);
    }
    return outcome;
}

enum outcome follow_run(const struct follow *follow, const struct kafka_settings *kafka, atomic_bool *stop)
{
    struct rivalry rivalry = {.instance = follow->member.instance};
    int pause_ms = BACKOFF_LEAST_MS;
    enum outcome outcome;
    while ((outcome = live(follow, kafka, &rivalry, stop)) == OUTCOME_REDO && !atomic_load(stop)) {
        pause_ms = !rivalry_is_on(&rivalry) ? BACKOFF_LEAST_MS : pause_ms * 2 > ANEW_MOST_MS ? ANEW_MOST_MS : pause_ms * 2;
        log_warning("fenced, joining the group anew", "group", follow->group, "pause_ms", LOG_NUMBER(pause_ms), NULL);
        sleep_ms(pause_ms, stop);
    }
    return outcome == OUTCOME_STOP ? OUTCOME_STOP : OUTCOME_OK;
}
