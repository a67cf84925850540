/* Topics: create, look at, check, empty. Blocking calls, any thread. */
#ifndef TS_ENGINE_ADMIN_H
#define TS_ENGINE_ADMIN_H

#include "base/outcome.h"
#include "engine/kafka_settings.h"

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
    int64_t retention_ms; /* -1: for ever */
};

/* RETRY: Kafka cannot be reached (error says where). */
enum outcome admin_ping(const struct kafka_settings *kafka, int timeout_ms, char *error, size_t error_size);

/* Creates what is missing (compacted topics keep tombstones for 30 days: how long an installation may be down); an existing topic with other partitions or cleanup is reported in `report` (one line each). */
enum outcome admin_ensure_topics(const struct kafka_settings *kafka, const struct topic_wanted *topics, size_t count,
                                 char *report, size_t report_size);

/* −1: no such topic, −2: Kafka cannot be reached. `topic` with prefix. */
int32_t admin_partition_count(const struct kafka_settings *kafka, const char *topic);

#endif
