/* The engine's side of the outbox (outbox.h is the processors'): where the bytes are, what of them was sent.
 *
 * Keys and values are appended to chunks. A chunk is closed once it is full, and its memory does not move from then on, so
 * its messages can be handed to the broker without a copy while the batch goes on; the last chunk follows at the commit.
 * After an abort outbox_rewind makes all of it unsent again: redo is sending the same bytes in a new transaction. */
#ifndef TS_ENGINE_OUTGOING_H
#define TS_ENGINE_OUTGOING_H

#include "engine/broker.h"
#include "engine/outbox.h"

#ifndef OUTBOX_CHUNK_BYTES
#define OUTBOX_CHUNK_BYTES (256 * 1024) /* the simulation makes do with less, to have many */
#endif
enum { OUTBOX_TOPICS_MAX = 16 };
#define OUTBOX_NULL UINT32_MAX

/* Half a line of the cache: a transaction has tens of thousands. Its key stands at key_at, its value behind the key. */
struct outbox_message {
    int64_t timestamp_ms;
    int32_t partition;
    uint32_t chunk, key_at;
    uint32_t key_size, value_size; /* OUTBOX_NULL: null */
    int16_t topic;
    bool is_ahead;  /* sent before its turn */
    bool has_death; /* where its value would stand is a struct outbox_death */
};

/* What only a tombstone for the checkpoint topic carries (broker.h). */
struct outbox_death {
    int64_t died_at_offset, note;
};

struct outbox {
    struct bytes *chunks;
    size_t chunk_count, chunk_capacity; /* chunk_count − 1 is being written; those beyond keep their memory for later */
    struct outbox_message *messages;
    size_t count, capacity;
    size_t sent;       /* messages handed to the open transaction */
    uint64_t joined[OUTBOX_TOPICS_MAX + 1]; /* by topic (+ 1) partitions that are in it, modulo 64 */
    size_t bytes;      /* in chunks that are closed */
    uint32_t urgent_topics; /* bits by topic */
    bool is_urgent;         /* a record of such a topic is in it */
    bool is_muted, sums_are_muted;
    struct bytes muted; /* where muted records go to be forgotten */
    int32_t partition_counts[OUTBOX_TOPICS_MAX];
};

void outbox_init(struct outbox *outbox);
void outbox_finish(struct outbox *outbox);

void outbox_clear(struct outbox *outbox);  /* committed: forget all, keep the memory that is in use */
void outbox_rewind(struct outbox *outbox); /* aborted: all is unsent again */
size_t outbox_bytes(const struct outbox *outbox);

size_t outbox_closed_chunks_unsent(const struct outbox *outbox); /* full, with something in them that no broker has */

static inline bool outbox_is_empty(const struct outbox *outbox)
{
    return outbox->count == 0;
}

/* For the checkpoint topic, whose partition is the input's. */
struct bytes *outbox_begin_checkpoint(struct outbox *outbox, int32_t partition, struct view key, int64_t timestamp_ms);
void outbox_delete_checkpoint(struct outbox *outbox, int32_t partition, struct view key, int64_t timestamp_ms,
                              int64_t died_at_offset, int64_t note);

/* What it says; good until the outbox changes. */
struct broker_message outbox_read(const struct outbox *outbox, const struct outbox_message *message);

/* Hands unsent messages to the broker: those of closed chunks, or all. */
enum outcome outbox_send(struct outbox *outbox, struct broker *broker, bool is_all);

#endif
