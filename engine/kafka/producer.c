/* The transactional producer. Values are not copied: they lie in the outbox until commit or abort has returned. */
#include "engine/kafka/kafka_broker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/kafka/settle.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { INIT_MS = 2000, INIT_TRIES = 45, CALL_MS = 5000, ASK_MS = 5000, ASK_SHORTLY_MS = 1000, MISSING_WAIT_MS = 1000, SETTLE_EVERY_MS = 1000,
       SETTLE_PAUSE_MS = 200, AWAY_TRIES = 3 };

static struct kafka_producer *producer_of(struct broker *broker)
{
    return &((struct kafka_broker *)broker)->producer;
}

/* --- the edge: librdkafka's error becomes what to do next, and is logged once a change, and once a minute while nothing changes */

static bool is_fenced(const rd_kafka_error_t *error)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/* A rebalance came between, as any does now and then. */
static bool is_about_the_group(const rd_kafka_error_t *error)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

static void say(const struct kafka_producer *producer, const char *what, const rd_kafka_error_t *error, enum outcome outcome)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    bool is_consequence = outcome == OUTCOME_REDO && /* of what a record met */
                          (code == RD_KAFKA_RESP_ERR__STATE || code == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
    log_line(is_about_the_group(error) || is_consequence ? LOG_INFO : LOG_WARNING, "transaction does not go through", "worker", producer->name, "step", what, "code",
             rd_kafka_error_name(error), "error", rd_kafka_error_string(error), "then", outcome_name(outcome), NULL);
}

static enum outcome outcome_of(struct kafka_producer *producer, const char *what, rd_kafka_error_t *error)
{
    if (error == NULL) {
        producer->is_failing = false;
        return OUTCOME_OK;
    }
    enum outcome outcome = rd_kafka_error_is_fatal(error)             ? OUTCOME_STOP
                           : rd_kafka_error_txn_requires_abort(error) ? OUTCOME_REDO
                           : rd_kafka_error_is_retriable(error)       ? OUTCOME_RETRY
                           : rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT ? OUTCOME_RETRY
                                                                                        : OUTCOME_STOP;
    rivalry_excuse(producer->rivalry, atomic_load(&producer->link.unheard_at_us));
    bool was_on = rivalry_is_on(producer->rivalry);
    if (is_fenced(error) && outcome == OUTCOME_STOP)
        rivalry_note(producer->rivalry, producer->name, producer->id);
    bool is_news = !producer->is_failing && log_seldom(rd_kafka_error_name(error), producer->name);
    if ((is_news || outcome == OUTCOME_STOP) && !(was_on && is_fenced(error)))
        say(producer, what, error, outcome);
    producer->is_failing = true;
    if (outcome == OUTCOME_RETRY)
        kafka_link_doubt(&producer->link);
    rd_kafka_error_destroy(error);
    return outcome;
}

/* --- opening */

static bool topic_open(struct kafka_broker *self, size_t place, const char *name)
{
    struct kafka_producer *producer = &self->producer;
    char full[300];
    const char *prefix = self->config->kafka->topic_prefix;
    snprintf(full, sizeof full, "%s%s", prefix ? prefix : "", name);
    if (producer->topics[place] == NULL)
        producer->topics[place] = rd_kafka_topic_new(producer->handle, full, NULL);
    rd_kafka_resp_err_t code = kafka_partition_count(producer->handle, full, ASK_MS, &producer->partition_counts[place]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && producer->partition_counts[place] > 0)
        return true;
    if (!producer->is_failing)
        log_warning(code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? "topic is missing, waiting for it: touchstream topics makes it"
                                                                    : "topic cannot be looked up, waiting",
                    "worker", producer->name, "topic", full, "code", rd_kafka_err2name(code), NULL);
    producer->is_failing = true;
    return false;
}

static bool topics_open(struct kafka_broker *self)
{
    const struct processor *processor = self->config->processor;
    if (!topic_open(self, 0, processor->checkpoint))
        return false;
    for (size_t i = 0; processor->outputs[i] && i < OUTBOX_TOPICS_MAX; i++) {
        if (!topic_open(self, i + 1, processor->outputs[i]))
            return false;
    }
    self->producer.is_failing = false;
    return true;
}

static void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){0, ms * 1000000L}, NULL);
}

static void note_refused(struct kafka_link *link, rd_kafka_event_t *reports)
{
    const rd_kafka_message_t *message;
    while ((message = rd_kafka_event_message_next(reports))) {
        if (message->err == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP)
            atomic_store(&link->is_dated_ahead, true);
    }
}

/* Delivery reports are wanted for failures only, and failures abort the transaction anyhow: what the calls then answer names the cause or
 * only that the transaction is not in order, as it happens, so here we ask for the one that makes a difference. They are events, in a thread
 * of librdkafka's: without any, the flush inside of a commit looks every 10 ms whether everything has left; with events it is woken at once. */
static void on_event(rd_kafka_t *handle, rd_kafka_event_t *event, void *opaque)
{
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
        kafka_link_on_error(handle, (int)rd_kafka_event_error(event), rd_kafka_event_error_string(event), opaque);
    else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
        note_refused(opaque, event);
    rd_kafka_event_destroy(event);
}

static void forward_events(rd_kafka_t *handle)
{
    rd_kafka_queue_t *main_queue = rd_kafka_queue_get_main(handle);
    rd_kafka_queue_t *background = rd_kafka_queue_get_background(handle);
    rd_kafka_queue_forward(main_queue, background);
    rd_kafka_queue_destroy(background);
    rd_kafka_queue_destroy(main_queue);
}

static rd_kafka_conf_t *conf_create(struct kafka_broker *self)
{
    struct kafka_producer *producer = &self->producer;
    rd_kafka_conf_t *conf = kafka_conf_create(self->config->kafka, &producer->link, producer->name);
    kafka_conf_set(conf, "transactional.id", producer->id);
    kafka_conf_set_number(conf, "transaction.timeout.ms", self->config->settings.transaction_timeout_ms);
    kafka_conf_set(conf, "compression.codec", "lz4");
    kafka_conf_set(conf, "linger.ms", "2"); /* what is produced at the commit leaves while the offsets are sent; its flush would wait for none */
    kafka_conf_set(conf, "batch.num.messages", "10000");
    kafka_conf_set(conf, "batch.size", "1000000");
    kafka_conf_set(conf, "message.max.bytes", "2097152");
    kafka_conf_set(conf, "queue.buffering.max.messages", "2000000");
    kafka_conf_set(conf, "queue.buffering.max.kbytes", "1048576");
    /* The former transaction's markers are still being written when the next one adds its first partition; the coordinator
     * answers «concurrent transactions» and wants to be asked again, which the standard 100 ms make slow. */
    kafka_conf_set(conf, "retry.backoff.ms", "10");
    kafka_conf_set(conf, "delivery.report.only.error", "true");
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    rd_kafka_conf_set_background_event_cb(conf, on_event);
    return conf;
}

/* Kafka is there, and what our id left open is ended as it was decided: the init would forget the decision. librdkafka may know a
 * way to a broker that we do not, or an older broker understand nothing of it. */
static enum settled settle_first(struct kafka_broker *self)
{
    const struct rd_kafka_metadata *metadata = NULL;
    for (int tries = 0; tries < AWAY_TRIES; tries++) {
        if (tries)
            sleep_ms(SETTLE_PAUSE_MS);
        enum settled settled = kafka_settle_own(self);
        if (settled != SETTLED_AWAY ||
            rd_kafka_metadata(self->producer.handle, 0, NULL, &metadata, INIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return settled;
        rd_kafka_metadata_destroy(metadata);
    }
    log_warning("transactions that Kafka leaves open cannot be looked for: its brokers do not answer to what is asked then", "worker",
                self->producer.name, NULL);
    return SETTLED_IMPOSSIBLE;
}

static bool is_over(enum settled settled)
{
    return settled == SETTLED || settled == SETTLED_IMPOSSIBLE;
}

static bool is_for_init(enum settled settled)
{
    return is_over(settled) || settled == SETTLED_ONGOING;
}

/* A new handle now and then: it costs nothing while Kafka is away, and one that got stuck over it is not kept for ever. */
static enum outcome init(struct kafka_broker *self, atomic_bool *stop)
{
    struct kafka_producer *producer = &self->producer;
    enum outcome outcome = OUTCOME_RETRY;
    enum settled settled = SETTLED_AWAY;
    for (int tries = 0; outcome == OUTCOME_RETRY && tries < INIT_TRIES && !atomic_load(stop); tries++) {
        if (!is_for_init(settled))
            settled = settle_first(self);
        if (is_for_init(settled))
            outcome = outcome_of(producer, "init", rd_kafka_init_transactions(producer->handle, INIT_MS));
        else
            sleep_ms(SETTLE_PAUSE_MS);
        kafka_link_check(&producer->link, producer->handle);
    }
    if (settled == SETTLED_ONGOING) /* aborted by now, but perhaps not in every partition */
        kafka_link_doubt(&producer->link);
    producer->is_unsettled = settled == SETTLED_IMPOSSIBLE;
    return outcome;
}

static bool handle_open(struct kafka_broker *self)
{
    struct kafka_producer *producer = &self->producer;
    char error[512];
    producer->handle = kafka_handle_create(RD_KAFKA_PRODUCER, conf_create(self), error, sizeof error);
    if (producer->handle == NULL)
        log_error("cannot produce", "worker", producer->name, "error", error, NULL);
    else
        forward_events(producer->handle);
    return producer->handle != NULL;
}

bool kafka_producer_open(struct kafka_broker *self, int thread, atomic_bool *stop, bool *is_hopeless)
{
    (void)thread;
    if (!handle_open(self)) {
        *is_hopeless = true;
        return false;
    }
    enum outcome outcome = init(self, stop);
    while (outcome == OUTCOME_OK && !topics_open(self)) {
        if (atomic_load(stop))
            outcome = OUTCOME_STOP;
        for (int waited = 0; waited < MISSING_WAIT_MS && !atomic_load(stop); waited += 200)
            sleep_ms(200);
    }
    return outcome == OUTCOME_OK;
}

void kafka_producer_close(struct kafka_producer *producer)
{
    kafka_settle_close(producer);
    if (producer->handle == NULL)
        return;
    for (size_t i = 0; i <= OUTBOX_TOPICS_MAX; i++) {
        if (producer->topics[i])
            rd_kafka_topic_destroy(producer->topics[i]);
        producer->topics[i] = NULL;
    }
    /* An open transaction is left to its end: the next init of the same id aborts it at once. */
    rd_kafka_purge(producer->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(producer->handle);
    producer->handle = NULL;
}

/* A new epoch of the same transactional id, for which librdkafka needs a new handle. An abort throws away messages that are waiting, and
 * librdkafka 2.0 then gives their sequence numbers to others, though of some the answer may only have been lost: the broker has those
 * numbers, takes what comes under them for a repetition, and says that it has it; or it finds a gap and the next transaction has to be
 * aborted, too («skipped sequence numbers»). */
static enum outcome renew(struct kafka_broker *self)
{
    struct kafka_producer *producer = &self->producer;
    kafka_producer_close(producer);
    if (!handle_open(self) || !is_for_init(settle_first(self)))
        return OUTCOME_STOP;
    enum outcome outcome = outcome_of(producer, "init", rd_kafka_init_transactions(producer->handle, INIT_MS));
    return outcome == OUTCOME_OK && topics_open(self) ? OUTCOME_OK : OUTCOME_STOP;
}

/* By one request: about the topics that the handle knows of, which are those it writes to. */
bool kafka_producer_is_topic_gone(struct broker *broker)
{
    struct kafka_producer *producer = producer_of(broker);
    const struct rd_kafka_metadata *metadata = NULL;
    if (producer->handle == NULL || rd_kafka_metadata(producer->handle, 0, NULL, &metadata, ASK_SHORTLY_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    const char *gone = NULL;
    for (int i = 0; i < metadata->topic_cnt && gone == NULL; i++)
        gone = kafka_is_topic_missing(metadata->topics[i].err) ? metadata->topics[i].topic : NULL;
    if (gone)
        log_warning("what is left cannot be committed: kafka does not have a topic", "worker", producer->name, "error", gone, NULL);
    rd_kafka_metadata_destroy(metadata);
    return gone != NULL;
}

/* --- the transaction */

/* Does our last transaction hang? While that cannot be known, looks once a second at most. */
static enum settled doubt_clear(struct kafka_broker *self)
{
    struct kafka_producer *producer = &self->producer;
    int64_t now_us = clock_monotonic_us();
    if (now_us < producer->settle_at_us)
        return SETTLED_LATER;
    atomic_store(&producer->link.is_doubtful, false);
    enum settled settled = kafka_settle_own(self);
    producer->is_looked_at = is_over(settled);
    producer->settle_at_us = producer->is_looked_at ? 0 : now_us + SETTLE_EVERY_MS * 1000;
    if (!producer->is_looked_at)
        atomic_store(&producer->link.is_doubtful, true);
    return settled;
}

/* After trouble each transaction is looked at, for a while: one look says nothing of those that follow. The trouble may be our consumer's
 * alone, whose heartbeats go out when nothing is produced. */
static bool is_in_doubt(const struct kafka_broker *self)
{
    return atomic_load(&self->producer.link.is_doubtful) || kafka_link_is_shaky(&self->producer.link) ||
           kafka_link_is_shaky(&self->consumer.link);
}

/* No transaction before the last one has ended everywhere (settle.h). First the coordinator's word, then the doubt: a broker that went
 * away before that word was given has raised it by now. */
static bool is_last_over(struct kafka_broker *self)
{
    struct kafka_producer *producer = &self->producer;
    if (producer->is_unsettled || (producer->is_looked_at && !atomic_load(&producer->link.is_doubtful)))
        return true;
    enum settled settled = kafka_settle_last(self);
    if (is_in_doubt(self))
        settled = doubt_clear(self);
    return is_over(settled);
}

enum outcome kafka_producer_begin(struct broker *broker)
{
    struct kafka_producer *producer = producer_of(broker);
    if (!is_last_over((struct kafka_broker *)broker))
        return OUTCOME_RETRY;
    producer->is_looked_at = false;
    return outcome_of(producer, "begin", rd_kafka_begin_transaction(producer->handle));
}

static enum outcome produce_failed(struct kafka_producer *producer, const struct broker_message *message,
                                   rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        sleep_ms(10);
        return OUTCOME_RETRY;
    }
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        log_error("an output is larger than Kafka takes, this partition cannot go on: lower the bounds of what is remembered for one "
                  "key (journey.dedupe.ids_max, journey.history_max)",
                  "worker", producer->name, "topic", rd_kafka_topic_name(producer->topics[message->topic + 1]), "partition",
                  LOG_NUMBER(message->partition), "key_bytes", LOG_NUMBER(message->key.size), "value_bytes",
                  LOG_NUMBER(message->value.size), NULL);
        return OUTCOME_STOP;
    }
    if (code == RD_KAFKA_RESP_ERR__STATE) /* by what a record before it met */
        return OUTCOME_REDO;
    if (!producer->is_failing)
        log_warning("cannot produce", "worker", producer->name, "code", rd_kafka_err2name(code), NULL);
    producer->is_failing = true;
    return OUTCOME_STOP;
}

static void header_add(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRId64, number);
    rd_kafka_header_add(headers, name, -1, text, size);
}

/* A tombstone of the checkpoint topic carries where its entry died (checkpoint.h). */
static rd_kafka_resp_err_t produce_tombstone(struct kafka_producer *producer, const struct broker_message *message)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    header_add(headers, KAFKA_DIED_AT_HEADER, message->died_at_offset);
    if (message->note)
        header_add(headers, KAFKA_NOTE_HEADER, message->note);
    rd_kafka_resp_err_t code = rd_kafka_producev(producer->handle, RD_KAFKA_V_RKT(producer->topics[message->topic + 1]),
                                                 RD_KAFKA_V_PARTITION(message->partition), RD_KAFKA_V_MSGFLAGS(0),
                                                 RD_KAFKA_V_KEY(message->key.data, message->key.size), RD_KAFKA_V_VALUE(NULL, 0),
                                                 RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_TIMESTAMP(message->timestamp_ms), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_headers_destroy(headers); /* librdkafka's own otherwise */
    return code;
}

static rd_kafka_resp_err_t produce_one(struct kafka_producer *producer, const struct broker_message *message)
{
    if (message->died_at_offset >= 0)
        return produce_tombstone(producer, message);
    return rd_kafka_producev(
        producer->handle, RD_KAFKA_V_RKT(producer->topics[message->topic + 1]), RD_KAFKA_V_PARTITION(message->partition),
        RD_KAFKA_V_MSGFLAGS(0), RD_KAFKA_V_KEY(message->key.data, message->key.size),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)message->value.data, message->value.size),
        RD_KAFKA_V_TIMESTAMP(message->timestamp_ms), RD_KAFKA_V_END);
}

enum outcome kafka_producer_produce(struct broker *broker, const struct broker_message *messages, size_t count, size_t *taken)
{
    struct kafka_producer *producer = producer_of(broker);
    for (*taken = 0; *taken < count; ++*taken) {
        rd_kafka_resp_err_t code = produce_one(producer, &messages[*taken]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return produce_failed(producer, &messages[*taken], code);
    }
    return OUTCOME_OK;
}

/* Kafka takes no offsets of an input that it does not have, or takes it for one it has lost for a moment: asked again, it knows. */
static void look_for_input(struct kafka_broker *self)
{
    struct kafka_consumer *consumer = &self->consumer;
    int32_t count;
    if (kafka_partition_count(consumer->handle, consumer->topic, ASK_SHORTLY_MS, &count) == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        kafka_link_topic_gone(&consumer->link, consumer->topic);
}

enum outcome kafka_producer_send_offsets(struct broker *broker, const struct broker_commit *commits, size_t count)
{
    struct kafka_broker *self = (struct kafka_broker *)broker;
    const struct membership *membership = &self->consumer.membership;
    enum outcome outcome = membership_check(membership, self->consumer.handle, self->consumer.owed != BROKER_NOTHING);
    if (outcome != OUTCOME_OK)
        return outcome;
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *place =
            rd_kafka_topic_partition_list_add(offsets, self->consumer.topic, commits[i].partition);
        place->offset = commits[i].offset;
        place->metadata = memory_copy_text(commits[i].metadata);
        place->metadata_size = strlen(commits[i].metadata);
    }
    rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(self->producer.handle, offsets, membership->told, CALL_MS);
    rd_kafka_topic_partition_list_destroy(offsets); /* frees the metadata too */
    if (error && kafka_is_topic_missing(rd_kafka_error_code(error)))
        look_for_input(self);
    outcome = outcome_of(&self->producer, "offsets", error);
    return outcome;
}

enum outcome kafka_producer_commit(struct broker *broker)
{
    struct kafka_producer *producer = producer_of(broker);
    enum outcome outcome = outcome_of(producer, "commit", rd_kafka_commit_transaction(producer->handle, CALL_MS));
    kafka_link_check(&producer->link, producer->handle);
    if (outcome == OUTCOME_OK && is_in_doubt((struct kafka_broker *)broker))
        is_last_over((struct kafka_broker *)broker); /* perhaps no other transaction follows for long */
    return outcome;
}

enum outcome kafka_producer_abort(struct broker *broker)
{
    struct kafka_producer *producer = producer_of(broker);
    enum outcome outcome = outcome_of(producer, "abort", rd_kafka_abort_transaction(producer->handle, CALL_MS));
    kafka_link_check(&producer->link, producer->handle);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (atomic_load(&producer->link.is_dated_ahead)) { /* the abort has waited for all reports. Sent again it would have the same dates, computed again it has not */
        if (log_seldom("dated ahead", producer->name))
            log_warning("transaction does not go through", "worker", producer->name, "code", rd_kafka_err2name(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP), "error",
                        kafka_error_text(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP), NULL);
        return OUTCOME_STOP;
    }
    if (!atomic_load(&producer->link.is_doubtful))
        return renew((struct kafka_broker *)broker);
    /* Who had the last word on it, Kafka or we? The committed offsets know where we stand. */
    log_info("aborted after Kafka was away, beginning anew from the committed offsets", "worker", producer->name, NULL);
    return OUTCOME_STOP;
}
