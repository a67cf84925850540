#include "engine/kafka/settle.h"

#include "base/log.h"
#include "base/memory.h"
#include "engine/kafka/look.h"
#include "engine/kafka/sasl.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    TRIES = 40,
    PAUSE_MS = 100,
    LAST_TRIES = 50,
    LAST_PAUSE_MS = 2,
    OTHERS_MS = 2000,
    TRANSACTION_COORDINATOR = 1
};

/* Kafka's error codes */
enum { NOT_AUTHORIZED_FOR_ID = 53, NOT_AUTHORIZED = 31, NO_SUCH_REQUEST = 35, ID_NOT_FOUND = 105 };

enum decision { UNKNOWN, NOT_DECIDED, IS_ENDING, COMMITTED, ABORTED };

struct transaction {
    char id[300];
    int64_t producer;
    enum decision decision;
};

static struct transaction own_transaction(const struct kafka_broker *self)
{
    struct transaction own = {0};
    snprintf(own.id, sizeof own.id, "%s", self->producer.id);
    return own;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static bool is_for_operator(int16_t error)
{
    return error == NOT_AUTHORIZED || error == NOT_AUTHORIZED_FOR_ID || error == NO_SUCH_REQUEST;
}

/* --- what the coordinator has decided */

/* Anything but a commit was, or became, an abort: also «Empty», which an init that found a transaction
 * undecided leaves behind. */
static enum decision decision_of(struct view state)
{
    return view_equal_text(state, "CompleteCommit") ? COMMITTED
           : view_equal_text(state, "Ongoing")      ? NOT_DECIDED
           : state.size >= strlen("Prepare") && memcmp(state.data, "Prepare", strlen("Prepare")) == 0
               ? IS_ENDING
               : ABORTED;
}

/* NULL: not to be had, and Kafka's error code why; −1: no answer, 0: a broker we know nothing of. */
static struct node *coordinator_find(struct look *look, const char *id, int16_t *why)
{
    struct protocol *link = look_link(look, &look->nodes[0]);
    protocol_begin(link, PROTOCOL_FIND_COORDINATOR, 1, false);
    protocol_put_text(link, id);
    protocol_put_int8(link, TRANSACTION_COORDINATOR);
    protocol_ask(link);
    protocol_get_int32(link);
    int16_t error = protocol_get_int16(link);
    protocol_get_text(link);
    int32_t node = protocol_get_int32(link);
    *why = link->is_broken ? -1 : error;
    return *why ? NULL : look_node(look, node);
}

/* Answers Kafka's error code; −1: no answer. */
static int16_t describe_at(const struct look *look, struct node *coordinator, struct transaction *transaction)
{
    struct protocol *link = look_link(look, coordinator);
    protocol_begin(link, PROTOCOL_DESCRIBE_TRANSACTIONS, 0, true);
    protocol_put_count(link, 1);
    protocol_put_text(link, transaction->id);
    protocol_put_tags(link);
    protocol_ask(link);
    protocol_get_int32(link);
    protocol_get_count(link);
    int16_t error = protocol_get_int16(link);
    protocol_get_text(link);
    transaction->decision = decision_of(protocol_get_text(link));
    protocol_get_int32(link); /* its timeout */
    protocol_get_int64(link); /* since when */
    transaction->producer = protocol_get_int64(link);
    if (link->is_broken)
        error = -1;
    if (error)
        transaction->decision = UNKNOWN;
    return error;
}

static enum settled settled_of(int16_t error, enum decision decision)
{
    return error == ID_NOT_FOUND     ? SETTLED
           : is_for_operator(error)  ? SETTLED_IMPOSSIBLE
           : error < 0               ? SETTLED_AWAY
           : decision == NOT_DECIDED ? SETTLED_ONGOING
           : decision <= IS_ENDING   ? SETTLED_LATER
                                     : SETTLED;
}

/* An end that is decided and on its way is waited for. */
static enum settled describe(struct look *look, struct transaction *transaction)
{
    enum settled settled = SETTLED_LATER;
    for (int tries = 0; tries < TRIES && settled == SETTLED_LATER; tries++) {
        if (tries)
            pause_ms(PAUSE_MS);
        int16_t why;
        struct node *coordinator = coordinator_find(look, transaction->id, &why);
        if (coordinator)
            settled = settled_of(describe_at(look, coordinator, transaction), transaction->decision);
        else if (is_for_operator(why))
            settled = SETTLED_IMPOSSIBLE;
    }
    return settled;
}

/* Which transactional id a producer's number belongs to: its coordinator knows, whichever broker that is. */
static bool id_find(struct look *look, int64_t producer, struct transaction *transaction)
{
    for (size_t i = 0; i < look->node_count; i++) {
        struct protocol *link = look_link(look, &look->nodes[i]);
        protocol_begin(link, PROTOCOL_LIST_TRANSACTIONS, 0, true);
        protocol_put_count(link, 0);
        protocol_put_count(link, 1);
        protocol_put_int64(link, producer);
        protocol_put_tags(link);
        protocol_ask(link);
        protocol_get_int32(link);
        protocol_get_int16(link);
        for (size_t left = protocol_get_count(link); left && !link->is_broken; left--)
            protocol_get_text(link); /* states it does not know: we named none */
        if (protocol_get_count(link) == 0 || link->is_broken)
            continue;
        struct view id = protocol_get_text(link);
        snprintf(transaction->id, sizeof transaction->id, "%.*s", VIEW_ARGUMENTS(id));
        if (!link->is_broken && *transaction->id)
            return true;
    }
    return false;
}

/* --- writing what is missing */

static int16_t marker_write(struct look *look, const struct open_place *place, bool is_commit)
{
    struct node *leader = look_node(look, place->leader);
    struct protocol *link = look_link(look, leader);
    protocol_begin(link, PROTOCOL_WRITE_MARKERS, 1, true);
    protocol_put_count(link, 1);
    protocol_put_int64(link, place->producer);
    protocol_put_int16(link, place->epoch);
    protocol_put_int8(link, is_commit);
    protocol_put_count(link, 1);
    protocol_put_text(link, look->names[place->topic]);
    protocol_put_count(link, 1);
    protocol_put_int32(link, place->partition);
    protocol_put_tags(link);
    protocol_put_int32(link, place->coordinator_epoch < 0 ? 0 : place->coordinator_epoch);
    protocol_put_tags(link);
    protocol_put_tags(link);
    protocol_ask(link);
    protocol_get_count(link);
    protocol_get_int64(link);
    protocol_get_count(link);
    protocol_get_text(link);
    protocol_get_count(link);
    protocol_get_int32(link);
    int16_t error = protocol_get_int16(link);
    return link->is_broken ? -1 : error;
}

static enum settled end_hanging(struct look *look, const struct transaction *transaction,
                                const struct open_list *hanging)
{
    bool is_commit = transaction->decision == COMMITTED;
    int16_t error = 0;
    for (size_t i = 0; i < hanging->count && error == 0; i++)
        error = marker_write(look, &hanging->places[i], is_commit);
    log_warning(is_for_operator(error) ? "a transaction that Kafka left open is not ours to end: "
                                         "kafka-transactions.sh find-hanging, then abort"
                : error                ? "a transaction that Kafka left open is not ended yet"
                                       : "ended a transaction that Kafka had left open",
                "worker", look->self->producer.name, "id", transaction->id, "as",
                is_commit ? "committed" : "aborted", "partitions", LOG_NUMBER(hanging->count), "first",
                look->names[hanging->places[0].topic], "code", LOG_NUMBER(error), NULL);
    return error == 0 ? SETTLED : is_for_operator(error) ? SETTLED_IMPOSSIBLE : SETTLED_LATER;
}

/* --- the whole of it */

static bool is_same(const struct open_place *one, const struct open_place *other)
{
    return one->topic == other->topic && one->partition == other->partition &&
           one->producer == other->producer && one->start_offset == other->start_offset;
}

static struct open_list in_both(const struct open_list *one, const struct open_list *other, int64_t producer)
{
    struct open_list both = {0};
    for (size_t i = 0; i < one->count; i++) {
        for (size_t j = 0; j < other->count && one->places[i].producer == producer; j++) {
            if (is_same(&one->places[i], &other->places[j]))
                open_list_add(&both, other->places[j]);
        }
    }
    return both;
}

static struct open_list still_open(struct look *look, const struct open_list *before, int64_t producer)
{
    struct open_list now = look_for_open(look);
    struct open_list both = in_both(before, &now, producer);
    free(now.places);
    return both;
}

/* Open before, ended according to the coordinator, and still open after: markers are written before a
 * transaction counts as ended, so this one will get none. */
static enum settled settle_one(struct look *look, struct transaction *transaction,
                               const struct open_list *before, bool is_own)
{
    enum settled settled = describe(look, transaction);
    if (settled != SETTLED || transaction->decision == UNKNOWN)
        return settled;
    struct open_list hanging = still_open(look, before, transaction->producer);
    if (hanging.count && !is_own) {
        pause_ms(OTHERS_MS);
        struct open_list earlier = hanging;
        settled = describe(look, transaction);
        hanging = still_open(look, &earlier, transaction->producer);
        free(earlier.places);
    }
    if (hanging.count && settled == SETTLED)
        settled = end_hanging(look, transaction, &hanging);
    free(hanging.places);
    return settled;
}

static enum settled settle_own(struct look *look, const struct open_list *before)
{
    struct transaction own = own_transaction(look->self);
    return settle_one(look, &own, before, true);
}

static enum settled settle_others(struct look *look, const struct open_list *before)
{
    enum settled settled = SETTLED;
    for (size_t i = 0; i < before->count; i++) {
        bool is_new = true;
        for (size_t j = 0; j < i; j++)
            is_new &= before->places[j].producer != before->places[i].producer;
        struct transaction transaction = {0};
        if (!is_new || !id_find(look, before->places[i].producer, &transaction))
            continue;
        enum settled one = settle_one(look, &transaction, before, false);
        settled = one > settled ? one : settled;
    }
    return settled;
}

static enum settled settle(const struct kafka_broker *self,
                           enum settled (*whose)(struct look *look, const struct open_list *before))
{
    if (sasl_is_foreign(self->config->kafka))
        return SETTLED_IMPOSSIBLE;
    struct look *look = memory_zeroed(1, sizeof *look);
    enum settled settled = SETTLED_AWAY;
    if (look_begin(look, self)) {
        struct open_list before = look_for_open(look);
        settled = look->node_count ? whose(look, &before) : SETTLED_LATER;
        if (settled == SETTLED && look->is_incomplete)
            settled = SETTLED_LATER;
        free(before.places);
    }
    look_finish(look);
    free(look);
    return settled;
}

enum settled kafka_settle_own(const struct kafka_broker *self)
{
    return settle(self, settle_own);
}

enum settled kafka_settle_others(const struct kafka_broker *self)
{
    return settle(self, settle_others);
}

void kafka_settle_hidden(const struct kafka_broker *self)
{
    if (kafka_settle_others(self) == SETTLED_IMPOSSIBLE)
        log_warning(
            "committed records or offsets stay hidden; if no producer is at work, a transaction may hang, and without the right to do so (ClusterAction), "
            "or with a mechanism of SASL that is not ours, we cannot end it: kafka-transactions.sh find-hanging, then abort",
            "worker", self->consumer.name, NULL);
}

/* --- before each transaction */

void kafka_settle_close(struct kafka_producer *producer)
{
    if (producer->look == NULL)
        return;
    look_finish(producer->look);
    free(producer->look);
    producer->look = NULL;
    producer->coordinator = NULL;
}

static struct node *coordinator_of(struct kafka_broker *self)
{
    struct kafka_producer *producer = &self->producer;
    if (producer->coordinator)
        return producer->coordinator;
    int16_t why;
    producer->look = memory_zeroed(1, sizeof *producer->look);
    if (look_begin(producer->look, self) && producer->look->node_count)
        producer->coordinator = coordinator_find(producer->look, producer->id, &why);
    return producer->coordinator;
}

enum settled kafka_settle_last(struct kafka_broker *self)
{
    struct transaction last = own_transaction(self);
    enum settled settled = SETTLED_LATER;
    for (int tries = 0; tries < LAST_TRIES && settled == SETTLED_LATER; tries++) {
        if (tries)
            pause_ms(LAST_PAUSE_MS);
        bool was_kept = self->producer.coordinator != NULL;
        struct node *coordinator = coordinator_of(self);
        int16_t error = coordinator ? describe_at(self->producer.look, coordinator, &last) : -1;
        settled = settled_of(error, last.decision);
        if (error != 0)
            kafka_settle_close(&self->producer); /* it may be another by now */
        if (error < 0 && was_kept) { /* the connection is gone: it was idle for long, or the broker died */
            kafka_link_doubt(&self->producer.link);
            settled = SETTLED_LATER;
        }
    }
    return settled;
}
