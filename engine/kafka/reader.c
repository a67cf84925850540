/* Reading checkpoint partitions: committed records only, up to the high watermark.
 *
 * Not up to the last stable offset: a transaction that some dead worker left open would hide what later owners committed
 * behind it. So we wait until it is resolved, by its transactional id coming back or by its timeout. */
#include "engine/kafka/kafka_broker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/kafka/settle.h"

#include <stdio.h>
#include <stdlib.h>

enum { HIDDEN_MOST_MS = 5000, SILENT_MOST_MS = 8000 };
/* So long a new handle hopes for a topic that Kafka says there is none of: less than until the next handle, or none would ever say so. */
#define HOPES_FOR_TOPIC_MS "5000"

static struct kafka_reader *reader_of(struct broker *broker)
{
    return &((struct kafka_broker *)broker)->reader;
}

static bool reader_open(struct kafka_broker *self)
{
    struct kafka_reader *reader = &self->reader;
    char error[512];
    if (reader->is_abandoned) /* a handle that was left behind looks at the link */
        return false;
    rd_kafka_conf_t *conf = kafka_conf_create(self->config->kafka, &reader->link, reader->name);
    kafka_conf_set(conf, "group.id", "touchstream-recovery"); /* never joined: librdkafka wants a name */
    kafka_conf_set(conf, "topic.metadata.propagation.max.ms", HOPES_FOR_TOPIC_MS);
    kafka_conf_set(conf, "enable.auto.commit", "false");
    kafka_conf_set(conf, "enable.auto.offset.store", "false");
    kafka_conf_set(conf, "enable.partition.eof", "true");
    kafka_conf_set(conf, "auto.offset.reset", "earliest");
    kafka_conf_set(conf, "isolation.level", "read_committed");
    kafka_conf_set(conf, "fetch.wait.max.ms", "20");
    kafka_conf_set(conf, "fetch.message.max.bytes", "4194304");
    /* Never «enough for now»: librdkafka would look again only a second later. */
    kafka_conf_set(conf, "queued.min.messages", "10000000");
    kafka_conf_set(conf, "queued.max.messages.kbytes", "262144");
    reader->handle = kafka_handle_create(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    if (reader->handle == NULL) {
        log_error("cannot read the checkpoint", "worker", reader->name, "error", error, NULL);
        return false;
    }
    rd_kafka_poll_set_consumer(reader->handle);
    reader->queue = rd_kafka_queue_get_consumer(reader->handle);
    kafka_inbox_init(&reader->inbox);
    reader->moved_at_us = clock_monotonic_us();
    reader->hidden_since_us = 0;
    return true;
}

static void handle_close(struct kafka_reader *reader)
{
    if (reader->handle == NULL)
        return;
    kafka_inbox_finish(&reader->inbox);
    if (kafka_link_ends(&reader->link)) {
        rd_kafka_queue_destroy(reader->queue);
        rd_kafka_destroy_flags(reader->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); /* it is in no group to leave */
    } else {
        log_debug("the checkpoint's topic was deleted, leaving the handle behind", "worker", reader->name, NULL);
        rd_kafka_assign(reader->handle, NULL); /* or it would read on once the topic is there again */
        reader->is_abandoned = true;
    }
    reader->handle = NULL;
}

void kafka_reader_close(struct kafka_reader *reader)
{
    free(reader->places);
    reader->places = NULL;
    reader->place_count = 0;
    handle_close(reader);
}

enum outcome kafka_reader_add(struct broker *broker, int32_t partition)
{
    struct kafka_reader *reader = reader_of(broker);
    if (reader->handle == NULL && !reader_open((struct kafka_broker *)broker))
        return OUTCOME_STOP;
    reader->places = memory_resize(reader->places, (reader->place_count + 1) * sizeof *reader->places);
    reader->places[reader->place_count++] = (struct broker_place){partition, -1};
    reader->is_changed = true;
    return OUTCOME_OK;
}

static struct broker_place *place_find(struct kafka_reader *reader, int32_t partition)
{
    for (size_t i = 0; i < reader->place_count; i++) {
        if (reader->places[i].partition == partition)
            return &reader->places[i];
    }
    return NULL;
}

/* A partition that is through stays assigned until the last one is: assigning anew costs the others what they had fetched. */
void kafka_reader_remove(struct broker *broker, int32_t partition)
{
    struct kafka_reader *reader = reader_of(broker);
    struct broker_place *place = place_find(reader, partition);
    if (place == NULL)
        return;
    *place = reader->places[--reader->place_count];
}

/* Not in remove: what the last poll handed out is still looked at then. Left open it would go on fetching whatever is written to the
 * checkpoint, into a queue that nobody empties. */
void kafka_reader_close_when_through(struct kafka_reader *reader)
{
    if (reader->handle && reader->place_count == 0)
        kafka_reader_close(reader);
}

static void assign(struct kafka_reader *reader)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)reader->place_count);
    for (size_t i = 0; i < reader->place_count; i++)
        rd_kafka_topic_partition_list_add(list, reader->topic, reader->places[i].partition)->offset =
            reader->places[i].offset < 0 ? 0 : reader->places[i].offset;
    rd_kafka_assign(reader->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    reader->is_changed = false;
}

/* Tombstones are rare, so only they pay for looking at headers. */
static int64_t header_number(const rd_kafka_message_t *message, const char *name, int64_t without)
{
    rd_kafka_headers_t *headers;
    const void *text;
    size_t size;
    char copy[24] = "";
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &text, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        size >= sizeof copy)
        return without;
    memcpy(copy, text, size);
    return strtoll(copy, NULL, 10);
}

static void date_tombstones(struct kafka_reader *reader)
{
    size_t at = 0;
    for (size_t i = 0; i < reader->inbox.held; i++) {
        const rd_kafka_message_t *message = reader->inbox.messages[i];
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        if (message->payload == NULL) {
            reader->inbox.records[at].timestamp_ms = header_number(message, KAFKA_DIED_AT_HEADER, -1);
            reader->inbox.records[at].note = header_number(message, KAFKA_NOTE_HEADER, 0);
        }
        at++;
    }
}

/* Keeps the ends that are true ends; notes how far each partition is. */
static void note_places(struct kafka_reader *reader, struct broker_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct broker_place *place = place_find(reader, batch->records[i].partition);
        if (place)
            place->offset = batch->records[i].offset + 1;
    }
    size_t kept = 0;
    for (size_t i = 0; i < batch->end_count; i++) {
        struct broker_place end = batch->ends[i];
        int64_t low = -1, high = -1;
        rd_kafka_get_watermark_offsets(reader->handle, reader->topic, end.partition, &low, &high);
        bool is_known = high >= 0; /* not since an answer that was an error */
        if (is_known && end.offset >= high && place_find(reader, end.partition))
            reader->inbox.ends[kept++] = end;
        else if (end.offset < high && reader->hidden_since_us == 0)
            reader->hidden_since_us = clock_monotonic_us();
    }
    batch->end_count = kept;
    if (reader->inbox.held)
        reader->moved_at_us = clock_monotonic_us();
}

/* Mostly the hiding transaction is that of a worker that has just died, and goes by itself. A reader that is told nothing at all, not
 * even an end, is replaced: where librdkafka got stuck over a broker that died, a new handle does not. */
static bool look_after(struct kafka_broker *self)
{
    struct kafka_reader *reader = &self->reader;
    int64_t now_us = clock_monotonic_us();
    if (reader->hidden_since_us && now_us - reader->hidden_since_us > HIDDEN_MOST_MS * 1000) {
        kafka_settle_hidden(self);
        reader->hidden_since_us = 0;
    }
    if (reader->hidden_since_us || now_us - reader->moved_at_us < SILENT_MOST_MS * 1000)
        return true;
    if (!atomic_load(&reader->link.is_away))
        log_warning("nothing comes of the checkpoint, reading on with a new handle", "worker", reader->name, "partitions",
                    LOG_NUMBER(reader->place_count), NULL);
    handle_close(reader);
    reader->is_changed = true;
    return reader_open(self);
}

enum outcome kafka_reader_poll(struct broker *broker, size_t records_max, int wait_ms, struct broker_batch *batch)
{
    struct kafka_reader *reader = reader_of(broker);
    *batch = (struct broker_batch){0};
    if (reader->handle == NULL)
        return OUTCOME_OK;
    kafka_inbox_give_back(&reader->inbox);
    if (!look_after((struct kafka_broker *)broker))
        return OUTCOME_STOP;
    if (reader->is_changed)
        assign(reader);
    size_t most = records_max < POLL_RECORDS_MAX ? records_max : POLL_RECORDS_MAX;
    ssize_t count = rd_kafka_consume_batch_queue(reader->queue, wait_ms, reader->inbox.messages, most);
    reader->inbox.held = count > 0 ? (size_t)count : 0;
    kafka_inbox_sort(&reader->inbox, &reader->link, view_of_text(reader->topic), batch);
    /* What was read of it is no part of what is there when it has been made anew: the next life of the worker waits for it and reads all of that. */
    if (atomic_load(&reader->link.is_topic_gone))
        return OUTCOME_STOP;
    date_tombstones(reader);
    note_places(reader, batch);
    kafka_link_check(&reader->link, reader->handle);
    return atomic_load(&reader->link.is_fatal) ? OUTCOME_STOP : OUTCOME_OK;
}
