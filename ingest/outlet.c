#include "ingest/outlet.h"

#include "base/utf8.h"
#include "schemas/wire.h"

enum { KEY_BYTES_MAX = 256 };

enum outcome outlet_to_publisher(void *publisher, const char *topic, struct view key, struct view value,
                                 int64_t timestamp_ms, void *message_context)
{
    return publisher_send(publisher, topic, -1, key, value, timestamp_ms, message_context);
}

bool outlet_publisher_is_connected(void *publisher)
{
    return publisher_is_connected(publisher);
}

void outlet_encode(const struct outlet *outlet, const struct touchpoint *touch, struct bytes *value)
{
    wire_begin(value, outlet->touchpoint_schema);
    touchpoint_encode(value, touch);
}

enum outcome outlet_send(const struct outlet *outlet, const struct touchpoint *touch, struct bytes *scratch,
                         void *message_context)
{
    bytes_clear(scratch);
    outlet_encode(outlet, touch, scratch);
    return outlet->publish(outlet->target, outlet->touchpoints_topic, touch->customer_id, bytes_view(scratch),
                           touch->received_at_ms, message_context);
}

void outlet_encode_rejected(const struct outlet *outlet, const struct rejected *rejected, struct bytes *value)
{
    wire_begin(value, outlet->rejected_schema);
    rejected_encode(value, rejected);
}

struct view outlet_rejected_key(struct view customer_id)
{
    bool is_usable = customer_id.size > 0 && customer_id.size <= KEY_BYTES_MAX && utf8_is_valid(customer_id);
    return is_usable ? customer_id : (struct view){NULL, 0};
}

enum outcome outlet_send_rejected(const struct outlet *outlet, const struct rejected *rejected, struct view customer_id,
                                  struct bytes *scratch, void *message_context)
{
    bytes_clear(scratch);
    outlet_encode_rejected(outlet, rejected, scratch);
    return outlet->publish(outlet->target, outlet->rejected_topic, outlet_rejected_key(customer_id), bytes_view(scratch),
                           rejected->received_at_ms, message_context);
}

enum outcome outlet_send_delta(const struct outlet *outlet, struct view key, const struct kpi_delta *delta, int64_t now_ms, struct bytes *scratch)
{
    if (!outlet->deltas_topic)
        return OUTCOME_OK;
    bytes_clear(scratch);
    wire_begin(scratch, outlet->delta_schema);
    kpi_delta_encode(scratch, delta);
    return outlet->publish(outlet->target, outlet->deltas_topic, key, bytes_view(scratch), now_ms, NULL);
}
