/* records.c, first half: for each record X_read, X_bound (an upper limit of its encoded size) and X_write, and the
 * public decode and encode on top of them. */
#include "schemas/generator/model.h"

static const char *reader_of(enum shape_kind kind)
{
    static const char *const names[] = {
        [SHAPE_BOOLEAN] = "boolean", [SHAPE_INT] = "int",     [SHAPE_LONG] = "long",  [SHAPE_TIME] = "long",
        [SHAPE_DOUBLE] = "double",   [SHAPE_STRING] = "view", [SHAPE_BYTES] = "view", [SHAPE_UUID] = "uuid"};
    return names[kind];
}

static const char *writer_of(enum shape_kind kind)
{
    return kind == SHAPE_INT ? "long" : reader_of(kind);
}

static size_t fixed_bound(enum shape_kind kind)
{
    switch (kind) {
    case SHAPE_BOOLEAN:
        return 1;
    case SHAPE_INT:
    case SHAPE_ENUM:
        return 5;
    case SHAPE_DOUBLE:
        return 8;
    case SHAPE_UUID:
        return 16;
    default:
        return 10; /* longs, times and the lengths of strings */
    }
}

static bool is_view(const struct type *type)
{
    return type->kind == SHAPE_STRING || type->kind == SHAPE_BYTES;
}

/* --- reading --- */

/* An expression that reads one value that is not null into `place` (an lvalue). */
static const char *read_expression(const struct type *type, const char *place)
{
    if (type->kind == SHAPE_ENUM)
        return text_format("(avro_read_index(cursor, %zu, &index) && (%s = (enum %s)index, true))",
                           type->named->count, place, type->named->snake);
    if (type->kind == SHAPE_RECORD)
        return text_format("%s_read(cursor, &%s, arena)", type->named->snake, place);
    return text_format("avro_read_%s(cursor, &%s)", reader_of(type->kind), place);
}

static void emit_read_optional(FILE *out, const struct field *field, const char *place)
{
    if (is_view(&field->type)) {
        fprintf(out, "    if (!avro_read_optional_view(cursor, &%s))\n        return false;\n", place);
        return;
    }
    bool is_struct = field->type.kind == SHAPE_RECORD || field->type.kind == SHAPE_UUID;
    fprintf(out, "    if (!avro_read_present(cursor, &out->has_%s))\n        return false;\n", field->name);
    if (is_struct)
        fprintf(out, "    if (!out->has_%s)\n        %s = (%s){0};\n", field->name, place, type_c_name(&field->type));
    else
        fprintf(out, "    %s = 0;\n", place);
    fprintf(out, "    if (out->has_%s && !%s)\n        return false;\n", field->name,
            read_expression(&field->type, place));
}

static void emit_read_array(FILE *out, const struct field *field)
{
    const char *name = field->c_name;
    const struct type *item = field->type.item;
    fprintf(out, "    capacity = 0;\n    out->%s.items = NULL;\n    out->%s.count = 0;\n", name, name);
    fprintf(out, "    do {\n        if (!avro_read_block(cursor, %zu, &more, &block_end))\n", type_bytes_min(item));
    fprintf(out, "            return false;\n        if (more == 0)\n            continue;\n");
    fprintf(out,
            "        out->%s.items = avro_grow(arena, out->%s.items, sizeof *out->%s.items, out->%s.count, &capacity, "
            "more);\n",
            name, name, name, name);
    fprintf(out, "        for (size_t left = more; left > 0; left--, out->%s.count++) {\n            if (!%s)\n", name,
            read_expression(item, text_format("out->%s.items[out->%s.count]", name, name)));
    fprintf(out, "                return false;\n        }\n        if (block_end && cursor->at != block_end)\n");
    fprintf(out, "            return false;\n    } while (more > 0);\n");
}

static void emit_read_union(FILE *out, const struct named *record, const struct field *field)
{
    fprintf(out, "    if (!avro_read_index(cursor, %zu, &index))\n        return false;\n", field->type.branch_count);
    fprintf(out, "    out->%s_kind = (enum %s_kind)index;\n    switch (out->%s_kind) {\n", field->c_name,
            union_snake(record, field), field->c_name);
    for (size_t i = 0; i < field->type.branch_count; i++) {
        const struct named *branch = field->type.branches[i];
        fprintf(out, "    case %s_%s:\n", union_upper(record, field), branch->upper);
        fprintf(out, "        if (!%s_read(cursor, &out->%s.%s, arena))\n            return false;\n        break;\n",
                branch->snake, field->c_name, branch->snake);
    }
    fprintf(out, "    }\n");
}

static void emit_read_field(FILE *out, const struct named *record, const struct field *field)
{
    const char *place = text_format("out->%s", field->c_name);
    if (field->type.kind == SHAPE_UNION)
        emit_read_union(out, record, field);
    else if (field->type.kind == SHAPE_ARRAY)
        emit_read_array(out, field);
    else if (field->type.kind == SHAPE_MAP)
        fprintf(out, "    if (!avro_read_map(cursor, &%s.items, &%s.count, arena))\n        return false;\n", place,
                place);
    else if (field->type.nullable)
        emit_read_optional(out, field, place);
    else
        fprintf(out, "    if (!%s)\n        return false;\n", read_expression(&field->type, place));
}

/* The locals that some fields need and others would leave unused. */
static void emit_read_locals(FILE *out, const struct named *record, size_t first)
{
    bool index = false, array = false;
    for (size_t i = first; i < record->count; i++) {
        const struct type *type = &record->fields[i].type;
        index |= type->kind == SHAPE_ENUM || type->kind == SHAPE_UNION;
        index |= type->kind == SHAPE_ARRAY && type->item->kind == SHAPE_ENUM;
        array |= type->kind == SHAPE_ARRAY;
    }
    if (index)
        fprintf(out, "    unsigned index;\n");
    if (array)
        fprintf(out, "    size_t capacity, more;\n    const uint8_t *block_end;\n");
}

static void emit_read(FILE *out, const struct named *record)
{
    size_t first = record->base ? record->base->count : 0;
    fprintf(out, "\nstatic bool %s_read(struct avro_cursor *cursor, struct %s *out, struct arena *arena)\n{\n",
            record->snake, record->snake);
    emit_read_locals(out, record, first);
    fprintf(out, "    (void)arena;\n");
    if (record->count == 0)
        fprintf(out, "    (void)cursor;\n    out->nothing = 0;\n");
    if (record->base)
        fprintf(out, "    if (!%s_read(cursor, &out->touch, arena))\n        return false;\n", record->base->snake);
    for (size_t i = first; i < record->count; i++)
        emit_read_field(out, record, &record->fields[i]);
    fprintf(out, "    return true;\n}\n");
}

/* --- bounds --- */

static size_t constant_bound(const struct field *field)
{
    const struct type *type = &field->type;
    size_t bound = type->nullable ? 1 : 0;
    if (type->kind == SHAPE_UNION)
        return 10;
    if (type->kind == SHAPE_ARRAY)
        return 20;
    if (type->kind == SHAPE_MAP || type->kind == SHAPE_RECORD)
        return bound;
    return bound + fixed_bound(type->kind);
}

static void emit_bound_array(FILE *out, const struct field *field)
{
    const char *name = field->c_name;
    const struct type *item = field->type.item;
    if (item->kind != SHAPE_RECORD && !is_view(item)) {
        fprintf(out, "    bound += in->%s.count * %zu;\n", name, fixed_bound(item->kind));
        return;
    }
    fprintf(out, "    for (size_t i = 0; i < in->%s.count; i++)\n        bound += ", name);
    if (is_view(item))
        fprintf(out, "10 + in->%s.items[i].size;\n", name);
    else
        fprintf(out, "%s_bound(&in->%s.items[i]);\n", item->named->snake, name);
}

static void emit_bound_union(FILE *out, const struct named *record, const struct field *field)
{
    fprintf(out, "    switch (in->%s_kind) {\n", field->c_name);
    for (size_t i = 0; i < field->type.branch_count; i++) {
        const struct named *branch = field->type.branches[i];
        fprintf(out, "    case %s_%s:\n        bound += %s_bound(&in->%s.%s);\n        break;\n",
                union_upper(record, field), branch->upper, branch->snake, field->c_name, branch->snake);
    }
    fprintf(out, "    }\n");
}

static void emit_bound_field(FILE *out, const struct named *record, const struct field *field)
{
    const char *name = field->c_name;
    switch (field->type.kind) {
    case SHAPE_STRING:
    case SHAPE_BYTES:
        fprintf(out, "    bound += in->%s.size;\n", name);
        break;
    case SHAPE_RECORD:
        if (field->type.nullable)
            fprintf(out, "    if (in->has_%s)\n    ", field->name);
        fprintf(out, "    bound += %s_bound(&in->%s);\n", field->type.named->snake, name);
        break;
    case SHAPE_MAP:
        fprintf(out, "    bound += avro_bound_map(in->%s.items, in->%s.count);\n", name, name);
        break;
    case SHAPE_ARRAY:
        emit_bound_array(out, field);
        break;
    case SHAPE_UNION:
        emit_bound_union(out, record, field);
        break;
    default:
        break;
    }
}

static void emit_bound(FILE *out, const struct named *record, const char *suffix, size_t first)
{
    size_t constant = 0;
    for (size_t i = first; i < record->count; i++)
        constant += constant_bound(&record->fields[i]);
    fprintf(out, "\nstatic size_t %s_bound%s(const struct %s *in)\n{\n    size_t bound = %zu;\n    (void)in;\n",
            record->snake, suffix, record->snake, constant);
    for (size_t i = first; i < record->count; i++)
        emit_bound_field(out, record, &record->fields[i]);
    fprintf(out, "    return bound;\n}\n");
}

/* --- writing --- */

static const char *write_expression(const struct type *type, const char *place)
{
    if (type->kind == SHAPE_ENUM)
        return text_format("avro_write_index(at, (unsigned)%s, %zu)", place, type->named->count);
    if (type->kind == SHAPE_RECORD)
        return text_format("%s_write(at, &%s)", type->named->snake, place);
    return text_format("avro_write_%s(at, %s)", writer_of(type->kind), place);
}

static void emit_write_array(FILE *out, const struct field *field)
{
    const char *name = field->c_name;
    fprintf(out, "    if (in->%s.count)\n        at = avro_write_long(at, (int64_t)in->%s.count);\n", name, name);
    fprintf(out, "    for (size_t i = 0; i < in->%s.count; i++)\n        at = %s;\n", name,
            write_expression(field->type.item, text_format("in->%s.items[i]", name)));
    fprintf(out, "    at = avro_write_long(at, 0);\n");
}

static void emit_write_union(FILE *out, const struct named *record, const struct field *field)
{
    const char *name = field->c_name;
    fprintf(out, "    at = avro_write_index(at, (unsigned)in->%s_kind, %zu);\n", name, field->type.branch_count);
    fprintf(out, "    switch (in->%s_kind) {\n", name);
    for (size_t i = 0; i < field->type.branch_count; i++) {
        const struct named *branch = field->type.branches[i];
        fprintf(out, "    case %s_%s:\n        at = %s_write(at, &in->%s.%s);\n        break;\n",
                union_upper(record, field), branch->upper, branch->snake, name, branch->snake);
    }
    fprintf(out, "    }\n");
}

static void emit_write_field(FILE *out, const struct named *record, const struct field *field)
{
    const char *place = text_format("in->%s", field->c_name);
    if (field->type.kind == SHAPE_UNION) {
        emit_write_union(out, record, field);
    } else if (field->type.kind == SHAPE_ARRAY) {
        emit_write_array(out, field);
    } else if (field->type.kind == SHAPE_MAP) {
        fprintf(out, "    at = avro_write_map(at, %s.items, %s.count);\n", place, place);
    } else if (field->type.nullable && is_view(&field->type)) {
        fprintf(out, "    at = avro_write_optional_view(at, %s);\n", place);
    } else if (field->type.nullable) {
        fprintf(out, "    at = avro_write_present(at, in->has_%s);\n", field->name);
        fprintf(out, "    if (in->has_%s)\n        at = %s;\n", field->name, write_expression(&field->type, place));
    } else {
        fprintf(out, "    at = %s;\n", write_expression(&field->type, place));
    }
}

static void emit_write(FILE *out, const struct named *record, const char *suffix, size_t first)
{
    fprintf(out, "\nstatic char *%s_write%s(char *at, const struct %s *in)\n{\n    (void)in;\n", record->snake, suffix,
            record->snake);
    for (size_t i = first; i < record->count; i++)
        emit_write_field(out, record, &record->fields[i]);
    fprintf(out, "    return at;\n}\n");
}

/* --- what callers see --- */

static void emit_decode(FILE *out, const struct named *record)
{
    fprintf(out,
            "\nbool %s_decode(struct %s *out, struct view avro, struct arena *arena)\n{\n"
            "    const uint8_t *start = (const uint8_t *)avro.data;\n"
            "    struct avro_cursor cursor = {start, start + avro.size};\n"
            "    return start && %s_read(&cursor, out, arena) && cursor.at == cursor.end;\n}\n",
            record->snake, record->snake, record->snake);
}

static void emit_encode_base(FILE *out, const struct named *record)
{
    const char *snake = record->snake;
    fprintf(out,
            "\nvoid %s_encode(struct bytes *out, const struct %s *in)\n{\n"
            "    %s_encode(out, &in->touch);\n    %s_encode_after(out, view_of(\"\", 0), in);\n}\n",
            snake, snake, record->base->snake, snake);
    fprintf(out,
            "\nvoid %s_encode_after(struct bytes *out, struct view raw, const struct %s *in)\n{\n"
            "    bytes_reserve(out, raw.size + %s_bound_added(in));\n"
            "    char *at = out->data + out->size;\n    memcpy(at, raw.data, raw.size);\n"
            "    out->size = (size_t)(%s_write_added(at + raw.size, in) - out->data);\n}\n",
            snake, snake, snake, snake);
}

static void emit_encode(FILE *out, const struct named *record)
{
    fprintf(out,
            "\nvoid %s_encode(struct bytes *out, const struct %s *in)\n{\n"
            "    bytes_reserve(out, %s_bound(in));\n"
            "    out->size = (size_t)(%s_write(out->data + out->size, in) - out->data);\n}\n",
            record->snake, record->snake, record->snake, record->snake);
}

static void emit_record(FILE *out, const struct named *record)
{
    emit_read(out, record);
    if (record->base) {
        emit_bound(out, record, "_added", record->base->count);
        emit_write(out, record, "_added", record->base->count);
    } else {
        emit_bound(out, record, "", 0);
        emit_write(out, record, "", 0);
    }
    if (record->schema_json == NULL)
        return;
    emit_decode(out, record);
    if (record->base)
        emit_encode_base(out, record);
    else
        emit_encode(out, record);
}

void emit_codec(FILE *out, const struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->all[i]->kind == NAMED_RECORD)
            emit_record(out, model->all[i]);
    }
}
