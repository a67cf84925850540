#include "ingest/ndjson_reader.h"

void ndjson_reader_init(struct ndjson_reader *reader, struct input *input)
{
    *reader = (struct ndjson_reader){.input = input, .line = 1};
}

/* The size of the window's first line without its '\n'; *has_end says whether that is there. */
static size_t line_find(struct input *input, bool *has_end)
{
    size_t seen = 0;
    for (;;) {
        struct view window = input_window(input);
        const char *end = seen < window.size ? memchr(window.data + seen, '\n', window.size - seen) : NULL;
        *has_end = end != NULL;
        if (end)
            return (size_t)(end - window.data);
        seen = window.size;
        if (seen > RECORD_BYTES_MAX || !input_extend(input))
            return seen;
    }
}

/* The rest of a line that was too large. */
static void line_skip(struct ndjson_reader *reader)
{
    bool has_end = false;
    while (!has_end) {
        size_t size = line_find(reader->input, &has_end);
        input_skip(reader->input, size + has_end);
        if (size == 0 && !has_end)
            break;
    }
    reader->line++;
    reader->is_skipping = false;
}

static bool is_blank(struct view text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != ' ' && text.data[i] != '\t' && text.data[i] != '\r')
            return false;
    return true;
}

enum read_result ndjson_reader_next(struct ndjson_reader *reader, struct raw_record *out)
{
    if (!reader->has_begun) {
        input_skip_mark(reader->input);
        reader->has_begun = true;
    }
    input_skip(reader->input, reader->pending);
    reader->pending = 0;
    if (reader->is_skipping)
        line_skip(reader);
    for (;;) {
        bool has_end;
        size_t size = line_find(reader->input, &has_end);
        if (size == 0 && !has_end)
            return READ_END;
        struct view text = view_of(input_window(reader->input).data, size);
        *out = (struct raw_record){.text = text, .line = reader->line, .is_too_large = size > RECORD_BYTES_MAX};
        if (out->is_too_large) {
            out->text.size = RECORD_BYTES_MAX;
            reader->pending = size;
            reader->is_skipping = true;
            return READ_RECORD;
        }
        if (text.size > 0 && text.data[text.size - 1] == '\r')
            out->text.size--;
        reader->line++;
        if (is_blank(text)) {
            input_skip(reader->input, size + has_end);
            continue;
        }
        reader->pending = size + has_end;
        return READ_RECORD;
    }
}
