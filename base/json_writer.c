#include "base/json_writer.h"

#include "base/number_text.h"
#include "base/utf8.h"

#include <math.h>

static void before_value(struct json_writer *json)
{
    if (json->needs_comma)
        bytes_append_byte(json->out, ',');
    json->needs_comma = true;
}

static void open_with(struct json_writer *json, char bracket)
{
    before_value(json);
    bytes_append_byte(json->out, (unsigned char)bracket);
    json->needs_comma = false;
}

static void close_with(struct json_writer *json, char bracket)
{
    bytes_append_byte(json->out, (unsigned char)bracket);
    json->needs_comma = true;
}

void json_open_object(struct json_writer *json)
{
    open_with(json, '{');
}

void json_close_object(struct json_writer *json)
{
    close_with(json, '}');
}

void json_open_array(struct json_writer *json)
{
    open_with(json, '[');
}

void json_close_array(struct json_writer *json)
{
    close_with(json, ']');
}

static void append_escape(struct bytes *out, unsigned char c)
{
    switch (c) {
    case '"':
        bytes_append(out, "\\\"", 2);
        break;
    case '\\':
        bytes_append(out, "\\\\", 2);
        break;
    case '\n':
        bytes_append(out, "\\n", 2);
        break;
    case '\r':
        bytes_append(out, "\\r", 2);
        break;
    case '\t':
        bytes_append(out, "\\t", 2);
        break;
    default:
        bytes_printf(out, "\\u%04x", c);
    }
}

/* How many bytes from `at` on, in steps of eight, are ASCII and need no escape: nearly all text is such. The test is the
 * usual one for a byte below or equal to a value in a word (Hacker's Delight, 6-1). */
static size_t skip_plain(struct view text, size_t at)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    size_t from = at;
    for (uint64_t word; text.size - at >= 8; at += 8) {
        memcpy(&word, text.data + at, 8);
        uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
        if ((word | (word - ones * ' ') | (quote - ones) | (slash - ones)) & tops)
            break;
    }
    return at - from;
}

static void append_string(struct bytes *out, struct view text)
{
    bytes_append_byte(out, '"');
    size_t plain_from = 0, at = 0;
    while ((at += skip_plain(text, at)) < text.size) {
        unsigned char c = (unsigned char)text.data[at];
        size_t begin = at;
        bool is_plain = c >= ' ' && c != '"' && c != '\\';
        if (c < 0x80)
            at++;
        else if (utf8_next(text, &at) == 0xfffd && at == begin + 1)
            is_plain = false;
        if (is_plain)
            continue;
        bytes_append(out, text.data + plain_from, begin - plain_from);
        if (c < 0x80)
            append_escape(out, c);
        else
            bytes_append_text(out, "\xef\xbf\xbd");
        plain_from = at;
    }
    bytes_append(out, text.data + plain_from, text.size - plain_from);
    bytes_append_byte(out, '"');
}

void json_key_view(struct json_writer *json, struct view key)
{
    before_value(json);
    append_string(json->out, key);
    bytes_append_byte(json->out, ':');
    json->needs_comma = false;
}

void json_key(struct json_writer *json, const char *key)
{
    json_key_view(json, view_of_text(key));
}

void json_write_text(struct json_writer *json, struct view text)
{
    if (text.data == NULL) {
        json_write_null(json);
        return;
    }
    before_value(json);
    append_string(json->out, text);
}

void json_write_integer(struct json_writer *json, int64_t value)
{
    before_value(json);
    bytes_reserve(json->out, NUMBER_TEXT_MAX);
    json->out->size += integer_text(json->out->data + json->out->size, value);
}

void json_write_decimal(struct json_writer *json, double value)
{
    if (!isfinite(value)) {
        json_write_null(json);
        return;
    }
    before_value(json);
    bytes_reserve(json->out, NUMBER_TEXT_MAX);
    json->out->size += decimal_text(json->out->data + json->out->size, value);
}

void json_write_boolean(struct json_writer *json, bool value)
{
    before_value(json);
    bytes_append_text(json->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *json)
{
    before_value(json);
    bytes_append(json->out, "null", 4);
}

void json_write_raw(struct json_writer *json, struct view value)
{
    before_value(json);
    bytes_append_view(json->out, value);
}
