#include "ingest/csv_reader.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { COLUMNS_MAX = 4096 };

/* Goes on measuring a row. `*at` moves on; true: it stands on the row's '\n'. A quote opens a quoted part only at the
 * beginning of a field; `field_begins` carries that over. */
struct row_scan {
    size_t at;
    bool in_quotes, field_begins;
    uint64_t lines; /* ends of lines within the row */
};

static bool row_measure(struct row_scan *scan, struct view text, char separator)
{
    for (; scan->at < text.size; scan->at++) {
        char c = text.data[scan->at];
        if (scan->in_quotes) {
            if (c == '"')
                scan->in_quotes = false; /* a doubled one opens it again at once, by the rule below */
            else if (c == '\n')
                scan->lines++;
            scan->field_begins = c == '"';
            continue;
        }
        if (c == '\n')
            return true;
        if (c == '"' && scan->field_begins)
            scan->in_quotes = true;
        scan->field_begins = separator ? c == separator : c == ',' || c == ';' || c == '\t';
    }
    return false;
}

static void fields_add(struct csv_reader *reader, struct view field)
{
    if (reader->field_count == reader->field_capacity) {
        reader->field_capacity = reader->field_capacity ? 2 * reader->field_capacity : 32;
        reader->fields = memory_resize(reader->fields, reader->field_capacity * sizeof *reader->fields);
    }
    reader->fields[reader->field_count++] = field;
}

/* A field that begins with a quote at `*at`; leaves `*at` behind it. What follows the closing quote up to the separator is
 * kept as it is. */
static struct view quoted_field(struct csv_reader *reader, struct view row, size_t *at)
{
    size_t begin = *at + 1, i = begin;
    while (i < row.size && !(row.data[i] == '"' && (i + 1 == row.size || row.data[i + 1] == reader->separator))) {
        if (row.data[i] == '"')
            break;
        i++;
    }
    if (i + 1 >= row.size || row.data[i + 1] == reader->separator) {
        *at = i < row.size ? i + 1 : i;
        return view_of(row.data + begin, i - begin);
    }
    char *text = arena_alloc(&reader->arena, row.size - begin + 1);
    size_t size = 0;
    bool in_quotes = true;
    for (i = begin; i < row.size; i++) {
        char c = row.data[i];
        if (in_quotes && c == '"') {
            if (i + 1 < row.size && row.data[i + 1] == '"')
                text[size++] = row.data[++i];
            else
                in_quotes = false;
        } else if (!in_quotes && c == reader->separator) {
            break;
        } else {
            text[size++] = c;
        }
    }
    *at = i;
    return view_of(text, size);
}

static void row_split(struct csv_reader *reader, struct view row)
{
    reader->field_count = 0;
    arena_reset(&reader->arena);
    size_t at = 0;
    for (;;) {
        if (at < row.size && row.data[at] == '"') {
            fields_add(reader, quoted_field(reader, row, &at));
        } else {
            const char *end = at < row.size ? memchr(row.data + at, reader->separator, row.size - at) : NULL;
            size_t size = end ? (size_t)(end - row.data) - at : row.size - at;
            fields_add(reader, view_of(row.data + at, size));
            at += size;
        }
        if (at >= row.size)
            return;
        at++; /* the separator; after a last one comes an empty field */
    }
}

static enum read_result quote_stays_open(struct csv_reader *reader, uint64_t line)
{
    snprintf(reader->broken, sizeof reader->broken, "line %" PRIu64 ": a quote is opened and never closed", line);
    return READ_BROKEN;
}

/* A quote that nothing closes costs the line it stands in, not all the rows that follow. */
static enum read_result line_without_end(struct csv_reader *reader, struct raw_record *out)
{
    if (reader->columns == NULL)
        return quote_stays_open(reader, reader->line);
    struct view rest = input_window(reader->input);
    const char *end = memchr(rest.data, '\n', rest.size);
    out->text = view_of(rest.data, end ? (size_t)(end - rest.data) : rest.size);
    reader->pending = out->text.size + (end != NULL);
    if (out->text.data[out->text.size - 1] == '\r')
        out->text.size--;
    reader->line += end != NULL;
    reader->is_open = true;
    return READ_RECORD;
}

/* The window's first row without its line end. END: nothing left. */
static enum read_result row_find(struct csv_reader *reader, struct raw_record *out)
{
    struct row_scan scan = {.field_begins = true};
    bool has_end;
    while (!(has_end = row_measure(&scan, input_window(reader->input), reader->separator)))
        if (scan.at > RECORD_BYTES_MAX || !input_extend(reader->input))
            break;
    if (scan.at == 0 && !has_end)
        return READ_END;
    *out = (struct raw_record){.text = view_of(input_window(reader->input).data, scan.at), .line = reader->line};
    reader->pending = scan.at + has_end;
    out->is_too_large = scan.at > RECORD_BYTES_MAX;
    if (out->is_too_large) {
        out->text.size = RECORD_BYTES_MAX;
        reader->is_skipping = !has_end;
        reader->in_quotes = scan.in_quotes;
        reader->skipped_line = reader->line;
    } else if (!has_end && scan.in_quotes) {
        return line_without_end(reader, out);
    } else if (out->text.size > 0 && out->text.data[out->text.size - 1] == '\r') {
        out->text.size--;
    }
    reader->line += scan.lines + has_end;
    return READ_RECORD;
}

/* false: it went on to the end of the file, in quotes. */
static bool row_skip(struct csv_reader *reader)
{
    struct row_scan scan = {.in_quotes = reader->in_quotes};
    bool has_end;
    do {
        has_end = row_measure(&scan, input_window(reader->input), reader->separator);
        input_skip(reader->input, scan.at + has_end);
        scan.at = 0;
        if (has_end) {
            reader->line++;
            break;
        }
    } while (input_extend(reader->input));
    reader->line += scan.lines;
    reader->is_skipping = false;
    return has_end || !scan.in_quotes;
}

/* Of two columns of one name a mapping sees one. While they say the same that is as good as both; where they do not, nobody could tell which. */
static bool twins_differ(struct csv_reader *reader, uint64_t line)
{
    for (size_t i = 0; reader->field_count == reader->column_count && i < reader->twin_count; i++) {
        const struct csv_twins *twins = &reader->twins[i];
        if (view_equal(reader->fields[twins->first], reader->fields[twins->second]))
            continue;
        struct view name = reader->columns[twins->first];
        snprintf(reader->broken, sizeof reader->broken,
                 "line %" PRIu64 ": columns %zu and %zu are both called \"%.*s\" in line %" PRIu64 " and differ here; rename one of them there", line,
                 twins->first + 1, twins->second + 1, (int)(name.size < 60 ? name.size : 60), name.data, reader->header_line);
        return true;
    }
    return false;
}

enum read_result csv_reader_next(struct csv_reader *reader, struct raw_record *out)
{
    for (;;) {
        input_skip(reader->input, reader->pending);
        reader->pending = 0;
        if (reader->is_skipping && !row_skip(reader))
            return quote_stays_open(reader, reader->skipped_line);
        reader->is_open = false;
        enum read_result result = row_find(reader, out);
        reader->field_count = 0;
        if (result != READ_RECORD || out->is_too_large || reader->is_open)
            return result;
        if (out->text.size == 0)
            continue;
        row_split(reader, out->text);
        return twins_differ(reader, out->line) ? READ_BROKEN : READ_RECORD;
    }
}

static char separator_find(struct view header)
{
    static const char candidates[] = {',', ';', '\t'};
    size_t counts[3] = {0}, best = 0;
    bool in_quotes = false;
    for (size_t i = 0; i < header.size; i++) {
        in_quotes ^= header.data[i] == '"';
        for (size_t k = 0; k < 3; k++)
            counts[k] += !in_quotes && header.data[i] == candidates[k];
    }
    for (size_t k = 1; k < 3; k++)
        if (counts[k] > counts[best])
            best = k;
    return candidates[best];
}

/* «sep=;» in the first line, Excel's word about those beneath it. */
static bool separator_take(struct csv_reader *reader, struct view row)
{
    bool is_said = !reader->separator && row.size == 5 && strncasecmp(row.data, "sep=", 4) == 0 && row.data[4] != '"';
    if (is_said)
        reader->separator = row.data[4];
    return is_said;
}

/* A table whose lines end with CR alone is a single line to us: a header, and no row at all. */
static bool has_lone_return(struct view header)
{
    bool in_quotes = false;
    for (size_t i = 0; i < header.size; i++) {
        in_quotes ^= header.data[i] == '"';
        if (!in_quotes && header.data[i] == '\r')
            return true;
    }
    return false;
}

static void header_keep(struct csv_reader *reader)
{
    size_t total = 0;
    for (size_t i = 0; i < reader->field_count; i++)
        total += reader->fields[i].size;
    reader->header = memory_allocate(total + 1);
    reader->columns = memory_allocate((reader->field_count + 1) * sizeof *reader->columns);
    reader->column_count = reader->field_count;
    char *at = reader->header;
    for (size_t i = 0; i < reader->field_count; i++) {
        memcpy(at, reader->fields[i].data, reader->fields[i].size);
        reader->columns[i] = view_of(at, reader->fields[i].size);
        at += reader->fields[i].size;
    }
}

/* Columns without a name are what spreadsheets leave at the end of a row, and nobody's twins. */
static void twins_find(struct csv_reader *reader)
{
    for (size_t i = 1; i < reader->column_count; i++) {
        size_t first = 0;
        while (first < i && !view_equal(reader->columns[first], reader->columns[i]))
            first++;
        if (first == i || reader->columns[i].size == 0)
            continue;
        reader->twins = memory_resize(reader->twins, (reader->twin_count + 1) * sizeof *reader->twins);
        reader->twins[reader->twin_count++] = (struct csv_twins){first, i};
    }
}

enum read_result csv_reader_init(struct csv_reader *reader, struct input *input)
{
    *reader = (struct csv_reader){.input = input, .line = 1};
    arena_init(&reader->arena);
    input_skip_mark(input);
    struct raw_record header;
    enum read_result result;
    bool is_before;
    do { /* blank lines before the header, and one that names the separator */
        input_skip(input, reader->pending);
        reader->pending = 0;
        result = row_find(reader, &header);
        is_before = result == READ_RECORD && (header.text.size == 0 || separator_take(reader, header.text));
    } while (is_before);
    if (result != READ_RECORD)
        return result;
    if (header.is_too_large) {
        snprintf(reader->broken, sizeof reader->broken, "line 1: the header row is larger than a record may be");
        return READ_BROKEN;
    }
    if (has_lone_return(header.text)) {
        snprintf(reader->broken, sizeof reader->broken,
                 "line 1: lines end with CR alone; convert the file first (tr '\\r' '\\n')");
        return READ_BROKEN;
    }
    reader->header_line = header.line;
    if (!reader->separator)
        reader->separator = separator_find(header.text);
    row_split(reader, header.text);
    if (reader->field_count > COLUMNS_MAX) {
        snprintf(reader->broken, sizeof reader->broken, "line 1: %zu columns, at most %d are read", reader->field_count,
                 COLUMNS_MAX);
        return READ_BROKEN;
    }
    header_keep(reader);
    twins_find(reader);
    return READ_RECORD;
}

void csv_reader_finish(struct csv_reader *reader)
{
    free(reader->columns);
    free(reader->twins);
    free(reader->fields);
    free(reader->header);
    arena_finish(&reader->arena);
}

int csv_reader_column(const struct csv_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->column_count; i++)
        if (view_equal_text(reader->columns[i], name))
            return (int)i;
    return -1;
}
