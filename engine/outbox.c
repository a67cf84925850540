#include "engine/outgoing.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

/* Full a little before its memory ends, so that the last record seldom makes it grow to twice as much. */
enum { SEND_AT_ONCE = 256, CHUNK_FULL_BYTES = OUTBOX_CHUNK_BYTES - OUTBOX_CHUNK_BYTES / 32 };

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){0};
}

void outbox_finish(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->chunk_capacity; i++)
        bytes_finish(&outbox->chunks[i]);
    free(outbox->chunks);
    free(outbox->messages);
    bytes_finish(&outbox->muted);
}

size_t outbox_bytes(const struct outbox *outbox)
{
    size_t open = outbox->chunk_count ? outbox->chunks[outbox->chunk_count - 1].size : 0;
    return outbox->bytes + open;
}

size_t outbox_closed_chunks_unsent(const struct outbox *outbox)
{
    return outbox->sent < outbox->count ? outbox->chunk_count - 1 - outbox->messages[outbox->sent].chunk : 0;
}

/* A chunk that a large record made grow is not kept, nor are the chunks of a backlog: of those that this batch did without, one goes each
 * time. */
void outbox_clear(struct outbox *outbox)
{
    size_t held = outbox->chunk_capacity;
    while (held > 0 && outbox->chunks[held - 1].data == NULL)
        held--;
    if (held > outbox->chunk_count)
        bytes_finish(&outbox->chunks[held - 1]);
    for (size_t i = 0; i < outbox->chunk_count; i++) {
        if (outbox->chunks[i].capacity > OUTBOX_CHUNK_BYTES)
            bytes_finish(&outbox->chunks[i]);
        bytes_clear(&outbox->chunks[i]);
    }
    outbox->chunk_count = 0;
    outbox->bytes = 0;
    outbox->count = outbox->sent = 0;
    outbox->is_urgent = false;
    memset(outbox->joined, 0, sizeof outbox->joined);
}

void outbox_rewind(struct outbox *outbox)
{
    outbox->sent = 0;
    memset(outbox->joined, 0, sizeof outbox->joined);
    for (size_t i = 0; i < outbox->count; i++)
        outbox->messages[i].is_ahead = false;
}

static struct bytes *chunk_open(struct outbox *outbox)
{
    if (outbox->chunk_count) {
        struct bytes *chunk = &outbox->chunks[outbox->chunk_count - 1];
        if (chunk->size < CHUNK_FULL_BYTES)
            return chunk;
        outbox->bytes += chunk->size;
    }
    if (outbox->chunk_count == outbox->chunk_capacity) {
        size_t capacity = outbox->chunk_capacity ? outbox->chunk_capacity * 2 : 16;
        outbox->chunks = memory_resize(outbox->chunks, capacity * sizeof *outbox->chunks);
        memset(outbox->chunks + outbox->chunk_capacity, 0,
               (capacity - outbox->chunk_capacity) * sizeof *outbox->chunks);
        outbox->chunk_capacity = capacity;
    }
    struct bytes *chunk = &outbox->chunks[outbox->chunk_count++];
    bytes_reserve(chunk, OUTBOX_CHUNK_BYTES);
    return chunk;
}

static struct outbox_message *message_add(struct outbox *outbox)
{
    if (outbox->count == outbox->capacity) {
        outbox->capacity = outbox->capacity ? outbox->capacity * 2 : 1024;
        outbox->messages = memory_resize(outbox->messages, outbox->capacity * sizeof *outbox->messages);
    }
    return &outbox->messages[outbox->count++];
}

static struct bytes *begin(struct outbox *outbox, int topic, int32_t partition, struct view key, int64_t timestamp_ms)
{
    struct bytes *chunk = chunk_open(outbox);
    struct outbox_message *message = message_add(outbox);
    outbox->is_urgent |= topic >= 0 && (outbox->urgent_topics >> topic & 1);
    *message = (struct outbox_message){
        .topic = (int16_t)topic,
        .partition = partition,
        .chunk = (uint32_t)(outbox->chunk_count - 1),
        .timestamp_ms = timestamp_ms,
        .key_at = (uint32_t)chunk->size,
        .key_size = key.data ? (uint32_t)key.size : OUTBOX_NULL,
    };
    bytes_append_view(chunk, key);
    return chunk;
}

struct bytes *outbox_begin(struct outbox *outbox, int topic, int32_t partition, struct view key, int64_t timestamp_ms)
{
    if (outbox->is_muted) {
        bytes_clear(&outbox->muted);
        return &outbox->muted;
    }
    if (partition == OUTBOX_BY_KEY)
        partition = hash_kafka_partition(key, outbox->partition_counts[topic]);
    return begin(outbox, topic, partition, key, timestamp_ms);
}

static size_t value_at(const struct outbox_message *message)
{
    return (size_t)message->key_at + (message->key_size == OUTBOX_NULL ? 0 : message->key_size);
}

void outbox_end(struct outbox *outbox)
{
    if (outbox->is_muted)
        return;
    struct outbox_message *message = &outbox->messages[outbox->count - 1];
    message->value_size = (uint32_t)(outbox->chunks[message->chunk].size - value_at(message));
}

void outbox_delete(struct outbox *outbox, int topic, struct view key, int64_t timestamp_ms)
{
    if (outbox->is_muted)
        return;
    begin(outbox, topic, hash_kafka_partition(key, outbox->partition_counts[topic]), key, timestamp_ms);
    outbox->messages[outbox->count - 1].value_size = OUTBOX_NULL;
}

struct bytes *outbox_begin_checkpoint(struct outbox *outbox, int32_t partition, struct view key, int64_t timestamp_ms)
{
    return begin(outbox, BROKER_TO_CHECKPOINT, partition, key, timestamp_ms);
}

void outbox_delete_checkpoint(struct outbox *outbox, int32_t partition, struct view key, int64_t timestamp_ms,
                              int64_t died_at_offset, int64_t note)
{
    struct bytes *chunk = begin(outbox, BROKER_TO_CHECKPOINT, partition, key, timestamp_ms);
    struct outbox_death death = {died_at_offset, note};
    bytes_append(chunk, &death, sizeof death);
    outbox->messages[outbox->count - 1].value_size = OUTBOX_NULL;
    outbox->messages[outbox->count - 1].has_death = true;
}

int32_t outbox_partition_count(const struct outbox *outbox, int topic)
{
    return outbox->partition_counts[topic];
}

bool outbox_is_muted(const struct outbox *outbox)
{
    return outbox->is_muted;
}

bool outbox_sums_are_muted(const struct outbox *outbox)
{
    return outbox->sums_are_muted;
}

static struct view view_in(const struct outbox *outbox, const struct outbox_message *message, size_t at, uint32_t size)
{
    if (size == OUTBOX_NULL)
        return (struct view){NULL, 0};
    return view_of(outbox->chunks[message->chunk].data + at, size);
}

struct broker_message outbox_read(const struct outbox *outbox, const struct outbox_message *from)
{
    struct outbox_death death = {.died_at_offset = -1};
    if (from->has_death)
        memcpy(&death, outbox->chunks[from->chunk].data + value_at(from), sizeof death);
    return (struct broker_message){
        .topic = from->topic,
        .partition = from->partition,
        .timestamp_ms = from->timestamp_ms,
        .died_at_offset = death.died_at_offset,
        .note = death.note,
        .key = view_in(outbox, from, from->key_at, from->key_size),
        .value = view_in(outbox, from, value_at(from), from->value_size),
    };
}

/* Where the messages of closed chunks end. */
static size_t closed_end(const struct outbox *outbox)
{
    size_t end = outbox->count;
    while (end > outbox->sent && outbox->messages[end - 1].chunk + 1 == outbox->chunk_count)
        end--;
    return end;
}

/* The first message of each partition that is not in the transaction yet goes ahead of all others, so that the partitions join together.
 * A partition's own messages keep their order. With more than 64 partitions some share a bit: those just do not go ahead. */
static enum outcome send_newcomers(struct outbox *outbox, struct broker *broker, size_t end)
{
    for (size_t i = outbox->sent; i < end; i++) {
        struct outbox_message *from = &outbox->messages[i];
        uint64_t bit = UINT64_C(1) << (from->partition & 63), *joined = &outbox->joined[from->topic + 1];
        if (*joined & bit)
            continue;
        struct broker_message message = outbox_read(outbox, from);
        size_t taken = 0;
        enum outcome outcome = broker->port->produce(broker, &message, 1, &taken);
        if (outcome != OUTCOME_OK)
            return outcome;
        *joined |= bit;
        from->is_ahead = true;
    }
    return OUTCOME_OK;
}

enum outcome outbox_send(struct outbox *outbox, struct broker *broker, bool is_all)
{
    struct broker_message messages[SEND_AT_ONCE];
    size_t places[SEND_AT_ONCE], end = is_all ? outbox->count : closed_end(outbox);
    enum outcome outcome = send_newcomers(outbox, broker, end);
    while (outcome == OUTCOME_OK && outbox->sent < end) {
        size_t count = 0, at = outbox->sent, taken = 0;
        for (; at < end && count < SEND_AT_ONCE; at++) {
            if (outbox->messages[at].is_ahead)
                continue;
            places[count] = at;
            messages[count++] = outbox_read(outbox, &outbox->messages[at]);
        }
        if (count)
            outcome = broker->port->produce(broker, messages, count, &taken);
        outbox->sent = taken < count ? places[taken] : at;
    }
    return outcome;
}
