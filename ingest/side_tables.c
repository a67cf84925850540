#include "ingest/side_tables.h"

#include "base/memory.h"
#include "ingest/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TABLES_MAX = 32 };

struct side_table {
    struct bytes name, file, key;
    bool is_optional;
};

struct side_tables {
    struct side_table items[TABLES_MAX];
    size_t count;
};

static struct side_table *table_named(struct side_tables *tables, struct view name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (view_equal(bytes_view(&tables->items[i].name), name))
            return &tables->items[i];
    if (tables->count == TABLES_MAX)
        return NULL;
    struct side_table *table = &tables->items[tables->count++];
    bytes_append_view(&table->name, name);
    return table;
}

static void text_set(struct bytes *bytes, struct view text)
{
    bytes_clear(bytes);
    bytes_append_view(bytes, text);
}

/* The next word of `line`, which moves past it. */
static struct view word_take(struct view *line)
{
    while (line->size && *line->data == ' ')
        line->data++, line->size--;
    size_t size = 0;
    while (size < line->size && line->data[size] != ' ')
        size++;
    struct view word = view_of(line->data, size);
    line->data += size;
    line->size -= size;
    return word;
}

static struct view trim(struct view text)
{
    while (text.size && (*text.data == ' ' || *text.data == '\t'))
        text.data++, text.size--;
    while (text.size && strchr(" \t\r", text.data[text.size - 1]))
        text.size--;
    return text;
}

static void declaration_read(struct side_tables *tables, struct view line)
{
    static const struct view head = {"# table", 7};
    if (line.size < 9 || !view_equal(view_of(line.data, head.size), head) || (line.data[7] != ':' && line.data[7] != '?'))
        return;
    bool is_optional = line.data[7] == '?';
    size_t size = is_optional && line.data[8] == ':' ? 9 : 8; /* `# table?:` means the same */
    struct view rest = view_of(line.data + size, line.size - size);
    struct side_table *table = table_named(tables, word_take(&rest));
    if (!table)
        return;
    text_set(&table->file, word_take(&rest));
    text_set(&table->key, trim(rest));
    table->is_optional = is_optional;
}

static void declarations_read(struct side_tables *tables, struct view program)
{
    while (program.size) {
        const char *end = memchr(program.data, '\n', program.size);
        size_t size = end ? (size_t)(end - program.data) : program.size;
        declaration_read(tables, view_of(program.data, size));
        program.data += size + (end != NULL);
        program.size -= size + (end != NULL);
    }
}

/* Does the program speak of it? A misspelt name would be looked up nowhere. */
static bool is_used(struct view program, struct view name)
{
    return name.size && memmem(program.data, program.size, name.data, name.size) != NULL;
}

/* NAME=FILE:KEY, separated by commas; a key may be left out where the mapping declares it. */
static bool given_read(struct side_tables *tables, struct view program, const char *given, struct bytes *error)
{
    while (given && *given) {
        struct view item = view_of(given, strcspn(given, ","));
        const char *equals = memchr(item.data, '=', item.size);
        if (!equals || equals == item.data) {
            bytes_printf(error, "--tables: \"%.*s\" is not NAME=FILE:KEY", VIEW_ARGUMENTS(item));
            return false;
        }
        struct view name = view_of(item.data, (size_t)(equals - item.data));
        if (!is_used(program, name)) {
            bytes_printf(error, "--tables: the mapping looks nothing up in a table \"%.*s\"; it declares", VIEW_ARGUMENTS(name));
            for (size_t i = 0; i < tables->count; i++)
                bytes_printf(error, "%s %.*s", i ? "," : "", VIEW_ARGUMENTS(bytes_view(&tables->items[i].name)));
            bytes_append_text(error, tables->count ? "" : " none");
            return false;
        }
        struct side_table *table = table_named(tables, name);
        if (!table) {
            bytes_printf(error, "--tables: at most %d tables", TABLES_MAX);
            return false;
        }
        struct view file = view_of(equals + 1, item.size - (size_t)(equals + 1 - item.data));
        const char *colon = memrchr(file.data, ':', file.size);
        if (colon) {
            text_set(&table->key, view_of(colon + 1, file.size - (size_t)(colon + 1 - file.data)));
            file.size = (size_t)(colon - file.data);
        }
        text_set(&table->file, file);
        table->is_optional = false;
        given += item.size + (given[item.size] == ',');
    }
    return true;
}

/* As given when it is there, else beside the input. */
static void table_locate(const char *file, const char *path, struct bytes *out)
{
    bytes_clear(out);
    if (strcmp(file, "$self") == 0) {
        bytes_append_text(out, path);
        return;
    }
    const char *slash = strrchr(path, '/');
    if (*file != '/' && access(file, R_OK) != 0 && slash)
        bytes_append(out, path, (size_t)(slash + 1 - path));
    bytes_append_text(out, file);
}

/* The file being imported is read again as such, and its bad rows are rejected then. */
static bool is_the_file_itself(const struct side_table *table)
{
    return view_equal_text(bytes_view(&table->file), "$self");
}

/* A bad row is an error: what would be looked up in vain makes records that nothing mends later, for imported again they are duplicates. */
static bool table_read(struct rows *rows, const struct side_table *table, struct mapping_tables *into, struct bytes *error)
{
    struct bytes key = {0};
    bytes_append_view(&key, bytes_view(&table->key));
    int column = rows->format == ROWS_CSV && !rows->is_empty ? csv_reader_column(&rows->csv, bytes_text(&key)) : -1;
    bytes_finish(&key);
    if (column < 0) {
        bytes_printf(error, "%s: line 1: no column \"%.*s\", which is the key of table %.*s", rows->name,
                     VIEW_ARGUMENTS(bytes_view(&table->key)), VIEW_ARGUMENTS(bytes_view(&table->name)));
        return false;
    }
    struct raw_record row;
    struct json_fault fault;
    struct arena arena;
    arena_init(&arena);
    enum read_result result = READ_END;
    bool is_good = true;
    while (is_good && (result = rows_next(rows, &row, &arena, &fault, error)) == READ_RECORD) {
        is_good = !fault.code || is_the_file_itself(table);
        if (!fault.code)
            mapping_tables_add(into, rows->csv.fields[column], rows->csv.columns, rows->csv.fields, rows->csv.field_count);
        else if (!is_good)
            bytes_append_view(error, fault.reason);
        arena_reset(&arena);
    }
    arena_finish(&arena);
    return is_good && result == READ_END;
}

static bool table_load(struct side_table *table, const char *path, struct mapping_tables *into, struct bytes *error)
{
    struct bytes place = {0}, name = {0};
    table_locate(bytes_text(&table->file), path, &place);
    struct rows rows;
    bool is_read = table->is_optional && access(bytes_text(&place), R_OK) != 0;
    if (!is_read) {
        bytes_append_view(&name, bytes_view(&table->name));
        struct bytes why = {0};
        if (rows_open(&rows, bytes_text(&place), ROWS_CSV, NULL, &why)) {
            mapping_tables_begin(into, bytes_text(&name));
            is_read = table_read(&rows, table, into, &why);
            rows_close(&rows);
        }
        if (!is_read)
            bytes_printf(error, "side table %s: %s", bytes_text(&name), bytes_text(&why));
        bytes_finish(&why);
    }
    bytes_finish(&place);
    bytes_finish(&name);
    return is_read;
}

struct mapping_tables *side_tables_load(struct view program, const char *given, const char *path, struct bytes *error)
{
    struct side_tables *tables = memory_zeroed(1, sizeof *tables);
    struct mapping_tables *loaded = mapping_tables_create();
    declarations_read(tables, program);
    bool is_good = given_read(tables, program, given, error);
    for (size_t i = 0; is_good && i < tables->count; i++)
        is_good = table_load(&tables->items[i], path, loaded, error);
    for (size_t i = 0; i < tables->count; i++) {
        bytes_finish(&tables->items[i].name);
        bytes_finish(&tables->items[i].file);
        bytes_finish(&tables->items[i].key);
    }
    free(tables);
    if (!is_good) {
        mapping_tables_destroy(loaded);
        loaded = NULL;
    }
    return loaded;
}
