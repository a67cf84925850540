/* What every librdkafka handle of ours has in common: how to reach the brokers, where its log goes, whether Kafka is away.
 *
 * «Kafka is away» is said once, when no broker can be reached, and «Kafka is back» once, when one answered again; between
 * the two librdkafka reconnects with its own growing pauses, and we stay silent. */
#ifndef TS_ENGINE_KAFKA_LINK_H
#define TS_ENGINE_KAFKA_LINK_H

#include "base/outcome.h"
#include "base/view.h"
#include "engine/kafka_settings.h"
#include "engine/record.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>

struct kafka_link {
    const char *name;               /* who says it: "journey-0", "follow" */
    const char *brokers;
    const char *service;            /* for whom librdkafka's own threads work (log.h) */
    atomic_bool is_away;
    atomic_bool is_doubtful;        /* a broker has been away: the last transaction may hang (settle.h). For who looks, to clear */
    _Atomic int64_t doubted_at_us;  /* when the doubt last arose; 0: never */
    atomic_bool is_topic_gone;      /* Kafka said of a topic that it does not have it. For who looks, to clear */
    atomic_bool had_topic_gone;     /* ever */
    atomic_bool is_dated_ahead;     /* a record was refused for its date: this machine's clock is ahead. A producer's */
    atomic_bool is_fatal;           /* librdkafka gave up this handle (fenced, or worse); only a new handle helps */
    _Atomic int64_t asked_at_us;    /* when link_check last asked a broker */
    _Atomic int64_t unheard_at_us;  /* when a broker last was not to be had, or did not answer in time; 0: never */
};

/* A configuration with brokers, security, logging and the error callback; `link` becomes the handle's opaque and outlives
 * it. `kafka` is borrowed for the call. */
rd_kafka_conf_t *kafka_conf_create(const struct kafka_settings *kafka, struct kafka_link *link, const char *name);

/* Our own constants: a refused one is a bug, so it ends the process. */
void kafka_conf_set(rd_kafka_conf_t *conf, const char *key, const char *value);
void kafka_conf_set_number(rd_kafka_conf_t *conf, const char *key, int64_t value);

/* The error callback, for handles that take errors as events. */
void kafka_link_on_error(rd_kafka_t *handle, int code, const char *reason, void *link);

/* Something was not answered in time, or broke: the last transaction may hang. Any thread. */
void kafka_link_doubt(struct kafka_link *link);

/* Was that within the last seconds? A broker that has just come back, or goes on after a standstill, may not be its partitions' leader
 * yet, or lose them once more: what it is asked to end then, it may not end everywhere (settle.h). */
bool kafka_link_is_shaky(const struct kafka_link *link);

/* Takes conf in any case. NULL: see error (a user's wrong security settings, say). */
rd_kafka_t *kafka_handle_create(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *error, size_t error_size);

/* While Kafka is away: asks a broker, once a second at most, and says when it is back. Cheap otherwise. */
bool kafka_link_check(struct kafka_link *link, rd_kafka_t *handle);

/* Kafka has no such topic, or not so many partitions of it. */
bool kafka_is_topic_missing(rd_kafka_resp_err_t code);

/* Kafka has said so of a topic that this handle is about: notes it, and tells. Any thread. */
void kafka_link_topic_gone(struct kafka_link *link, const char *topic);

/* Says so: once for all partitions, and whoever else notices. Any thread. */
void kafka_tell_topic_gone(const struct kafka_link *link, const char *topic);

/* rd_kafka_err2str, and where that names no cause that a user could do something about, what it most likely is. Constant. */
const char *kafka_error_text(rd_kafka_resp_err_t code);

/* How many partitions a topic has: Kafka's error code, and 0, where it has none or is not to be had within so long. */
rd_kafka_resp_err_t kafka_partition_count(rd_kafka_t *handle, const char *topic, int wait_ms, int32_t *count);

/* A consumed message as our record. Borrows from both. */
struct record kafka_record_of(const rd_kafka_message_t *message, struct view topic);

/* False: this key or value is no record but an event or error (already logged when it matters). */
bool kafka_message_is_record(struct kafka_link *link, const rd_kafka_message_t *message);

/* false: a consumer's handle that has left its group is to be left behind. With a topic that went away while it was read librdkafka before 2.6.1
 * holds on to itself, and its destruction never comes to an end (#4724). */
bool kafka_link_ends(const struct kafka_link *link);

#endif
