#include "ingest/batch.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A message as it lies in batch->bytes: value, then key. */
struct message {
    size_t at;
    uint32_t value_size, key_size;
    bool is_rejected, has_key;
    int64_t timestamp_ms;
};

struct batch {
    const struct outlet *outlet;
    struct http_exchange *exchange;
    struct bytes bytes, verdicts;
    struct json_writer json;
    struct message *messages;
    size_t count, capacity;
    uint64_t accepted, rejected;
    int status;
    int64_t begun_us;
    atomic_size_t waiting; /* for acknowledgements, and one for batch_send itself */
    atomic_bool has_failed;
    struct batch *next; /* in the list of spare ones */
    /* In the list of those that wait for Kafka; under waiting_lock. */
    struct batch *waiting_next, *waiting_before;
    int64_t sent_us;
    bool is_answered;
};

/* Batches are used again, with their buffers: a request costs no allocation of its own once traffic has settled. */
enum { SPARE_MAX = 64, SPARE_BYTES_MAX = 4 << 20 };
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static struct batch *spare;
static int spare_count;

/* Batches that Kafka has not acknowledged yet, the oldest first. Its client promises an end for every message, but for those already
 * under way to a broker that has fallen silent the end may be a minute off: the request is answered before, the batch stays until
 * the client has let go of it. */
static pthread_mutex_t waiting_lock = PTHREAD_MUTEX_INITIALIZER;
static struct batch *waiting_first, *waiting_last;

static void waiting_add(struct batch *batch)
{
    pthread_mutex_lock(&waiting_lock);
    batch->sent_us = clock_monotonic_us();
    batch->is_answered = false;
    batch->waiting_next = NULL;
    batch->waiting_before = waiting_last;
    *(waiting_last ? &waiting_last->waiting_next : &waiting_first) = batch;
    waiting_last = batch;
    pthread_mutex_unlock(&waiting_lock);
}

/* Has somebody answered it meanwhile? */
static bool waiting_remove(struct batch *batch)
{
    pthread_mutex_lock(&waiting_lock);
    *(batch->waiting_before ? &batch->waiting_before->waiting_next : &waiting_first) = batch->waiting_next;
    *(batch->waiting_next ? &batch->waiting_next->waiting_before : &waiting_last) = batch->waiting_before;
    bool is_answered = batch->is_answered;
    pthread_mutex_unlock(&waiting_lock);
    return is_answered;
}

struct batch *batch_create(const struct outlet *outlet, struct http_exchange *exchange)
{
    pthread_mutex_lock(&spare_lock);
    struct batch *batch = spare;
    if (batch) {
        spare = batch->next;
        spare_count--;
    }
    pthread_mutex_unlock(&spare_lock);
    if (!batch)
        batch = memory_zeroed(1, sizeof *batch);
    batch->outlet = outlet;
    batch->exchange = exchange;
    batch->count = 0;
    batch->accepted = batch->rejected = 0;
    batch->begun_us = clock_monotonic_us();
    bytes_clear(&batch->bytes);
    bytes_clear(&batch->verdicts);
    batch->json = json_writer_on(&batch->verdicts);
    atomic_store(&batch->waiting, 1);
    atomic_store(&batch->has_failed, false);
    return batch;
}

static void batch_release(struct batch *batch)
{
    pthread_mutex_lock(&spare_lock);
    bool is_kept = spare_count < SPARE_MAX && batch->bytes.capacity <= SPARE_BYTES_MAX;
    if (is_kept) {
        batch->next = spare;
        spare = batch;
        spare_count++;
    }
    pthread_mutex_unlock(&spare_lock);
    if (is_kept)
        return;
    bytes_finish(&batch->bytes);
    bytes_finish(&batch->verdicts);
    free(batch->messages);
    free(batch);
}

void batch_drop(struct batch *batch)
{
    batch_release(batch);
}

static struct message *message_add(struct batch *batch)
{
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity ? 2 * batch->capacity : 16;
        batch->messages = memory_resize(batch->messages, batch->capacity * sizeof *batch->messages);
    }
    struct message *message = &batch->messages[batch->count++];
    *message = (struct message){.at = batch->bytes.size};
    return message;
}

static void message_end(struct batch *batch, struct message *message, struct view key)
{
    message->value_size = (uint32_t)(batch->bytes.size - message->at);
    message->key_size = (uint32_t)key.size;
    message->has_key = key.data != NULL;
    bytes_append_view(&batch->bytes, key);
}

void batch_accept(struct batch *batch, const struct touchpoint *touch)
{
    struct message *message = message_add(batch);
    outlet_encode(batch->outlet, touch, &batch->bytes);
    message->timestamp_ms = touch->received_at_ms;
    message_end(batch, message, touch->customer_id);
    batch->accepted++;
}

void batch_reject(struct batch *batch, uint64_t index, const struct rejected *rejected, struct view customer_id)
{
    struct message *message = message_add(batch);
    message->is_rejected = true;
    message->timestamp_ms = rejected->received_at_ms;
    outlet_encode_rejected(batch->outlet, rejected, &batch->bytes);
    message_end(batch, message, outlet_rejected_key(customer_id));
    batch->rejected++;
    json_open_object(&batch->json);
    json_key(&batch->json, "index");
    json_write_integer(&batch->json, (int64_t)index);
    json_key(&batch->json, "code");
    json_write_text(&batch->json, rejected->code);
    json_key(&batch->json, "path");
    json_write_text(&batch->json, rejected->path);
    json_key(&batch->json, "reason");
    json_write_text(&batch->json, rejected->reason);
    json_close_object(&batch->json);
}

uint64_t batch_rejected(const struct batch *batch)
{
    return batch->rejected;
}

static void count_answer(const struct batch *batch, int status)
{
    char labels[32];
    snprintf(labels, sizeof labels, "status=\"%d\"", status);
    metric_add(metrics_counter("touchstream_ingest_requests_total", labels, "Requests answered, by status."), 1);
    metric_observe(metrics_seconds("touchstream_ingest_request_seconds", NULL, "From a complete request to its answer, Kafka included."),
                   (double)(clock_monotonic_us() - batch->begun_us) / 1e6);
    if (status >= 500)
        return; /* without a verdict: it is to be sent again */
    metric_add(metrics_counter("touchstream_ingest_records_total", "verdict=\"accepted\"", "Records answered, by verdict."),
               (double)batch->accepted);
    metric_add(metrics_counter("touchstream_ingest_records_total", "verdict=\"rejected\"", "Records answered, by verdict."),
               (double)batch->rejected);
}

static void answer_away(struct batch *batch)
{
    count_answer(batch, 503);
    http_exchange_add_header(batch->exchange, "Retry-After", "2");
    http_exchange_refuse(batch->exchange, 503, "kafka_away",
                         "Kafka did not acknowledge every record; send the same again, what arrived counts once");
}

/* The last acknowledgement is in, or failed. */
static void batch_answer(struct batch *batch)
{
    if (atomic_load(&batch->has_failed)) {
        answer_away(batch);
    } else {
        count_answer(batch, batch->status);
        struct bytes text = {0};
        bytes_printf(&text, "{\"accepted\": %llu, \"rejected\": [%.*s]}\n", (unsigned long long)batch->accepted,
                     VIEW_ARGUMENTS(bytes_view(&batch->verdicts)));
        http_exchange_answer(batch->exchange, batch->status, "application/json", bytes_view(&text));
        bytes_finish(&text);
    }
}

static void batch_settle(struct batch *batch)
{
    if (atomic_fetch_sub(&batch->waiting, 1) != 1)
        return;
    if (!waiting_remove(batch))
        batch_answer(batch);
    batch_release(batch);
}

size_t batches_give_up(int64_t sent_before_us)
{
    size_t overdue = 0;
    pthread_mutex_lock(&waiting_lock);
    for (struct batch *batch = waiting_first; batch && batch->sent_us < sent_before_us; batch = batch->waiting_next) {
        overdue++;
        if (batch->is_answered)
            continue;
        batch->is_answered = true;
        answer_away(batch);
    }
    pthread_mutex_unlock(&waiting_lock);
    return overdue;
}

void batch_delivered(void *message_context, bool is_acknowledged, const char *error)
{
    struct batch *batch = message_context;
    if (!batch)
        return;
    if (!is_acknowledged && !atomic_exchange(&batch->has_failed, true))
        log_warning("kafka did not acknowledge a record", "error", error ? error : "", NULL);
    batch_settle(batch);
}

void batch_send(struct batch *batch, int status)
{
    const struct outlet *outlet = batch->outlet;
    batch->status = status;
    waiting_add(batch);
    for (size_t i = 0; i < batch->count && !atomic_load(&batch->has_failed); i++) {
        const struct message *message = &batch->messages[i];
        const char *value = batch->bytes.data + message->at;
        struct view key = {message->has_key ? value + message->value_size : NULL, message->key_size};
        atomic_fetch_add(&batch->waiting, 1);
        enum outcome outcome = outlet->publish(outlet->target, message->is_rejected ? outlet->rejected_topic : outlet->touchpoints_topic,
                                               key, view_of(value, message->value_size), message->timestamp_ms, batch);
        if (outcome != OUTCOME_OK) { /* the queue is full: what is in it already is waited for, then 503 */
            atomic_store(&batch->has_failed, true);
            atomic_fetch_sub(&batch->waiting, 1);
        }
    }
    batch_settle(batch);
}
