#include "processors/journey/reject.h"

#include "base/utf8.h"
#include "schemas/touchpoint_rules.h"
#include "schemas/wire.h"

enum { PAYLOAD_MAX = 1024 * 1024, KEY_MAX = 256 };

static void say_why(struct rejected *rejected, const char *code, const char *path, const char *reason)
{
    rejected->code = view_of_text(code);
    rejected->path = view_of_text(path);
    rejected->reason = view_of_text(reason);
}

static void say_fault(struct rejected *rejected, const struct json_fault *fault)
{
    rejected->code = view_of_text(fault->code);
    rejected->path = fault->path;
    rejected->reason = fault->reason;
}

/* In the names of the JSON form, as all other paths: the body's kind is `type` there, what is in it `data`. */
static void say_unreadable(struct rejected *rejected, const struct json_fault *fault, struct arena *arena)
{
    say_fault(rejected, fault);
    struct view body = VIEW_LITERAL("body"), path = fault->path;
    if (view_equal(path, body))
        rejected->path = VIEW_LITERAL("type");
    if (path.size <= body.size || path.data[body.size] != '.' || memcmp(path.data, body.data, body.size) != 0)
        return;
    char *renamed = arena_alloc(arena, path.size); /* as long */
    memcpy(renamed, path.data, path.size);
    memcpy(renamed, "data", body.size);
    rejected->path = view_of(renamed, path.size);
}

void reject_park(struct step *step, const struct record *record)
{
    struct journey_task *task = step->task;
    struct touchpoint touch;
    struct json_fault fault;
    bool is_read = record_reader_judge(task->shared->touchpoints, record->value, step->arena, &touch, &fault) == OUTCOME_OK;
    struct view payload = record->value.data ? record->value : view_of("", 0);
    struct rejected rejected = {.received_at_ms = record->timestamp_ms,
                                .source = is_read ? touch.source : VIEW_LITERAL(""),
                                .payload = view_of(payload.data, payload.size < PAYLOAD_MAX ? payload.size : PAYLOAD_MAX),
                                .attempt = 1,
                                .has_event_id = is_read};
    if (record->value.size > RECORD_VALUE_MAX)
        say_why(&rejected, "too_large", "", "a record is at most 1.5 MiB; the payload is its beginning");
    else if (record->value.data == NULL)
        say_why(&rejected, "wrong_type", "", "no value: the topic is not compacted, so a tombstone deletes nothing (touchstream forget CUSTOMER does)");
    else if (is_read && !check_record(&touch, record->timestamp_ms, step->arena, &fault))
        say_fault(&rejected, &fault);
    else if (is_read && task->refusal)
        say_why(&rejected, "too_late", "occurred_at", task->refusal);
    else if (is_read)
        say_why(&rejected, "too_large", "customer_id", "there is no room for another customer (engine.entries_max)");
    else
        say_unreadable(&rejected, &fault, step->arena);
    task->refusal = NULL;
    if (is_read)
        rejected.event_id = touch.event_id;
    if (rejected.source.size > KEY_MAX || !utf8_is_valid(rejected.source))
        rejected.source = VIEW_LITERAL("");
    struct view key = is_read ? touch.customer_id : record->key;
    if (key.data == NULL || key.size > KEY_MAX)
        key = VIEW_LITERAL("");
    struct bytes *value = outbox_begin(step->outbox, JOURNEY_OUTPUT_REJECTED, OUTBOX_BY_KEY, key, record->timestamp_ms);
    wire_begin(value, task->shared->ids.rejected);
    rejected_encode(value, &rejected);
    outbox_end(step->outbox);
}
