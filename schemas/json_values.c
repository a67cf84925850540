#include "schemas/json_values.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_BYTES_MAX = 80 };

static struct view path_text(struct arena *arena, const struct form_path *path)
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

void form_note(struct form_reader *reader, const struct form_path *path, const char *code, const char *format, ...)
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

bool form_skip(struct form_reader *reader)
{
    bool before = reader->scan.lone_surrogate;
    bool is_json = json_scan_skip(&reader->scan, NULL);
    reader->scan.lone_surrogate = before; /* what is stepped over has been refused already */
    return is_json;
}

bool form_wrong_type(struct form_reader *reader, const struct form_path *path, const char *expected)
{
    char first = json_scan_peek(&reader->scan);
    if (first)
        form_note(reader, path, "wrong_type", "expected %s, found %s", expected, kind_of_value(first));
    return form_skip(reader);
}

/* --- values --- */

bool form_read_text(struct form_reader *reader, const struct form_path *path, struct view *out)
{
    if (json_scan_peek(&reader->scan) != '"')
        return form_wrong_type(reader, path, "a string");
    if (!json_scan_string(&reader->scan, reader->arena, out))
        return false;
    if (reader->scan.lone_surrogate) {
        form_note(reader, path, "bad_utf8", "half of a surrogate pair stands alone");
        reader->scan.lone_surrogate = false;
    }
    if (reader->has_bad_utf8 && !utf8_is_valid(*out))
        form_note(reader, path, "bad_utf8", "the text is not valid UTF-8");
    return true;
}

static bool read_time(struct form_reader *reader, const struct form_path *path, int64_t *at_ms)
{
    struct view text = {NULL, 0};
    if (json_scan_peek(&reader->scan) != '"')
        return form_wrong_type(reader, path, "a time as an ISO 8601 string");
    if (!form_read_text(reader, path, &text))
        return false;
    if (!time_text_parse(text, at_ms))
        form_note(reader, path, "bad_time", "\"%.*s\" is no ISO 8601 time such as 2026-11-22T10:00:00.000Z",
             VIEW_ARGUMENTS(utf8_prefix(text, SHOWN_BYTES_MAX)));
    return true;
}

static bool read_number(struct form_reader *reader, const struct form_path *path, const struct field_shape *field, void *place)
{
    struct json_number number;
    char first = json_scan_peek(&reader->scan);
    if (first != '-' && (first < '0' || first > '9'))
        return form_wrong_type(reader, path, field->kind == SHAPE_DOUBLE ? "a number" : "a whole number");
    if (!json_scan_number(&reader->scan, &number))
        return false;
    if (field->kind == SHAPE_DOUBLE && __builtin_isinf(number.real))
        form_note(reader, path, "out_of_range", "the number is larger than any double");
    else if (field->kind == SHAPE_DOUBLE)
        *(double *)place = number.real;
    else if (!number.is_integral)
        form_note(reader, path, "wrong_type", "expected a whole number, found a fraction");
    else if (!number.fits ||
             (field->kind == SHAPE_INT && (number.integer < INT32_MIN || number.integer > INT32_MAX)))
        form_note(reader, path, "out_of_range", "the number does not fit into %d bits", field->kind == SHAPE_INT ? 32 : 64);
    else if (field->kind == SHAPE_INT)
        *(int32_t *)place = (int32_t)number.integer;
    else
        *(int64_t *)place = number.integer;
    return true;
}

static bool read_boolean(struct form_reader *reader, const struct form_path *path, bool *out)
{
    char first = json_scan_peek(&reader->scan);
    if (first != 't' && first != 'f')
        return form_wrong_type(reader, path, "true or false");
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

bool form_read_symbol(struct form_reader *reader, const struct form_path *path, const struct enum_shape *shape,
                        const char *code, unsigned *out)
{
    struct view name = {NULL, 0};
    char known[360];
    if (!form_read_text(reader, path, &name))
        return false;
    if (name.data == NULL || find_symbol(shape, name, out))
        return true;
    list_symbols(shape, known, sizeof known);
    form_note(reader, path, code, "\"%.*s\" is not one of %s", VIEW_ARGUMENTS(utf8_prefix(name, SHOWN_BYTES_MAX)), known);
    return true;
}

bool form_key_twice(struct form_reader *reader, struct view key)
{
    reader->scan.broken = "a key stands twice in one object";
    reader->scan.at = key.data >= reader->scan.begin && key.data < reader->scan.end ? key.data : reader->scan.at;
    return false;
}

bool form_read_key(struct form_reader *reader, bool is_first, struct view *key, bool *more)
{
    if (!json_scan_member(&reader->scan, reader->arena, is_first, key, more))
        return false;
    if (*more && (reader->scan.lone_surrogate || (reader->has_bad_utf8 && !utf8_is_valid(*key)))) {
        reader->scan.lone_surrogate = false;
        form_note(reader, NULL, "bad_utf8", "a key is not valid UTF-8");
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

static bool read_map(struct form_reader *reader, const struct form_path *path, struct shape_items *out)
{
    struct attribute *entries = NULL;
    size_t count = 0, capacity = 0;
    bool more;
    if (json_scan_peek(&reader->scan) != '{')
        return form_wrong_type(reader, path, "an object");
    if (!json_scan_open(&reader->scan, '{'))
        return false;
    for (bool is_first = true;; is_first = false) {
        struct view key;
        if (!form_read_key(reader, is_first, &key, &more))
            return false;
        if (!more)
            break;
        if (has_key(entries, count, key))
            return form_key_twice(reader, key);
        struct form_path own = {path, key};
        struct view value = {NULL, 0};
        if (!form_read_text(reader, &own, &value))
            return false;
        if (count == MAP_ENTRIES_MAX) {
            form_note(reader, path, "too_large", "more than %d entries", MAP_ENTRIES_MAX);
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

static bool read_present(struct form_reader *reader, const struct form_path *path, const struct field_shape *field, char *record)
{
    void *place = record + field->offset;
    unsigned symbol = 0;
    switch (field->kind) {
    case SHAPE_STRING:
        return form_read_text(reader, path, place);
    case SHAPE_BOOLEAN:
        return read_boolean(reader, path, place);
    case SHAPE_INT:
    case SHAPE_LONG:
    case SHAPE_DOUBLE:
        return read_number(reader, path, field, place);
    case SHAPE_TIME:
        return read_time(reader, path, place);
    case SHAPE_ENUM:
        if (!form_read_symbol(reader, path, field->enumeration, "unknown_symbol", &symbol))
            return false;
        memcpy(place, &symbol, sizeof symbol);
        return true;
    case SHAPE_UUID: /* the event id, which need not be a UUID */
        return form_read_text(reader, path, &reader->event_id_text);
    default:
        return form_wrong_type(reader, path, "something that has no JSON form"); /* no touchpoint has it */
    }
}

bool form_read_field(struct form_reader *reader, const struct form_path *path, const struct field_shape *field, char *record)
{
    bool is_null = json_scan_peek(&reader->scan) == 'n';
    if (is_null && !json_scan_word(&reader->scan, "null"))
        return false;
    if (is_null) {
        if (!field->nullable && field->kind != SHAPE_MAP)
            form_note(reader, path, "missing_field", "%s is required and cannot be null", field->name.data);
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
