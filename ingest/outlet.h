/* Where touchpoints and rejected records go: to their topics, in the wire format. Encoding happens here and nowhere else in ingest. */
#ifndef TS_INGEST_OUTLET_H
#define TS_INGEST_OUTLET_H

#include "base/bytes.h"
#include "engine/publisher.h"
#include "schemas/records.h"

#include <stdbool.h>

struct outlet {
    /* publisher_send, or a test's own. RETRY: nothing was taken, the queue is full. */
    enum outcome (*publish)(void *target, const char *topic, struct view key, struct view value, int64_t timestamp_ms,
                            void *message_context);
    /* Did a broker answer lately? NULL: always. */
    bool (*is_connected)(void *target);
    void *target;
    const char *touchpoints_topic, *rejected_topic; /* with prefix; borrowed */
    uint32_t touchpoint_schema, rejected_schema;
    const char *deltas_topic; /* NULL: there is nobody who counts (verdicts.h) */
    uint32_t delta_schema;
};

enum outcome outlet_to_publisher(void *publisher, const char *topic, struct view key, struct view value,
                                 int64_t timestamp_ms, void *message_context);

bool outlet_publisher_is_connected(void *publisher);

/* Appends the message's value. */
void outlet_encode(const struct outlet *outlet, const struct touchpoint *touch, struct bytes *value);

void outlet_encode_rejected(const struct outlet *outlet, const struct rejected *rejected, struct bytes *value);

/* The key of a rejected record: the customer's id where there is a usable one, else null. It may be the very thing refused. */
struct view outlet_rejected_key(struct view customer_id);

/* `scratch` is overwritten. The record's timestamp is received_at (READINGS 48), the key the customer's id. */
enum outcome outlet_send(const struct outlet *outlet, const struct touchpoint *touch, struct bytes *scratch,
                         void *message_context);

/* For the kpi stage: nobody waits for it, the message's context is NULL. */
enum outcome outlet_send_delta(const struct outlet *outlet, struct view key, const struct kpi_delta *delta, int64_t now_ms, struct bytes *scratch);

/* `customer_id` may be null. */
enum outcome outlet_send_rejected(const struct outlet *outlet, const struct rejected *rejected, struct view customer_id,
                                  struct bytes *scratch, void *message_context);

#endif
