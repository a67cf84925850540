#include "sinks/redis/redis_sink.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "engine/follow.h"
#include "schemas/reader.h"
#include "sinks/redis/projection.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH_RECORDS_MAX = 2000, WAIT_MS_MAX = 200 };

/* The topics, what is in them and what becomes of it. */
static void do_kpi(struct projection *projection, const void *record)
{
    project_kpi(projection, record);
}

static void do_alert(struct projection *projection, const void *record)
{
    project_alert(projection, record);
}

static void do_enriched(struct projection *projection, const void *record)
{
    project_enriched(projection, record);
}

static void do_journey(struct projection *projection, const void *record)
{
    project_journey(projection, record);
}

static void do_followup(struct projection *projection, const void *record)
{
    project_followup(projection, record);
}

static void do_shift(struct projection *projection, const void *record)
{
    project_shift(projection, record);
}

static const struct source {
    const char *topic;
    const struct record_shape *shape;
    void (*project)(struct projection *projection, const void *record);
    void (*project_gone)(struct projection *projection, struct view key); /* tombstones; NULL: none come */
} sources[] = {
    {"kpis", &kpi_shape, do_kpi, project_kpi_gone},
    {"alerts", &alert_shape, do_alert, NULL},
    {"touchpoints.enriched", &enriched_touchpoint_shape, do_enriched, NULL},
    {"journeys", &journey_shape, do_journey, project_journey_gone},
    {"followups", &follow_up_shape, do_followup, NULL},
    {"trend.shifts", &trend_shift_shape, do_shift, NULL},
};
enum { SOURCE_COUNT = sizeof sources / sizeof *sources };

union any_record {
    struct kpi kpi;
    struct alert alert;
    struct enriched_touchpoint enriched;
    struct journey journey;
    struct follow_up followup;
    struct trend_shift shift;
};

struct sink {
    const struct redis_sink_config *config;
    struct redis_link *link;
    struct record_reader *readers[SOURCE_COUNT];
    struct map positions; /* "TOPIC:PARTITION" → int64_t *, the next offset wanted */
    struct arena arena;
    struct projection projection;
    struct metric *records_total, *batches_total, *undecodable_total, *refused_total, *batch_seconds;
    int64_t last_health_ms, records_since_health;
    int64_t newest_at_ms; /* of the records last written; 0: nothing is waiting */
};

/* --- one record -------------------------------------------------------------------------------------------------- */

static struct view without_prefix(const struct sink *sink, struct view topic)
{
    size_t size = strlen(sink->config->kafka->topic_prefix);
    return view_of(topic.data + size, topic.size - size);
}

static size_t source_of(const struct sink *sink, struct view topic)
{
    size_t i = 0;
    while (i + 1 < SOURCE_COUNT && !view_equal_text(without_prefix(sink, topic), sources[i].topic))
        i++;
    return i; /* nothing else is subscribed */
}

static enum outcome project_record(struct sink *sink, const struct record *record)
{
    size_t from = source_of(sink, record->topic);
    if (record->value.data == NULL) {
        if (sources[from].project_gone)
            sources[from].project_gone(&sink->projection, record->key);
        return OUTCOME_OK;
    }
    union any_record any;
    const char *why = "";
    enum outcome outcome = record_reader_read(sink->readers[from], record->value, &sink->arena, &any, NULL, &why);
    if (outcome == OUTCOME_OK)
        sources[from].project(&sink->projection, &any);
    if (outcome != OUTCOME_PARK)
        return outcome;
    metric_add(sink->undecodable_total, 1);
    log_warning("skipped a record that does not decode", "topic", arena_text(&sink->arena, record->topic), "partition",
                LOG_NUMBER(record->partition), "offset", LOG_NUMBER(record->offset), "error", why, NULL);
    return OUTCOME_OK;
}

/* --- positions --------------------------------------------------------------------------------------------------- */

static struct view position_name(struct arena *arena, struct view topic, int32_t partition)
{
    char *text = arena_alloc(arena, topic.size + 16);
    int size = sprintf(text, "%.*s:%" PRId32, VIEW_ARGUMENTS(topic), partition);
    return view_of(text, (size_t)size);
}

static int64_t *position_place(struct sink *sink, struct view name)
{
    int64_t **place = (int64_t **)map_place(&sink->positions, name);
    if (*place == NULL) {
        *place = memory_allocate(sizeof **place);
        **place = 0;
    }
    return *place;
}

/* follow.start_at: Redis knows. Nothing there: an empty Redis, so everything from the beginning. */
static int64_t start_at(void *context, struct view topic, int32_t partition)
{
    struct sink *sink = context;
    struct view name = position_name(&sink->arena, without_prefix(sink, topic), partition);
    struct bytes key = {0};
    bytes_printf(&key, "%sposition:%.*s", sink->config->redis->prefix, VIEW_ARGUMENTS(name));
    struct redis_answer answer = {0};
    int64_t offset = 0;
    if (redis_link_ask(sink->link, &sink->arena, &answer, "GET", bytes_text(&key), NULL) == OUTCOME_OK &&
        answer.kind == REDIS_TEXT)
        offset = strtoll(arena_text(&sink->arena, answer.text), NULL, 10);
    /* Redis away: 0 is a guess that the check under WATCH will find out and put right. */
    bytes_finish(&key);
    *position_place(sink, name) = offset;
    return offset;
}

/* The partitions a batch touches, with the position before and after it. */
struct touched {
    struct view name; /* "TOPIC:PARTITION" */
    int64_t before, after;
};

static struct touched *touched_find(struct sink *sink, struct touched *touched, size_t *count, const struct record *record)
{
    /* Records come in runs of one partition: compare with the last first. */
    struct view name = position_name(&sink->arena, without_prefix(sink, record->topic), record->partition);
    for (size_t i = *count; i-- > 0;) {
        if (view_equal(touched[i].name, name))
            return &touched[i];
    }
    int64_t position = *position_place(sink, name);
    touched[*count] = (struct touched){name, position, position};
    return &touched[(*count)++];
}

/* Under WATCH: is Redis where we think it is? */
static enum outcome check_positions(struct sink *sink, const struct touched *touched, size_t count)
{
    struct resp *commands = &sink->projection.commands;
    resp_clear(commands);
    resp_command(commands, 1 + count, "WATCH");
    for (size_t i = 0; i < count; i++)
        resp_key(commands, sink->projection.prefix, "position", touched[i].name);
    resp_command(commands, 1 + count, "MGET");
    for (size_t i = 0; i < count; i++)
        resp_key(commands, sink->projection.prefix, "position", touched[i].name);
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(sink->link, commands, &sink->arena, &answers);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (answers[1].kind != REDIS_LIST)
        return OUTCOME_RETRY;
    for (size_t i = 0; i < count; i++) {
        const struct redis_answer *item = &answers[1].items[i];
        int64_t position = item->kind == REDIS_TEXT ? strtoll(arena_text(&sink->arena, item->text), NULL, 10) : 0;
        if (position != touched[i].before) {
            log_info("redis holds another position, reading from there", "of",
                     arena_text(&sink->arena, touched[i].name), "ours", LOG_NUMBER(touched[i].before), "redis",
                     LOG_NUMBER(position), NULL);
            return OUTCOME_REDO;
        }
    }
    return OUTCOME_OK;
}

/* --- one batch --------------------------------------------------------------------------------------------------- */

static void note_refusals(struct sink *sink, const struct redis_answer *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != REDIS_ERROR)
            continue;
        metric_add(sink->refused_total, 1);
        log_warning("redis refused a command", "error", arena_text(&sink->arena, list->items[i].text), NULL);
    }
}

/* EXEC's answer is the last: a list when all was done, nil when a watched key had moved, an error when Redis refused. */
static enum outcome judge_exec(struct sink *sink, const struct redis_answer *answer)
{
    if (answer->kind == REDIS_LIST) {
        note_refusals(sink, answer);
        return OUTCOME_OK;
    }
    if (answer->kind == REDIS_NIL)
        return OUTCOME_REDO;
    log_warning("redis refused a batch, trying again", "error", arena_text(&sink->arena, answer->text), NULL);
    return OUTCOME_RETRY;
}

static enum outcome write_batch(struct sink *sink, const struct record *records, size_t record_count,
                                struct touched *touched, size_t *touched_count)
{
    for (size_t i = 0; i < record_count; i++)
        touched_find(sink, touched, touched_count, &records[i]);
    enum outcome outcome = check_positions(sink, touched, *touched_count);
    if (outcome != OUTCOME_OK)
        return outcome;

    struct resp *commands = &sink->projection.commands;
    resp_clear(commands);
    resp_command(commands, 1, "MULTI");
    for (size_t i = 0; i < record_count; i++) {
        struct touched *place = touched_find(sink, touched, touched_count, &records[i]);
        if (records[i].offset < place->after)
            continue;
        outcome = project_record(sink, &records[i]);
        if (outcome != OUTCOME_OK)
            return outcome;
        place->after = records[i].offset + 1;
    }
    for (size_t i = 0; i < *touched_count; i++) {
        resp_command(commands, 3, "SET");
        resp_key(commands, sink->projection.prefix, "position", touched[i].name);
        resp_integer(commands, touched[i].after);
    }
    resp_command(commands, 1, "EXEC");
    struct redis_answer *answers = NULL;
    size_t last = commands->command_count - 1;
    outcome = redis_link_send(sink->link, commands, &sink->arena, &answers);
    return outcome == OUTCOME_OK ? judge_exec(sink, &answers[last]) : outcome;
}

static void write_health(struct sink *sink)
{
    int64_t now_ms = clock_now_ms(&clock_system), passed_ms = now_ms - sink->last_health_ms;
    if (passed_ms < 1000)
        return;
    struct bytes *scratch = &sink->projection.scratch;
    bytes_clear(scratch);
    struct json_writer json = json_writer_on(scratch);
    json_open_object(&json);
    json_key(&json, "at");
    json_write_integer(&json, now_ms);
    json_key(&json, "records_per_second");
    json_write_decimal(&json, (double)sink->records_since_health * 1000 / (double)passed_ms);
    json_key(&json, "behind_ms"); /* from a record's being written to Kafka until it is here */
    json_write_integer(&json, sink->newest_at_ms && now_ms > sink->newest_at_ms ? now_ms - sink->newest_at_ms : 0);
    json_close_object(&json);
    struct resp command = {0};
    resp_command(&command, 4, "HSET");
    resp_key(&command, sink->projection.prefix, "health", (struct view){NULL, 0});
    resp_text(&command, "sink");
    resp_view(&command, bytes_view(scratch));
    redis_link_send(sink->link, &command, &sink->arena, NULL);
    resp_finish(&command);
    sink->last_health_ms = now_ms;
    sink->records_since_health = 0;
}

static enum outcome on_batch(void *context, const struct record *records, size_t count)
{
    struct sink *sink = context;
    arena_reset(&sink->arena);
    enum outcome outcome = OUTCOME_OK;
    sink->newest_at_ms = count ? records[count - 1].timestamp_ms : 0;
    if (count > 0) {
        int64_t begun_us = clock_monotonic_us();
        struct touched *touched = arena_alloc(&sink->arena, count * sizeof *touched);
        size_t touched_count = 0;
        outcome = write_batch(sink, records, count, touched, &touched_count);
        for (size_t i = 0; outcome == OUTCOME_OK && i < touched_count; i++)
            *position_place(sink, touched[i].name) = touched[i].after;
        if (outcome == OUTCOME_OK) {
            metric_add(sink->records_total, (double)count);
            metric_add(sink->batches_total, 1);
            metric_observe(sink->batch_seconds, (double)(clock_monotonic_us() - begun_us) / 1e6);
            sink->records_since_health += (int64_t)count;
        }
    }
    if (outcome == OUTCOME_OK)
        write_health(sink);
    return outcome;
}

/* --- the service ------------------------------------------------------------------------------------------------- */

static void sink_init(struct sink *sink, const struct redis_sink_config *config)
{
    *sink = (struct sink){.config = config, .link = redis_link_create(config->redis)};
    arena_init(&sink->arena);
    sink->projection.prefix = config->redis->prefix;
    sink->projection.arena = &sink->arena;
    for (size_t i = 0; i < SOURCE_COUNT; i++)
        sink->readers[i] = record_reader_create(sources[i].shape, config->registry);
    sink->records_total = metrics_counter("touchstream_sink_records_total", NULL, "Records written to Redis.");
    sink->batches_total = metrics_counter("touchstream_sink_batches_total", NULL, "MULTI batches sent to Redis.");
    sink->undecodable_total =
        metrics_counter("touchstream_sink_undecodable_total", NULL, "Records skipped because they do not decode.");
    sink->refused_total = metrics_counter("touchstream_sink_refused_total", NULL, "Commands that Redis refused.");
    sink->batch_seconds = metrics_seconds("touchstream_sink_batch_seconds", NULL, "Time to write one batch to Redis.");
}

static void sink_finish(struct sink *sink)
{
    for (size_t i = 0; i < SOURCE_COUNT; i++)
        record_reader_destroy(sink->readers[i]);
    map_finish(&sink->positions, free);
    resp_finish(&sink->projection.commands);
    bytes_finish(&sink->projection.scratch);
    arena_finish(&sink->arena);
    redis_link_destroy(sink->link);
}

enum outcome redis_sink_run(const struct redis_sink_config *config, atomic_bool *stop)
{
    struct sink sink;
    sink_init(&sink, config);
    const char *prefix = config->kafka->topic_prefix;
    struct bytes names[SOURCE_COUNT] = {{0}}, group = {0};
    const char *topics[SOURCE_COUNT + 1] = {NULL};
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        bytes_printf(&names[i], "%s%s", prefix, sources[i].topic);
        topics[i] = bytes_text(&names[i]);
    }
    bytes_printf(&group, "%ssink", prefix);
    struct follow follow = {.group = bytes_text(&group),
                            .topics = topics,
                            .batch_records_max = BATCH_RECORDS_MAX,
                            .wait_ms_max = WAIT_MS_MAX,
                            .context = &sink,
                            .on_batch = on_batch,
                            .start_at = start_at};
    enum outcome outcome = follow_run(&follow, config->kafka, stop);
    for (size_t i = 0; i < SOURCE_COUNT; i++)
        bytes_finish(&names[i]);
    bytes_finish(&group);
    sink_finish(&sink);
    return outcome;
}

enum outcome redis_sink_clear(const struct redis_settings *redis, int64_t *deleted)
{
    struct redis_link *link = redis_link_create(redis);
    struct arena arena;
    arena_init(&arena);
    struct bytes pattern = {0};
    bytes_printf(&pattern, "%s*", redis->prefix);
    const char *cursor = "0";
    enum outcome outcome;
    *deleted = 0;
    do {
        struct redis_answer page = {0};
        outcome = redis_link_ask(link, &arena, &page, "SCAN", cursor, "MATCH", bytes_text(&pattern), "COUNT", "1000", NULL);
        if (outcome != OUTCOME_OK || page.kind != REDIS_LIST || page.count != 2)
            break;
        cursor = arena_text(&arena, page.items[0].text);
        struct resp commands = {0};
        for (size_t i = 0; i < page.items[1].count; i++) {
            resp_command(&commands, 2, "DEL");
            resp_view(&commands, page.items[1].items[i].text);
        }
        *deleted += (int64_t)page.items[1].count;
        outcome = redis_link_send(link, &commands, &arena, NULL);
        resp_finish(&commands);
    } while (outcome == OUTCOME_OK && strcmp(cursor, "0") != 0);
    bytes_finish(&pattern);
    arena_finish(&arena);
    redis_link_destroy(link);
    return outcome;
}
