/* Touchpoints out of JSON text, in one pass over it, driven by the reflection tables.
 *
 * Two kinds of failure run through here. A function returns false when the JSON itself is broken: nothing more can be
 * said about the text. A value that is well-formed but not what the schema wants is noted once (the first stands) and
 * stepped over, because only at the end of the text do we know whether it was JSON at all. */
#include "base/time_text.h"
#include "base/utf8.h"
#include "schemas/json_form.h"
#include <stdio.h>

enum { EVENT_ID_BYTES_MAX = 256, SHOWN_BYTES_MAX = 80 };

struct reader {
    struct json_scan scan;
    struct arena *arena;
    struct json_fault *fault;
    bool has_fault;
    bool has_bad_utf8;         /* somewhere in the text; strings are then checked one by one for the path */
    struct view event_id_text; /* turned into the id once the source is known */
    struct view data;          /* met before its type */
};

/* Where we are: "data" → "score". On the stack of the readers; written out only when there is something to note. */
struct path {
    const struct path *parent;
    struct view name;
};

static void note(struct reader *reader, const struct path *path, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static struct view path_text(struct arena *arena, const struct path *path)
{
    struct view own = utf8_prefix(path->name, SHOWN_BYTES_MAX);
    if (path->parent == NULL)
        return arena_copy(arena, own);
    struct view before = path_text(arena, path->parent);
    char *text = arena_alloc(arena, before.size + 1 + own.size);
    memcpy(text, before.data, before.size);
    text[before.size] = '.';
    memcpy(text + before.size + 1, own.data, own.size);
    return view_of(text, before.size + 1 + own.size);
}

static void note(struct reader *reader, const struct path *path, const char *code, const char *format, ...)
{
    if (reader->has_fault)
        return;
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    struct view text = view_of(reason, (size_t)size < sizeof reason ? (size_t)size : sizeof reason - 1);
    reader->has_fault = true;
    *reader->fault = (struct json_fault){.code = code,
                                         .path = path ? path_text(reader->arena, path) : VIEW_LITERAL(""),
                                         .reason = arena_copy(reader->arena, utf8_prefix(text, text.size))};
}

static const char *kind_of_value(char first)
{
    switch (first) {
    case '"':
        return "a string";
    case '{':
        return "an object";
    case '[':
        return "an array";
    case 't':
    case 'f':
        return "true or false";
    case 'n':
        return "null";
    default:
        return "a number";
    }
}

static bool skip(struct reader *reader)
{
    bool before = reader->scan.lone_surrogate;
    bool is_json = json_scan_skip(&reader->scan, NULL);
    reader->scan.lone_surrogate = before; /* what is stepped over has been refused already */
    return is_json;
}

static bool wrong_type(struct reader *reader, const struct path *path, const char *expected)
{
    char first = json_scan_peek(&reader->scan);
    if (first)
        note(reader, path, "wrong_type", "expected %s, found %s", expected, kind_of_value(first));
    return skip(reader);
}

/* --- values --- */

static bool read_text(struct reader *reader, const struct path *path, struct view *out)
{
    if (json_scan_peek(&reader->scan) != '"')
        return wrong_type(reader, path, "a string");
    if (!json_scan_string(&reader->scan, reader->arena, out))
        return false;
    if (reader->scan.lone_surrogate) {
        note(reader, path, "bad_utf8", "half of a surrogate pair stands alone");
        reader->scan.lone_surrogate = false;
    }
    if (reader->has_bad_utf8 && !utf8_is_valid(*out))
        note(reader, path, "bad_utf8", "the text is not valid UTF-8");
    return true;
}

static bool read_time(struct reader *reader, const struct path *path, int64_t *at_ms)
{
    struct view text = {NULL, 0};
    if (json_scan_peek(&reader->scan) != '"')
        return wrong_type(reader, path, "a time as an ISO 8601 string");
    if (!read_text(reader, path, &text))
        return false;
    if (!time_text_parse(text, at_ms))
        note(reader, path, "bad_time", "\"%.*s\" is no ISO 8601 time such as 2026-11-22T10:00:00.000Z",
             VIEW_ARGUMENTS(utf8_prefix(text, SHOWN_BYTES_MAX)));
    return true;
}

static bool read_number(struct reader *reader, const struct path *path, const struct field_shape *field, void *place)
{
    struct json_number number;
    char first = json_scan_peek(&reader->scan);
    if (first != '-' && (first < '0' || first > '9'))
        return wrong_type(reader, path, field->kind == SHAPE_DOUBLE ? "a number" : "a whole number");
    if (!json_scan_number(&reader->scan, &number))
        return false;
    if (field->kind == SHAPE_DOUBLE && __builtin_isinf(number.real))
        note(reader, path, "out_of_range", "the number is larger than any double");
    else if (field->kind == SHAPE_DOUBLE)
        *(double *)place = number.real;
    else if (!number.is_integral)
        note(reader, path, "wrong_type", "expected a whole number, found a fraction");
    else if (!number.fits ||
             (field->kind == SHAPE_INT && (number.integer < INT32_MIN || number.integer > INT32_MAX)))
        note(reader, path, "out_of_range", "the number does not fit into %d bits", field->kind == SHAPE_INT ? 32 : 64);
    else if (field->kind == SHAPE_INT)
        *(int32_t *)place = (int32_t)number.integer;
    else
        *(int64_t *)place = number.integer;
    return true;
}

static bool read_boolean(struct reader *reader, const struct path *path, bool *out)
{
    char first = json_scan_peek(&reader->scan);
    if (first != 't' && first != 'f')
        return wrong_type(reader, path, "true or false");
    *out = first == 't';
    return json_scan_word(&reader->scan, *out ? "true" : "false");
}

static bool find_symbol(const struct enum_shape *shape, struct view name, unsigned *out)
{
    for (unsigned i = 0; i < shape->count; i++) {
        if (view_equal(name, shape->symbols[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* "A, B, C" for the reason; cut off where it gets long. */
static void list_symbols(const struct enum_shape *shape, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < shape->count && used + shape->symbols[i].size + 3 < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", shape->symbols[i].data);
}

static bool read_symbol(struct reader *reader, const struct path *path, const struct enum_shape *shape,
                        const char *code, unsigned *out)
{
    struct view name = {NULL, 0};
    char known[360];
    if (!read_text(reader, path, &name))
        return false;
    if (name.data == NULL || find_symbol(shape, name, out))
        return true;
    list_symbols(shape, known, sizeof known);
    note(reader, path, code, "\"%.*s\" is not one of %s", VIEW_ARGUMENTS(utf8_prefix(name, SHOWN_BYTES_MAX)), known);
    return true;
}

static bool note_twice(struct reader *reader, struct view key)
{
    reader->scan.broken = "a key stands twice in one object";
    reader->scan.at = key.data >= reader->scan.begin && key.data < reader->scan.end ? key.data : reader->scan.at;
    return false;
}

static bool read_key(struct reader *reader, bool is_first, struct view *key, bool *more)
{
    if (!json_scan_member(&reader->scan, reader->arena, is_first, key, more))
        return false;
    if (*more && (reader->scan.lone_surrogate || (reader->has_bad_utf8 && !utf8_is_valid(*key)))) {
        reader->scan.lone_surrogate = false;
        note(reader, NULL, "bad_utf8", "a key is not valid UTF-8");
    }
    return true;
}

static bool has_key(const struct attribute *entries, size_t count, struct view key)
{
    for (size_t i = 0; i < count; i++) {
        if (view_equal(entries[i].key, key))
            return true;
    }
    return false;
}

enum { MAP_ENTRIES_MAX = 1024 }; /* has_key is quadratic; nobody rolls up by more dimensions */

static bool read_map(struct reader *reader, const struct path *path, struct shape_items *out)
{
    struct attribute *entries = NULL;
    size_t count = 0, capacity = 0;
    bool more;
    if (json_scan_peek(&reader->scan) != '{')
        return wrong_type(reader, path, "an object");
    if (!json_scan_open(&reader->scan, '{'))
        return false;
    for (bool is_first = true;; is_first = false) {
        struct view key;
        if (!read_key(reader, is_first, &key, &more))
            return false;
        if (!more)
            break;
        if (has_key(entries, count, key))
            return note_twice(reader, key);
        struct path own = {path, key};
        struct view value = {NULL, 0};
        if (!read_text(reader, &own, &value))
            return false;
        if (count == MAP_ENTRIES_MAX) {
            note(reader, path, "too_large", "more than %d entries", MAP_ENTRIES_MAX);
            continue;
        }
        if (count == capacity) {
            struct attribute *grown = arena_alloc(reader->arena, (capacity + 8) * 2 * sizeof *grown);
            if (count)
                memcpy(grown, entries, count * sizeof *grown);
            entries = grown;
            capacity = (capacity + 8) * 2;
        }
        entries[count++] = (struct attribute){key, value};
    }
    *out = (struct shape_items){entries, count};
    return true;
}

static bool read_present(struct reader *reader, const struct path *path, const struct field_shape *field, char *record)
{
    void *place = record + field->offset;
    unsigned symbol = 0;
    switch (field->kind) {
    case SHAPE_STRING:
        return read_text(reader, path, place);
    case SHAPE_BOOLEAN:
        return read_boolean(reader, path, place);
    case SHAPE_INT:
    case SHAPE_LONG:
    case SHAPE_DOUBLE:
        return read_number(reader, path, field, place);
    case SHAPE_TIME:
        return read_time(reader, path, place);
    case SHAPE_ENUM:
        if (!read_symbol(reader, path, field->enumeration, "unknown_symbol", &symbol))
            return false;
        memcpy(place, &symbol, sizeof symbol);
        return true;
    case SHAPE_UUID: /* the event id, which need not be a UUID */
        return read_text(reader, path, &reader->event_id_text);
    default:
        return wrong_type(reader, path, "something that has no JSON form"); /* no touchpoint has it */
    }
}

static bool read_field(struct reader *reader, const struct path *path, const struct field_shape *field, char *record)
{
    bool is_null = json_scan_peek(&reader->scan) == 'n';
    if (is_null && !json_scan_word(&reader->scan, "null"))
        return false;
    if (is_null) {
        if (!field->nullable && field->kind != SHAPE_MAP)
            note(reader, path, "missing_field", "%s is required and cannot be null", field->name.data);
        return true;
    }
    if (field->kind == SHAPE_MAP) {
        struct shape_items items = {NULL, 0};
        if (!read_map(reader, path, &items))
            return false;
        memcpy(record + field->offset, &items, sizeof items);
        return true;
    }
    if (field->nullable && field->kind != SHAPE_STRING)
        *(bool *)(record + field->has_offset) = true;
    return read_present(reader, path, field, record);
}

/* --- objects --- */

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

static bool note_unknown(struct reader *reader, const struct path *path, const char *record_name)
{
    note(reader, path, "unknown_field", "%s has no field of this name", record_name);
    return skip(reader);
}

/* A required field that was not met; maps are empty instead. */
static void note_missing(struct reader *reader, const struct path *parent, const struct record_shape *shape,
                         uint64_t seen)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct field_shape *field = &shape->fields[i];
        struct path own = {parent, field->name};
        if (!(seen >> i & 1) && !field->nullable && field->kind != SHAPE_MAP && field->kind != SHAPE_UNION)
            note(reader, &own, "missing_field", "%s is required", field->name.data);
    }
}

/* One known field, met for the first time. */
static bool read_member(struct reader *reader, const struct path *path, const struct record_shape *shape,
                        const struct field_shape *field, uint64_t *seen, char *record)
{
    uint64_t bit = (uint64_t)1 << (field - shape->fields);
    if (*seen & bit)
        return note_twice(reader, path->name);
    *seen |= bit;
    return read_field(reader, path, field, record);
}

static bool read_body(struct reader *reader, const struct record_shape *shape, char *record)
{
    static const struct path data = {NULL, {"data", 4}};
    uint64_t seen = 0;
    size_t next = 0;
    bool more;
    if (json_scan_peek(&reader->scan) != '{')
        return wrong_type(reader, &data, "an object");
    if (!json_scan_open(&reader->scan, '{'))
        return false;
    for (bool is_first = true;; is_first = false) {
        struct view key;
        if (!read_key(reader, is_first, &key, &more))
            return false;
        if (!more)
            break;
        struct path own = {&data, key};
        const struct field_shape *field = find_field(shape, key, &next);
        bool is_json = field ? read_member(reader, &own, shape, field, &seen, record)
                             : note_unknown(reader, &own, shape->name);
        if (!is_json)
            return false;
    }
    note_missing(reader, &data, shape, seen);
    return true;
}

/* `data` may stand before `type`: then it is only marked here, and read once the type is known. */
struct envelope {
    uint64_t seen;
    bool has_type, has_data, is_known;
    unsigned kind;
    const struct field_shape *body;
};

static bool read_type(struct reader *reader, struct envelope *envelope)
{
    static const struct path path = {NULL, {"type", 4}};
    unsigned none = (unsigned)envelope->body->enumeration->count;
    if (envelope->has_type)
        return note_twice(reader, VIEW_LITERAL("type"));
    envelope->has_type = true;
    envelope->kind = none;
    if (json_scan_peek(&reader->scan) == 'n') {
        note(reader, &path, "missing_field", "type is required and cannot be null");
        return skip(reader);
    }
    if (!read_symbol(reader, &path, envelope->body->enumeration, "unknown_type", &envelope->kind))
        return false;
    envelope->is_known = envelope->kind < none;
    return true;
}

static bool read_data(struct reader *reader, struct envelope *envelope, char *record)
{
    static const struct path path = {NULL, {"data", 4}};
    if (envelope->has_data)
        return note_twice(reader, VIEW_LITERAL("data"));
    envelope->has_data = true;
    if (json_scan_peek(&reader->scan) == 'n') {
        envelope->has_data = false; /* null is as good as missing */
        return json_scan_word(&reader->scan, "null");
    }
    if (json_scan_peek(&reader->scan) != '{')
        return wrong_type(reader, &path, "an object");
    if (envelope->is_known)
        return read_body(reader, envelope->body->branches[envelope->kind], record + envelope->body->offset);
    bool before = reader->scan.lone_surrogate;
    bool is_json = json_scan_skip(&reader->scan, &reader->data);
    reader->scan.lone_surrogate = before;
    return is_json;
}

static bool read_envelope_member(struct reader *reader, struct envelope *envelope, struct view key, size_t *next,
                                 char *record)
{
    if (view_equal_text(key, "type"))
        return read_type(reader, envelope);
    if (view_equal_text(key, "data"))
        return read_data(reader, envelope, record);
    struct path own = {NULL, key};
    const struct field_shape *field = find_field(&touchpoint_shape, key, next);
    return field ? read_member(reader, &own, &touchpoint_shape, field, &envelope->seen, record)
                 : note_unknown(reader, &own, touchpoint_shape.name);
}

/* The data that was met before its type: read out of its own place in the text. */
static bool read_late_data(struct reader *reader, struct envelope *envelope, char *record)
{
    struct json_scan after = reader->scan;
    reader->scan.at = reader->data.data;
    reader->scan.depth = 1;
    bool is_json = read_body(reader, envelope->body->branches[envelope->kind], record + envelope->body->offset);
    if (is_json)
        reader->scan = after;
    return is_json;
}

static bool settle_body(struct reader *reader, struct envelope *envelope, struct touchpoint *out)
{
    static const struct path type_path = {NULL, {"type", 4}}, data_path = {NULL, {"data", 4}};
    if (!envelope->has_type)
        note(reader, &type_path, "missing_field", "type is required");
    if (!envelope->is_known)
        return true;
    const struct record_shape *shape = envelope->body->branches[envelope->kind];
    out->body_kind = (enum touchpoint_body_kind)envelope->kind;
    if (!envelope->has_data && shape->field_count > 0)
        note(reader, &data_path, "missing_field", "data is required for %s", shape->name);
    return reader->data.data == NULL || read_late_data(reader, envelope, (char *)out);
}

static bool read_envelope(struct reader *reader, struct envelope *envelope, struct touchpoint *out)
{
    size_t next = 0;
    bool more;
    if (!json_scan_open(&reader->scan, '{'))
        return false;
    for (bool is_first = true;; is_first = false) {
        struct view key;
        if (!read_key(reader, is_first, &key, &more))
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

static void settle_event_id(struct reader *reader, struct touchpoint *out)
{
    static const struct path path = {NULL, {"event_id", 8}};
    struct view id = reader->event_id_text;
    if (id.data == NULL)
        return; /* missing or of the wrong type, which has been noted */
    if (id.size == 0)
        note(reader, &path, "empty", "the event id is empty");
    else if (id.size > EVENT_ID_BYTES_MAX)
        note(reader, &path, "too_large", "an event id has at most %d bytes", EVENT_ID_BYTES_MAX);
    else
        out->event_id = uuid_of_source(out->source, id);
}

bool touchpoint_from_json(struct touchpoint *out, struct view text, struct view default_source, struct arena *arena,
                          struct json_fault *fault)
{
    struct reader reader = {.arena = arena, .fault = fault, .has_bad_utf8 = !utf8_is_valid(text)};
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
        note_missing(&reader, NULL, &touchpoint_shape, envelope.seen);
        is_json = settle_body(&reader, &envelope, out);
    }
    if (!is_json && !reader.has_bad_utf8) {
        reader.has_fault = false;
        note(&reader, NULL, "bad_json", "%s, at byte %zu", reader.scan.broken,
             (size_t)(reader.scan.at - reader.scan.begin));
    }
    if (reader.has_bad_utf8 && !(reader.has_fault && strcmp(fault->code, "bad_utf8") == 0)) {
        reader.has_fault = false;
        note(&reader, NULL, "bad_utf8", "the text is not valid UTF-8");
    }
    return !reader.has_fault;
}
