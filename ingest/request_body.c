#include "ingest/request_body.h"

#include "base/json_writer.h"
#include "base/percent_text.h"
#include "base/utf8.h"
#include "ingest/ndjson_reader.h"

#include <strings.h>

enum { RECORDS_FIRST = 64 };

static bool media_type_is(struct view header, const char *type)
{
    size_t size = strlen(type);
    return header.size >= size && strncasecmp(header.data, type, size) == 0 &&
           (header.size == size || header.data[size] == ';' || header.data[size] == ' ');
}

/* UTF-8 or unsaid. */
static bool charset_is_fine(struct view header)
{
    const char *at = memmem(header.data, header.size, "charset=", 8);
    if (!at)
        return true;
    at += 8;
    size_t left = (size_t)(header.data + header.size - at);
    if (left && *at == '"')
        at++, left--;
    return left >= 5 && strncasecmp(at, "utf-8", 5) == 0;
}

enum body_kind request_body_kind(const struct http_exchange *exchange)
{
    static const struct {
        const char *type;
        enum body_kind kind;
    } types[] = {
        {"application/json", BODY_JSON},
        {"application/x-ndjson", BODY_NDJSON},
        {"application/ndjson", BODY_NDJSON},
        {"application/jsonl", BODY_NDJSON},
        {"application/x-jsonlines", BODY_NDJSON},
        {"application/cloudevents+json", BODY_EVENT},
        {"application/cloudevents-batch+json", BODY_EVENT_BATCH},
    };
    struct view type = http_exchange_header(exchange, "Content-Type");
    struct view encoding = http_exchange_header(exchange, "Content-Encoding");
    bool is_event = http_exchange_header(exchange, "ce-specversion").data != NULL;
    if (encoding.size && !view_equal_text(encoding, "identity"))
        return BODY_UNKNOWN;
    if (type.data == NULL) /* an event without data has no type of it either */
        return is_event ? BODY_EVENT_BARE : BODY_UNKNOWN;
    if (!charset_is_fine(type))
        return BODY_UNKNOWN;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (media_type_is(type, types[i].type))
            return types[i].kind == BODY_JSON && is_event ? BODY_EVENT_BARE : types[i].kind;
    return BODY_UNKNOWN;
}

bool request_body_is_json(struct view text)
{
    struct json_scan scan;
    json_scan_init(&scan, text, JSON_SPLIT_DEPTH_MAX);
    return json_scan_skip(&scan, NULL) && json_scan_ended(&scan);
}

static bool refuse(struct json_fault *fault, struct arena *arena, const char *reason)
{
    *fault = accept_fault("bad_json", VIEW_LITERAL(""), arena_copy(arena, view_of_text(reason)));
    return false;
}

/* --- lists --- */

struct growing {
    struct body_records *out;
    struct arena *arena;
    size_t capacity;
};

static void add(struct growing *growing, struct view text, bool is_too_large)
{
    struct body_records *out = growing->out;
    if (out->count == growing->capacity) {
        size_t capacity = growing->capacity ? 4 * growing->capacity : RECORDS_FIRST;
        struct body_record *grown = arena_alloc(growing->arena, capacity * sizeof *grown);
        if (out->count)
            memcpy(grown, out->items, out->count * sizeof *grown);
        out->items = grown;
        growing->capacity = capacity;
    }
    out->items[out->count++] = (struct body_record){text, is_too_large};
}

static bool split_array(struct view body, struct growing *growing, struct json_fault *fault)
{
    struct json_scan scan;
    struct view item;
    enum json_step step;
    json_scan_init(&scan, body, JSON_SPLIT_DEPTH_MAX);
    while ((step = json_array_next(&scan, &item)) == JSON_STEP_ITEM)
        add(growing, item, item.size > RECORD_BYTES_MAX);
    growing->out->is_list = true;
    return step == JSON_STEP_END ||
           refuse(fault, growing->arena, scan.broken ? scan.broken : "the array is broken");
}

static bool split_lines(struct view body, struct growing *growing)
{
    struct input input;
    struct ndjson_reader reader;
    struct raw_record line;
    input_init_memory(&input, body);
    ndjson_reader_init(&reader, &input);
    while (ndjson_reader_next(&reader, &line) == READ_RECORD)
        add(growing, line.text, line.is_too_large);
    growing->out->is_list = true;
    return true;
}

/* --- CloudEvents in binary mode --- */

struct event_headers {
    struct json_writer json;
    struct arena *arena;
    struct view data; /* the name of a header that claims to be it; null: none */
};

/* CloudEvents keeps both names for the payload: no attribute may have them, and in this mode the body is the payload. */
static bool is_reserved(struct view key)
{
    return view_equal_text(key, "data") || view_equal_text(key, "data_base64");
}

/* CloudEvents' HTTP binding: a header's value in double quotes is unescaped, before its percent signs are. */
static struct view header_unquote(struct arena *arena, struct view text)
{
    if (text.size < 2 || text.data[0] != '"' || text.data[text.size - 1] != '"')
        return text;
    char *out = arena_alloc(arena, text.size);
    size_t size = 0;
    for (size_t i = 1; i + 1 < text.size; i++) {
        i += text.data[i] == '\\' && i + 2 < text.size;
        out[size++] = text.data[i];
    }
    return view_of(out, size);
}

/* What is no UTF-8 stays what it is, for the reader to refuse: mended by U+FFFD, two customers could become one. */
static void write_value(struct json_writer *json, struct view value)
{
    if (utf8_is_valid(value)) {
        json_write_text(json, value);
        return;
    }
    struct bytes text = {0};
    bytes_append_byte(&text, '"');
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < ' ' || c == '"' || c == '\\')
            bytes_printf(&text, "\\u%04x", c);
        else
            bytes_append_byte(&text, c);
    }
    bytes_append_byte(&text, '"');
    json_write_raw(json, bytes_view(&text));
    bytes_finish(&text);
}

static void on_header(void *context, struct view name, struct view value)
{
    struct event_headers *headers = context;
    if (name.size <= 3 || strncasecmp(name.data, "ce-", 3) != 0)
        return;
    char *lower = arena_alloc(headers->arena, name.size);
    for (size_t i = 0; i < name.size; i++)
        lower[i] = name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] - 'A' + 'a') : name.data[i];
    struct view key = view_of(lower + 3, name.size - 3);
    if (is_reserved(key))
        headers->data = view_of(lower, name.size);
    json_key_view(&headers->json, key);
    struct bytes meant = {0}; /* header values are percent-encoded where they are not plain ASCII */
    percent_decode(&meant, header_unquote(headers->arena, value));
    write_value(&headers->json, bytes_view(&meant));
    bytes_finish(&meant);
}

static bool event_of_headers(const struct http_exchange *exchange, struct view body, struct growing *growing, struct json_fault *fault)
{
    struct bytes text = {0};
    struct event_headers headers = {.json = json_writer_on(&text), .arena = growing->arena};
    json_open_object(&headers.json);
    http_exchange_each_header(exchange, on_header, &headers);
    if (body.size) {
        json_key(&headers.json, "data");
        json_write_raw(&headers.json, body);
    }
    json_close_object(&headers.json);
    add(growing, arena_copy(growing->arena, bytes_view(&text)), body.size > RECORD_BYTES_MAX);
    bytes_finish(&text);
    if (headers.data.data)
        *fault = accept_fault("unknown_field", headers.data, VIEW_LITERAL("the data of a CloudEvent in binary mode is in the body, and no attribute has that name"));
    return headers.data.data == NULL;
}

/* --- any --- */

static char first_character(struct view body)
{
    for (size_t i = 0; i < body.size; i++)
        if (!strchr(" \t\r\n", body.data[i]))
            return body.data[i];
    return '\0';
}

bool request_body_split(const struct http_exchange *exchange, enum body_kind kind, struct arena *arena,
                        struct body_records *out, struct json_fault *fault)
{
    struct view body = http_exchange_body(exchange);
    struct growing growing = {.out = out, .arena = arena};
    *out = (struct body_records){.notation = kind == BODY_JSON || kind == BODY_NDJSON ? ACCEPT_EITHER : ACCEPT_CLOUD_EVENT};
    if (body.size >= 3 && memcmp(body.data, "\xEF\xBB\xBF", 3) == 0)
        body = view_of(body.data + 3, body.size - 3);
    char first = first_character(body);
    if (first == '\0' && kind == BODY_EVENT_BARE)
        return event_of_headers(exchange, (struct view){NULL, 0}, &growing, fault);
    if (first == '\0')
        return refuse(fault, arena, "the body is empty");
    if (kind == BODY_NDJSON)
        return split_lines(body, &growing);
    if (kind == BODY_EVENT_BARE)
        return request_body_is_json(body) ? event_of_headers(exchange, body, &growing, fault)
                                          : refuse(fault, arena, "the body is not JSON");
    if (kind == BODY_EVENT_BATCH && first != '[')
        return refuse(fault, arena, "a batch of CloudEvents is a JSON array");
    if (first == '[')
        return split_array(body, &growing, fault);
    add(&growing, body, body.size > RECORD_BYTES_MAX);
    return true;
}
