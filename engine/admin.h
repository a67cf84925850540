/* Topics: create, look at, check, empty. Blocking calls, any thread. */
#ifndef TS_ENGINE_ADMIN_H
#define TS_ENGINE_ADMIN_H

#include "base/bytes.h"
#include "base/outcome.h"
#include "engine/kafka_settings.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct topic_wanted {
    const char *name; /* without prefix */
    int32_t partitions;
    bool is_any_more_fine; /* more than that are not worth a word */
    int16_t replication;
    bool is_compacted;
    bool is_dated_on_arrival; /* records bear the time at which Kafka got them, and retention counts from there */
    int64_t retention_ms;       /* not of compacted ones */
    int64_t tombstones_kept_ms; /* compacted: tombstones must outlive the longest downtime (engine/checkpoint.h) */
    int64_t ahead_most_ms;      /* how far ahead of its own clock Kafka may let a record be dated; 0: does not matter */
};

/* RETRY: Kafka cannot be reached (error says where). */
enum outcome admin_ping(const struct kafka_settings *kafka, int timeout_ms, char *error, size_t error_size);

/* Creates what is missing. What is there and is not as wanted (partitions, copies, cleanup, retention, sizes, dates) is left as it is and stands in `report`, a
 * line each: "NAME: what and why". OK also then. RETRY: Kafka does not answer (for a minute, or when *stop became true), which is the report.
 * STOP: something cannot be created. */
enum outcome admin_ensure_topics(const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count, const atomic_bool *stop,
                                 struct bytes *report);

/* The same without creating: what is missing stands in the report as "NAME: missing". */
enum outcome admin_look_at_topics(const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count, struct bytes *report);

#endif
