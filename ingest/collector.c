#include "ingest/collector.h"

#include "base/address.h"
#include "base/guesses.h"
#include "base/http_server.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/process.h"
#include "ingest/batch.h"
#include "ingest/hooks.h"
#include "ingest/request_body.h"
#include "ingest/sources.h"
#include "ingest/verdicts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct collector {
    struct collector_parts parts;
    struct sources *sources;
    struct hooks *hooks;
    struct verdicts *verdicts;
    struct guesses *guesses;
    struct http_server *http;
    atomic_bool is_overdue; /* Kafka has not acknowledged in time what it was sent */
};

/* What one request needs while it is read; a thread's own, used again. */
struct desk {
    struct arena arena;
    bool is_ready;
};
static _Thread_local struct desk desk;
static pthread_key_t desk_key;
static pthread_once_t desk_once = PTHREAD_ONCE_INIT;

static void desk_finish(void *context)
{
    arena_finish(context);
}

static void desk_key_create(void)
{
    pthread_key_create(&desk_key, desk_finish);
}

static struct arena *desk_arena(void)
{
    if (!desk.is_ready) {
        pthread_once(&desk_once, desk_key_create);
        arena_init(&desk.arena);
        pthread_setspecific(desk_key, &desk.arena);
        desk.is_ready = true;
    }
    arena_reset(&desk.arena);
    return &desk.arena;
}

/* --- refusing --- */

static void count_refused(void *context, int status)
{
    char labels[32];
    (void)context;
    snprintf(labels, sizeof labels, "status=\"%d\"", status);
    metric_add(metrics_counter("touchstream_ingest_requests_total", labels, "Requests answered, by status."), 1);
}

static void refuse(struct http_exchange *exchange, int status, const char *code, const char *reason)
{
    count_refused(NULL, status);
    http_exchange_refuse(exchange, status, code, reason);
}

static void refuse_for(struct http_exchange *exchange, int status, const char *code, const char *reason, int seconds)
{
    char wait[16];
    snprintf(wait, sizeof wait, "%d", seconds);
    http_exchange_add_header(exchange, "Retry-After", wait);
    refuse(exchange, status, code, reason);
}

/* Seconds, 0: a wrong token is told that it is wrong. */
static int guess_wait_s(struct guesses *guesses, const struct http_exchange *exchange, int64_t now_ms)
{
    struct view token = http_exchange_bearer(exchange);
    struct http_peer peer = http_exchange_peer(exchange);
    if (token.data == NULL || guesses_were_wrong(guesses, GUESS_TOKEN, token))
        return 0;
    int wait_s = guesses_wait_s(guesses, &peer, GUESS_TOKEN, now_ms);
    if (wait_s)
        guesses_tell("ingest", &peer, wait_s);
    else
        guesses_note_wrong(guesses, &peer, GUESS_TOKEN, token, now_ms);
    return wait_s;
}

/* A right token has been let in before this: whoever guesses behind the same proxy must not keep events out, which would be worse than that
 * the right one can still be found. So this tells those who run us of guessing, and spoils it only for who takes 429 at its word.
 *
 * A signature that does not fit is no guess: as a rule a secret was changed, or a clock is wrong, every body has another, and its sender is to
 * hear just that. A token beside it is one: else anything in that header would hide it. */
static void refuse_stranger(struct collector *collector, struct http_exchange *exchange, const char *reason)
{
    int wait_s = guess_wait_s(collector->guesses, exchange, clock_monotonic_ms(collector->parts.clock));
    if (wait_s) {
        char text[120];
        snprintf(text, sizeof text, "too many wrong tokens came from your address, or from all: try again in %d s, or with a right one at once", wait_s);
        refuse_for(exchange, 429, "too_many_guesses", text, wait_s);
        return;
    }
    http_exchange_add_header(exchange, "WWW-Authenticate", "Bearer");
    refuse(exchange, 401, "bad_credentials", reason);
}

static bool is_kafka_there(const struct collector *collector)
{
    const struct outlet *outlet = collector->parts.outlet;
    return atomic_load(collector->parts.is_open) && !atomic_load(&collector->is_overdue) &&
           (!outlet->is_connected || outlet->is_connected(outlet->target));
}

/* --- the paths --- */

static const struct view touchpoints_path = {"/v1/touchpoints", 15}, hooks_path = {"/v1/hooks/", 10};

static bool is_hook(struct view path)
{
    return path.size > hooks_path.size && memcmp(path.data, hooks_path.data, hooks_path.size) == 0;
}

static bool is_post_path(struct view path)
{
    return view_equal(path, touchpoints_path) || is_hook(path);
}

static bool is_get_path(struct view path)
{
    return view_equal_text(path, "/healthz") || view_equal_text(path, "/readyz") || view_equal_text(path, "/metrics");
}

/* Before the body: who cannot be let in, and what cannot be read, need not send it. */
static void on_headers(void *context, struct http_exchange *exchange)
{
    struct collector *collector = context;
    struct view path = http_exchange_path(exchange);
    const struct source *source;
    bool may_sign;
    if (!is_post_path(path) || !view_equal_text(http_exchange_method(exchange), "POST"))
        return;
    if (!sources_know_bearer(collector->sources, exchange, &source, &may_sign) && !may_sign) {
        refuse_stranger(collector, exchange, "send Authorization: Bearer TOKEN, or a signature");
    } else if (view_equal(path, touchpoints_path) && request_body_kind(exchange) == BODY_UNKNOWN) {
        refuse(exchange, 415, "bad_type",
               "Content-Type is application/json, application/x-ndjson, application/cloudevents+json or "
               "application/cloudevents-batch+json, in UTF-8 and uncompressed");
    }
}

/* --- touchpoints --- */

struct judging {
    struct batch *batch;
    struct arena *arena;
    struct view source; /* who sent it */
    struct view default_source;
    int64_t now_ms;
    int64_t taken, refused;
    struct view code; /* of the last one that was refused */
};

static void judge(struct judging *judging, uint64_t index, const struct touchpoint *touch, struct view original,
                  bool is_good, const struct json_fault *fault)
{
    if (is_good) {
        batch_accept(judging->batch, touch);
        judging->taken++;
        return;
    }
    judging->refused++;
    judging->code = view_of_text(fault->code);
    struct rejected rejected;
    accept_rejected(&rejected, touch, judging->source, original, fault, judging->now_ms, 1);
    batch_reject(judging->batch, index, &rejected, touch->customer_id);
}

static void judge_records(struct judging *judging, const struct body_records *records)
{
    for (size_t i = 0; i < records->count; i++) {
        struct touchpoint touch = {0};
        struct json_fault fault = {0};
        const struct body_record *record = &records->items[i];
        bool is_good = !record->is_too_large && accept_touchpoint(&touch, record->text, records->notation, judging->default_source,
                                                                  judging->now_ms, judging->arena, &fault);
        if (record->is_too_large)
            fault = accept_fault("too_large", VIEW_LITERAL(""), VIEW_LITERAL("a record is at most 1 MiB"));
        if (is_good && judging->default_source.data && !view_equal(touch.source, judging->default_source)) {
            /* Event ids are unique within a source: who speaks for another could make its events duplicates. */
            fault = accept_fault("wrong_source", VIEW_LITERAL("source"), VIEW_LITERAL("these credentials are another source's"));
            is_good = false;
        }
        judge(judging, i, &touch, record->text, is_good, &fault);
    }
}

static void judging_end(struct collector *collector, const struct judging *judging, int status)
{
    verdicts_note(collector->verdicts, judging->source, judging->taken, judging->refused, judging->code, judging->now_ms);
    batch_send(judging->batch, status);
}

/* The body itself is broken: 400 with the one verdict, and the bytes to the rejected topic. */
static void judge_whole(struct collector *collector, struct judging *judging, struct http_exchange *exchange, const struct json_fault *fault)
{
    static const struct touchpoint nothing;
    judge(judging, 0, &nothing, http_exchange_body(exchange), false, fault);
    judging_end(collector, judging, 400);
}

static void take_touchpoints(struct collector *collector, struct http_exchange *exchange, const struct source *source)
{
    struct arena *arena = desk_arena();
    struct judging judging = {.batch = batch_create(collector->parts.outlet, exchange),
                              .arena = arena,
                              .source = source->name.data ? source->name : VIEW_LITERAL("collector"),
                              .default_source = source->name,
                              .now_ms = clock_now_ms(collector->parts.clock)};
    struct body_records records;
    struct json_fault fault = {0};
    if (!request_body_split(exchange, request_body_kind(exchange), arena, &records, &fault)) {
        judge_whole(collector, &judging, exchange, &fault);
        return;
    }
    int wait = sources_take(collector->sources, source, records.count, clock_monotonic_us());
    if (wait) {
        batch_drop(judging.batch);
        refuse_for(exchange, 429, "too_fast", "more records than this source may send", wait);
        return;
    }
    judge_records(&judging, &records);
    int status = 200;
    if (!records.is_list && batch_rejected(judging.batch)) {
        if (records.items[0].is_too_large)
            status = 413;
        else if (!request_body_is_json(http_exchange_body(exchange)))
            status = 400;
    }
    judging_end(collector, &judging, status);
}

/* --- webhooks --- */

struct hook_call {
    struct judging judging;
    uint64_t index;
    struct view payload;
};

static void on_hook_touchpoint(void *context, struct touchpoint *touch, bool is_good, struct json_fault *fault)
{
    struct hook_call *call = context;
    if (is_good) {
        touch->received_at_ms = call->judging.now_ms;
        is_good = check_time(touch, call->judging.now_ms, call->judging.arena, fault);
    }
    judge(&call->judging, call->index++, touch, call->payload, is_good, fault);
}

static void take_hook(struct collector *collector, struct http_exchange *exchange, const struct source *source)
{
    struct view path = http_exchange_path(exchange);
    struct view name = view_of(path.data + hooks_path.size, path.size - hooks_path.size);
    int wait = sources_take(collector->sources, source, 1, clock_monotonic_us());
    if (wait) {
        refuse_for(exchange, 429, "too_fast", "more payloads than this source may send", wait);
        return;
    }
    if (http_exchange_body(exchange).size > RECORD_BYTES_MAX) {
        refuse(exchange, 413, "too_large", "a payload is at most 1 MiB");
        return;
    }
    struct arena *arena = desk_arena();
    struct hook_call call = {.judging = {.batch = batch_create(collector->parts.outlet, exchange),
                                         .arena = arena,
                                         .source = source->name.data ? source->name : name,
                                         .default_source = source->name.data ? source->name : name,
                                         .now_ms = clock_now_ms(collector->parts.clock)},
                             .payload = http_exchange_body(exchange)};
    struct bytes error = {0};
    bool is_json = true;
    if (hooks_run(collector->hooks, name, exchange, call.judging.default_source, arena, on_hook_touchpoint, &call, &is_json, &error)) {
        judging_end(collector, &call.judging, is_json ? 200 : 400);
    } else {
        batch_drop(call.judging.batch);
        refuse(exchange, 404, "no_such_hook", bytes_text(&error));
    }
    bytes_finish(&error);
}

/* --- every request --- */

static void answer_get(struct collector *collector, struct http_exchange *exchange, struct view path)
{
    if (view_equal_text(path, "/metrics"))
        process_answer_metrics(exchange);
    else if (view_equal_text(path, "/healthz") || is_kafka_there(collector))
        http_exchange_answer(exchange, 200, "text/plain", VIEW_LITERAL("ok\n"));
    else
        refuse(exchange, 503, "kafka_away", "Kafka cannot be reached");
}

static void handle(void *context, struct http_exchange *exchange)
{
    struct collector *collector = context;
    struct view path = http_exchange_path(exchange);
    if (!is_post_path(path) && !is_get_path(path)) {
        refuse(exchange, 404, "not_found", "here are POST /v1/touchpoints, POST /v1/hooks/NAME, GET /healthz, /readyz and /metrics");
        return;
    }
    /* Intercom asks so whether there is an endpoint, before it takes the URL, and signs nothing. */
    if (is_hook(path) && view_equal_text(http_exchange_method(exchange), "HEAD")) {
        http_exchange_answer(exchange, 200, "text/plain", VIEW_LITERAL(""));
        return;
    }
    if (!http_exchange_allows(exchange, is_get_path(path) ? "GET, HEAD" : "POST")) {
        refuse(exchange, 405, "bad_method", "this path takes another method");
        return;
    }
    if (is_get_path(path)) {
        answer_get(collector, exchange, path);
        return;
    }
    const struct source *source = sources_authenticate(collector->sources, exchange, clock_now_ms(collector->parts.clock));
    if (!source)
        refuse_stranger(collector, exchange, "the signature does not fit the body, or its stamp is more than five minutes off");
    else if (!is_kafka_there(collector))
        refuse_for(exchange, 503, "kafka_away", "Kafka cannot be reached; send the same again later", 5);
    else if (is_hook(path))
        take_hook(collector, exchange, source);
    else
        take_touchpoints(collector, exchange, source);
}

/* --- life --- */

struct collector *collector_create(const struct collector_parts *parts, struct bytes *error)
{
    const struct ingest_settings *settings = parts->settings;
    struct address address;
    char why[256] = "";
    if (!address_read(settings->listen, ADDRESS_NEEDS_PORT, &address)) {
        bytes_printf(error, "ingest.listen: \"%s\" is not host:port", settings->listen);
        return NULL;
    }
    struct sources *sources = sources_create(settings, error);
    if (!sources)
        return NULL;
    struct collector *collector = memory_zeroed(1, sizeof *collector);
    collector->parts = *parts;
    collector->sources = sources;
    collector->verdicts = verdicts_create();
    collector->guesses = guesses_create();
    collector->hooks = hooks_create(settings->mappings_dir, settings->mapping_ms_max, parts->clock);
    struct http_server_settings http = {.address = address.host,
                                        .port = address.port,
                                        .tls = settings->tls,
                                        .threads = (int)settings->threads,
                                        .body_bytes_max = settings->body_bytes_max,
                                        .header_bytes_max = settings->header_bytes_max,
                                        .request_ms_max = settings->request_ms_max,
                                        .connections_max = (int)settings->connections_max};
    struct http_handler handler = {collector, handle, on_headers, count_refused};
    collector->http = http_server_create(&http, &handler, why, sizeof why);
    if (!collector->http) {
        bytes_append_text(error, why);
        collector_destroy(collector);
        return NULL;
    }
    return collector;
}

int collector_port(const struct collector *collector)
{
    return http_server_port(collector->http);
}

void collector_look_after(struct collector *collector)
{
    int64_t before_us = clock_monotonic_us() - collector->parts.settings->acknowledge_ms_max * 1000;
    bool is_overdue = batches_give_up(before_us) > 0;
    if (is_kafka_there(collector))
        verdicts_tell(collector->verdicts, collector->parts.outlet, clock_now_ms(collector->parts.clock));
    if (is_overdue == atomic_exchange(&collector->is_overdue, is_overdue))
        return;
    if (is_overdue)
        log_warning("kafka does not acknowledge, requests are answered 503", NULL);
    else
        log_info("kafka has let go of what it did not acknowledge, requests are taken again", NULL);
}

void collector_drain(struct collector *collector)
{
    atomic_store(collector->parts.is_open, false);
    if (!http_server_drain(collector->http, collector->parts.settings->drain_ms_max))
        log_warning("some requests were not answered in time", NULL);
}

void collector_destroy(struct collector *collector)
{
    if (!collector)
        return;
    http_server_destroy(collector->http);
    hooks_destroy(collector->hooks);
    verdicts_destroy(collector->verdicts);
    sources_destroy(collector->sources);
    guesses_destroy(collector->guesses);
    free(collector);
}
