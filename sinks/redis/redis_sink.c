#include "sinks/redis/redis_sink.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "engine/follow.h"
#include "sinks/redis/last_error.h"
#include "sinks/redis/listeners.h"
#include "sinks/redis/redis_batch.h"

#include <pthread.h>
#include <time.h>

enum { BATCH_RECORDS_MAX = 2000, WAIT_MS_MAX = 200, LOOK_MS = 1000, PAUSE_LEAST_MS = 100, PAUSE_MOST_MS = 5000 };

/* One lane of the sink; one thread. */
struct sink {
    const struct redis_sink_config *config;
    enum sink_lane lane;
    pthread_t thread;
    atomic_bool *stop;
    enum outcome outcome;
    struct redis_link *link;
    struct batch_maker maker;
    struct redis_batch batches[2]; /* one in the air, one being made ready */
    struct redis_batch *in_air;    /* sent, not yet answered; NULL: none */
    int64_t sent_at_us;       /* the one in the air */
    bool is_lost;             /* a batch did not arrive: read again from where Redis says */
    bool is_refused;          /* for Redis would not have it: not at once */
    int pause_ms;
    bool has_listeners;       /* as far as the last batch with KPIs knows */
    struct metric *records_total, *batches_total, *refused_total, *batch_seconds;
    int64_t looked_at_us, records_since_look; /* see look_after */
    struct arena health_arena;
    int64_t newest_at_ms; /* of the records last written; 0: nothing is waiting */
};

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
        series_hours_forget(&sink->maker.projection.hours);
}

/* EXEC says only that some command was refused before it; that command's answer says why. */
static void note_refused_batch(struct sink *sink, const struct redis_batch *batch, const struct redis_answer *answers)
{
    const struct redis_answer *first = NULL;
    for (size_t i = 0; i < batch->exec_at; i++) {
        if (answers[i].kind != REDIS_ERROR)
            continue;
        first = first ? first : &answers[i];
        metric_add(sink->refused_total, 1);
    }
    redis_link_note_refusal(sink->link, first ? first->text : answers[batch->exec_at].text);
    sink->is_refused = true;
}

/* EXEC's answer: a list when all was done, nil when a watched key had moved, an error when Redis refused. */
static enum outcome judge_exec(struct sink *sink, struct redis_batch *batch, const struct redis_answer *answers)
{
    const struct redis_answer *answer = &answers[batch->exec_at];
    if (answer->kind == REDIS_LIST) {
        redis_link_note_taken(sink->link);
        sink->pause_ms = 0;
        /* The list begins with what followed MULTI, which is command 0. */
        series_hours_learn(&sink->maker.projection.hours, &batch->questions, answer->items - 1);
        note_refusals(sink, answer, &batch->arena);
        return OUTCOME_OK;
    }
    if (answer->kind == REDIS_NIL)
        return OUTCOME_REDO;
    note_refused_batch(sink, batch, answers);
    return OUTCOME_RETRY;
}

static void publish_late(struct sink *sink, const struct redis_batch *batch)
{
    struct resp commands = {0};
    kpis_publish(batch->kpis, sink->config->redis->prefix, &commands);
    redis_link_send(sink->link, &commands, NULL, NULL);
    resp_finish(&commands);
}

/* Waits until the batch in the air is in Redis. If it did not get there, or we cannot know, our book is wrong. */
static void settle(struct sink *sink)
{
    struct redis_batch *batch = sink->in_air;
    if (batch == NULL)
        return;
    sink->in_air = NULL;
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_finish(sink->link, batch->command_count, &batch->arena, &answers);
    if (outcome == OUTCOME_OK)
        outcome = judge_exec(sink, batch, answers);
    if (outcome != OUTCOME_OK) {
        sink->is_lost = true;
        return;
    }
    if (batch->has_kpis)
        sink->has_listeners = listeners_are_there(&answers[batch->exec_at + 1]);
    if (sink->has_listeners && batch->kpis)
        publish_late(sink, batch);
    metric_add(sink->records_total, (double)batch->record_count);
    metric_add(sink->batches_total, 1);
    metric_observe(sink->batch_seconds, (double)(clock_monotonic_us() - sink->sent_at_us) / 1e6);
    sink->records_since_look += (int64_t)batch->record_count;
}

/* Two batches at work: while Redis executes one, the next is decoded and written down. */
static enum outcome send_batch(struct sink *sink, const struct record *records, size_t count)
{
    struct redis_batch *batch = sink->in_air == &sink->batches[0] ? &sink->batches[1] : &sink->batches[0];
    enum outcome outcome = batch_make(&sink->maker, batch, records, count, sink->has_listeners);
    settle(sink);
    if (outcome == OUTCOME_OK && sink->is_lost)
        outcome = OUTCOME_REDO;
    if (outcome == OUTCOME_OK)
        outcome = positions_check(&batch->touched, sink->link, sink->config->redis->prefix, &batch->arena);
    sink->sent_at_us = clock_monotonic_us();
    if (outcome == OUTCOME_OK)
        outcome = redis_link_begin(sink->link, &sink->maker.projection.commands);
    if (outcome != OUTCOME_OK) {
        series_hours_forget(&sink->maker.projection.hours);
        return outcome;
    }
    positions_advance(&sink->maker.positions, &batch->touched);
    sink->in_air = batch;
    return OUTCOME_OK;
}

/* follow.start_at: Redis knows. Nothing there: an empty Redis, so everything from the beginning. */
static int64_t start_at(void *context, struct view topic, int32_t partition)
{
    struct sink *sink = context;
    settle(sink);
    struct arena arena;
    arena_init(&arena);
    struct view name = batch_position_name(&sink->maker, &arena, topic, partition);
    int64_t offset = positions_ask(&sink->maker.positions, sink->link, sink->config->redis->prefix, name, &arena);
    arena_finish(&arena);
    return offset;
}

static void write_health(struct sink *sink, int64_t passed_ms)
{
    int64_t now_ms = clock_now_ms(&clock_system);
    struct bytes *scratch = &sink->maker.projection.scratch;
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
    resp_key(&command, sink->config->redis->prefix, "health", (struct view){NULL, 0});
    resp_text(&command, "sink");
    resp_view(&command, bytes_view(scratch));
    struct redis_answer *answer = NULL;
    if (redis_link_send(sink->link, &command, &sink->health_arena, &answer) == OUTCOME_OK && answer->kind == REDIS_ERROR && redis_is_read_only(answer->text))
        redis_link_note_refusal(sink->link, answer->text); /* in silence nothing else would tell */
    arena_reset(&sink->health_arena);
    resp_finish(&command);
}

/* follow.on_revoked */
static void on_revoked(void *context, struct view topic, int32_t partition)
{
    struct sink *sink = context;
    struct arena arena;
    arena_init(&arena);
    positions_forget(&sink->maker.positions, batch_position_name(&sink->maker, &arena, topic, partition));
    arena_finish(&arena);
}

/* Once a second, whether anything came or not. A Redis that is away does not say where it stands: that can wait. */
static enum outcome look_after(struct sink *sink)
{
    int64_t now_us = clock_monotonic_us(), passed_ms = (now_us - sink->looked_at_us) / 1000;
    if (passed_ms < LOOK_MS)
        return OUTCOME_OK;
    settle(sink);
    if (sink->is_lost)
        return OUTCOME_OK; /* our positions are ahead of Redis, and we know why */
    if (sink->lane == LANE_BULK)
        write_health(sink, passed_ms);
    sink->looked_at_us = now_us;
    sink->records_since_look = 0;
    return positions_check_all(&sink->maker.positions, sink->link, sink->config->redis->prefix) == OUTCOME_REDO ? OUTCOME_REDO : OUTCOME_OK;
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
        series_hours_forget(&sink->maker.projection.hours);
        positions_finish(&sink->maker.positions); /* asked again for all that are ours */
    }
    return outcome;
}

/* --- the service ------------------------------------------------------------------------------------------------- */

static void sink_init(struct sink *sink, const struct redis_sink_config *config, enum sink_lane lane, atomic_bool *stop)
{
    *sink = (struct sink){.config = config, .lane = lane, .stop = stop, .link = redis_link_create(config->redis)};
    arena_init(&sink->health_arena);
    arena_init(&sink->batches[0].arena);
    arena_init(&sink->batches[1].arena);
    batch_maker_init(&sink->maker, config->kafka->topic_prefix, config->redis, config->registry);
    sink->records_total = metrics_counter("touchstream_sink_records_total", NULL, "Records written to Redis.");
    sink->batches_total = metrics_counter("touchstream_sink_batches_total", NULL, "MULTI batches sent to Redis.");
    sink->refused_total = metrics_counter("touchstream_sink_refused_total", NULL, "Commands that Redis refused.");
    sink->batch_seconds = metrics_seconds("touchstream_sink_batch_seconds", NULL, "Time to write one batch to Redis.");
}

static void sink_finish(struct sink *sink)
{
    batch_maker_finish(&sink->maker);
    arena_finish(&sink->health_arena);
    arena_finish(&sink->batches[0].arena);
    arena_finish(&sink->batches[1].arena);
    redis_link_destroy(sink->link);
}

static void *run_lane(void *context)
{
    static const char *const groups[] = {[LANE_BULK] = "sink", [LANE_NEWS] = "sink.news"};
    struct sink *sink = context;
    const struct kafka_settings *kafka = sink->config->kafka;
    struct bytes names[SINK_TOPICS] = {{0}}, group = {0};
    const char *topics[SINK_TOPICS + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < SINK_TOPICS; i++) {
        if (sink_topics[i].lane != sink->lane)
            continue;
        bytes_printf(&names[count], "%s%s", kafka->topic_prefix, sink_topics[i].name);
        topics[count] = bytes_text(&names[count]);
        count++;
    }
    bytes_printf(&group, "%s%s", kafka->topic_prefix, groups[sink->lane]);
    struct follow follow = {.group = bytes_text(&group),
                            .member = sink->config->member,
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
    thread_start(&news.thread, run_lane, &news);
    run_lane(&bulk);
    pthread_join(news.thread, NULL);
    enum outcome outcome = bulk.outcome == OUTCOME_STOP ? OUTCOME_STOP : news.outcome;
    sink_finish(&bulk);
    sink_finish(&news);
    return outcome;
}
