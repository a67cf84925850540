#include "ingest/accept.h"

#include "base/utf8.h"

struct json_fault accept_fault(const char *code, struct view path, struct view reason)
{
    return (struct json_fault){.code = code, .path = path, .reason = reason};
}

static bool is_cloud_event(struct view text, const struct json_fault *fault)
{
    return (strcmp(fault->code, "unknown_field") == 0 || strcmp(fault->code, "missing_field") == 0) &&
           memmem(text.data, text.size, "\"specversion\"", 13) != NULL;
}

static bool read(struct touchpoint *out, struct view text, enum accept_notation notation, struct view default_source,
                 struct arena *arena, struct json_fault *fault)
{
    if (notation == ACCEPT_CLOUD_EVENT)
        return touchpoint_from_cloud_event(out, text, default_source, arena, fault);
    if (touchpoint_from_json(out, text, default_source, arena, fault))
        return true;
    return notation == ACCEPT_EITHER && is_cloud_event(text, fault) &&
           touchpoint_from_cloud_event(out, text, default_source, arena, fault);
}

bool accept_form(struct touchpoint *out, struct view text, enum accept_notation notation, struct view default_source,
                 struct arena *arena, struct json_fault *fault)
{
    if (text.size > RECORD_BYTES_MAX) {
        *out = (struct touchpoint){0};
        *fault = accept_fault("too_large", VIEW_LITERAL(""), VIEW_LITERAL("a record is at most 1 MiB"));
        return false;
    }
    return read(out, text, notation, default_source, arena, fault) && check_touchpoint(out, arena, fault);
}

bool accept_touchpoint(struct touchpoint *out, struct view text, enum accept_notation notation,
                       struct view default_source, int64_t now_ms, struct arena *arena, struct json_fault *fault)
{
    if (!accept_form(out, text, notation, default_source, arena, fault))
        return false;
    out->received_at_ms = now_ms;
    return check_time(out, now_ms, arena, fault);
}

void accept_rejected(struct rejected *out, const struct touchpoint *read, struct view source, struct view original,
                     const struct json_fault *fault, int64_t now_ms, int attempt)
{
    static const struct uuid none;
    bool has_id = read && !uuid_equal(&read->event_id, &none);
    *out = (struct rejected){
        .received_at_ms = now_ms,
        .source = read && read->source.size && read->source.size <= ID_BYTES_MAX && utf8_is_valid(read->source)
                      ? read->source
                      : source,
        .code = view_of_text(fault->code),
        .path = fault->path,
        .reason = fault->reason,
        .payload = view_of(original.data, original.size < RECORD_BYTES_MAX ? original.size : RECORD_BYTES_MAX),
        .attempt = attempt,
        .has_event_id = has_id,
        .event_id = has_id ? read->event_id : none,
    };
}
