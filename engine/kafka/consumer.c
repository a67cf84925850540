/* The group member.
 *
 * Rebalances are noted in the callback and answered later, when the worker has committed what it must; until then librdkafka
 * waits, and heartbeats go on in its own thread. While it waits it pauses everything, so a coming partition is accepted at
 * once, paused by us, and its fetch position is set (seek) when its entries are loaded: pause alone does not promise to resume
 * at the offset given to assign when fetched messages were thrown away in between. */
#include "engine/kafka/kafka_broker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/kafka/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    ASK_MS = 5000,
    ASK_SHORTLY_MS = 1000,
    CLOSE_MS = 10000,
    FIRST_EVENT_MS = 1000,
    QUIET_MS = 20,
    LOOK_EVERY_MS = 5000,
    UNSTEADY_MOST = 24,
    SETTLE_AFTER_MS = 15000,
    UNKNOWN_MOST_MS = 5000,
    STOCK_MESSAGES = 8000,
    MANY_MESSAGES = 256,
    KNOCK_EVERY_MS = 5,
    QUEUE_BACKOFF_VERSION = 0x02020000,
    STATELESS_MEMBER_VERSION = 0x02030000
};

static struct kafka_consumer *consumer_of(struct broker *broker)
{
    return &((struct kafka_broker *)broker)->consumer;
}

static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct kafka_consumer *consumer = opaque; /* the link is its first member */
    consumer->event = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? BROKER_ASSIGNED
                      : rd_kafka_assignment_lost(handle)           ? BROKER_LOST
                                                                   : BROKER_REVOKED;
    consumer->owed = consumer->event;
    consumer->had_event = true;
    membership_told(&consumer->membership, handle, consumer->event == BROKER_LOST);
    survey_plan(&consumer->survey);
    consumer->event_count = (size_t)partitions->cnt;
    consumer->event_partitions =
        memory_resize(consumer->event_partitions, (consumer->event_count + 1) * sizeof *consumer->event_partitions);
    for (int i = 0; i < partitions->cnt; i++)
        consumer->event_partitions[i] = partitions->elems[i].partition;
}

/* A member that never gets back into its group says nothing: it has no partitions, as many a member rightly has. librdkafka's
 * statistics tell the two apart. A group without a member that answers is steady within a session timeout or two. */
static bool is_steady(const char *statistics)
{
    const char *group = strstr(statistics, "\"cgrp\"");
    return group && strstr(group, "\"state\": \"up\"") && strstr(group, "\"join_state\": \"steady\"");
}

static int on_statistics(rd_kafka_t *handle, char *json, size_t size, void *opaque)
{
    (void)handle, (void)size;
    struct kafka_consumer *consumer = opaque;
    consumer->unsteady_looks = is_steady(json) ? 0 : consumer->unsteady_looks + 1;
    return 0; /* json is theirs to free */
}

static rd_kafka_conf_t *conf_create(struct kafka_broker *self, int thread)
{
    struct kafka_consumer *consumer = &self->consumer;
    rd_kafka_conf_t *conf = kafka_conf_create(self->config->kafka, &consumer->link, consumer->name);
    kafka_conf_set(conf, "group.id", consumer->group);
    const char *instance = self->config->settings.instance_id;
    if (instance && *instance) {
        char id[128];
        snprintf(id, sizeof id, "%s.%d", instance, thread);
        kafka_conf_set(conf, "group.instance.id", id);
    }
    kafka_conf_set(conf, "partition.assignment.strategy", "cooperative-sticky");
    kafka_conf_set(conf, "enable.auto.commit", "false");
    kafka_conf_set(conf, "enable.auto.offset.store", "false");
    kafka_conf_set(conf, "enable.partition.eof", "true");
    kafka_conf_set(conf, "auto.offset.reset", "earliest");
    kafka_conf_set(conf, "isolation.level", "read_committed");
    kafka_conf_set_number(conf, "session.timeout.ms", self->config->settings.session_timeout_ms);
    kafka_conf_set_number(conf, "heartbeat.interval.ms", self->config->settings.session_timeout_ms / 5);
    kafka_conf_set(conf, "max.poll.interval.ms", "300000");
    kafka_conf_set(conf, "fetch.wait.max.ms", "100");
    kafka_conf_set(conf, "fetch.message.max.bytes", "131072");
    kafka_conf_set(conf, "queued.max.messages.kbytes", "32768");
    /* With so much in stock, of all partitions together, nothing is fetched; see knock_when_low. */
    kafka_conf_set_number(conf, "queued.min.messages", STOCK_MESSAGES);
    if (rd_kafka_version() >= QUEUE_BACKOFF_VERSION)
        kafka_conf_set_number(conf, "fetch.queue.backoff.ms", KNOCK_EVERY_MS);
    kafka_conf_set_number(conf, "statistics.interval.ms", LOOK_EVERY_MS);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    return conf;
}

bool kafka_consumer_open(struct kafka_broker *self, int thread)
{
    struct kafka_consumer *consumer = &self->consumer;
    char error[512];
    consumer->handle = kafka_handle_create(RD_KAFKA_CONSUMER, conf_create(self, thread), error, sizeof error);
    if (consumer->handle == NULL) {
        log_error("cannot consume", "worker", consumer->name, "error", error, NULL);
        return false;
    }
    consumer->settle_at_us = clock_monotonic_us() + SETTLE_AFTER_MS * 1000;
    consumer->knock_at_us = rd_kafka_version() >= QUEUE_BACKOFF_VERSION ? INT64_MAX : 0;
    rd_kafka_poll_set_consumer(consumer->handle);
    consumer->queue = rd_kafka_queue_get_consumer(consumer->handle);
    kafka_inbox_init(&consumer->inbox);
    membership_join(consumer->handle, consumer->topic);
    return true;
}

/* Looks at what nobody has looked at yet. With a member that has joined and not been told its first assignment, librdkafka before 2.3
 * ends the process when it is destroyed (#4312); it is told within milliseconds as a rule, and worth waiting for. */
static void hear_last_events(struct kafka_consumer *consumer)
{
    rd_kafka_message_t *message;
    int64_t until_us = clock_monotonic_us() + (int64_t)FIRST_EVENT_MS * 1000;
    for (size_t left = rd_kafka_queue_length(consumer->queue); left > 0; left--) {
        if (rd_kafka_consume_batch_queue(consumer->queue, 0, &message, 1) == 1)
            rd_kafka_message_destroy(message);
    }
    while (!consumer->had_event && clock_monotonic_us() < until_us) {
        if (rd_kafka_consume_batch_queue(consumer->queue, QUIET_MS, &message, 1) == 1)
            rd_kafka_message_destroy(message);
    }
}

/* An assignment that the worker owes an answer to is answered before the close begins, with nothing taken: of a member that is closing
 * librdkafka takes every answer for a revocation's, and of one without partitions it would wait for the other for ever. */
static void answer_assigned(struct kafka_consumer *consumer)
{
    if (consumer->owed != BROKER_ASSIGNED)
        return;
    rd_kafka_topic_partition_list_t *nothing = rd_kafka_topic_partition_list_new(0);
    rd_kafka_error_t *error = rd_kafka_incremental_assign(consumer->handle, nothing);
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_topic_partition_list_destroy(nothing);
    consumer->owed = BROKER_NOTHING;
}

/* Leaves the group. A revocation, owed or brought by the close itself, is answered once all that is to come has come, and once for all:
 * with the answer librdkafka 2.0 is through, throws away what else is asked of it, and whoever asked waits for ever. Not before the
 * close has begun: there the cooperative protocol refuses assign(NULL). false: not left in time, which Kafka may do to us when it
 * dies meanwhile. */
static bool leave_group(struct kafka_consumer *consumer)
{
    hear_last_events(consumer);
    answer_assigned(consumer);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->handle);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->handle, queue);
    if (error)
        rd_kafka_error_destroy(error);
    bool is_owed = consumer->owed != BROKER_NOTHING;
    int64_t until_us = clock_monotonic_us() + (int64_t)CLOSE_MS * 1000;
    while (!rd_kafka_consumer_closed(consumer->handle) && clock_monotonic_us() < until_us) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, QUIET_MS);
        if (event) {
            is_owed |= rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE;
            rd_kafka_event_destroy(event);
        } else if (is_owed) {
            rd_kafka_assign(consumer->handle, NULL);
            is_owed = false;
        }
    }
    rd_kafka_queue_destroy(queue);
    return rd_kafka_consumer_closed(consumer->handle);
}

void kafka_consumer_close(struct kafka_consumer *consumer)
{
    if (consumer->handle == NULL)
        return;
    kafka_inbox_finish(&consumer->inbox);
    if (!leave_group(consumer)) {
        /* Destroying would wait for the same. Better to lose the handle's memory than the worker; the member that takes its
         * place fences this one. */
        log_warning("could not leave the group, leaving the handle behind", "worker", consumer->name, NULL);
        return;
    }
    if (!consumer->had_event && rd_kafka_version() < STATELESS_MEMBER_VERSION) {
        log_debug("no first assignment, leaving the handle behind", "worker", consumer->name, NULL);
        return;
    }
    if (!kafka_link_ends(&consumer->link)) {
        log_debug("its topic was deleted, leaving the handle behind", "worker", consumer->name, NULL);
        return;
    }
    rd_kafka_queue_destroy(consumer->queue);
    rd_kafka_destroy(consumer->handle);
    membership_finish(&consumer->membership);
    free(consumer->event_partitions);
    consumer->handle = NULL;
}

/* --- polling */

/* One message a call, though a call could bring many: librdkafka before 2.1 loses records that way. A rebalance pauses the
 * partitions that stay, from its own thread; a call that is collecting then throws away what it has collected of them, but the
 * place to resume from is behind those records already («skipping offsets», librdkafka #4208). With one message a call there is
 * nothing to throw away. Costs some 40 ns a record. */
static void take(struct kafka_consumer *consumer, int wait_ms, size_t most)
{
    struct kafka_inbox *inbox = &consumer->inbox;
    size_t full = most < POLL_RECORDS_MAX - inbox->held ? inbox->held + most : POLL_RECORDS_MAX;
    if (inbox->held == full)
        return;
    int64_t until_us = clock_monotonic_us() + (int64_t)wait_ms * 1000;
    while (inbox->held < full) {
        if (rd_kafka_consume_batch_queue(consumer->queue, 0, inbox->messages + inbox->held, 1) == 1) {
            inbox->held++;
            continue;
        }
        int64_t left_ms = wait_ms > 0 ? (until_us - clock_monotonic_us() + 999) / 1000 : 0;
        if (left_ms <= 0 || consumer->event != BROKER_NOTHING)
            return;
        if (rd_kafka_consume_batch_queue(consumer->queue, (int)left_ms, inbox->messages + inbox->held, 1) == 1)
            inbox->held++;
    }
}

/* librdkafka before 2.2 that has enough in stock looks again a second later, and nothing that we take wakes its fetching thread: a worker
 * that catches up got one answer a second, 8 MB, and stood still for half of its time. More in stock would be memory, and cold by the
 * time its turn comes. To give the credentials anew is the one call that wakes the thread and changes nothing: they are what they were. */
static void knock_when_low(struct kafka_broker *self)
{
    struct kafka_consumer *consumer = &self->consumer;
    const struct kafka_settings *kafka = self->config->kafka;
    int64_t now_us = clock_monotonic_us();
    if (now_us < consumer->knock_at_us || rd_kafka_queue_length(consumer->queue) >= STOCK_MESSAGES / 2)
        return;
    consumer->knock_at_us = now_us + KNOCK_EVERY_MS * 1000;
    rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(consumer->handle, kafka->sasl_username ? kafka->sasl_username : "",
                                                            kafka->sasl_password ? kafka->sasl_password : "");
    if (error)
        rd_kafka_error_destroy(error);
}

/* Waits wait_ms in any case, so that whoever pauses after a failure does pause; a message that comes meanwhile is stashed. */
static void wait_for_events(struct kafka_consumer *consumer, int wait_ms)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)wait_ms * 1000;
    take(consumer, wait_ms, 1);
    consumer->inbox.stashed = consumer->inbox.held;
    int64_t left_us = until_us - clock_monotonic_us();
    if (left_us > 0 && consumer->event == BROKER_NOTHING)
        nanosleep(&(struct timespec){left_us / 1000000, left_us % 1000000 * 1000}, NULL);
}

static void fetch(struct kafka_consumer *consumer, size_t records_max, int wait_ms, bool gathers)
{
    struct kafka_inbox *inbox = &consumer->inbox;
    if (inbox->held >= records_max)
        return;
    if (gathers || inbox->held) {
        take(consumer, inbox->held ? 0 : wait_ms, records_max - inbox->held);
        return;
    }
    take(consumer, wait_ms, 1);
    if (inbox->held)
        take(consumer, 0, records_max - inbox->held);
}

static void hand_out_event(struct kafka_consumer *consumer, struct broker_batch *batch)
{
    batch->event = consumer->event;
    batch->partitions = consumer->event_partitions;
    batch->partition_count = consumer->event_count;
    consumer->event = BROKER_NOTHING;
}

/* What died together with Kafka and does not come back may have left transactions open: a while after our start, and after each
 * return of Kafka's, somebody has to look. */
static void settle_others(struct kafka_broker *self)
{
    struct kafka_consumer *consumer = &self->consumer;
    struct kafka_link *link = &consumer->link;
    if (!atomic_load_explicit(&link->is_away, memory_order_relaxed) &&
        atomic_load_explicit(&link->is_doubtful, memory_order_relaxed)) {
        atomic_store(&link->is_doubtful, false);
        consumer->settle_at_us = clock_monotonic_us() + SETTLE_AFTER_MS * 1000;
    }
    if (consumer->settle_at_us == 0 || clock_monotonic_us() < consumer->settle_at_us)
        return;
    consumer->settle_at_us = 0;
    kafka_settle_others(self);
}

static void look_around(struct kafka_broker *self)
{
    struct kafka_consumer *consumer = &self->consumer;
    settle_others(self);
    rivalry_excuse(self->producer.rivalry, atomic_load_explicit(&consumer->link.unheard_at_us, memory_order_relaxed));
    if (kafka_link_check(&consumer->link, consumer->handle) && consumer->owed == BROKER_NOTHING)
        survey_go_on(&consumer->survey, &(struct survey_subject){consumer->handle, consumer->name, consumer->group, consumer->topic});
}

/* Is there still a place for us in the group? STOP: not for this handle. */
static enum outcome place_of(const struct kafka_broker *self)
{
    const struct kafka_consumer *consumer = &self->consumer;
    /* Asked for, too: some fatal errors (a static member taken for a stranger by a coordinator that came back) are told as a
     * message of no partition and never to the callback. */
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(consumer->handle, NULL, 0);
    if (fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        rivalry_note(self->producer.rivalry, consumer->name, self->producer.id);
    if (fatal || atomic_load(&consumer->link.is_fatal))
        log_warning("the group member is finished", "worker", consumer->name, NULL);
    else if (consumer->unsteady_looks >= UNSTEADY_MOST)
        log_warning("no place in the group for two minutes, beginning anew", "worker", consumer->name, NULL);
    else if (consumer->membership.is_replaced)
        log_info("the group had given us up, and our partitions may have been others' meanwhile; beginning anew from the committed offsets",
                 "worker", consumer->name, NULL);
    else
        return OUTCOME_OK;
    return OUTCOME_STOP;
}

enum outcome kafka_consumer_poll(struct broker *broker, size_t records_max, int wait_ms, bool gathers, struct broker_batch *batch)
{
    struct kafka_consumer *consumer = consumer_of(broker);
    *batch = (struct broker_batch){0};
    kafka_reader_close_when_through(&((struct kafka_broker *)broker)->reader);
    kafka_inbox_give_back(&consumer->inbox);
    if (records_max == 0) {
        wait_for_events(consumer, wait_ms);
    } else {
        fetch(consumer, records_max, wait_ms, gathers);
        kafka_inbox_sort(&consumer->inbox, &consumer->link, view_of_text(consumer->topic), batch);
        batch->was_input_gone = batch->count && atomic_exchange(&consumer->link.is_topic_gone, false);
        if (batch->count >= MANY_MESSAGES)
            knock_when_low((struct kafka_broker *)broker);
    }
    hand_out_event(consumer, batch);
    look_around((struct kafka_broker *)broker);
    return place_of((struct kafka_broker *)broker);
}

/* --- answering */

/* From the beginning means from 0, though it may lie further on by now: then the fetch is answered with «out of range», and
 * auto.offset.reset puts it right. To ask where the beginning is costs 500 ms more when the leader is not known yet. */
static rd_kafka_topic_partition_list_t *list_of(const struct kafka_consumer *consumer, const struct broker_place *places,
                                                size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, consumer->topic, places[i].partition)->offset =
            places[i].offset < 0 ? 0 : places[i].offset;
    return list;
}

static enum outcome said(const struct kafka_consumer *consumer, const char *what, rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return OUTCOME_OK;
    log_warning(what, "worker", consumer->name, "code", rd_kafka_err2name(code), "error", rd_kafka_err2str(code), NULL);
    return OUTCOME_STOP;
}

static enum outcome said_error(const struct kafka_consumer *consumer, const char *what, rd_kafka_error_t *error)
{
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (error)
        rd_kafka_error_destroy(error);
    return said(consumer, what, code);
}

/* A transaction that hangs keeps the group's offsets to itself. */
static void settle_when_unknown(struct kafka_broker *self, bool is_known)
{
    struct kafka_consumer *consumer = &self->consumer;
    int64_t now_us = clock_monotonic_us();
    if (is_known || consumer->unknown_since_us == 0)
        consumer->unknown_since_us = is_known ? 0 : now_us;
    if (is_known || now_us - consumer->unknown_since_us < UNKNOWN_MOST_MS * 1000)
        return;
    kafka_settle_hidden(self);
    consumer->unknown_since_us = clock_monotonic_us();
}

enum outcome kafka_consumer_committed(struct broker *broker, struct broker_commit *commits, size_t count)
{
    struct kafka_consumer *consumer = consumer_of(broker);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, consumer->topic, commits[i].partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(consumer->handle, list, ASK_MS);
    for (size_t i = 0; i < count && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        const rd_kafka_topic_partition_t *found = &list->elems[i];
        size_t size = found->metadata_size < BROKER_METADATA_MAX ? found->metadata_size : BROKER_METADATA_MAX - 1;
        code = found->err;
        commits[i].offset = found->offset >= 0 ? found->offset : -1;
        if (size)
            memcpy(commits[i].metadata, found->metadata, size);
        commits[i].metadata[size] = '\0';
    }
    rd_kafka_topic_partition_list_destroy(list);
    settle_when_unknown((struct kafka_broker *)broker, code == RD_KAFKA_RESP_ERR_NO_ERROR);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_info("committed offsets are not to be had yet", "worker", consumer->name, "code", rd_kafka_err2name(code), NULL);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? OUTCOME_OK : OUTCOME_RETRY;
}

enum outcome kafka_consumer_assign(struct broker *broker, const struct broker_place *places, size_t count)
{
    struct kafka_consumer *consumer = consumer_of(broker);
    rd_kafka_topic_partition_list_t *list = list_of(consumer, places, count);
    consumer->owed = BROKER_NOTHING;
    enum outcome outcome = said_error(consumer, "partitions not taken", rd_kafka_incremental_assign(consumer->handle, list));
    if (outcome == OUTCOME_OK)
        rd_kafka_pause_partitions(consumer->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return outcome;
}

enum outcome kafka_consumer_resume(struct broker *broker, int32_t partition, int64_t offset)
{
    struct kafka_consumer *consumer = consumer_of(broker);
    struct broker_place place = {partition, offset};
    rd_kafka_topic_partition_list_t *list = list_of(consumer, &place, 1);
    rd_kafka_error_t *error = rd_kafka_seek_partitions(consumer->handle, list, ASK_MS);
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : list->elems[0].err;
    if (error)
        rd_kafka_error_destroy(error);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_resume_partitions(consumer->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR__STATE || code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS)
        return OUTCOME_RETRY; /* its fetcher has not started yet */
    return said(consumer, "partition does not start", code);
}

enum outcome kafka_consumer_unassign(struct broker *broker, const int32_t *partitions, size_t count)
{
    struct kafka_consumer *consumer = consumer_of(broker);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, consumer->topic, partitions[i]);
    consumer->owed = BROKER_NOTHING;
    enum outcome outcome = said_error(consumer, "partitions not let go", rd_kafka_incremental_unassign(consumer->handle, list));
    rd_kafka_topic_partition_list_destroy(list);
    return outcome;
}

int64_t kafka_consumer_begin_offset(struct broker *broker, int32_t partition)
{
    const struct kafka_consumer *consumer = consumer_of(broker);
    int64_t low = -1, high = -1;
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(consumer->handle, consumer->topic, partition, &low, &high, ASK_SHORTLY_MS);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? low : -1;
}

int32_t kafka_consumer_input_partitions(struct broker *broker)
{
    const struct kafka_consumer *consumer = consumer_of(broker);
    int32_t count; /* 0 without an answer */
    kafka_partition_count(consumer->handle, consumer->topic, ASK_SHORTLY_MS, &count);
    return count;
}

int64_t kafka_consumer_end_offset(struct broker *broker, int32_t partition)
{
    const struct kafka_consumer *consumer = consumer_of(broker);
    int64_t low = -1, high = -1;
    rd_kafka_get_watermark_offsets(consumer->handle, consumer->topic, partition, &low, &high);
    return high >= 0 ? high : -1;
}
