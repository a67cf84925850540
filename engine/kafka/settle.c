#include "engine/kafka/settle.h"

#include "base/log.h"
#include "base/memory.h"
#include "engine/kafka/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

enum { TRIES = 40, PAUSE_MS = 100, TRANSACTION_COORDINATOR = 1 };

/* Kafka's error codes */
enum { NOT_YET_LOADED = 14, NOT_AVAILABLE = 15, NOT_COORDINATOR = 16, CONCURRENT = 51, ID_NOT_FOUND = 105 };

struct transaction {
    char id[300], state[32];
    int64_t producer;
    int16_t epoch, error;
};

/* --- transactions */

static void copy_text(char *to, size_t size, struct view text)
{
    snprintf(to, size, "%.*s", VIEW_ARGUMENTS(text));
}

static void pause_a_little(void)
{
    nanosleep(&(struct timespec){0, PAUSE_MS * 1000000L}, NULL);
}

static bool is_for_later(int16_t error)
{
    return error == NOT_YET_LOADED || error == NOT_AVAILABLE || error == NOT_COORDINATOR || error == CONCURRENT;
}

static struct protocol *coordinator_link(struct look *look, const char *id, int16_t *error)
{
    struct protocol *link = look_link(&look->nodes[0]);
    protocol_begin(link, PROTOCOL_FIND_COORDINATOR, 1, false);
    protocol_put_text(link, id);
    protocol_put_int8(link, TRANSACTION_COORDINATOR);
    protocol_ask(link);
    protocol_get_int32(link);
    *error = protocol_get_int16(link);
    protocol_get_text(link);
    int32_t node = protocol_get_int32(link);
    if (link->is_broken || *error != 0)
        return NULL;
    for (size_t i = 0; i < look->node_count; i++) {
        if (look->nodes[i].id == node)
            return look_link(&look->nodes[i]);
    }
    *error = NOT_AVAILABLE;
    return NULL;
}

static void describe_once(struct look *look, struct transaction *transaction)
{
    struct protocol *link = coordinator_link(look, transaction->id, &transaction->error);
    if (link == NULL)
        return;
    protocol_begin(link, PROTOCOL_DESCRIBE_TRANSACTIONS, 0, true);
    protocol_put_count(link, 1);
    protocol_put_text(link, transaction->id);
    protocol_put_tags(link);
    protocol_ask(link);
    protocol_get_int32(link);
    protocol_get_count(link);
    transaction->error = protocol_get_int16(link);
    protocol_get_text(link);
    copy_text(transaction->state, sizeof transaction->state, protocol_get_text(link));
    protocol_get_int32(link); /* its timeout */
    protocol_get_int64(link); /* since when */
    transaction->producer = protocol_get_int64(link);
    transaction->epoch = protocol_get_int16(link);
    if (link->is_broken)
        transaction->error = NOT_AVAILABLE;
}

static bool is_preparing(const struct transaction *transaction)
{
    return strncmp(transaction->state, "Prepare", strlen("Prepare")) == 0;
}

/* An end that is decided and on its way is waited for. */
static void describe(struct look *look, struct transaction *transaction)
{
    for (int tries = 0; tries < TRIES; tries++) {
        describe_once(look, transaction);
        if (!is_for_later(transaction->error) && !(transaction->error == 0 && is_preparing(transaction)))
            return;
        pause_a_little();
    }
}

/* Which transactional id a producer's number belongs to: its coordinator knows, whichever broker that is. */
static bool id_find(struct look *look, int64_t producer, struct transaction *transaction)
{
    for (size_t i = 0; i < look->node_count; i++) {
        struct protocol *link = look_link(&look->nodes[i]);
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
        copy_text(transaction->id, sizeof transaction->id, protocol_get_text(link));
        if (!link->is_broken && *transaction->id)
            return true;
    }
    return false;
}

/* --- ending one */

static void put_producer(struct protocol *link, const struct transaction *transaction)
{
    protocol_put_text(link, transaction->id);
    protocol_put_int64(link, transaction->producer);
    protocol_put_int16(link, transaction->epoch);
}

static int16_t first_error(struct protocol *link)
{
    int16_t error = 0;
    for (size_t topics = protocol_get_count(link); topics && !link->is_broken; topics--) {
        protocol_get_text(link);
        for (size_t left = protocol_get_count(link); left && !link->is_broken; left--) {
            protocol_get_int32(link);
            int16_t found = protocol_get_int16(link);
            error = error ? error : found;
        }
    }
    return error;
}

static size_t count_of(const struct open_list *list, size_t topic)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += list->places[i].topic == topic;
    return count;
}

static int16_t add_partitions(struct look *look, struct protocol *link, const struct transaction *transaction,
                              const struct open_list *hanging)
{
    size_t topics = 0;
    for (size_t topic = 0; topic < look->name_count; topic++)
        topics += !look_is_offsets(look, topic) && count_of(hanging, topic) > 0;
    if (topics == 0)
        return 0;
    protocol_begin(link, PROTOCOL_ADD_PARTITIONS, 0, false);
    put_producer(link, transaction);
    protocol_put_count(link, topics);
    for (size_t topic = 0; topic < look->name_count; topic++) {
        if (look_is_offsets(look, topic) || count_of(hanging, topic) == 0)
            continue;
        protocol_put_text(link, look->names[topic]);
        protocol_put_count(link, count_of(hanging, topic));
        for (size_t i = 0; i < hanging->count; i++) {
            if (hanging->places[i].topic == topic)
                protocol_put_int32(link, hanging->places[i].partition);
        }
    }
    protocol_ask(link);
    protocol_get_int32(link);
    return first_error(link);
}

static int16_t add_offsets(struct look *look, struct protocol *link, const struct transaction *transaction,
                           const struct open_list *hanging)
{
    bool is_wanted = false;
    for (size_t i = 0; i < hanging->count; i++)
        is_wanted |= look_is_offsets(look, hanging->places[i].topic);
    if (!is_wanted)
        return 0;
    protocol_begin(link, PROTOCOL_ADD_OFFSETS, 0, false);
    put_producer(link, transaction);
    protocol_put_text(link, look->self->consumer.group);
    protocol_ask(link);
    protocol_get_int32(link);
    return protocol_get_int16(link);
}

static int16_t end(struct protocol *link, const struct transaction *transaction, bool is_commit)
{
    protocol_begin(link, PROTOCOL_END_TRANSACTION, 0, false);
    put_producer(link, transaction);
    protocol_put_int8(link, is_commit);
    protocol_ask(link);
    protocol_get_int32(link);
    return protocol_get_int16(link);
}

static int16_t end_once(struct look *look, const struct transaction *transaction, const struct open_list *hanging, bool is_commit)
{
    int16_t error = 0;
    struct protocol *link = coordinator_link(look, transaction->id, &error);
    if (link == NULL)
        return error ? error : NOT_AVAILABLE;
    error = add_partitions(look, link, transaction, hanging);
    if (error == 0)
        error = add_offsets(look, link, transaction, hanging);
    if (error == 0)
        error = end(link, transaction, is_commit);
    return link->is_broken ? NOT_AVAILABLE : error;
}

static enum settled end_hanging(struct look *look, const struct transaction *transaction, const struct open_list *hanging)
{
    /* Anything but a commit was, or became, an abort. */
    bool is_commit = strcmp(transaction->state, "CompleteCommit") == 0;
    int16_t error = NOT_AVAILABLE;
    for (int tries = 0; tries < TRIES && is_for_later(error); tries++) {
        if (tries)
            pause_a_little();
        error = end_once(look, transaction, hanging, is_commit);
    }
    log_warning(error ? "a transaction that Kafka left open cannot be ended: kafka-transactions.sh find-hanging, then abort"
                      : "ended a transaction that Kafka had left open",
                "worker", look->self->producer.name, "id", transaction->id, "as", is_commit ? "committed" : "aborted", "partitions",
                LOG_NUMBER(hanging->count), "first", look->names[hanging->places[0].topic], "code", LOG_NUMBER(error), NULL);
    return error == 0 ? SETTLED : SETTLED_IMPOSSIBLE;
}

/* --- the whole of it */

static bool is_same(const struct open_place *one, const struct open_place *other)
{
    return one->topic == other->topic && one->partition == other->partition && one->producer == other->producer &&
           one->start_offset == other->start_offset;
}

static struct open_list in_both(const struct open_list *one, const struct open_list *other, int64_t producer)
{
    struct open_list both = {0};
    for (size_t i = 0; i < one->count; i++) {
        for (size_t j = 0; j < other->count && one->places[i].producer == producer; j++) {
            if (is_same(&one->places[i], &other->places[j]))
                open_list_add(&both, one->places[i]);
        }
    }
    return both;
}

/* Open before, ended according to the coordinator, and still open after: markers are written before a transaction counts as
 * ended, so this one will get none. */
static enum settled settle_one(struct look *look, struct transaction *transaction, const struct open_list *before)
{
    describe(look, transaction);
    if (transaction->error == ID_NOT_FOUND)
        return SETTLED;
    if (transaction->error)
        return is_for_later(transaction->error) ? SETTLED_LATER : SETTLED_IMPOSSIBLE;
    if (is_preparing(transaction) || strcmp(transaction->state, "Ongoing") == 0)
        return SETTLED_LATER;
    struct open_list after = look_for_open(look);
    struct open_list hanging = in_both(before, &after, transaction->producer);
    enum settled settled = hanging.count ? end_hanging(look, transaction, &hanging) : SETTLED;
    free(after.places);
    free(hanging.places);
    return settled;
}

static enum settled settle_anybody(struct look *look, const struct open_list *before)
{
    enum settled settled = SETTLED;
    for (size_t i = 0; i < before->count; i++) {
        bool is_new = true;
        for (size_t j = 0; j < i; j++)
            is_new &= before->places[j].producer != before->places[i].producer;
        struct transaction transaction = {0};
        if (!is_new || !id_find(look, before->places[i].producer, &transaction))
            continue;
        enum settled one = settle_one(look, &transaction, before);
        settled = one > settled ? one : settled;
    }
    return settled;
}

static bool is_plaintext(const struct kafka_settings *kafka)
{
    return kafka->security_protocol == NULL || *kafka->security_protocol == '\0' ||
           strcasecmp(kafka->security_protocol, "plaintext") == 0;
}

enum settled kafka_settle(const struct kafka_broker *self, bool is_of_anybody)
{
    if (!is_plaintext(self->config->kafka))
        return SETTLED_IMPOSSIBLE;
    struct look *look = memory_zeroed(1, sizeof *look);
    enum settled settled = SETTLED_AWAY;
    if (look_begin(look, self)) {
        struct open_list before = look_for_open(look);
        struct transaction own = {0};
        snprintf(own.id, sizeof own.id, "%s", self->producer.id);
        settled = is_of_anybody ? settle_anybody(look, &before) : settle_one(look, &own, &before);
        if (settled == SETTLED && look->is_incomplete)
            settled = SETTLED_LATER;
        free(before.places);
    }
    look_finish(look);
    free(look);
    return settled;
}

void kafka_settle_hidden(const struct kafka_broker *self)
{
    kafka_settle(self, true);
    if (!is_plaintext(self->config->kafka))
        log_warning("committed records or offsets stay hidden; if no producer is at work, a transaction may hang, and over TLS or SASL we "
                    "cannot end it: kafka-transactions.sh find-hanging, then abort",
                    "worker", self->consumer.name, NULL);
}
