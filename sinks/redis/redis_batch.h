/* A batch of records as one MULTI: what each becomes, closed hours, and the positions reached. No I/O: redis_sink.c sends it and judges the
 * answers. A lane's thread. */
#ifndef TS_SINKS_REDIS_REDIS_BATCH_H
#define TS_SINKS_REDIS_REDIS_BATCH_H

#include "schemas/registry.h"
#include "sinks/redis/positions.h"
#include "sinks/redis/sink_topics.h"

struct metric;

/* What the batches of a lane have in common. */
struct batch_maker {
    const char *topic_prefix;
    struct record_reader *readers[SINK_TOPICS];
    struct positions positions;   /* where the batches made so far end, by our own book */
    struct projection projection; /* of the batch being made; its commands are what is to be sent */
    struct metric *undecodable_total;
};

/* The topics' prefix, the settings and the registry must outlive it. */
void batch_maker_init(struct batch_maker *maker, const char *topic_prefix, const struct redis_settings *redis, struct registry *registry);
void batch_maker_finish(struct batch_maker *maker);

struct redis_batch {
    struct arena arena; /* of everything it needs until it is answered */
    struct touched_list touched;
    struct series_questions questions;
    const struct kpi_place *kpis; /* not published, for nobody seemed to listen */
    bool has_kpis; /* listeners are asked for, right behind EXEC */
    size_t record_count, command_count, exec_at;
};

/* Makes the batch anew, in maker->projection.commands. RETRY or STOP: a record's schema cannot be had now. */
enum outcome batch_make(struct batch_maker *maker, struct redis_batch *batch, const struct record *records, size_t count, bool has_listeners);

/* As positions.h wants it, of a topic as Kafka has it. */
struct view batch_position_name(const struct batch_maker *maker, struct arena *arena, struct view topic, int32_t partition);

#endif
