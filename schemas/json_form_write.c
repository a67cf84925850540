/* Records out as JSON, walking the reflection tables. */
#include "base/json_writer.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "schemas/json_form.h"

static void write_record(struct json_writer *json, const struct record_shape *shape, const char *record);

static void append_base64(struct bytes *out, struct view data)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = (const unsigned char *)data.data;
    bytes_reserve(out, data.size / 3 * 4 + 4);
    char *to = out->data + out->size;
    size_t left = data.size;
    for (; left >= 3; left -= 3, from += 3) {
        uint32_t triple = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        *to++ = digits[triple >> 18];
        *to++ = digits[triple >> 12 & 63];
        *to++ = digits[triple >> 6 & 63];
        *to++ = digits[triple & 63];
    }
    if (left > 0) {
        uint32_t triple = (uint32_t)from[0] << 16 | (left == 2 ? (uint32_t)from[1] << 8 : 0);
        *to++ = digits[triple >> 18];
        *to++ = digits[triple >> 12 & 63];
        *to++ = left == 2 ? digits[triple >> 6 & 63] : '=';
        *to++ = '=';
    }
    out->size = (size_t)(to - out->data);
}

static void write_bytes(struct json_writer *json, struct view value)
{
    struct bytes text = {0};
    append_base64(&text, value);
    json_write_text(json, bytes_view(&text));
    bytes_finish(&text);
}

static void write_time(struct json_writer *json, int64_t at_ms)
{
    char text[TIME_TEXT_SIZE];
    time_text_format(text, at_ms);
    json_write_text(json, view_of_text(text));
}

static void write_uuid(struct json_writer *json, const struct uuid *uuid)
{
    char text[UUID_TEXT_SIZE + 1];
    uuid_format(uuid, text);
    json_write_text(json, view_of(text, UUID_TEXT_SIZE));
}

static struct shape_items items_at(const char *place)
{
    struct shape_items items;
    memcpy(&items, place, sizeof items); /* the structs have typed items of the same layout */
    return items;
}

static unsigned enum_at(const char *place)
{
    unsigned value;
    memcpy(&value, place, sizeof value);
    return value;
}

static void write_symbol(struct json_writer *json, const struct enum_shape *shape, unsigned value)
{
    if (value < shape->count)
        json_write_text(json, shape->symbols[value]);
    else
        json_write_null(json);
}

static void write_value(struct json_writer *json, enum shape_kind kind, const struct field_shape *field,
                        const char *place);

static void write_array(struct json_writer *json, const struct field_shape *field, const char *place)
{
    struct shape_items array = items_at(place);
    json_open_array(json);
    for (size_t i = 0; i < array.count; i++)
        write_value(json, field->item_kind, field, (const char *)array.items + i * field->item_size);
    json_close_array(json);
}

static void write_map(struct json_writer *json, const char *place)
{
    struct shape_items map = items_at(place);
    const struct attribute *entries = map.items;
    json_open_object(json);
    for (size_t i = 0; i < map.count; i++) {
        json_key_view(json, entries[i].key);
        json_write_text(json, entries[i].value.data ? entries[i].value : VIEW_LITERAL(""));
    }
    json_close_object(json);
}

static void write_value(struct json_writer *json, enum shape_kind kind, const struct field_shape *field,
                        const char *place)
{
    switch (kind) {
    case SHAPE_BOOLEAN:
        json_write_boolean(json, *(const bool *)place);
        break;
    case SHAPE_INT:
        json_write_integer(json, *(const int32_t *)place);
        break;
    case SHAPE_LONG:
        json_write_integer(json, *(const int64_t *)place);
        break;
    case SHAPE_TIME:
        write_time(json, *(const int64_t *)place);
        break;
    case SHAPE_DOUBLE:
        json_write_decimal(json, *(const double *)place);
        break;
    case SHAPE_STRING:
        json_write_text(json, *(const struct view *)place);
        break;
    case SHAPE_BYTES:
        write_bytes(json, *(const struct view *)place);
        break;
    case SHAPE_UUID:
        write_uuid(json, (const struct uuid *)place);
        break;
    case SHAPE_ENUM:
        write_symbol(json, field->enumeration, enum_at(place));
        break;
    case SHAPE_RECORD:
        write_record(json, field->record, place);
        break;
    case SHAPE_ARRAY:
        write_array(json, field, place);
        break;
    case SHAPE_MAP:
        write_map(json, place);
        break;
    case SHAPE_UNION:
        break; /* two keys; see write_union */
    }
}

static void write_union(struct json_writer *json, const struct field_shape *field, const char *record)
{
    unsigned kind = enum_at(record + field->has_offset);
    json_key(json, "type");
    write_symbol(json, field->enumeration, kind);
    json_key(json, "data");
    if (kind < field->enumeration->count)
        write_record(json, field->branches[kind], record + field->offset);
    else
        json_write_null(json);
}

static bool is_null(const struct field_shape *field, const char *record)
{
    if (field->kind == SHAPE_STRING || field->kind == SHAPE_BYTES)
        return field->nullable && ((const struct view *)(record + field->offset))->data == NULL;
    return field->nullable && !*(const bool *)(record + field->has_offset);
}

static void write_payload(struct json_writer *json, struct view payload)
{
    bool is_text = utf8_is_valid(payload);
    json_key(json, is_text ? "payload" : "payload_base64");
    if (is_text)
        json_write_text(json, payload.data ? payload : VIEW_LITERAL(""));
    else
        write_bytes(json, payload);
}

static void write_field(struct json_writer *json, const struct field_shape *field, const char *record)
{
    const char *place = record + field->offset;
    if (field->kind == SHAPE_UNION) {
        write_union(json, field, record);
        return;
    }
    if (field->kind == SHAPE_BYTES && view_equal_text(field->name, "payload")) {
        write_payload(json, *(const struct view *)place);
        return;
    }
    json_key_view(json, field->name);
    if (is_null(field, record))
        json_write_null(json);
    else if (field->kind == SHAPE_STRING && ((const struct view *)place)->data == NULL)
        json_write_text(json, VIEW_LITERAL("")); /* as it would be encoded */
    else
        write_value(json, field->kind, field, place);
}

static void write_record(struct json_writer *json, const struct record_shape *shape, const char *record)
{
    json_open_object(json);
    for (size_t i = 0; i < shape->field_count; i++)
        write_field(json, &shape->fields[i], record);
    json_close_object(json);
}

void record_to_json(struct bytes *out, const struct record_shape *shape, const void *record)
{
    struct json_writer json = json_writer_on(out);
    write_record(&json, shape, record);
}
