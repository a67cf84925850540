/* The topics that the sink reads, what is in them, and what becomes of it (projection.h). */
#ifndef TS_SINKS_REDIS_SINK_TOPICS_H
#define TS_SINKS_REDIS_SINK_TOPICS_H

#include "schemas/reader.h"
#include "sinks/redis/projection.h"

/* News does not wait behind thousands of KPIs: it has a thread and a connection. */
enum sink_lane { LANE_BULK, LANE_NEWS };

enum { SINK_TOPICS = 6 };

struct sink_topic {
    const char *name;
    const struct record_shape *shape;
    void (*project)(struct projection *projection, const void *record);   /* the struct of that shape */
    void (*project_gone)(struct projection *projection, struct view key, int64_t at_ms); /* tombstones, as of their timestamp; NULL: none come */
    bool is_last_all; /* of the records of one key in a batch the last says it all: the others are passed over undecoded */
    enum sink_lane lane;
};

extern const struct sink_topic sink_topics[SINK_TOPICS];

/* Room for whatever a topic's record decodes to. */
union sink_record {
    struct kpi kpi;
    struct alert alert;
    struct enriched_touchpoint enriched;
    struct journey journey;
    struct follow_up followup;
    struct trend_shift shift;
};

#endif
