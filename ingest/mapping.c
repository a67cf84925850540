#include "ingest/mapping.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "ingest/accept.h"
#include "ingest/run_watch.h"

#include <jq.h>
#include <jv.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DEPTH_MAX = 200, INTEGER_DIGITS_MAX = 15, INPUTS_MAX = 1000, OUTPUTS_MAX = 50000, EXCERPT_MAX = 120 };

struct mapping {
    jq_state *jq;
    jv headers;
    jv outputs; /* an array being handed out item by item, or invalid */
    int output_at, inputs_given, outputs_taken;
    bool is_running, is_new_input, was_stopped;
    struct run_watch watch;
    int64_t time_ms_max;
    char *name, *file;                /* for the log */
    char excerpt[EXCERPT_MAX + 1];    /* the beginning of the input, for the log */
    struct bytes text;                /* the touchpoint handed out */
    struct bytes message;             /* jq's complaints while compiling */
};

struct mapping_tables {
    struct {
        char *name;
        jv rows; /* key → array of rows */
    } *items;
    size_t count;
};

void mapping_global_init(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
}

static jv string_of(struct view text)
{
    return jv_string_sized(text.data ? text.data : "", (int)text.size);
}

static jv row_of(const struct view *columns, const struct view *fields, size_t count)
{
    jv row = jv_object();
    for (size_t i = 0; i < count; i++)
        row = jv_object_set(row, string_of(columns[i]), string_of(fields[i]));
    return row;
}

/* --- side tables --- */

struct mapping_tables *mapping_tables_create(void)
{
    return memory_zeroed(1, sizeof(struct mapping_tables));
}

void mapping_tables_destroy(struct mapping_tables *tables)
{
    if (!tables)
        return;
    for (size_t i = 0; i < tables->count; i++) {
        free(tables->items[i].name);
        jv_free(tables->items[i].rows);
    }
    free(tables->items);
    free(tables);
}

void mapping_tables_begin(struct mapping_tables *tables, const char *name)
{
    tables->items = memory_resize(tables->items, (tables->count + 1) * sizeof *tables->items);
    tables->items[tables->count].name = memory_copy_text(name);
    tables->items[tables->count].rows = jv_object();
    tables->count++;
}

void mapping_tables_add(struct mapping_tables *tables, struct view key, const struct view *columns,
                        const struct view *fields, size_t count)
{
    jv *rows = &tables->items[tables->count - 1].rows;
    jv list = jv_object_get(jv_copy(*rows), string_of(key));
    if (!jv_is_valid(list)) {
        jv_free(list);
        list = jv_array();
    }
    *rows = jv_object_set(*rows, string_of(key), jv_array_append(list, row_of(columns, fields, count)));
}

static jv tables_value(const struct mapping_tables *tables)
{
    jv value = jv_object();
    for (size_t i = 0; tables && i < tables->count; i++)
        value = jv_object_set(value, jv_string(tables->items[i].name), jv_copy(tables->items[i].rows));
    return value;
}

/* --- compiling --- */

/* «… at <top-level>, line N:», and beneath it that line of the program: of the first line all of the prelude. Then how many errors there were. */
static void on_compile_message(void *context, jv message)
{
    static const char guess[] = " (Unix shell quoting issues?)";
    struct mapping *mapping = context;
    message = jq_format_error(message);
    const char *text = jv_string_value(message), *guessed = strstr(text, guess);
    size_t size = strcspn(text, "\n");
    bool is_count = strstr(text, "compile error") && mapping->message.size;
    if (size && text[size - 1] == ':')
        size--;
    if (guessed > text + size)
        guessed = NULL;
    if (mapping->message.size && !is_count)
        bytes_append_text(&mapping->message, "; ");
    if (!is_count)
        bytes_append(&mapping->message, text, guessed ? (size_t)(guessed - text) : size);
    if (guessed && !is_count)
        bytes_append(&mapping->message, guessed + sizeof guess - 1, (size_t)(text + size - guessed) - (sizeof guess - 1));
    jv_free(message);
}

/* What `input` gives in a mapping: the headers, as often as it is asked, but not for ever: [inputs] must end. */
static jv on_input(jq_state *jq, void *context)
{
    struct mapping *mapping = context;
    (void)jq;
    return ++mapping->inputs_given > INPUTS_MAX ? jv_invalid() : jv_copy(mapping->headers);
}

void mapping_forget_headers(struct mapping *mapping)
{
    jv_free(mapping->headers);
    mapping->headers = jv_object();
}

void mapping_add_header(struct mapping *mapping, struct view name, struct view value)
{
    char lower[64];
    size_t size = name.size < sizeof lower ? name.size : sizeof lower;
    for (size_t i = 0; i < size; i++)
        lower[i] = name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] - 'A' + 'a') : name.data[i];
    mapping->headers = jv_object_set(mapping->headers, string_of(view_of(lower, size)), string_of(value));
}

static void on_run_message(void *context, jv message)
{
    (void)context;
    jv_free(message); /* `debug` and `stderr` in a mapping say nothing to our stderr */
}

extern const char mapping_prelude[]; /* mappings/touchstream.jq, embedded */

/* The prelude goes in front on the program's own first line, so that jq's line numbers are the author's. */
static void program_complete(struct view program, struct bytes *out)
{
    bool in_comment = false;
    for (const char *at = mapping_prelude; *at; at++) {
        in_comment = *at == '\n' ? false : in_comment || *at == '#';
        if (!in_comment)
            bytes_append_byte(out, *at == '\n' ? ' ' : (unsigned char)*at);
    }
    bytes_append_view(out, program);
}

static void stop_tell(const struct mapping *mapping, const char *why)
{
    log_error("a mapping is stopped", "mapping", mapping->name, "file", mapping->file, "error", why, "input", mapping->excerpt, NULL);
}

/* On the watch's thread. In libjq 1.6 halting is setting a flag that its machine looks at before each instruction, so that it may be done
 * while another thread runs that. Only what is one long instruction ("x" * 1e9) is finished first. `halt` itself, which must not come twice,
 * is no word of our mappings (touchstream.jq). */
static void on_endless(void *context, const char *why)
{
    struct mapping *mapping = context;
    stop_tell(mapping, why);
    if (!jq_halted(mapping->jq))
        jq_halt(mapping->jq, jv_invalid(), jv_invalid());
}

static bool compile(struct mapping *mapping, struct view program, const struct mapping_options *options,
                    const struct mapping_tables *tables)
{
    jq_set_error_cb(mapping->jq, on_compile_message, mapping);
    jq_set_attr(mapping->jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
    struct bytes complete = {0};
    program_complete(program, &complete);
    jv arguments = jv_object_set(jv_object(), jv_string("file"), jv_string(options->file));
    arguments = jv_object_set(arguments, jv_string("tables"), tables_value(tables));
    bool is_compiled = jq_compile_args(mapping->jq, bytes_text(&complete), arguments);
    bytes_finish(&complete);
    jq_set_error_cb(mapping->jq, on_run_message, mapping);
    jq_set_input_cb(mapping->jq, on_input, mapping);
    return is_compiled;
}

struct mapping *mapping_create(struct view program, const struct mapping_options *options, const struct mapping_tables *tables,
                               struct bytes *error)
{
    struct mapping *mapping = memory_zeroed(1, sizeof *mapping);
    mapping->outputs = jv_invalid();
    mapping->headers = jv_object();
    mapping->jq = jq_init();
    mapping->name = memory_copy_text(options->name);
    mapping->file = memory_copy_text(options->file);
    mapping->time_ms_max = options->time_ms_max ? options->time_ms_max : SECONDS(10);
    run_watch_init(&mapping->watch, mapping->time_ms_max, on_endless, mapping);
    if (compile(mapping, program, options, tables))
        return mapping;
    bytes_append_view(error, bytes_view(&mapping->message));
    mapping_destroy(mapping);
    return NULL;
}

void mapping_limit_time(struct mapping *mapping, int64_t time_ms_max)
{
    run_watch_limit(&mapping->watch, time_ms_max < mapping->time_ms_max ? time_ms_max : mapping->time_ms_max);
}

void mapping_destroy(struct mapping *mapping)
{
    if (!mapping)
        return;
    run_watch_finish(&mapping->watch);
    jv_free(mapping->outputs);
    jv_free(mapping->headers);
    jq_teardown(&mapping->jq);
    bytes_finish(&mapping->text);
    bytes_finish(&mapping->message);
    free(mapping->name);
    free(mapping->file);
    free(mapping);
}

/* --- running --- */

static void run(struct mapping *mapping, jv input)
{
    jv_free(mapping->outputs);
    mapping->outputs = jv_invalid();
    mapping->inputs_given = 0;
    mapping->outputs_taken = 0;
    mapping->is_new_input = true;
    mapping->was_stopped = false;
    jq_start(mapping->jq, input, 0);
    mapping->is_running = true;
}

static void excerpt_add(struct mapping *mapping, struct view text)
{
    size_t used = strlen(mapping->excerpt);
    struct view part = utf8_prefix(text, EXCERPT_MAX - used);
    memcpy(mapping->excerpt + used, part.data ? part.data : "", part.size);
    mapping->excerpt[used + part.size] = '\0';
}

static void excerpt_begin(struct mapping *mapping, struct view text)
{
    mapping->excerpt[0] = '\0';
    excerpt_add(mapping, text);
}

void mapping_put_row(struct mapping *mapping, const struct view *columns, const struct view *fields, size_t count)
{
    excerpt_begin(mapping, count ? fields[0] : VIEW_LITERAL(""));
    for (size_t i = 1; i < count && strlen(mapping->excerpt) < EXCERPT_MAX; i++) {
        excerpt_add(mapping, VIEW_LITERAL(","));
        excerpt_add(mapping, fields[i]);
    }
    run(mapping, row_of(columns, fields, count));
}

void mapping_put_line(struct mapping *mapping, struct view line, uint64_t number)
{
    excerpt_begin(mapping, line);
    jv row = jv_object_set(jv_object(), jv_string("line"), string_of(line));
    run(mapping, jv_object_set(row, jv_string("number"), jv_number((double)number)));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* jq 1.6 keeps numbers as doubles: 820982911946154508 would lose its last digits. Such integers become strings. */
static void integers_quote(struct view text, struct bytes *out)
{
    bool in_string = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (in_string && c == '\\') {
            bytes_append(out, text.data + i++, 2);
            continue;
        }
        in_string ^= c == '"';
        if (in_string || !(is_digit(c) || c == '-')) {
            bytes_append_byte(out, (unsigned char)c);
            continue;
        }
        size_t end = i + 1;
        bool is_integer = true;
        for (; end < text.size && (is_digit(text.data[end]) || strchr(".eE+-", text.data[end])); end++)
            is_integer &= is_digit(text.data[end]);
        bool is_quoted = is_integer && end - i - (c == '-') > INTEGER_DIGITS_MAX;
        if (is_quoted)
            bytes_append_byte(out, '"');
        bytes_append(out, text.data + i, end - i);
        if (is_quoted)
            bytes_append_byte(out, '"');
        i = end - 1;
    }
}

bool mapping_put_json(struct mapping *mapping, struct view text, struct arena *arena, struct json_fault *fault)
{
    if (!utf8_is_valid(text)) {
        *fault = accept_fault("bad_utf8", VIEW_LITERAL(""), VIEW_LITERAL("the payload is not valid UTF-8"));
        return false;
    }
    if (text.size >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        text = view_of(text.data + 3, text.size - 3);
    struct json_scan scan; /* strict, unlike jq's own reader, which takes NaN */
    json_scan_init(&scan, text, DEPTH_MAX);
    if (!json_scan_skip(&scan, NULL) || !json_scan_ended(&scan)) {
        *fault = accept_fault("bad_json", VIEW_LITERAL(""),
                              arena_copy(arena, view_of_text(scan.broken ? scan.broken : "something follows the payload")));
        return false;
    }
    if (scan.lone_surrogate) {
        *fault = accept_fault("bad_utf8", VIEW_LITERAL(""), VIEW_LITERAL("half of a surrogate pair stands alone"));
        return false;
    }
    bytes_clear(&mapping->text);
    integers_quote(text, &mapping->text);
    jv payload = jv_parse_sized(mapping->text.data, (int)mapping->text.size);
    if (!jv_is_valid(payload)) {
        jv message = jv_invalid_get_msg(payload);
        const char *why = jv_get_kind(message) == JV_KIND_STRING ? jv_string_value(message) : "not readable as JSON";
        *fault = accept_fault("bad_json", VIEW_LITERAL(""), arena_copy(arena, view_of_text(why)));
        jv_free(message);
        return false;
    }
    excerpt_begin(mapping, text);
    run(mapping, payload);
    return true;
}

static enum mapping_step failed(struct mapping *mapping, struct view reason, struct arena *arena, struct json_fault *fault)
{
    mapping->is_running = false;
    *fault = accept_fault("bad_mapping", VIEW_LITERAL(""), arena_copy(arena, utf8_prefix(reason, 400)));
    return MAPPING_FAILED;
}

static enum mapping_step stopped_for(struct mapping *mapping, const char *why, struct arena *arena, struct json_fault *fault)
{
    mapping->was_stopped = true;
    return failed(mapping, view_of_text(why), arena, fault);
}

bool mapping_was_stopped(const struct mapping *mapping)
{
    return mapping->was_stopped;
}

static enum mapping_step put_out(struct mapping *mapping, jv touchpoint, struct view *json)
{
    jv text = jv_dump_string(touchpoint, 0);
    bytes_clear(&mapping->text);
    bytes_append(&mapping->text, jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text)));
    jv_free(text);
    *json = bytes_view(&mapping->text);
    return MAPPING_TOUCHPOINT;
}

/* jq said nothing more: the end, or an error. */
static enum mapping_step run_ended(struct mapping *mapping, jv last, struct arena *arena, struct json_fault *fault)
{
    mapping->is_running = false;
    if (!jv_invalid_has_msg(jv_copy(last))) {
        jv_free(last);
        return MAPPING_END;
    }
    jv message = jv_invalid_get_msg(last);
    if (jv_get_kind(message) != JV_KIND_STRING)
        message = jv_dump_string(message, 0);
    enum mapping_step step = failed(mapping, view_of_text(jv_string_value(message)), arena, fault);
    jv_free(message);
    return step;
}

static enum mapping_step too_many(struct mapping *mapping, jv output, struct arena *arena, struct json_fault *fault)
{
    char why[80];
    sprintf(why, "the mapping gave more than %d outputs for one input", OUTPUTS_MAX);
    stop_tell(mapping, why);
    jv_free(output);
    jv_free(mapping->outputs);
    mapping->outputs = jv_invalid();
    return stopped_for(mapping, why, arena, fault);
}

/* jq's next output. What it took until it was stopped goes at once, not with the next input. */
static jv next_output(struct mapping *mapping, const char **stopped)
{
    run_watch_begin(&mapping->watch, mapping->is_new_input);
    jv output = jq_next(mapping->jq);
    *stopped = run_watch_end(&mapping->watch);
    mapping->is_new_input = false;
    if (*stopped == NULL)
        return output;
    jv_free(output);
    jq_start(mapping->jq, jv_null(), 0);
    return jv_invalid();
}

enum mapping_step mapping_take(struct mapping *mapping, struct view *json, struct arena *arena, struct json_fault *fault)
{
    for (;;) {
        jv output;
        const char *stopped = NULL;
        if (jv_is_valid(mapping->outputs) && mapping->output_at < jv_array_length(jv_copy(mapping->outputs)))
            output = jv_array_get(jv_copy(mapping->outputs), mapping->output_at++);
        else if (!mapping->is_running)
            return MAPPING_END;
        else if (output = next_output(mapping, &stopped), stopped)
            return stopped_for(mapping, stopped, arena, fault);
        else if (!jv_is_valid(output))
            return run_ended(mapping, output, arena, fault);
        if (++mapping->outputs_taken > OUTPUTS_MAX)
            return too_many(mapping, output, arena, fault);
        switch (jv_get_kind(output)) {
        case JV_KIND_OBJECT:
            return put_out(mapping, output, json);
        case JV_KIND_NULL:
            jv_free(output);
            break;
        case JV_KIND_ARRAY:
            jv_free(mapping->outputs);
            mapping->outputs = output;
            mapping->output_at = 0;
            break;
        default:
            jv_free(output);
            return failed(mapping, VIEW_LITERAL("the mapping gave something that is neither object, array nor null"), arena, fault);
        }
    }
}
