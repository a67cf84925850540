/* records.c, second half: names of enums, the reflection tables, the schema texts. */
#include "schemas/generator/model.h"

static void emit_enum_tables(FILE *out, const char *tag, const char *name, size_t count, const char *const *symbols)
{
    fprintf(out, "\nstatic const struct view %s_symbols[] = {", tag);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "\n    {\"%s\", %zu},", symbols[i], strlen(symbols[i]));
    fprintf(out, "\n};\nconst struct enum_shape %s_shape = {\"%s\", %zu, %s_symbols};\n", tag, name, count, tag);
    fprintf(out,
            "\nconst char *%s_name(enum %s value)\n{\n"
            "    return (unsigned)value < %zu ? %s_symbols[value].data : \"?\";\n}\n",
            tag, tag, count, tag);
    fprintf(out,
            "\nbool %s_from_name(struct view name, enum %s *out)\n{\n"
            "    for (unsigned i = 0; i < %zu; i++) {\n        if (view_equal(name, %s_symbols[i])) {\n"
            "            *out = (enum %s)i;\n            return true;\n        }\n    }\n    return false;\n}\n",
            tag, tag, count, tag, tag);
}

static void emit_union_tables(FILE *out, const struct named *record, const struct field *field)
{
    const struct type *type = &field->type;
    const char *snake = union_snake(record, field), *names[type->branch_count];
    for (size_t i = 0; i < type->branch_count; i++)
        names[i] = type->branches[i]->name;
    emit_enum_tables(out, text_format("%s_kind", snake), field->name, type->branch_count, names);
    fprintf(out, "\nstatic const struct record_shape *const %s_branches[] = {", snake);
    for (size_t i = 0; i < type->branch_count; i++)
        fprintf(out, "\n    &%s_shape,", type->branches[i]->snake);
    fprintf(out, "\n};\n");
}

static const char *kind_name(enum shape_kind kind)
{
    static const char *const names[] = {
        [SHAPE_BOOLEAN] = "BOOLEAN", [SHAPE_INT] = "INT",       [SHAPE_LONG] = "LONG",     [SHAPE_TIME] = "TIME",
        [SHAPE_DOUBLE] = "DOUBLE",   [SHAPE_STRING] = "STRING", [SHAPE_BYTES] = "BYTES",   [SHAPE_UUID] = "UUID",
        [SHAPE_ENUM] = "ENUM",       [SHAPE_RECORD] = "RECORD", [SHAPE_ARRAY] = "ARRAY",   [SHAPE_MAP] = "MAP",
        [SHAPE_UNION] = "UNION"};
    return names[kind];
}

static void emit_details(FILE *out, const struct type *type)
{
    if (type->kind == SHAPE_ENUM)
        fprintf(out, ", .enumeration = &%s_shape", type->named->snake);
    if (type->kind == SHAPE_RECORD)
        fprintf(out, ", .record = &%s_shape", type->named->snake);
}

/* `within` is "touch." for the fields that come from the base record, and `owner` that record. */
static void emit_field(FILE *out, const struct named *record, const struct named *owner, const struct field *field,
                       const char *within)
{
    const struct type *type = &field->type;
    const char *snake = record->snake;
    fprintf(out, "\n    {.name = {\"%s\", %zu}, .kind = SHAPE_%s, .offset = offsetof(struct %s, %s%s)", field->name,
            strlen(field->name), kind_name(type->kind), snake, within, field->c_name);
    if (type->nullable)
        fprintf(out, ", .nullable = true");
    if (type->nullable && type->kind != SHAPE_STRING && type->kind != SHAPE_BYTES)
        fprintf(out, ", .has_offset = offsetof(struct %s, %shas_%s)", snake, within, field->name);
    if (field->empty_default)
        fprintf(out, ", .empty_default = true");
    emit_details(out, type);
    if (type->kind == SHAPE_ARRAY) {
        fprintf(out, ", .item_kind = SHAPE_%s, .item_size = sizeof(%s)", kind_name(type->item->kind),
                type_c_name(type->item));
        emit_details(out, type->item);
    }
    if (type->kind == SHAPE_UNION)
        fprintf(out, ", .has_offset = offsetof(struct %s, %s%s_kind), .enumeration = &%s_kind_shape, .branches = %s_branches",
                snake, within, field->c_name, union_snake(owner, field), union_snake(owner, field));
    fprintf(out, "},");
}

static void emit_schema_text(FILE *out, const struct named *record)
{
    fprintf(out, "\nconst char %s_schema_json[] =\n    \"", record->snake);
    size_t column = 0;
    for (const char *at = record->schema_json; *at; at++, column++) {
        if (*at == '"' || *at == '\\')
            fputc('\\', out);
        fputc(*at, out);
        if (column >= 100 && *at == ',') {
            fputs("\"\n    \"", out);
            column = 0;
        }
    }
    fprintf(out, "\";\n");
    fprintf(out,
            "\nstatic bool %s_decode_any(void *out, struct view avro, struct arena *arena)\n{\n"
            "    return %s_decode(out, avro, arena);\n}\n"
            "\nstatic void %s_encode_any(struct bytes *out, const void *record)\n{\n    %s_encode(out, record);\n}\n",
            record->snake, record->snake, record->snake, record->snake);
}

static void emit_record(FILE *out, const struct named *record)
{
    size_t base = record->base ? record->base->count : 0;
    for (size_t i = base; i < record->count; i++) {
        if (record->fields[i].type.kind == SHAPE_UNION)
            emit_union_tables(out, record, &record->fields[i]);
    }
    if (record->count > 0) {
        fprintf(out, "\nstatic const struct field_shape %s_fields[] = {", record->snake);
        for (size_t i = 0; i < record->count; i++)
            emit_field(out, record, i < base ? record->base : record, &record->fields[i], i < base ? "touch." : "");
        fprintf(out, "\n};\n");
    }
    if (record->schema_json)
        emit_schema_text(out, record);
    fprintf(out, "\nconst struct record_shape %s_shape = {\n    .name = \"%s\",\n    .size = sizeof(struct %s),\n",
            record->snake, record->name, record->snake);
    if (record->count > 0)
        fprintf(out, "    .field_count = %zu,\n    .fields = %s_fields,\n", record->count, record->snake);
    if (record->schema_json)
        fprintf(out, "    .schema_json = %s_schema_json,\n    .decode = %s_decode_any,\n    .encode = %s_encode_any,\n",
                record->snake, record->snake, record->snake);
    fprintf(out, "};\n");
}

void emit_shapes(FILE *out, const struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct named *named = model->all[i];
        if (named->kind == NAMED_ENUM)
            emit_enum_tables(out, named->snake, named->name, named->count, named->symbols);
        if (named->kind == NAMED_RECORD)
            emit_record(out, named);
    }
    size_t count = 0;
    fprintf(out, "\nconst struct record_shape *const record_shapes[] = {");
    for (size_t i = 0; i < model->count; i++) {
        if (model->all[i]->schema_json) {
            fprintf(out, "\n    &%s_shape,", model->all[i]->snake);
            count++;
        }
    }
    fprintf(out, "\n};\nconst size_t record_shape_count = %zu;\n", count);
}
