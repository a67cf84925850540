/* Parsing .avsc files. jansson, not Avro C: the latter forgets logical types, which decide on our names.
 *
 * Nothing is freed: the program lives for a second, and everything stays reachable from its model. */
#include "schemas/generator/model.h"
#include "base/memory.h"
#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

static const char *reading; /* the file at hand, for messages */

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "generate: %s: ", reading);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

const char *text_format(const char *format, ...)
{
    va_list arguments;
    char *text;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    return text;
}

static const char *snake_of(const char *name)
{
    char *snake = memory_zeroed(2 * strlen(name) + 1, 1), *at = snake;
    for (size_t i = 0; name[i]; i++) {
        if (i > 0 && isupper((unsigned char)name[i]) && !isupper((unsigned char)name[i - 1]))
            *at++ = '_';
        *at++ = (char)tolower((unsigned char)name[i]);
    }
    return snake;
}

static const char *upper_of(const char *snake)
{
    char *upper = memory_copy_text(snake);
    for (char *at = upper; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return upper;
}

const char *union_snake(const struct named *record, const struct field *field)
{
    return text_format("%s_%s", record->snake, field->name);
}

const char *union_upper(const struct named *record, const struct field *field)
{
    return upper_of(union_snake(record, field));
}

static struct named *model_find(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->count; i++) {
        if (strcmp(model->all[i]->name, name) == 0)
            return model->all[i];
    }
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        fail("expected the text \"%s\" in %s", key, json_dumps(object, JSON_COMPACT));
    return text;
}

static struct type type_read(struct model *model, json_t *json);

static struct named *named_read(struct model *model, json_t *json);

static struct type type_of_named(struct named *named)
{
    static const enum shape_kind kinds[] = {
        [NAMED_ENUM] = SHAPE_ENUM, [NAMED_RECORD] = SHAPE_RECORD, [NAMED_FIXED] = SHAPE_UUID};
    return (struct type){.kind = kinds[named->kind], .named = named};
}

static struct type type_of_name(struct model *model, const char *name)
{
    static const struct {
        const char *name;
        enum shape_kind kind;
    } primitives[] = {{"boolean", SHAPE_BOOLEAN}, {"int", SHAPE_INT},       {"long", SHAPE_LONG},
                      {"double", SHAPE_DOUBLE},   {"string", SHAPE_STRING}, {"bytes", SHAPE_BYTES}};
    for (size_t i = 0; i < sizeof primitives / sizeof primitives[0]; i++) {
        if (strcmp(primitives[i].name, name) == 0)
            return (struct type){.kind = primitives[i].kind};
    }
    struct named *named = model_find(model, name);
    if (named == NULL)
        fail("type %s is not known here", name);
    return type_of_named(named);
}

static struct type type_of_union(struct model *model, json_t *json)
{
    const char *first = json_string_value(json_array_get(json, 0));
    if (first && strcmp(first, "null") == 0) {
        if (json_array_size(json) != 2)
            fail("a union with null has one other branch");
        struct type type = type_read(model, json_array_get(json, 1));
        type.nullable = true;
        return type;
    }
    struct type type = {.kind = SHAPE_UNION, .branch_count = json_array_size(json)};
    type.branches = memory_zeroed(type.branch_count, sizeof *type.branches);
    for (size_t i = 0; i < type.branch_count; i++) {
        struct type branch = type_read(model, json_array_get(json, i));
        if (branch.kind != SHAPE_RECORD)
            fail("a union without null has records only");
        type.branches[i] = branch.named;
    }
    return type;
}

static struct type type_read(struct model *model, json_t *json)
{
    if (json_is_string(json))
        return type_of_name(model, json_string_value(json));
    if (json_is_array(json))
        return type_of_union(model, json);
    const char *name = text_of(json, "type");
    if (strcmp(name, "array") == 0) {
        struct type type = {.kind = SHAPE_ARRAY, .item = memory_zeroed(1, sizeof *type.item)};
        *type.item = type_read(model, json_object_get(json, "items"));
        if (type.item->nullable || type.item->kind >= SHAPE_ARRAY || type_bytes_min(type.item) == 0)
            fail("array items are plain values or records that take room");
        return type;
    }
    if (strcmp(name, "map") == 0) {
        if (type_read(model, json_object_get(json, "values")).kind != SHAPE_STRING)
            fail("maps have strings only");
        return (struct type){.kind = SHAPE_MAP};
    }
    if (strcmp(name, "record") == 0 || strcmp(name, "enum") == 0 || strcmp(name, "fixed") == 0)
        return type_of_named(named_read(model, json));
    struct type type = type_of_name(model, name);
    const char *logical = json_string_value(json_object_get(json, "logicalType"));
    if (logical && (strcmp(logical, "timestamp-millis") != 0 || type.kind != SHAPE_LONG))
        fail("logical type %s of %s is not supported", logical, name);
    if (logical)
        type.kind = SHAPE_TIME;
    return type;
}

static void symbols_read(struct named *named, json_t *json)
{
    json_t *symbols = json_object_get(json, "symbols");
    named->count = json_array_size(symbols);
    named->symbols = memory_zeroed(named->count, sizeof *named->symbols);
    for (size_t i = 0; i < named->count; i++)
        named->symbols[i] = json_string_value(json_array_get(symbols, i));
}

/* Defaults are null, [] or {}: what a reader can make of a missing field without a table of values. */
static void default_read(struct named *record, struct field *field, const json_t *json)
{
    const json_t *value = json_object_get(json, "default");
    if (value == NULL || (json_is_null(value) && field->type.nullable))
        return;
    field->empty_default = (field->type.kind == SHAPE_ARRAY && json_is_array(value) && !json_array_size(value)) ||
                           (field->type.kind == SHAPE_MAP && json_is_object(value) && !json_object_size(value));
    if (!field->empty_default)
        fail("%s.%s: a default is null, [] or {}", record->name, field->name);
}

static void fields_read(struct model *model, struct named *named, json_t *json)
{
    json_t *fields = json_object_get(json, "fields");
    named->count = json_array_size(fields);
    named->fields = memory_zeroed(named->count + 1, sizeof *named->fields);
    for (size_t i = 0; i < named->count; i++) {
        struct field *field = &named->fields[i];
        field->name = text_of(json_array_get(fields, i), "name");
        field->type = type_read(model, json_object_get(json_array_get(fields, i), "type"));
        field->c_name = field->type.kind == SHAPE_TIME ? text_format("%s_ms", field->name) : field->name;
        default_read(named, field, json_array_get(fields, i));
        if (field->type.nullable && field->type.kind >= SHAPE_ARRAY)
            fail("%s.%s: arrays, maps and unions are empty rather than null", named->name, field->name);
    }
}

static struct named *named_read(struct model *model, json_t *json)
{
    const char *name = text_of(json, "name"), *kind = text_of(json, "type");
    const char *definition = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    struct named *known = model_find(model, name);
    if (known) {
        if (strcmp(known->definition, definition) != 0)
            fail("%s is defined in two ways", name);
        return known;
    }
    struct named *named = memory_zeroed(1, sizeof *named);
    *named = (struct named){.name = name, .snake = snake_of(name), .definition = definition};
    named->upper = upper_of(named->snake);
    if (strcmp(kind, "enum") == 0) {
        named->kind = NAMED_ENUM;
        symbols_read(named, json);
    } else if (strcmp(kind, "fixed") == 0) {
        named->kind = NAMED_FIXED;
        if (json_integer_value(json_object_get(json, "size")) != sizeof(struct uuid))
            fail("%s: a fixed is a UUID here, 16 bytes", name);
    } else {
        named->kind = NAMED_RECORD;
        fields_read(model, named, json);
    }
    model->all = memory_resize(model->all, (model->count + 1) * sizeof *model->all);
    model->all[model->count++] = named;
    return named;
}

/* A type's second and later uses are by name, so one file may say "Channel" where another defines it; each file is
 * therefore read with a model of its own, and only then joined to the others. */
static void model_join(struct model *model, struct model *from)
{
    for (size_t i = 0; i < from->count; i++) {
        struct named *named = from->all[i], *known = model_find(model, named->name);
        if (known && strcmp(known->definition, named->definition) != 0)
            fail("%s is defined otherwise than in an earlier file", named->name);
        if (known)
            continue;
        model->all = memory_resize(model->all, (model->count + 1) * sizeof *model->all);
        model->all[model->count++] = named;
    }
}

static bool type_equal(const struct type *a, const struct type *b)
{
    if (a->kind != b->kind || a->nullable != b->nullable || a->branch_count != b->branch_count)
        return false;
    for (size_t i = 0; i < a->branch_count; i++) {
        if (strcmp(a->branches[i]->name, b->branches[i]->name) != 0)
            return false;
    }
    return a->named == b->named || (a->named && b->named && strcmp(a->named->name, b->named->name) == 0);
}

/* EnrichedTouchpoint begins with exactly Touchpoint's fields; that raw bytes may be copied through rests on it. */
static void find_base(struct model *model, struct named *record)
{
    if (strcmp(record->name, "EnrichedTouchpoint") != 0)
        return;
    const struct named *base = model_find(model, "Touchpoint");
    if (base == NULL || base->count > record->count)
        fail("%s needs touchpoint.avsc before it", record->name);
    for (size_t i = 0; i < base->count; i++) {
        if (strcmp(base->fields[i].name, record->fields[i].name) != 0 ||
            !type_equal(&base->fields[i].type, &record->fields[i].type))
            fail("field %zu of %s is not Touchpoint's %s", i, record->name, base->fields[i].name);
    }
    record->base = base;
}

void model_read(struct model *model, const char *path)
{
    json_error_t error;
    reading = path;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        fail("line %d: %s", error.line, error.text);
    struct model own = {0};
    struct named *record = named_read(&own, json);
    record->schema_json = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    model_join(model, &own);
    find_base(model, record);
}

size_t type_bytes_min(const struct type *type)
{
    if (type->nullable)
        return 1;
    if (type->kind == SHAPE_DOUBLE)
        return sizeof(double);
    if (type->kind == SHAPE_UUID)
        return sizeof(struct uuid);
    if (type->kind != SHAPE_RECORD)
        return 1;
    size_t bytes = 0;
    for (size_t i = 0; i < type->named->count; i++)
        bytes += type_bytes_min(&type->named->fields[i].type);
    return bytes;
}

const char *type_c_name(const struct type *type)
{
    switch (type->kind) {
    case SHAPE_BOOLEAN:
        return "bool";
    case SHAPE_INT:
        return "int32_t";
    case SHAPE_LONG:
    case SHAPE_TIME:
        return "int64_t";
    case SHAPE_DOUBLE:
        return "double";
    case SHAPE_STRING:
    case SHAPE_BYTES:
        return "struct view";
    case SHAPE_UUID:
        return "struct uuid";
    case SHAPE_ENUM:
        return text_format("enum %s", type->named->snake);
    case SHAPE_RECORD:
        return text_format("struct %s", type->named->snake);
    default:
        return NULL;
    }
}
