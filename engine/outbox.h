/* What a batch sends: every output record, encoded, kept until its transaction has committed.
 *
 * State in memory is not rolled back when a transaction aborts. It need not be: apply is deterministic and ran once, so
 * redoing a batch means sending this same outbox again in a new transaction. Task thread only. */
#ifndef TS_ENGINE_OUTBOX_H
#define TS_ENGINE_OUTBOX_H

#include "base/bytes.h"
#include "base/view.h"

#include <stdint.h>

struct outbox;

enum { OUTBOX_BY_KEY = -1 }; /* partition: murmur2 of the key, as Java clients choose it */

/* Begin a record for output `topic` (an index into processor.outputs). The key is copied. Write the value into the returned
 * buffer (append only: other records are in front of it), then outbox_end. A record begun while muted is thrown away. */
struct bytes *outbox_begin(struct outbox *outbox, int topic, int32_t partition, struct view key, int64_t timestamp_ms);
void outbox_end(struct outbox *outbox);

/* A tombstone: null value. */
void outbox_delete(struct outbox *outbox, int topic, struct view key, int64_t timestamp_ms);

/* How many partitions the output has; constant while a task lives. */
int32_t outbox_partition_count(const struct outbox *outbox, int topic);

/* True while input is read again after a recovery: what is sent now was sent before. */
bool outbox_is_muted(const struct outbox *outbox);

/* The same for what is added up over many records and sent by summarise: it leaves more seldom than outputs do, so of the records
 * read again the last ones may still have to be added. Whoever adds up must not add while this is true. */
bool outbox_sums_are_muted(const struct outbox *outbox);

#endif
