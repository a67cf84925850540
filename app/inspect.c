/* `inspect TOPIC`: any topic as JSON lines, in the form in which `import` takes touchpoints. */
#include "app/inspect.h"

#include "app/topics.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/time_text.h"
#include "engine/follow.h"
#include "schemas/json_form.h"
#include "schemas/reader.h"

#include <stdio.h>

static struct inspect_options {
    bool follows, wants_meta;
    const char *since, *key;
} wanted;

static const struct option inspect_rows[] = {
    {"--follow", OPTION_FLAG, &wanted.follows, NULL, "go on with what comes; Ctrl-C ends it"},
    {"--since", OPTION_TEXT, &wanted.since, "TIME", "from this record time on: an ISO 8601 time, or how long ago, such as 2h"},
    {"--key", OPTION_TEXT, &wanted.key, "KEY", "only records of this key (a customer, a case, a series)"},
    {"--meta", OPTION_FLAG, &wanted.wants_meta, NULL, "wrap each record with partition, offset, key and timestamp; shows tombstones too"},
    OPTIONS_END};

const struct option *inspect_options(void)
{
    return inspect_rows;
}

struct inspection {
    const struct topic_row *row;
    struct record_reader *reader;
    struct arena arena;
    struct bytes line;
    int64_t undecodable;
    bool lacks_schema; /* the registry is away: nothing is wrong with the records */
};

/* The largest struct there is; every shape fits. */
static void *room_for(struct arena *arena, const struct record_shape *shape)
{
    return arena_zeroed(arena, 1, shape->size);
}

static void write_meta(struct json_writer *json, const struct record *record)
{
    char text[TIME_TEXT_SIZE];
    time_text_format(text, record->timestamp_ms);
    json_key(json, "partition");
    json_write_integer(json, record->partition);
    json_key(json, "offset");
    json_write_integer(json, record->offset);
    json_key(json, "timestamp");
    json_write_text(json, view_of_text(text));
    json_key(json, "key");
    json_write_text(json, record->key);
}

static bool print_record(void *context, const struct record *record)
{
    struct inspection *inspection = context;
    struct bytes *line = &inspection->line;
    arena_reset(&inspection->arena);
    struct bytes value = {0};
    const char *why = NULL;
    if (record->value.data) {
        void *room = room_for(&inspection->arena, inspection->row->shape);
        enum outcome outcome =
            record_reader_read(inspection->reader, record->value, &inspection->arena, room, NULL, &why);
        inspection->lacks_schema = outcome_is_for_later(outcome);
        if (inspection->lacks_schema)
            return false;
        if (outcome == OUTCOME_OK)
            record_to_json(&value, inspection->row->shape, room);
        else
            inspection->undecodable++;
    }
    bytes_clear(line);
    if (wanted.wants_meta) {
        struct json_writer json = json_writer_on(line);
        json_open_object(&json);
        write_meta(&json, record);
        if (why) {
            json_key(&json, "error");
            json_write_text(&json, view_of_text(why));
        }
        json_key(&json, "value");
        if (value.size)
            json_write_raw(&json, bytes_view(&value));
        else
            json_write_null(&json);
        json_close_object(&json);
    } else {
        bytes_append_view(line, bytes_view(&value));
    }
    bool is_written = true;
    if (line->size) {
        bytes_append_byte(line, '\n');
        is_written = fwrite(line->data, 1, line->size, stdout) == line->size && (!wanted.follows || fflush(stdout) == 0);
    }
    bytes_finish(&value);
    return is_written;
}

static bool parse_since(const char *text, int64_t *since_ms)
{
    int64_t ago_ms;
    *since_ms = INT64_MIN;
    if (text == NULL)
        return true;
    if (time_text_parse(view_of_text(text), since_ms)) {
        *since_ms = *since_ms > 0 ? *since_ms : 0; /* Kafka has its own idea of times before 1970 */
        return true;
    }
    if (!time_parse_duration(view_of_text(text), &ago_ms))
        return false;
    int64_t now_ms = clock_now_ms(&clock_system);
    *since_ms = ago_ms < now_ms ? now_ms - ago_ms : 0;
    return true;
}

static int complain_topic(const char *name)
{
    fprintf(stderr, "touchstream inspect: '%s' is none of our topics:", name);
    for (const struct topic_row *row = topic_rows; row->name; row++)
        fprintf(stderr, " %s", row->name);
    fprintf(stderr, "\n");
    return EXIT_USAGE;
}

int inspect_command(struct app *app, int argc, char **argv)
{
    struct text_list arguments = {0};
    int64_t since_ms;
    if (!app_parse_options("inspect", argc, argv, inspect_rows, &arguments))
        return EXIT_USAGE;
    if (arguments.count != 1) {
        fprintf(stderr, "touchstream inspect: wants one topic (touchstream inspect --help)\n");
        return EXIT_USAGE;
    }
    const struct topic_row *row = topic_row_find(arguments.items[0]);
    if (row == NULL)
        return complain_topic(arguments.items[0]);
    if (!parse_since(wanted.since, &since_ms)) {
        fprintf(stderr, "touchstream inspect: --since: '%s' is neither a time nor a length of time\n", wanted.since);
        return EXIT_USAGE;
    }
    struct registry *registry = registry_create(&app->config.registry);
    struct inspection inspection = {.row = row, .reader = record_reader_create(row->shape, registry)};
    arena_init(&inspection.arena);
    struct bytes topic = {0};
    bytes_printf(&topic, "%s%s", app->config.kafka.topic_prefix, row->name);
    struct scan scan = {.topic = bytes_text(&topic),
                        .since_ms = since_ms,
                        .keeps_following = wanted.follows,
                        .only_key = view_of_text(wanted.key),
                        .context = &inspection,
                        .on_record = print_record};
    enum outcome outcome = scan_run(&scan, &app->config.kafka, &app->stop);
    fflush(stdout);
    if (inspection.undecodable)
        fprintf(stderr, "touchstream inspect: %lld records do not decode (--meta says why)\n",
                (long long)inspection.undecodable);
    record_reader_destroy(inspection.reader);
    registry_destroy(registry);
    arena_finish(&inspection.arena);
    bytes_finish(&inspection.line);
    bytes_finish(&topic);
    return outcome == OUTCOME_OK && !inspection.lacks_schema ? EXIT_FINE : EXIT_FAILED;
}
