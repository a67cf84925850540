#include "ingest/json_reader.h"

void json_reader_init(struct json_reader *reader, struct input *input)
{
    *reader = (struct json_reader){.input = input, .line = 1};
}

/* The next byte that is no blank, left in the window; −1 at the end. */
static int peek(struct json_reader *reader)
{
    for (;;) {
        struct view window = input_window(reader->input);
        size_t at = 0;
        for (; at < window.size; at++) {
            char c = window.data[at];
            if (c == '\n')
                reader->line++;
            else if (c != ' ' && c != '\t' && c != '\r')
                break;
        }
        input_skip(reader->input, at);
        if (at < window.size)
            return (unsigned char)window.data[at];
        if (!input_extend(reader->input))
            return -1;
    }
}

static enum read_result broken(struct json_reader *reader, const char *why)
{
    reader->broken = why;
    return READ_BROKEN;
}

static bool is_bare_end(char c)
{
    return c == ',' || c == ']' || c == '}' || c == '[' || c == '{' || c == '"' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Goes on measuring the value at `text[from]`. true: its end is known, *end is one past it. */
static bool value_measure(struct json_reader *reader, struct view text, size_t from, size_t *end)
{
    for (size_t i = from; i < text.size; i++) {
        char c = text.data[i];
        if (c == '\n')
            reader->line++;
        if (reader->in_string) {
            if (reader->in_escape)
                reader->in_escape = false;
            else if (c == '\\')
                reader->in_escape = true;
            else if (c == '"')
                reader->in_string = false;
            if (reader->in_string || reader->depth > 0)
                continue;
        } else if (reader->is_bare) {
            if (!is_bare_end(c))
                continue;
            reader->line -= c == '\n';
            *end = i;
            return true;
        } else if (c == '"') {
            reader->in_string = true;
            continue;
        } else if (c == '{' || c == '[') {
            reader->depth++;
            continue;
        } else if (c != '}' && c != ']') {
            continue;
        } else if (--reader->depth > 0) {
            continue;
        }
        *end = i + 1;
        return true;
    }
    return false;
}

static void value_begin(struct json_reader *reader, int first)
{
    reader->depth = 0;
    reader->in_string = reader->in_escape = false;
    reader->is_bare = first != '{' && first != '[' && first != '"';
}

/* The rest of a value that was too large. */
static enum read_result value_skip(struct json_reader *reader)
{
    for (;;) {
        struct view window = input_window(reader->input);
        size_t end;
        if (value_measure(reader, window, 0, &end)) {
            input_skip(reader->input, end);
            reader->is_skipping = false;
            return READ_RECORD;
        }
        input_skip(reader->input, window.size);
        if (!input_extend(reader->input))
            return broken(reader, "the text ends within a value");
    }
}

static enum read_result value_read(struct json_reader *reader, int first, struct raw_record *out)
{
    *out = (struct raw_record){.line = reader->line};
    value_begin(reader, first);
    size_t seen = 0, end;
    for (;;) {
        struct view window = input_window(reader->input);
        if (value_measure(reader, window, seen, &end))
            break;
        seen = end = window.size;
        if (seen > RECORD_BYTES_MAX) {
            out->is_too_large = reader->is_skipping = true;
            break;
        }
        if (input_extend(reader->input))
            continue;
        if (reader->is_bare && !reader->is_array)
            break;
        return broken(reader, "the text ends within a value");
    }
    out->is_too_large |= end > RECORD_BYTES_MAX;
    out->text = view_of(input_window(reader->input).data, out->is_too_large ? RECORD_BYTES_MAX : end);
    reader->pending = end;
    reader->is_after_value = true;
    return READ_RECORD;
}

/* Between the values of an array: 1 a value follows, 0 the array has ended, −1 broken. */
static int array_step(struct json_reader *reader, int *next)
{
    if (*next == ']') {
        input_skip(reader->input, 1);
        reader->is_array = false;
        return peek(reader) < 0 ? 0 : -1;
    }
    if (!reader->is_after_value)
        return *next < 0 ? -1 : 1;
    if (*next != ',')
        return -1;
    input_skip(reader->input, 1);
    *next = peek(reader);
    return *next < 0 || *next == ']' ? -1 : 1;
}

enum read_result json_reader_next(struct json_reader *reader, struct raw_record *out)
{
    if (!reader->has_begun)
        input_skip_mark(reader->input);
    input_skip(reader->input, reader->pending);
    reader->pending = 0;
    if (reader->is_skipping && value_skip(reader) == READ_BROKEN)
        return READ_BROKEN;
    int next = peek(reader);
    if (!reader->has_begun && next == '[') {
        reader->is_array = true;
        input_skip(reader->input, 1);
        next = peek(reader);
    }
    reader->has_begun = true;
    if (reader->is_array) {
        int step = array_step(reader, &next);
        if (step <= 0)
            return step == 0 ? READ_END : broken(reader, "not a well-formed array: a comma or bracket is missing, or something follows");
    } else if (next < 0) {
        return READ_END;
    }
    if (next == ',' || next == ']' || next == '}' || next == ':')
        return broken(reader, "a value was expected");
    return value_read(reader, next, out);
}
