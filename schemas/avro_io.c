#include "schemas/avro_io.h"
#include "base/memory.h"
#include "schemas/avro_binary.h"
#include <avro.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct avro_foreign {
    pthread_mutex_t lock; /* Avro C keeps its last error and some caches without locks */
    avro_schema_t schema;
    avro_value_iface_t *values;
};

struct avro_foreign *avro_foreign_create(struct view writer_json, char *error, size_t error_size)
{
    avro_schema_t schema;
    if (writer_json.data == NULL || avro_schema_from_json_length(writer_json.data, writer_json.size, &schema) != 0) {
        snprintf(error, error_size, "the writer's schema is not valid: %s", avro_strerror());
        return NULL;
    }
    struct avro_foreign *foreign = memory_zeroed(1, sizeof *foreign);
    foreign->schema = schema;
    foreign->values = avro_generic_class_from_schema(schema);
    pthread_mutex_init(&foreign->lock, NULL);
    return foreign;
}

void avro_foreign_destroy(struct avro_foreign *foreign)
{
    if (foreign == NULL)
        return;
    avro_value_iface_decref(foreign->values);
    avro_schema_decref(foreign->schema);
    pthread_mutex_destroy(&foreign->lock);
    free(foreign);
}

/* --- from Avro C's value to our bytes --- */

struct carry {
    struct bytes *out;
    struct avro_fault *fault;
};

static bool refuse_as(struct carry *carry, const char *code, struct view field, const char *why)
{
    carry->fault->code = code;
    snprintf(carry->fault->text, sizeof carry->fault->text, "field %.*s: %s", VIEW_ARGUMENTS(field), why);
    return false;
}

static bool refuse(struct carry *carry, struct view field, const char *why)
{
    return refuse_as(carry, "wrong_type", field, why);
}

/* From the inside out: each field that holds the refused one puts itself before it. */
static void path_begin_with(struct avro_fault *fault, struct view field)
{
    char inner[sizeof fault->path];
    memcpy(inner, fault->path, sizeof inner);
    snprintf(fault->path, sizeof fault->path, "%.*s%s%.*s", VIEW_ARGUMENTS(field), inner[0] ? "." : "", (int)sizeof inner - 64, inner);
}

static void put_long(struct carry *carry, int64_t value)
{
    bytes_reserve(carry->out, AVRO_LONG_BYTES_MAX);
    carry->out->size = (size_t)(avro_write_long(carry->out->data + carry->out->size, value) - carry->out->data);
}

static void put_view(struct carry *carry, struct view value)
{
    put_long(carry, (int64_t)value.size);
    bytes_append_view(carry->out, value);
}

/* The branch that a union holds; any other value is its own. */
static void enter_union(avro_value_t *value)
{
    avro_value_t branch;
    while (avro_value_get_type(value) == AVRO_UNION && avro_value_get_current_branch(value, &branch) == 0)
        *value = branch;
}

static bool take_integer(avro_value_t *value, int64_t *out)
{
    int32_t narrow;
    if (avro_value_get_type(value) == AVRO_INT64)
        return avro_value_get_long(value, out) == 0;
    if (avro_value_get_type(value) != AVRO_INT32 || avro_value_get_int(value, &narrow) != 0)
        return false;
    *out = narrow;
    return true;
}

static bool take_double(avro_value_t *value, double *out)
{
    int64_t whole;
    float single;
    if (avro_value_get_type(value) == AVRO_DOUBLE)
        return avro_value_get_double(value, out) == 0;
    if (avro_value_get_type(value) == AVRO_FLOAT && avro_value_get_float(value, &single) == 0) {
        *out = single;
        return true;
    }
    if (!take_integer(value, &whole))
        return false;
    *out = (double)whole;
    return true;
}

static bool take_view(avro_value_t *value, struct view *out)
{
    const char *text;
    const void *data;
    size_t size;
    if (avro_value_get_type(value) == AVRO_STRING && avro_value_get_string(value, &text, &size) == 0) {
        *out = view_of(text, size - 1); /* Avro C counts the NUL */
        return true;
    }
    if (avro_value_get_type(value) != AVRO_BYTES || avro_value_get_bytes(value, &data, &size) != 0)
        return false;
    *out = view_of(data, size);
    return true;
}

static bool carry_record(struct carry *carry, const struct record_shape *shape, avro_value_t *value);
static bool carry_value(struct carry *carry, const struct field_shape *field, enum shape_kind kind,
                        avro_value_t *value);

static bool carry_enum(struct carry *carry, const struct field_shape *field, avro_value_t *value)
{
    int index;
    if (avro_value_get_type(value) != AVRO_ENUM || avro_value_get_enum(value, &index) != 0)
        return refuse(carry, field->name, "is no enum at the writer");
    const char *symbol = avro_schema_enum_get(avro_value_get_schema(value), index);
    for (size_t i = 0; symbol && i < field->enumeration->count; i++) {
        if (view_equal_text(field->enumeration->symbols[i], symbol)) {
            put_long(carry, (int64_t)i);
            return true;
        }
    }
    char why[100];
    snprintf(why, sizeof why, "has a symbol that is not ours: %.50s", symbol ? symbol : "?");
    return refuse_as(carry, "unknown_symbol", field->name, why);
}

static bool carry_uuid(struct carry *carry, const struct field_shape *field, avro_value_t *value)
{
    const void *data;
    size_t size;
    if (avro_value_get_type(value) != AVRO_FIXED || avro_value_get_fixed(value, &data, &size) != 0 ||
        size != sizeof(struct uuid))
        return refuse(carry, field->name, "is no 16 bytes at the writer");
    bytes_append(carry->out, data, size);
    return true;
}

static bool carry_array(struct carry *carry, const struct field_shape *field, avro_value_t *value)
{
    size_t count;
    if (avro_value_get_type(value) != AVRO_ARRAY || avro_value_get_size(value, &count) != 0)
        return refuse(carry, field->name, "is no array at the writer");
    if (count)
        put_long(carry, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        avro_value_t item;
        if (avro_value_get_by_index(value, i, &item, NULL) != 0)
            return refuse(carry, field->name, "cannot be read");
        enter_union(&item);
        if (!carry_value(carry, field, field->item_kind, &item))
            return false;
    }
    put_long(carry, 0);
    return true;
}

static bool carry_map(struct carry *carry, const struct field_shape *field, avro_value_t *value)
{
    size_t count;
    if (avro_value_get_type(value) != AVRO_MAP || avro_value_get_size(value, &count) != 0)
        return refuse(carry, field->name, "is no map at the writer");
    if (count)
        put_long(carry, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        avro_value_t item;
        const char *key;
        struct view text;
        if (avro_value_get_by_index(value, i, &item, &key) != 0)
            return refuse(carry, field->name, "cannot be read");
        enter_union(&item);
        if (!take_view(&item, &text))
            return refuse(carry, field->name, "has a value that is no string");
        put_view(carry, view_of_text(key));
        put_view(carry, text);
    }
    put_long(carry, 0);
    return true;
}

static bool carry_union(struct carry *carry, const struct field_shape *field, avro_value_t *value)
{
    if (avro_value_get_type(value) != AVRO_RECORD)
        return refuse(carry, field->name, "is no record at the writer");
    const char *name = avro_schema_name(avro_value_get_schema(value));
    for (size_t i = 0; i < field->enumeration->count; i++) {
        if (view_equal_text(field->enumeration->symbols[i], name)) {
            put_long(carry, (int64_t)i);
            return carry_record(carry, field->branches[i], value);
        }
    }
    char why[100];
    snprintf(why, sizeof why, "is of a kind that is not ours: %.50s", name ? name : "?");
    return refuse_as(carry, "unknown_type", field->name, why);
}

static bool carry_number(struct carry *carry, const struct field_shape *field, enum shape_kind kind,
                         avro_value_t *value)
{
    int64_t whole;
    double real;
    int is_true;
    switch (kind) {
    case SHAPE_BOOLEAN:
        if (avro_value_get_type(value) != AVRO_BOOLEAN || avro_value_get_boolean(value, &is_true) != 0)
            return refuse(carry, field->name, "is no boolean at the writer");
        bytes_append_byte(carry->out, is_true != 0);
        return true;
    case SHAPE_DOUBLE:
        if (!take_double(value, &real))
            return refuse(carry, field->name, "is no number at the writer");
        bytes_append(carry->out, &real, sizeof real);
        return true;
    default:
        if (!take_integer(value, &whole) || (kind == SHAPE_INT && avro_value_get_type(value) != AVRO_INT32))
            return refuse(carry, field->name, "is no such integer at the writer");
        put_long(carry, whole);
        return true;
    }
}

static bool carry_value(struct carry *carry, const struct field_shape *field, enum shape_kind kind,
                        avro_value_t *value)
{
    struct view text;
    switch (kind) {
    case SHAPE_STRING:
    case SHAPE_BYTES:
        if (!take_view(value, &text))
            return refuse(carry, field->name, "is no text at the writer");
        put_view(carry, text);
        return true;
    case SHAPE_UUID:
        return carry_uuid(carry, field, value);
    case SHAPE_ENUM:
        return carry_enum(carry, field, value);
    case SHAPE_RECORD:
        if (avro_value_get_type(value) != AVRO_RECORD)
            return refuse(carry, field->name, "is no record at the writer");
        return carry_record(carry, field->record, value);
    case SHAPE_ARRAY:
        return carry_array(carry, field, value);
    case SHAPE_MAP:
        return carry_map(carry, field, value);
    case SHAPE_UNION:
        return carry_union(carry, field, value);
    default:
        return carry_number(carry, field, kind, value);
    }
}

static bool carry_field_value(struct carry *carry, const struct field_shape *field, avro_value_t *record)
{
    avro_value_t value;
    bool is_there = avro_value_get_by_name(record, field->name.data, &value, NULL) == 0;
    if (is_there)
        enter_union(&value);
    if (!is_there && field->empty_default) {
        put_long(carry, 0);
        return true;
    }
    bool is_null = !is_there || avro_value_get_type(&value) == AVRO_NULL;
    if (is_null && !field->nullable)
        return refuse_as(carry, "missing_field", field->name, is_there ? "is null at the writer" : "is missing at the writer");
    if (field->nullable)
        put_long(carry, !is_null);
    return is_null || carry_value(carry, field, field->kind, &value);
}

static bool carry_field(struct carry *carry, const struct field_shape *field, avro_value_t *record)
{
    bool is_carried = carry_field_value(carry, field, record);
    if (!is_carried)
        path_begin_with(carry->fault, field->name);
    return is_carried;
}

static bool carry_record(struct carry *carry, const struct record_shape *shape, avro_value_t *value)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        if (!carry_field(carry, &shape->fields[i], value))
            return false;
    }
    return true;
}

/* --- the bytes, before Avro C sees them --- */

/* Avro C 1.11 allocates what a damaged length claims, and loses that memory when the bytes then end early. So bytes
 * are held against the writer's schema first, with our own strict primitives; Avro C reads only what is sound. */
enum { CHECK_DEPTH_MAX = 64 };

static bool check_value(struct avro_cursor *cursor, avro_schema_t schema, unsigned depth);

static bool check_fixed_size(struct avro_cursor *cursor, int64_t size)
{
    if (size > cursor->end - cursor->at)
        return false;
    cursor->at += size;
    return true;
}

static bool check_blocks(struct avro_cursor *cursor, avro_schema_t item, bool has_keys, unsigned depth)
{
    const uint8_t *block_end;
    struct view key;
    for (;;) {
        size_t count;
        if (!avro_read_block(cursor, 1, &count, &block_end))
            return false;
        if (count == 0)
            return block_end == NULL || cursor->at == block_end;
        for (; count > 0; count--) {
            if ((has_keys && !avro_read_view(cursor, &key)) || !check_value(cursor, item, depth))
                return false;
        }
        if (block_end && cursor->at != block_end)
            return false;
    }
}

static bool check_record(struct avro_cursor *cursor, avro_schema_t schema, unsigned depth)
{
    size_t count = avro_schema_record_size(schema);
    for (size_t i = 0; i < count; i++) {
        if (!check_value(cursor, avro_schema_record_field_get_by_index(schema, (int)i), depth))
            return false;
    }
    return true;
}

static bool check_union(struct avro_cursor *cursor, avro_schema_t schema, unsigned depth)
{
    unsigned index;
    return avro_read_index(cursor, (unsigned)avro_schema_union_size(schema), &index) &&
           check_value(cursor, avro_schema_union_branch(schema, (int)index), depth);
}

static bool check_value(struct avro_cursor *cursor, avro_schema_t schema, unsigned depth)
{
    struct view text;
    int64_t whole;
    int32_t narrow;
    unsigned index;
    bool flag;
    if (depth == CHECK_DEPTH_MAX)
        return false;
    switch (avro_typeof(schema)) {
    case AVRO_STRING:
    case AVRO_BYTES:
        return avro_read_view(cursor, &text);
    case AVRO_INT32:
        return avro_read_int(cursor, &narrow);
    case AVRO_INT64:
        return avro_read_long(cursor, &whole);
    case AVRO_FLOAT:
        return check_fixed_size(cursor, sizeof(float));
    case AVRO_DOUBLE:
        return check_fixed_size(cursor, sizeof(double));
    case AVRO_BOOLEAN:
        return avro_read_boolean(cursor, &flag);
    case AVRO_NULL:
        return true;
    case AVRO_FIXED:
        return check_fixed_size(cursor, avro_schema_fixed_size(schema));
    case AVRO_ENUM:
        return avro_read_index(cursor, (unsigned)avro_schema_enum_number_of_symbols(schema), &index);
    case AVRO_ARRAY:
        return check_blocks(cursor, avro_schema_array_items(schema), false, depth + 1);
    case AVRO_MAP:
        return check_blocks(cursor, avro_schema_map_values(schema), true, depth + 1);
    case AVRO_RECORD:
        return check_record(cursor, schema, depth + 1);
    case AVRO_UNION:
        return check_union(cursor, schema, depth + 1);
    case AVRO_LINK:
        return check_value(cursor, avro_schema_link_target(schema), depth + 1);
    }
    return false;
}

static bool is_sound(avro_schema_t schema, struct view avro)
{
    const uint8_t *start = (const uint8_t *)avro.data;
    struct avro_cursor cursor = {start, start + avro.size};
    return start && check_value(&cursor, schema, 0) && cursor.at == cursor.end;
}

/* Read one value and nothing after it. */
static bool read_value(avro_schema_t schema, avro_value_t *value, struct view avro)
{
    if (!is_sound(schema, avro))
        return false;
    avro_reader_t reader = avro_reader_memory(avro.data, (int64_t)avro.size);
    bool is_read = avro_value_read(reader, value) == 0;
    avro_reader_free(reader);
    return is_read;
}

bool avro_foreign_convert(struct avro_foreign *foreign, const struct record_shape *ours, struct view writer_avro,
                          struct bytes *out, struct avro_fault *fault)
{
    struct carry carry = {out, fault};
    *fault = (struct avro_fault){.code = "wrong_type"};
    size_t size_before = out->size;
    avro_value_t value;
    pthread_mutex_lock(&foreign->lock);
    avro_generic_value_new(foreign->values, &value);
    bool is_carried = false;
    if (!read_value(foreign->schema, &value, writer_avro))
        snprintf(fault->text, sizeof fault->text, "the bytes do not follow the writer's schema");
    else if (avro_value_get_type(&value) != AVRO_RECORD)
        snprintf(fault->text, sizeof fault->text, "the writer's schema is no record");
    else
        is_carried = carry_record(&carry, ours, &value);
    avro_value_decref(&value);
    pthread_mutex_unlock(&foreign->lock);
    if (!is_carried)
        out->size = size_before;
    return is_carried;
}

bool avro_io_round_trip(const char *schema_json, struct view avro, struct bytes *out)
{
    char error[200];
    struct avro_foreign *foreign = avro_foreign_create(view_of_text(schema_json), error, sizeof error);
    if (foreign == NULL)
        return false;
    avro_value_t value;
    avro_generic_value_new(foreign->values, &value);
    bool is_read = read_value(foreign->schema, &value, avro);
    size_t size = 0;
    if (is_read && avro_value_sizeof(&value, &size) == 0) {
        bytes_reserve(out, size + 1);
        avro_writer_t writer = avro_writer_memory(out->data + out->size, (int64_t)size + 1);
        is_read = avro_value_write(writer, &value) == 0;
        out->size += is_read ? size : 0;
        avro_writer_free(writer);
    }
    avro_value_decref(&value);
    avro_foreign_destroy(foreign);
    return is_read;
}
