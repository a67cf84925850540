#include "sinks/dashboard/live.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { FLUSH_MS = 250, HEARTBEAT_MS = 3000, STREAMS_MAX = 500, WAITING_KPIS_MAX = 20000 };

struct live {
    const struct redis_settings *redis;
    atomic_bool *stop;
    pthread_t thread;
    pthread_mutex_t lock; /* guards streams */
    struct http_stream *streams[STREAMS_MAX];
    size_t stream_count;
    struct map kpis; /* "kpi|window|dimension" as JSON members → its latest JSON, malloced */
    struct arena arena;
    bool is_redis_there, hears_kpis;
};

static void send_to_all(struct live *live, struct view text)
{
    pthread_mutex_lock(&live->lock);
    for (size_t i = 0; i < live->stream_count;) {
        if (http_stream_write(live->streams[i], text)) {
            i++;
            continue;
        }
        http_stream_close(live->streams[i]);
        live->streams[i] = live->streams[--live->stream_count];
    }
    pthread_mutex_unlock(&live->lock);
}

static void send_event(struct live *live, const char *name, struct view data)
{
    struct bytes event = {0};
    bytes_printf(&event, "event: %s\ndata: ", name);
    bytes_append_view(&event, data); /* our JSON has no line breaks */
    bytes_append_text(&event, "\n\n");
    send_to_all(live, bytes_view(&event));
    bytes_finish(&event);
}

void live_add(struct live *live, struct http_stream *take_stream)
{
    bool is_taken = http_stream_write(take_stream, VIEW_LITERAL("retry: 1000\nevent: hello\ndata: {}\n\n"));
    pthread_mutex_lock(&live->lock);
    is_taken = is_taken && live->stream_count < STREAMS_MAX;
    if (is_taken)
        live->streams[live->stream_count++] = take_stream;
    pthread_mutex_unlock(&live->lock);
    if (!is_taken)
        http_stream_close(take_stream);
}

/* --- KPIs gathered ----------------------------------------------------------------------------------------------- */

/* Everything before "value" names the series. */
static struct view series_of(struct view json)
{
    const char *value = memmem(json.data, json.size, ",\"value\":", 9);
    return value ? view_of(json.data, (size_t)(value - json.data)) : json;
}

static void gather_kpi(struct live *live, struct view json)
{
    if (live->kpis.count >= WAITING_KPIS_MAX)
        return; /* pages show at most what they ask for again anyway */
    struct bytes **place = (struct bytes **)map_place(&live->kpis, series_of(json));
    if (*place == NULL)
        *place = memory_zeroed(1, sizeof **place);
    bytes_clear(*place);
    bytes_append_view(*place, json);
}

static void free_bytes(void *value)
{
    bytes_finish(value);
    free(value);
}

static void flush_kpis(struct live *live)
{
    if (live->kpis.count == 0)
        return;
    struct bytes list = {0};
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&live->kpis, &at));) {
        bytes_append_text(&list, list.size ? "," : "[");
        bytes_append_view(&list, bytes_view(slot->value));
    }
    bytes_append_text(&list, "]");
    send_event(live, "kpis", bytes_view(&list));
    bytes_finish(&list);
    map_finish(&live->kpis, free_bytes);
}

/* --- the thread -------------------------------------------------------------------------------------------------- */

/* Not waited for: on this connection the answer is one more message that is pushed. */
static void say(struct redis_link *link, const struct live *live, const char *verb, const char *channel)
{
    struct resp command = {0};
    resp_command(&command, 2, verb);
    resp_key(&command, live->redis->prefix, channel, (struct view){NULL, 0});
    redis_link_begin(link, &command);
    resp_finish(&command);
}

static void subscribe(struct live *live, struct redis_link *link)
{
    say(link, live, "SUBSCRIBE", "live:alerts");
    say(link, live, "SUBSCRIBE", "live:shifts");
    live->hears_kpis = false;
}

/* KPIs are asked for while a page is open: without a listener the sink need not tell them. */
static void subscribe_to_kpis(struct live *live, struct redis_link *link)
{
    pthread_mutex_lock(&live->lock);
    bool is_wanted = live->stream_count > 0;
    pthread_mutex_unlock(&live->lock);
    if (is_wanted == live->hears_kpis || !redis_link_is_connected(link))
        return;
    say(link, live, is_wanted ? "SUBSCRIBE" : "UNSUBSCRIBE", "live:kpis");
    live->hears_kpis = is_wanted;
}

static void note_redis(struct live *live, bool is_there)
{
    if (is_there != live->is_redis_there)
        send_event(live, "redis", is_there ? VIEW_LITERAL("{\"state\":\"back\"}") : VIEW_LITERAL("{\"state\":\"away\"}"));
    live->is_redis_there = is_there;
}

/* A pushed ["message", channel, text], or the answer to SUBSCRIBE: a page that came before it looks at all again, for it may have been
 * told the values of before and missed what changed since. */
static void take_message(struct live *live, const struct redis_answer *message)
{
    if (message->kind != REDIS_LIST || message->count != 3)
        return;
    struct view channel = message->items[1].text;
    channel.data += strlen(live->redis->prefix);
    channel.size -= strlen(live->redis->prefix);
    bool is_of_kpis = view_equal_text(channel, "live:kpis");
    if (is_of_kpis && view_equal_text(message->items[0].text, "subscribe"))
        send_event(live, "hello", VIEW_LITERAL("{}"));
    if (!view_equal_text(message->items[0].text, "message"))
        return;
    if (is_of_kpis)
        gather_kpi(live, message->items[2].text);
    else
        send_event(live, view_equal_text(channel, "live:alerts") ? "alert" : "shift", message->items[2].text);
}

static void *run_live(void *context)
{
    struct live *live = context;
    struct redis_link *link = redis_link_create(live->redis);
    int64_t flushed_us = 0, beaten_us = 0;
    while (!atomic_load(live->stop)) {
        arena_reset(&live->arena);
        struct redis_answer message;
        enum outcome outcome = redis_link_next_push(link, 50, &live->arena, &message);
        if (outcome == OUTCOME_REDO)
            subscribe(live, link);
        else if (outcome == OUTCOME_OK)
            take_message(live, &message);
        note_redis(live, redis_link_is_connected(link));
        subscribe_to_kpis(live, link);
        int64_t now_us = clock_monotonic_us();
        if (now_us - flushed_us >= FLUSH_MS * 1000) {
            flush_kpis(live);
            flushed_us = now_us;
        }
        if (now_us - beaten_us >= HEARTBEAT_MS * 1000) {
            send_to_all(live, VIEW_LITERAL(": alive\n\n"));
            beaten_us = now_us;
        }
        if (!redis_link_is_connected(link)) {
            struct timespec pause = {.tv_nsec = 200000000};
            nanosleep(&pause, NULL);
        }
    }
    redis_link_destroy(link);
    return NULL;
}

struct live *live_create(const struct redis_settings *redis, atomic_bool *stop)
{
    struct live *live = memory_zeroed(1, sizeof *live);
    live->redis = redis;
    live->stop = stop;
    pthread_mutex_init(&live->lock, NULL);
    arena_init(&live->arena);
    thread_start(&live->thread, run_live, live);
    return live;
}

void live_destroy(struct live *live)
{
    pthread_join(live->thread, NULL);
    for (size_t i = 0; i < live->stream_count; i++)
        http_stream_close(live->streams[i]);
    map_finish(&live->kpis, free_bytes);
    arena_finish(&live->arena);
    pthread_mutex_destroy(&live->lock);
    free(live);
}
