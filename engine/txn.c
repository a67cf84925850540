#include "engine/txn.h"

#include "base/memory.h"
#include "engine/mutation.h"

#include <stdlib.h>

void txn_init(struct txn *txn, struct broker *broker, struct outbox *outbox)
{
    *txn = (struct txn){.broker = broker, .outbox = outbox};
}

void txn_finish(struct txn *txn)
{
    free(txn->commits);
}

/* The one place where a failure changes the stage. */
static enum outcome failed(struct txn *txn, enum outcome outcome)
{
    if (outcome == OUTCOME_REDO) {
        txn->stage = TXN_BROKEN;
        txn->redo_count++;
    }
    return outcome;
}

/* Each partition that joins a transaction later than others costs a request, and librdkafka 2.0 two milliseconds of CPU: its main thread
 * spins through the millisecond before each such request, and through one more after the answer. Records come partition by
 * partition, so what is handed over at once should be of many of them. */
#ifndef EARLY_CHUNKS
#define EARLY_CHUNKS 16 /* the simulation makes do with one */
#endif

static enum outcome begin(struct txn *txn)
{
    enum outcome outcome = txn->broker->port->begin(txn->broker);
    if (outcome != OUTCOME_OK)
        return failed(txn, outcome);
    txn->stage = TXN_OPEN;
    return OUTCOME_OK;
}

enum outcome txn_send_early(struct txn *txn)
{
    const struct outbox *outbox = txn->outbox;
    if (outbox_closed_chunks_unsent(outbox) < EARLY_CHUNKS || txn->stage > TXN_OPEN)
        return OUTCOME_OK;
    enum outcome outcome = txn->stage == TXN_IDLE ? begin(txn) : OUTCOME_OK;
    if (outcome == OUTCOME_OK)
        outcome = failed(txn, outbox_send(txn->outbox, txn->broker, false));
    return outcome == OUTCOME_STOP ? OUTCOME_STOP : OUTCOME_OK; /* the rest is for the commit to mend */
}

void txn_close(struct txn *txn)
{
    txn->is_closing = true;
    txn->commit_count = 0;
}

struct broker_commit *txn_add_commit(struct txn *txn)
{
    if (txn->commit_count == txn->commit_capacity) {
        txn->commit_capacity = txn->commit_capacity ? txn->commit_capacity * 2 : 16;
        txn->commits = memory_resize(txn->commits, txn->commit_capacity * sizeof *txn->commits);
    }
    return &txn->commits[txn->commit_count++];
}

static enum outcome send_rest(struct txn *txn)
{
    enum outcome outcome = outbox_send(txn->outbox, txn->broker, true);
    if (outcome == OUTCOME_OK && txn->commit_count && !MUTANT(OFFSETS_OUTSIDE))
        outcome = txn->broker->port->send_offsets(txn->broker, txn->commits, txn->commit_count);
    if (outcome != OUTCOME_OK)
        return failed(txn, outcome);
    txn->stage = TXN_SENT;
    return OUTCOME_OK;
}

static enum outcome commit(struct txn *txn)
{
    enum outcome outcome = txn->broker->port->commit(txn->broker);
    if (outcome == OUTCOME_OK && MUTANT(OFFSETS_OUTSIDE)) {
        outcome = txn->broker->port->begin(txn->broker);
        if (outcome == OUTCOME_OK)
            outcome = txn->broker->port->send_offsets(txn->broker, txn->commits, txn->commit_count);
        if (outcome == OUTCOME_OK)
            outcome = txn->broker->port->commit(txn->broker);
    }
    if (outcome != OUTCOME_OK)
        return failed(txn, outcome);
    txn->stage = TXN_IDLE;
    txn->is_closing = false;
    txn->redo_count = 0;
    txn->committed++;
    outbox_clear(txn->outbox);
    return OUTCOME_OK;
}

static enum outcome abort_broken(struct txn *txn)
{
    enum outcome outcome = MUTANT(OUTBOX_TWICE) ? txn->broker->port->commit(txn->broker) : txn->broker->port->abort(txn->broker);
    if (outcome != OUTCOME_OK)
        return outcome;
    txn->stage = TXN_IDLE;
    txn->aborted++;
    if (!MUTANT(OUTBOX_NOT_REWOUND))
        outbox_rewind(txn->outbox);
    return OUTCOME_OK;
}

enum outcome txn_advance(struct txn *txn)
{
    enum outcome outcome = OUTCOME_OK;
    while (txn->is_closing && outcome == OUTCOME_OK) {
        switch (txn->stage) {
        case TXN_IDLE:
            outcome = begin(txn);
            break;
        case TXN_OPEN:
            outcome = send_rest(txn);
            break;
        case TXN_SENT:
            outcome = commit(txn);
            break;
        case TXN_BROKEN:
            outcome = abort_broken(txn);
            break;
        }
    }
    return outcome;
}

enum outcome txn_drop(struct txn *txn)
{
    enum outcome outcome = txn->stage == TXN_IDLE ? OUTCOME_OK : abort_broken(txn);
    if (outcome != OUTCOME_OK)
        return outcome;
    txn->is_closing = false;
    txn->redo_count = 0;
    outbox_clear(txn->outbox);
    return OUTCOME_OK;
}
