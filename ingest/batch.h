/* The records of one request: judged, sent, and answered when Kafka has acknowledged all of them.
 *
 * A batch is filled by the thread of its request, then released with batch_send; from then on it belongs to the publisher's
 * callbacks, the last of which answers and frees it. */
#ifndef TS_INGEST_BATCH_H
#define TS_INGEST_BATCH_H

#include "base/http_server.h"
#include "ingest/accept.h"
#include "ingest/outlet.h"

struct batch;

struct batch *batch_create(const struct outlet *outlet, struct http_exchange *exchange);

/* Copies what it needs: encoded value and key. */
void batch_accept(struct batch *batch, const struct touchpoint *touch);
/* Verdict `index`, and a record for the rejected topic. */
void batch_reject(struct batch *batch, uint64_t index, const struct rejected *rejected, struct view customer_id);

uint64_t batch_rejected(const struct batch *batch);

/* Sends all, and answers `status` with the verdicts once every record is acknowledged; 503 with Retry-After when Kafka takes
 * or acknowledges one not. The exchange and the batch are gone. */
void batch_send(struct batch *batch, int status);

/* Answers 503 to whoever has waited since before `sent_before_us` (monotonic). How many batches are overdue, those included that
 * were answered by an earlier call: while there are any, Kafka is not answering. Any thread. */
size_t batches_give_up(int64_t sent_before_us);

/* Thrown away unsent and unanswered; the exchange is the caller's again. */
void batch_drop(struct batch *batch);

/* The publisher's callback; message_context is the batch, NULL where nobody waits. */
void batch_delivered(void *message_context, bool is_acknowledged, const char *error);

#endif
