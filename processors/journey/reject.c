#include "processors/journey/reject.h"

#include "schemas/wire.h"

enum { PAYLOAD_MAX = 1024 * 1024 };

void reject_park(struct step *step, const struct record *record)
{
    struct journey_task *task = step->task;
    struct touchpoint touch;
    const char *why = "is no Touchpoint";
    bool is_read = record_reader_read(task->shared->touchpoints, record->value, step->arena, &touch, NULL, &why) == OUTCOME_OK;
    struct view payload = record->value.data ? record->value : view_of("", 0);
    struct rejected rejected = {.received_at_ms = is_read ? touch.received_at_ms : record->timestamp_ms,
                                .source = is_read ? touch.source : VIEW_LITERAL(""),
                                .code = is_read ? VIEW_LITERAL("too_late") : VIEW_LITERAL("wrong_type"),
                                .path = is_read ? VIEW_LITERAL("occurred_at") : VIEW_LITERAL(""),
                                .reason = is_read ? VIEW_LITERAL("happened longer ago than journey.revision_horizon")
                                                  : view_of_text(why),
                                .payload = view_of(payload.data, payload.size < PAYLOAD_MAX ? payload.size : PAYLOAD_MAX),
                                .attempt = 1,
                                .has_event_id = is_read};
    if (is_read)
        rejected.event_id = touch.event_id;
    struct view key = is_read ? touch.customer_id : record->key.data ? record->key : VIEW_LITERAL("");
    struct bytes *value = outbox_begin(step->outbox, JOURNEY_OUTPUT_REJECTED, OUTBOX_BY_KEY, key, record->timestamp_ms);
    wire_begin(value, task->shared->ids.rejected);
    rejected_encode(value, &rejected);
    outbox_end(step->outbox);
}
