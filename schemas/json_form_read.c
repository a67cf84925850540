/* Touchpoints out of JSON text, in one pass over it, driven by the reflection tables. Single values: json_values.c. */
#include "base/signature.h"
#include "base/utf8.h"
#include "schemas/json_values.h"

#include <strings.h>

enum { EVENT_ID_BYTES_MAX = 256 };

/* What the envelope's fields are called in a CloudEvent (1.0, JSON format); all else is called alike. */
static const struct {
    struct view ours, theirs;
} cloud_names[] = {{{"event_id", 8}, {"id", 2}}, {{"occurred_at", 11}, {"time", 4}}, {{"customer_id", 11}, {"subject", 7}}};

enum { CLOUD_NAMES = sizeof cloud_names / sizeof cloud_names[0] };

/* Ours for a key of the text; null when the text may not use it. */
static struct view our_name(const struct form_reader *reader, struct view key)
{
    for (int i = 0; reader->is_cloud_event && i < CLOUD_NAMES; i++) {
        if (view_equal(key, cloud_names[i].theirs))
            return cloud_names[i].ours;
        if (view_equal(key, cloud_names[i].ours))
            return (struct view){NULL, 0};
    }
    return key;
}

static struct view their_name(const struct form_reader *reader, struct view ours)
{
    for (int i = 0; reader->is_cloud_event && i < CLOUD_NAMES; i++) {
        if (view_equal(ours, cloud_names[i].ours))
            return cloud_names[i].theirs;
    }
    return ours;
}

/* Writers tend to keep the schema's order, so the field after the last one found is tried first. */
static const struct field_shape *find_field(const struct record_shape *shape, struct view key, size_t *next)
{
    for (size_t tried = 0; tried < shape->field_count; tried++) {
        size_t i = (*next + tried) % shape->field_count;
        if (view_equal(key, shape->fields[i].name) && shape->fields[i].kind != SHAPE_UNION) {
            *next = i + 1;
            return &shape->fields[i];
        }
    }
    return NULL;
}

static bool note_unknown(struct form_reader *reader, const struct form_path *path, const char *record_name)
{
    form_note(reader, path, "unknown_field", "%s has no field of this name", record_name);
    return form_skip(reader);
}

/* A required field that was not met; maps are empty instead. */
static void note_missing(struct form_reader *reader, const struct form_path *parent, const struct record_shape *shape,
                         uint64_t seen)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct field_shape *field = &shape->fields[i];
        struct form_path own = {parent, parent ? field->name : their_name(reader, field->name)};
        if (!(seen >> i & 1) && !field->nullable && field->kind != SHAPE_MAP && field->kind != SHAPE_UNION)
            form_note(reader, &own, "missing_field", "%s is required", own.name.data);
    }
}

/* One known field, met for the first time. */
static bool read_member(struct form_reader *reader, const struct form_path *path, const struct record_shape *shape,
                        const struct field_shape *field, uint64_t *seen, char *record)
{
    uint64_t bit = (uint64_t)1 << (field - shape->fields);
    if (*seen & bit)
        return form_key_twice(reader, path->name);
    *seen |= bit;
    return form_read_field(reader, path, field, record);
}

static bool read_body(struct form_reader *reader, const struct record_shape *shape, char *record)
{
    static const struct form_path data = {NULL, {"data", 4}};
    uint64_t seen = 0;
    size_t next = 0;
    bool more;
    if (json_scan_peek(&reader->scan) != '{')
        return form_wrong_type(reader, &data, "an object");
    if (!json_scan_open(&reader->scan, '{'))
        return false;
    for (bool is_first = true;; is_first = false) {
        struct view key;
        if (!form_read_key(reader, is_first, &key, &more))
            return false;
        if (!more)
            break;
        struct form_path own = {&data, key};
        const struct field_shape *field = find_field(shape, key, &next);
        bool is_json = field ? read_member(reader, &own, shape, field, &seen, record)
                             : note_unknown(reader, &own, shape->name);
        if (!is_json)
            return false;
    }
    note_missing(reader, &data, shape, seen);
    return true;
}

/* `data` may stand before `type`: then it is only marked here, and read once the type is known. So is `data_base64` always. */
struct envelope {
    uint64_t seen;
    bool has_type, has_data, has_version, is_known;
    unsigned kind;
    const struct field_shape *body;
    struct view encoded_data, data_type; /* a CloudEvent's data_base64 and datacontenttype; null: not there */
};

static bool read_cloud_type(struct form_reader *reader, const struct form_path *path, const struct enum_shape *types,
                            unsigned *kind)
{
    static const char prefix[] = "touchstream.";
    enum { PREFIX_SIZE = sizeof prefix - 1 };
    struct view type = {NULL, 0};
    if (!form_read_text(reader, path, &type))
        return false;
    if (type.data == NULL)
        return true; /* of another type, which has been noted */
    if (type.size > PREFIX_SIZE && memcmp(type.data, prefix, PREFIX_SIZE) == 0) {
        for (unsigned i = 0; i < types->count; i++) {
            if (view_equal(types->symbols[i], view_of(type.data + PREFIX_SIZE, type.size - PREFIX_SIZE)))
                *kind = i;
        }
    }
    if (*kind == types->count)
        form_note(reader, path, "unknown_type", "the type is none of ours, such as %s%s", prefix,
                  types->symbols[0].data);
    return true;
}

static bool read_encoded_data(struct form_reader *reader, struct envelope *envelope, const struct form_path *path)
{
    if (envelope->encoded_data.data)
        return form_key_twice(reader, path->name);
    return json_scan_peek(&reader->scan) == 'n' ? form_skip(reader) : form_read_text(reader, path, &envelope->encoded_data);
}

/* It matters for data_base64 alone: `data` shows what it is. */
static bool read_data_type(struct form_reader *reader, struct envelope *envelope, const struct form_path *path)
{
    return json_scan_peek(&reader->scan) == '"' ? form_read_text(reader, path, &envelope->data_type) : form_skip(reader);
}

/* What only CloudEvents have. `*is_ours` says whether it was one of these. */
static bool read_cloud_member(struct form_reader *reader, struct envelope *envelope, struct view key, bool *is_ours)
{
    /* The extensions that the CloudEvents project documents, and what Knative adds: of the way a message went, not of what happened to a customer. */
    static const char *const ignored[] = {"dataschema", "traceparent", "tracestate", "partitionkey", "sequence", "sequencetype",
                                          "sampledrate", "expirytime", "recordedtime", "severitytext", "severitynumber", "authtype", "authid", "authclaims",
                                          "correlationid", "causationid", "knativearrivaltime", "knativehistory"};
    struct form_path own = {NULL, key};
    struct view version = {NULL, 0};
    *is_ours = true;
    if (view_equal_text(key, "data_base64"))
        return read_encoded_data(reader, envelope, &own);
    if (view_equal_text(key, "datacontenttype"))
        return read_data_type(reader, envelope, &own);
    *is_ours = view_equal_text(key, "specversion");
    if (*is_ours) {
        if (envelope->has_version)
            return form_key_twice(reader, key);
        envelope->has_version = true;
        if (!form_read_text(reader, &own, &version))
            return false;
        if (version.data && !view_equal_text(version, "1.0"))
            form_note(reader, &own, "unknown_symbol", "only CloudEvents 1.0 are taken");
        return true;
    }
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0] && !*is_ours; i++)
        *is_ours = view_equal_text(key, ignored[i]);
    return !*is_ours || form_skip(reader);
}

static bool read_type(struct form_reader *reader, struct envelope *envelope)
{
    static const struct form_path path = {NULL, {"type", 4}};
    unsigned none = (unsigned)envelope->body->enumeration->count;
    if (envelope->has_type)
        return form_key_twice(reader, VIEW_LITERAL("type"));
    envelope->has_type = true;
    envelope->kind = none;
    if (json_scan_peek(&reader->scan) == 'n') {
        form_note(reader, &path, "missing_field", "type is required and cannot be null");
        return form_skip(reader);
    }
    bool is_json = reader->is_cloud_event
                       ? read_cloud_type(reader, &path, envelope->body->enumeration, &envelope->kind)
                       : form_read_symbol(reader, &path, envelope->body->enumeration, "unknown_type", &envelope->kind);
    envelope->is_known = is_json && envelope->kind < none;
    return is_json;
}

static bool read_data(struct form_reader *reader, struct envelope *envelope, char *record)
{
    static const struct form_path path = {NULL, {"data", 4}};
    if (envelope->has_data)
        return form_key_twice(reader, VIEW_LITERAL("data"));
    envelope->has_data = true;
    if (json_scan_peek(&reader->scan) == 'n') {
        envelope->has_data = false; /* null is as good as missing */
        return json_scan_word(&reader->scan, "null");
    }
    if (json_scan_peek(&reader->scan) != '{')
        return form_wrong_type(reader, &path, "an object");
    if (envelope->is_known)
        return read_body(reader, envelope->body->branches[envelope->kind], record + envelope->body->offset);
    bool before = reader->scan.lone_surrogate;
    bool is_json = json_scan_skip(&reader->scan, &reader->data);
    reader->scan.lone_surrogate = before;
    return is_json;
}

static bool read_envelope_member(struct form_reader *reader, struct envelope *envelope, struct view key, size_t *next,
                                 char *record)
{
    if (view_equal_text(key, "type"))
        return read_type(reader, envelope);
    if (view_equal_text(key, "data"))
        return read_data(reader, envelope, record);
    bool is_read = false;
    if (reader->is_cloud_event && !read_cloud_member(reader, envelope, key, &is_read))
        return false;
    if (is_read)
        return true;
    struct form_path own = {NULL, key};
    const struct field_shape *field = find_field(&touchpoint_shape, our_name(reader, key), next);
    return field ? read_member(reader, &own, &touchpoint_shape, field, &envelope->seen, record)
                 : note_unknown(reader, &own, touchpoint_shape.name);
}

/* The data that was met before its type: read out of its own place in the text. */
static bool read_late_data(struct form_reader *reader, struct envelope *envelope, char *record)
{
    struct json_scan after = reader->scan;
    reader->scan.at = reader->data.data;
    reader->scan.depth = 1;
    bool is_json = read_body(reader, envelope->body->branches[envelope->kind], record + envelope->body->offset);
    if (is_json)
        reader->scan = after;
    return is_json;
}

/* application/json, with or without parameters, or whatever ends in +json. */
static bool is_json_type(struct view type)
{
    const char *end = memchr(type.data, ';', type.size);
    size_t size = end ? (size_t)(end - type.data) : type.size;
    while (size && type.data[size - 1] == ' ')
        size--;
    return size >= 5 && (strncasecmp(type.data + size - 5, "/json", 5) == 0 || strncasecmp(type.data + size - 5, "+json", 5) == 0);
}

/* The data out of a text of its own. Its faults are those of `data`, but for what is no JSON: that of the event is not broken by it. */
static void read_decoded_data(struct form_reader *reader, const struct form_path *path, struct view text, const struct record_shape *shape,
                              char *body)
{
    struct json_scan after = reader->scan;
    json_scan_init(&reader->scan, text, JSON_RECORD_DEPTH_MAX);
    reader->scan.depth = 1;
    if (!read_body(reader, shape, body) || !json_scan_ended(&reader->scan)) {
        reader->has_fault = false;
        form_note(reader, path, "bad_json", "%s, at byte %zu of what is encoded", reader->scan.broken,
                  (size_t)(reader->scan.at - reader->scan.begin));
    }
    reader->scan = after;
}

static void settle_encoded_data(struct form_reader *reader, const struct envelope *envelope, struct touchpoint *out)
{
    static const struct form_path path = {NULL, {"data_base64", 11}}, type_path = {NULL, {"datacontenttype", 15}};
    struct bytes decoded = {0};
    struct view text = {NULL, 0};
    if (envelope->has_data)
        form_note(reader, &path, "unknown_field", "an event has data or data_base64, not both");
    else if (envelope->data_type.data && !is_json_type(envelope->data_type))
        form_note(reader, &type_path, "wrong_type", "what is in data_base64 must be JSON");
    else if (!signature_read_base64(&decoded, envelope->encoded_data))
        form_note(reader, &path, "wrong_type", "this is not base64");
    else if (text = arena_copy(reader->arena, bytes_view(&decoded)), !utf8_is_valid(text))
        form_note(reader, &path, "bad_utf8", "what is encoded is not valid UTF-8");
    else
        read_decoded_data(reader, &path, text, envelope->body->branches[envelope->kind], (char *)out + envelope->body->offset);
    bytes_finish(&decoded);
}

static bool settle_body(struct form_reader *reader, struct envelope *envelope, struct touchpoint *out)
{
    static const struct form_path type_path = {NULL, {"type", 4}}, data_path = {NULL, {"data", 4}};
    if (!envelope->has_type)
        form_note(reader, &type_path, "missing_field", "type is required");
    if (!envelope->is_known)
        return true;
    const struct record_shape *shape = envelope->body->branches[envelope->kind];
    out->body_kind = (enum touchpoint_body_kind)envelope->kind;
    if (envelope->encoded_data.data)
        settle_encoded_data(reader, envelope, out);
    else if (!envelope->has_data && shape->field_count > 0)
        form_note(reader, &data_path, "missing_field", "data is required for %s", shape->name);
    return reader->data.data == NULL || read_late_data(reader, envelope, (char *)out);
}

static bool read_envelope(struct form_reader *reader, struct envelope *envelope, struct touchpoint *out)
{
    size_t next = 0;
    bool more;
    if (!json_scan_open(&reader->scan, '{'))
        return false;
    for (bool is_first = true;; is_first = false) {
        struct view key;
        if (!form_read_key(reader, is_first, &key, &more))
            return false;
        if (!more)
            break;
        if (!read_envelope_member(reader, envelope, key, &next, (char *)out))
            return false;
    }
    return json_scan_ended(&reader->scan);
}

/* --- the whole --- */

static const struct field_shape *body_field(void)
{
    const struct field_shape *field = touchpoint_shape.fields;
    while (field->kind != SHAPE_UNION)
        field++;
    return field;
}

static void mark_seen(struct envelope *envelope, const char *name)
{
    for (size_t i = 0; i < touchpoint_shape.field_count; i++) {
        if (view_equal_text(touchpoint_shape.fields[i].name, name))
            envelope->seen |= (uint64_t)1 << i;
    }
}

static void settle_event_id(struct form_reader *reader, struct touchpoint *out)
{
    const struct form_path path = {NULL, their_name(reader, VIEW_LITERAL("event_id"))};
    struct view id = reader->event_id_text;
    if (id.data == NULL)
        return; /* missing or of the wrong type, which has been noted */
    if (id.size == 0)
        form_note(reader, &path, "empty", "the event id is empty");
    else if (id.size > EVENT_ID_BYTES_MAX)
        form_note(reader, &path, "too_large", "an event id has at most %d bytes", EVENT_ID_BYTES_MAX);
    else
        out->event_id = uuid_of_source(out->source, id);
}

static bool read_whole(struct touchpoint *out, struct view text, bool is_cloud_event, struct view default_source,
                       struct arena *arena, struct json_fault *fault)
{
    struct form_reader reader = {.arena = arena, .fault = fault, .has_bad_utf8 = !utf8_is_valid(text),
                                 .is_cloud_event = is_cloud_event};
    static const struct form_path version_path = {NULL, {"specversion", 11}};
    struct envelope envelope = {.body = body_field()};
    memset(out, 0, sizeof *out);
    json_scan_init(&reader.scan, text, JSON_RECORD_DEPTH_MAX);

    bool is_json = read_envelope(&reader, &envelope, out);
    if (out->source.data == NULL && default_source.data) {
        out->source = default_source;
        mark_seen(&envelope, "source");
    }
    mark_seen(&envelope, "received_at");
    settle_event_id(&reader, out);
    if (is_json) {
        if (is_cloud_event && !envelope.has_version)
            form_note(&reader, &version_path, "missing_field", "specversion is required");
        note_missing(&reader, NULL, &touchpoint_shape, envelope.seen);
        is_json = settle_body(&reader, &envelope, out);
    }
    if (!is_json && !reader.has_bad_utf8) {
        reader.has_fault = false;
        form_note(&reader, NULL, "bad_json", "%s, at byte %zu", reader.scan.broken,
             (size_t)(reader.scan.at - reader.scan.begin));
    }
    if (reader.has_bad_utf8 && !(reader.has_fault && strcmp(fault->code, "bad_utf8") == 0)) {
        reader.has_fault = false;
        form_note(&reader, NULL, "bad_utf8", "the text is not valid UTF-8");
    }
    return !reader.has_fault;
}

bool touchpoint_from_json(struct touchpoint *out, struct view text, struct view default_source, struct arena *arena,
                          struct json_fault *fault)
{
    return read_whole(out, text, false, default_source, arena, fault);
}

bool touchpoint_from_cloud_event(struct touchpoint *out, struct view text, struct view default_source,
                                 struct arena *arena, struct json_fault *fault)
{
    return read_whole(out, text, true, default_source, arena, fault);
}
