#include "engine/outgoing.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

#define SIZE_NULL UINT32_MAX
enum { SEND_AT_ONCE = 256 };

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

void outbox_clear(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->chunk_count; i++) {
        /* One huge batch or record must not stay with us for ever. */
        if (i >= OUTBOX_CHUNKS_KEPT || outbox->chunks[i].capacity > 8 * OUTBOX_CHUNK_BYTES)
            bytes_finish(&outbox->chunks[i]);
        bytes_clear(&outbox->chunks[i]);
    }
    outbox->chunk_count = 0;
    outbox->bytes = 0;
    outbox->count = outbox->sent = 0;
}

void outbox_rewind(struct outbox *outbox)
{
    outbox->sent = 0;
}

static struct bytes *chunk_open(struct outbox *outbox)
{
    if (outbox->chunk_count) {
        struct bytes *chunk = &outbox->chunks[outbox->chunk_count - 1];
        if (chunk->size < OUTBOX_CHUNK_BYTES)
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
    bytes_reserve(chunk, OUTBOX_CHUNK_BYTES + OUTBOX_CHUNK_BYTES / 4);
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
    *message = (struct outbox_message){
        .topic = topic,
        .partition = partition,
        .chunk = (uint32_t)(outbox->chunk_count - 1),
        .timestamp_ms = timestamp_ms,
        .died_at_offset = -1,
        .key_at = (uint32_t)chunk->size,
        .key_size = key.data ? (uint32_t)key.size : SIZE_NULL,
    };
    bytes_append_view(chunk, key);
    message->value_at = (uint32_t)chunk->size;
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

void outbox_end(struct outbox *outbox)
{
    if (outbox->is_muted)
        return;
    struct outbox_message *message = &outbox->messages[outbox->count - 1];
    message->value_size = (uint32_t)(outbox->chunks[message->chunk].size - message->value_at);
}

void outbox_delete(struct outbox *outbox, int topic, struct view key, int64_t timestamp_ms)
{
    if (outbox->is_muted)
        return;
    begin(outbox, topic, hash_kafka_partition(key, outbox->partition_counts[topic]), key, timestamp_ms);
    outbox->messages[outbox->count - 1].value_size = SIZE_NULL;
}

struct bytes *outbox_begin_checkpoint(struct outbox *outbox, int32_t partition, struct view key, int64_t timestamp_ms)
{
    return begin(outbox, BROKER_TO_CHECKPOINT, partition, key, timestamp_ms);
}

void outbox_delete_checkpoint(struct outbox *outbox, int32_t partition, struct view key, int64_t timestamp_ms,
                              int64_t died_at_offset)
{
    begin(outbox, BROKER_TO_CHECKPOINT, partition, key, timestamp_ms);
    outbox->messages[outbox->count - 1].value_size = SIZE_NULL;
    outbox->messages[outbox->count - 1].died_at_offset = died_at_offset;
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

static struct view view_in(const struct outbox *outbox, const struct outbox_message *message, uint32_t at, uint32_t size)
{
    if (size == SIZE_NULL)
        return (struct view){NULL, 0};
    return view_of(outbox->chunks[message->chunk].data + at, size);
}

enum outcome outbox_send(struct outbox *outbox, struct broker *broker, bool is_all)
{
    struct broker_message messages[SEND_AT_ONCE];
    for (;;) {
        size_t count = 0;
        while (count < SEND_AT_ONCE && outbox->sent + count < outbox->count) {
            const struct outbox_message *from = &outbox->messages[outbox->sent + count];
            if (!is_all && from->chunk + 1 == outbox->chunk_count)
                break;
            messages[count++] = (struct broker_message){
                .topic = from->topic,
                .partition = from->partition,
                .timestamp_ms = from->timestamp_ms,
                .died_at_offset = from->died_at_offset,
                .key = view_in(outbox, from, from->key_at, from->key_size),
                .value = view_in(outbox, from, from->value_at, from->value_size),
            };
        }
        if (count == 0)
            return OUTCOME_OK;
        size_t taken = 0;
        enum outcome outcome = broker->port->produce(broker, messages, count, &taken);
        outbox->sent += taken;
        if (outcome != OUTCOME_OK)
            return outcome;
    }
}
