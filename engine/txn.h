/* One batch's way into Kafka: begin, produce, offsets, commit; and what to do when any of these fails.
 *
 *   IDLE ──begin──► OPEN ──produce all, send offsets──► SENT ──commit──► IDLE
 *     ▲               │ REDO                             │ REDO
 *     └────abort──── BROKEN ◄────────────────────────────┘
 *
 * The outbox is kept until SENT ──► IDLE. From BROKEN the way leads back to IDLE with the outbox rewound, and the same bytes
 * go out again. RETRY keeps the stage: txn_advance is called again later and goes on where it was. STOP is for the worker. */
#ifndef TS_ENGINE_TXN_H
#define TS_ENGINE_TXN_H

#include "engine/outgoing.h"

enum txn_stage { TXN_IDLE, TXN_OPEN, TXN_SENT, TXN_BROKEN };

struct txn {
    struct broker *broker;
    struct outbox *outbox;
    enum txn_stage stage;
    bool is_closing;  /* the batch is complete; nothing may be added until it is committed */
    struct broker_commit *commits; /* of the closing batch */
    size_t commit_count, commit_capacity;
    int redo_count;   /* in a row */
    int64_t committed, aborted; /* since the last report */
};

void txn_init(struct txn *txn, struct broker *broker, struct outbox *outbox);
void txn_finish(struct txn *txn);

/* While the batch grows: hands over what is complete, so that Kafka's threads compress and send while we apply. */
enum outcome txn_send_early(struct txn *txn);

/* The batch is complete. Add the offsets, then call txn_advance until OK. */
void txn_close(struct txn *txn);
struct broker_commit *txn_add_commit(struct txn *txn);

/* OK: committed, the outbox is empty. RETRY, REDO: call again after a pause. STOP. */
enum outcome txn_advance(struct txn *txn);

/* Gives the batch up: aborts if need be, empties the outbox. OK, RETRY or STOP. */
enum outcome txn_drop(struct txn *txn);

#endif
