#include "sinks/redis/redis_sink.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "engine/follow.h"
#include "schemas/reader.h"
#include "sinks/redis/last_error.h"
#include "sinks/redis/listeners.h"
#include "sinks/redis/positions.h"
#include "sinks/redis/projection.h"

#include <pthread.h>
#include <time.h>

enum { BATCH_RECORDS_MAX = 2000, WAIT_MS_MAX = 200, LOOK_MS = 1000, PAUSE_LEAST_MS = 100, PAUSE_MOST_MS = 5000 };

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
    bool is_last_all; /* of the records of one key in a batch the last says it all: the others are passed over undecoded */
    enum lane { LANE_BULK, LANE_NEWS } lane; /* news does not wait behind thousands of KPIs: it has a thread and a connection */
} sources[] = {
    {"kpis", &kpi_shape, do_kpi, project_kpi_gone, false, LANE_BULK},
    {"alerts", &alert_shape, do_alert, NULL, false, LANE_NEWS},
    {"touchpoints.enriched", &enriched_touchpoint_shape, do_enriched, NULL, false, LANE_BULK},
    {"journeys", &journey_shape, do_journey, project_journey_gone, true, LANE_BULK},
    {"followups", &follow_up_shape, do_followup, NULL, false, LANE_NEWS},
    {"trend.shifts", &trend_shift_shape, do_shift, NULL, false, LANE_NEWS},
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

/* A batch on its way: sent, not yet answered. */
struct flight {
    struct arena arena; /* of everything the batch needs until it is answered */
    struct touched_list touched;
    struct series_questions questions;
    const struct kpi_place *kpis; /* not published, for nobody seemed to listen */
    bool has_kpis; /* listeners are asked for */
    size_t record_count, command_count, exec_at;
    int64_t sent_at_us;
};

/* One lane of the sink; one thread. */
struct sink {
    const struct redis_sink_config *config;
    enum lane lane;
    pthread_t thread;
    atomic_bool *stop;
    enum outcome outcome;
    struct redis_link *link;
    struct record_reader *readers[SOURCE_COUNT];
    struct positions positions;
    struct flight flights[2]; /* one in the air, one being made ready */
    struct flight *in_air;    /* NULL: none */
    bool is_lost;             /* a batch did not arrive: read again from where Redis says */
    bool is_refused;          /* for Redis would not have it: not at once */
    int pause_ms;
    bool has_listeners;       /* as far as the last batch with KPIs knows */
    struct projection projection;
    struct metric *records_total, *batches_total, *undecodable_total, *refused_total, *batch_seconds;
    int64_t last_look_ms, records_since_look; /* see look_after */
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

static enum outcome project_record(struct sink *sink, const struct record *record, size_t from, bool is_superseded)
{
    struct arena *arena = sink->projection.arena;
    sink->projection.is_superseded = is_superseded;
    if (record->value.data == NULL) {
        if (sources[from].project_gone)
            sources[from].project_gone(&sink->projection, record->key);
        return OUTCOME_OK;
    }
    if (is_superseded && sources[from].is_last_all)
        return OUTCOME_OK;
    union any_record any;
    const char *why = "";
    enum outcome outcome = record_reader_read(sink->readers[from], record->value, arena, &any, NULL, &why);
    if (outcome == OUTCOME_OK)
        sources[from].project(&sink->projection, &any);
    if (outcome != OUTCOME_PARK)
        return outcome;
    metric_add(sink->undecodable_total, 1);
    log_warning("skipped a record that does not decode", "topic", arena_text(arena, record->topic), "partition",
                LOG_NUMBER(record->partition), "offset", LOG_NUMBER(record->offset), "error", why, NULL);
    return OUTCOME_OK;
}

/* --- a batch, made ready ------------------------------------------------------------------------------------------ */

/* Which records have a later one of the same topic and key behind them. A table of the batch's keys, filled from its end. */
static bool *find_superseded(const struct record *records, size_t count, struct arena *arena)
{
    size_t capacity = 16;
    while (capacity < count * 2)
        capacity *= 2;
    uint32_t *slots = arena_zeroed(arena, capacity, sizeof *slots); /* index + 1; 0: free */
    bool *is_superseded = arena_zeroed(arena, count, sizeof *is_superseded);
    for (size_t i = count; i-- > 0;) {
        size_t at = hash_bytes(records[i].key) & (capacity - 1);
        for (; slots[at]; at = (at + 1) & (capacity - 1)) {
            const struct record *later = &records[slots[at] - 1];
            if (later->topic.data == records[i].topic.data && view_equal(later->key, records[i].key))
                break;
        }
        is_superseded[i] = slots[at] != 0;
        if (slots[at] == 0)
            slots[at] = (uint32_t)i + 1;
    }
    return is_superseded;
}

/* Records come in runs of one partition: the last one found is nearly always the one wanted. */
static struct touched *touched_of(struct sink *sink, struct flight *flight, const struct record *record)
{
    struct touched_list *list = &flight->touched;
    for (size_t i = list->count; i-- > 0;) {
        if (list->items[i].partition == record->partition && list->items[i].topic == record->topic.data)
            return &list->items[i];
    }
    struct view name = position_name(&flight->arena, without_prefix(sink, record->topic), record->partition);
    struct touched *touched = positions_touch(&sink->positions, list, name);
    touched->topic = record->topic.data;
    touched->partition = record->partition;
    return touched;
}

static int64_t newest_ms(const struct record *records, size_t count)
{
    int64_t newest = 0;
    for (size_t i = 0; i < count; i++)
        newest = records[i].timestamp_ms > newest ? records[i].timestamp_ms : newest;
    return newest;
}

static enum outcome flight_prepare(struct sink *sink, struct flight *flight, const struct record *records, size_t count)
{
    struct projection *projection = &sink->projection;
    struct resp *commands = &projection->commands;
    arena_reset(&flight->arena);
    flight->touched = (struct touched_list){.items = arena_alloc(&flight->arena, count * sizeof *flight->touched.items)};
    flight->record_count = count;
    projection->arena = &flight->arena;
    const bool *is_superseded = find_superseded(records, count, &flight->arena);
    struct touched *touched = NULL;
    size_t from = 0;
    projection->now_ms = newest_ms(records, count);
    projection->followup_count = 0;
    resp_clear(commands);
    forgotten_clear(projection);
    kpis_forget(projection);
    resp_command(commands, 1, "MULTI");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || records[i].topic.data != records[i - 1].topic.data || records[i].partition != records[i - 1].partition) {
            touched = touched_of(sink, flight, &records[i]);
            from = source_of(sink, records[i].topic);
        }
        if (records[i].offset < touched->after)
            continue;
        enum outcome outcome = project_record(sink, &records[i], from, is_superseded[i]);
        if (outcome != OUTCOME_OK)
            return outcome;
        touched->after = records[i].offset + 1;
    }
    forgotten_write(projection);
    followups_trim(projection);
    flight->kpis = kpis_write(projection);
    flight->has_kpis = flight->kpis != NULL;
    if (sink->has_listeners) {
        kpis_publish(flight->kpis, projection->prefix, commands);
        flight->kpis = NULL;
    }
    series_hours_write(&projection->hours, commands, projection->prefix, &flight->arena, &flight->questions);
    positions_write(&flight->touched, commands, projection->prefix);
    flight->exec_at = commands->command_count;
    resp_command(commands, 1, "EXEC");
    if (flight->has_kpis)
        listeners_ask(commands, projection->prefix);
    flight->command_count = commands->command_count;
    return OUTCOME_OK;
}

/* --- sent and answered -------------------------------------------------------------------------------------------- */

static void note_refusals(struct sink *sink, const struct redis_answer *list, struct arena *arena)
{
    bool is_any = false;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != REDIS_ERROR)
            continue;
        is_any = true;
        metric_add(sink->refused_total, 1);
        log_warning("redis refused a command", "error", arena_text(arena, list->items[i].text), NULL);
    }
    if (is_any)
        series_hours_forget(&sink->projection.hours);
}

/* EXEC says only that some command was refused before it; that command's answer says why. */
static void note_refused_batch(struct sink *sink, const struct flight *flight, const struct redis_answer *answers)
{
    const struct redis_answer *first = NULL;
    for (size_t i = 0; i < flight->exec_at; i++) {
        if (answers[i].kind != REDIS_ERROR)
            continue;
        first = first ? first : &answers[i];
        metric_add(sink->refused_total, 1);
    }
    redis_link_note_refusal(sink->link, first ? first->text : answers[flight->exec_at].text);
    sink->is_refused = true;
}

/* EXEC's answer: a list when all was done, nil when a watched key had moved, an error when Redis refused. */
static enum outcome judge_exec(struct sink *sink, struct flight *flight, const struct redis_answer *answers)
{
    const struct redis_answer *answer = &answers[flight->exec_at];
    if (answer->kind == REDIS_LIST) {
        redis_link_note_taken(sink->link);
        sink->pause_ms = 0;
        /* The list begins with what followed MULTI, which is command 0. */
        series_hours_learn(&sink->projection.hours, &flight->questions, answer->items - 1);
        note_refusals(sink, answer, &flight->arena);
        return OUTCOME_OK;
    }
    if (answer->kind == REDIS_NIL)
        return OUTCOME_REDO;
    note_refused_batch(sink, flight, answers);
    return OUTCOME_RETRY;
}

static void publish_late(struct sink *sink, const struct flight *flight)
{
    struct resp commands = {0};
    kpis_publish(flight->kpis, sink->projection.prefix, &commands);
    redis_link_send(sink->link, &commands, NULL, NULL);
    resp_finish(&commands);
}

/* Waits until the batch in the air is in Redis. If it did not get there, or we cannot know, our book is wrong. */
static void settle(struct sink *sink)
{
    struct flight *flight = sink->in_air;
    if (flight == NULL)
        return;
    sink->in_air = NULL;
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_finish(sink->link, flight->command_count, &flight->arena, &answers);
    if (outcome == OUTCOME_OK)
        outcome = judge_exec(sink, flight, answers);
    if (outcome != OUTCOME_OK) {
        sink->is_lost = true;
        return;
    }
    if (flight->has_kpis)
        sink->has_listeners = listeners_are_there(&answers[flight->exec_at + 1]);
    if (sink->has_listeners && flight->kpis)
        publish_late(sink, flight);
    metric_add(sink->records_total, (double)flight->record_count);
    metric_add(sink->batches_total, 1);
    metric_observe(sink->batch_seconds, (double)(clock_monotonic_us() - flight->sent_at_us) / 1e6);
    sink->records_since_look += (int64_t)flight->record_count;
}

/* Two batches at work: while Redis executes one, the next is decoded and written down. */
static enum outcome send_batch(struct sink *sink, const struct record *records, size_t count)
{
    struct flight *flight = sink->in_air == &sink->flights[0] ? &sink->flights[1] : &sink->flights[0];
    enum outcome outcome = flight_prepare(sink, flight, records, count);
    settle(sink);
    if (outcome == OUTCOME_OK && sink->is_lost)
        outcome = OUTCOME_REDO;
    if (outcome == OUTCOME_OK)
        outcome = positions_check(&flight->touched, sink->link, sink->projection.prefix, &flight->arena);
    flight->sent_at_us = clock_monotonic_us();
    if (outcome == OUTCOME_OK)
        outcome = redis_link_begin(sink->link, &sink->projection.commands);
    if (outcome != OUTCOME_OK) {
        series_hours_forget(&sink->projection.hours);
        return outcome;
    }
    positions_advance(&sink->positions, &flight->touched);
    sink->in_air = flight;
    return OUTCOME_OK;
}

/* follow.start_at: Redis knows. Nothing there: an empty Redis, so everything from the beginning. */
static int64_t start_at(void *context, struct view topic, int32_t partition)
{
    struct sink *sink = context;
    settle(sink);
    struct arena arena;
    arena_init(&arena);
    struct view name = position_name(&arena, without_prefix(sink, topic), partition);
    int64_t offset = positions_ask(&sink->positions, sink->link, sink->projection.prefix, name, &arena);
    arena_finish(&arena);
    return offset;
}

static void write_health(struct sink *sink, int64_t now_ms, int64_t passed_ms)
{
    struct bytes *scratch = &sink->projection.scratch;
    bytes_clear(scratch);
    struct json_writer json = json_writer_on(scratch);
    json_open_object(&json);
    json_key(&json, "at");
    json_write_integer(&json, now_ms);
    json_key(&json, "records_per_second");
    json_write_decimal(&json, (double)sink->records_since_look * 1000 / (double)passed_ms);
    json_key(&json, "behind_ms"); /* from a record's being written to Kafka until it is here */
    json_write_integer(&json, sink->newest_at_ms && now_ms > sink->newest_at_ms ? now_ms - sink->newest_at_ms : 0);
    last_error_write(&json, log_spoken_for());
    json_close_object(&json);
    struct resp command = {0};
    resp_command(&command, 4, "HSET");
    resp_key(&command, sink->projection.prefix, "health", (struct view){NULL, 0});
    resp_text(&command, "sink");
    resp_view(&command, bytes_view(scratch));
    redis_link_send(sink->link, &command, NULL, NULL);
    resp_finish(&command);
}

/* follow.on_revoked */
static void on_revoked(void *context, struct view topic, int32_t partition)
{
    struct sink *sink = context;
    struct arena arena;
    arena_init(&arena);
    positions_forget(&sink->positions, position_name(&arena, without_prefix(sink, topic), partition));
    arena_finish(&arena);
}

/* Once a second, whether anything came or not. A Redis that is away does not say where it stands: that can wait. */
static enum outcome look_after(struct sink *sink)
{
    int64_t now_ms = clock_now_ms(&clock_system), passed_ms = now_ms - sink->last_look_ms;
    if (passed_ms < LOOK_MS)
        return OUTCOME_OK;
    settle(sink);
    if (sink->lane == LANE_BULK)
        write_health(sink, now_ms, passed_ms);
    sink->last_look_ms = now_ms;
    sink->records_since_look = 0;
    return positions_check_all(&sink->positions, sink->link, sink->projection.prefix) == OUTCOME_REDO ? OUTCOME_REDO : OUTCOME_OK;
}

/* A Redis without room is not helped by being asked a dozen times a second. */
static void pause_after_refusal(struct sink *sink)
{
    sink->is_refused = false;
    sink->pause_ms = sink->pause_ms == 0 ? PAUSE_LEAST_MS : sink->pause_ms * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : sink->pause_ms * 2;
    for (int left_ms = sink->pause_ms; left_ms > 0 && !atomic_load(sink->stop); left_ms -= PAUSE_LEAST_MS)
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_LEAST_MS * 1000000L}, NULL);
}

static enum outcome on_batch(void *context, const struct record *records, size_t count)
{
    struct sink *sink = context;
    sink->newest_at_ms = count ? records[count - 1].timestamp_ms : 0;
    enum outcome outcome = OUTCOME_OK;
    if (count > 0)
        outcome = send_batch(sink, records, count);
    else
        settle(sink);
    if (outcome == OUTCOME_OK)
        outcome = look_after(sink);
    /* What was lost may be of an earlier batch than this one, which is in nobody's hands any more. */
    if (sink->is_lost)
        outcome = OUTCOME_REDO;
    sink->is_lost = false;
    if (sink->is_refused)
        pause_after_refusal(sink);
    if (outcome == OUTCOME_REDO) {
        series_hours_forget(&sink->projection.hours);
        positions_finish(&sink->positions); /* asked again for all that are ours */
    }
    return outcome;
}

/* --- the service ------------------------------------------------------------------------------------------------- */

static void sink_init(struct sink *sink, const struct redis_sink_config *config, enum lane lane, atomic_bool *stop)
{
    *sink = (struct sink){.config = config, .lane = lane, .stop = stop, .link = redis_link_create(config->redis)};
    arena_init(&sink->flights[0].arena);
    arena_init(&sink->flights[1].arena);
    sink->projection.prefix = config->redis->prefix;
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
    positions_finish(&sink->positions);
    series_hours_finish(&sink->projection.hours);
    kpis_forget(&sink->projection);
    resp_finish(&sink->projection.commands);
    resp_finish(&sink->projection.forgotten);
    bytes_finish(&sink->projection.scratch);
    arena_finish(&sink->flights[0].arena);
    arena_finish(&sink->flights[1].arena);
    redis_link_destroy(sink->link);
}

static void *run_lane(void *context)
{
    static const char *const groups[] = {[LANE_BULK] = "sink", [LANE_NEWS] = "sink.news"};
    struct sink *sink = context;
    const struct kafka_settings *kafka = sink->config->kafka;
    struct bytes names[SOURCE_COUNT] = {{0}}, group = {0};
    const char *topics[SOURCE_COUNT + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        if (sources[i].lane != sink->lane)
            continue;
        bytes_printf(&names[count], "%s%s", kafka->topic_prefix, sources[i].topic);
        topics[count] = bytes_text(&names[count]);
        count++;
    }
    bytes_printf(&group, "%s%s", kafka->topic_prefix, groups[sink->lane]);
    struct follow follow = {.group = bytes_text(&group),
                            .topics = topics,
                            .batch_records_max = BATCH_RECORDS_MAX,
                            .wait_ms_max = WAIT_MS_MAX,
                            .context = sink,
                            .on_batch = on_batch,
                            .on_revoked = on_revoked,
                            .start_at = start_at};
    sink->outcome = follow_run(&follow, kafka, sink->stop);
    settle(sink);
    if (sink->outcome == OUTCOME_STOP)
        atomic_store(sink->stop, true); /* one lane alone would look alive */
    for (size_t i = 0; i < count; i++)
        bytes_finish(&names[i]);
    bytes_finish(&group);
    return NULL;
}

enum outcome redis_sink_run(const struct redis_sink_config *config, atomic_bool *stop)
{
    struct sink bulk, news;
    sink_init(&bulk, config, LANE_BULK, stop);
    sink_init(&news, config, LANE_NEWS, stop);
    thread_create(&news.thread, run_lane, &news);
    run_lane(&bulk);
    pthread_join(news.thread, NULL);
    enum outcome outcome = bulk.outcome == OUTCOME_STOP ? OUTCOME_STOP : news.outcome;
    sink_finish(&bulk);
    sink_finish(&news);
    return outcome;
}
