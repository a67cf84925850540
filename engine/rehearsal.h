/* Running a processor over records at hand, in memory: no Kafka, no transactions, no checkpoints. For `explain`, which
 * computes a number again from the log. The same step.c as in the service, so the same answers. One thread. */
#ifndef TS_ENGINE_REHEARSAL_H
#define TS_ENGINE_REHEARSAL_H

#include "engine/processor.h"

struct rehearsal;

/* What comes out, right after the record that caused it. `topic` indexes processor.outputs; borrowed for the call. */
typedef void (*rehearsal_output)(void *context, int topic, const struct record *output);

/* `partitions` of every output. */
struct rehearsal *rehearsal_create(const struct processor *processor, void *shared, int64_t allowed_disorder_ms,
                                   int32_t partitions, rehearsal_output on_output, void *context);
void rehearsal_destroy(struct rehearsal *rehearsal);

/* The record's own partition and offset count; within a partition offsets must grow. STOP: the processor cannot go on. */
enum outcome rehearsal_feed(struct rehearsal *rehearsal, const struct record *record);

/* When the next timer of a partition is due, and the key of its entry (borrowed until the next feed); INT64_MAX: none is set. */
int64_t rehearsal_next_timer(struct rehearsal *rehearsal, int32_t partition, struct view *key);

#endif
