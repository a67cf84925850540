#include "ingest/rows.h"

#include "base/utf8.h"
#include "ingest/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    enum rows_format format;
} formats[] = {
    {"csv", ROWS_CSV},     {"tsv", ROWS_CSV},     {"ndjson", ROWS_NDJSON}, {"jsonl", ROWS_NDJSON},
    {"json", ROWS_JSON},   {"text", ROWS_TEXT},   {"txt", ROWS_TEXT},
};

bool rows_format_from_name(const char *name, enum rows_format *out)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcasecmp(name, formats[i].name) == 0) {
            *out = formats[i].format;
            return true;
        }
    }
    return false;
}

static enum rows_format format_guess(const char *path, struct input *input)
{
    enum rows_format format;
    const char *ending = strrchr(path, '.');
    if (ending && rows_format_from_name(ending + 1, &format))
        return format;
    input_skip_mark(input);
    struct view window = input_window(input);
    size_t at = 0;
    while (at < window.size && strchr(" \t\r\n", window.data[at]))
        at++;
    char first = at < window.size ? window.data[at] : '\0';
    return first == '[' ? ROWS_JSON : first == '{' ? ROWS_NDJSON : ROWS_CSV;
}

static bool open_csv(struct rows *rows, struct bytes *error)
{
    enum read_result result = csv_reader_init(&rows->csv, &rows->input);
    rows->is_empty = result == READ_END;
    if (result == READ_BROKEN)
        bytes_printf(error, "%s: %s", rows->name, rows->csv.broken);
    return result != READ_BROKEN;
}

bool rows_open(struct rows *rows, const char *path, enum rows_format format, const atomic_bool *stop, struct bytes *error)
{
    bool is_standard_input = strcmp(path, "-") == 0;
    *rows = (struct rows){.name = path, .file = is_standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)};
    struct stat status;
    if (rows->file < 0 || fstat(rows->file, &status) != 0 || S_ISDIR(status.st_mode)) {
        bytes_printf(error, "%s: cannot be read: %s", path, rows->file < 0 ? strerror(errno) : "it is a folder");
        if (rows->file > STDIN_FILENO)
            close(rows->file);
        return false;
    }
    input_init_file(&rows->input, rows->file, stop);
    const char *foreign = input_foreign(&rows->input);
    if (foreign) {
        bytes_printf(error, "%s: %s", path, foreign);
        rows->format = ROWS_TEXT; /* no reader is there to be closed */
        rows_close(rows);
        return false;
    }
    rows->format = format == ROWS_GUESS ? format_guess(path, &rows->input) : format;
    if (rows->format == ROWS_CSV) {
        if (open_csv(rows, error))
            return true;
        rows_close(rows);
        return false;
    }
    if (rows->format == ROWS_JSON)
        json_reader_init(&rows->json, &rows->input);
    else
        ndjson_reader_init(&rows->lines, &rows->input);
    return true;
}

void rows_close(struct rows *rows)
{
    if (rows->format == ROWS_CSV)
        csv_reader_finish(&rows->csv);
    input_finish(&rows->input);
    if (rows->file > STDIN_FILENO)
        close(rows->file);
    rows->file = -1;
}

static void row_fault(const struct rows *rows, uint64_t line, struct arena *arena, struct json_fault *fault,
                      const char *code, const char *reason)
{
    struct bytes text = {0};
    bytes_printf(&text, "%s line %" PRIu64 ": %s", rows->name, line, reason);
    *fault = accept_fault(code, VIEW_LITERAL(""), arena_copy(arena, bytes_view(&text)));
    bytes_finish(&text);
}

static void row_judge(const struct rows *rows, const struct raw_record *row, struct arena *arena, struct json_fault *fault)
{
    char reason[160];
    *fault = (struct json_fault){0};
    if (row->is_too_large) {
        row_fault(rows, row->line, arena, fault, "too_large", "a record is at most 1 MiB");
    } else if (rows->format == ROWS_CSV && rows->csv.is_open) {
        row_fault(rows, row->line, arena, fault, "bad_mapping", "a quote is opened and never closed");
    } else if (rows->format == ROWS_CSV && rows->csv.field_count != rows->csv.column_count) {
        snprintf(reason, sizeof reason, "%zu fields where the header has %zu columns", rows->csv.field_count,
                 rows->csv.column_count);
        row_fault(rows, row->line, arena, fault, "bad_mapping", reason);
    } else if (rows->format != ROWS_NDJSON && rows->format != ROWS_JSON && !utf8_is_valid(row->text)) {
        row_fault(rows, row->line, arena, fault, "bad_utf8", "not UTF-8; convert the file first (iconv -f latin1 -t utf8)");
    }
}

enum read_result rows_next(struct rows *rows, struct raw_record *out, struct arena *arena, struct json_fault *fault,
                           struct bytes *error)
{
    enum read_result result = READ_END;
    if (rows->format == ROWS_CSV)
        result = rows->is_empty ? READ_END : csv_reader_next(&rows->csv, out);
    else if (rows->format == ROWS_JSON)
        result = json_reader_next(&rows->json, out);
    else
        result = ndjson_reader_next(&rows->lines, out);
    if (result == READ_RECORD) {
        rows->count++;
        row_judge(rows, out, arena, fault);
    } else if (result == READ_BROKEN && rows->format == ROWS_CSV) {
        bytes_printf(error, "%s: %s", rows->name, rows->csv.broken);
    } else if (result == READ_BROKEN) {
        bytes_printf(error, "%s: line %" PRIu64 ": %s", rows->name, rows->json.line, rows->json.broken);
    } else if (rows->input.error) {
        bytes_printf(error, "%s: reading failed: %s", rows->name, strerror(rows->input.error));
        result = READ_BROKEN;
    }
    return result;
}

uint64_t rows_position(const struct rows *rows)
{
    return rows->input.consumed;
}

uint64_t rows_size(const struct rows *rows)
{
    struct stat status;
    return fstat(rows->file, &status) == 0 && S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
}
