#include "app/health.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "sinks/redis/last_error.h"
#include "sinks/redis/redis_link.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SERVICES_MAX = 8, EVERY_MS = 1000, STEP_MS = 50, REDIS_TIMEOUT_MS = 1000 };

struct health_row {
    const char *name;
    struct runner_status *status;
    int64_t records; /* when last told */
};

struct health {
    const char *instance;
    struct redis_settings redis;
    struct redis_link *link;
    pthread_t thread;
    atomic_bool stop, is_broken;
    pthread_mutex_t lock; /* guards the rows */
    struct health_row rows[SERVICES_MAX];
    size_t row_count;
    int64_t told_at_us;
};

/* A service's partitions in one line. */
struct standing {
    int64_t lag, watermark_ms, records;
    bool is_live, has_lag, has_watermark;
};

static struct standing standing_of(struct runner_status *status)
{
    struct standing standing = {.is_live = true};
    size_t count = runner_status_read(status, NULL, 0);
    struct partition_status *rows = memory_zeroed(count + 1, sizeof *rows);
    size_t known = runner_status_read(status, rows, count);
    for (size_t i = 0; i < known && i < count; i++) {
        standing.is_live &= rows[i].is_live;
        standing.records += rows[i].records;
        if (rows[i].lag >= 0) {
            standing.lag += rows[i].lag;
            standing.has_lag = true;
        }
        if (rows[i].clock_ms != INT64_MIN && (!standing.has_watermark || rows[i].clock_ms < standing.watermark_ms)) {
            standing.watermark_ms = rows[i].clock_ms;
            standing.has_watermark = true;
        }
    }
    free(rows);
    return standing;
}

static void write_standing(struct json_writer *json, const struct standing *standing)
{
    json_key(json, "is_live");
    json_write_boolean(json, standing->is_live);
    json_key(json, "lag");
    if (standing->has_lag)
        json_write_integer(json, standing->lag);
    else
        json_write_null(json);
    json_key(json, "watermark");
    if (standing->has_watermark)
        json_write_integer(json, standing->watermark_ms);
    else
        json_write_null(json);
}

static int64_t ingested(void)
{
    return (int64_t)metric_value(metrics_counter("touchstream_ingest_records_total", "verdict=\"accepted\"", "Records answered, by verdict."));
}

static void write_row(struct bytes *out, struct health_row *row, int64_t now_ms, int64_t passed_ms)
{
    struct json_writer json = json_writer_on(out);
    int64_t records = -1;
    json_open_object(&json);
    json_key(&json, "at");
    json_write_integer(&json, now_ms);
    if (row->status) {
        struct standing standing = standing_of(row->status);
        write_standing(&json, &standing);
        records = standing.records;
    } else if (strcmp(row->name, "ingest") == 0) {
        records = ingested();
    }
    if (records >= 0) {
        int64_t added = records > row->records ? records - row->records : 0;
        json_key(&json, "records_per_second");
        json_write_decimal(&json, passed_ms > 0 ? (double)added * 1000 / (double)passed_ms : 0);
        row->records = records;
    }
    last_error_write(&json, row->name);
    json_close_object(&json);
}

static void add_field_name(struct resp *commands, const struct health *health, const char *name)
{
    char field[128];
    bool is_only = strcmp(health->instance, "1") == 0;
    snprintf(field, sizeof field, "%s%s%s", name, is_only ? "" : ":", is_only ? "" : health->instance);
    resp_text(commands, field);
}

static void tell(struct health *health)
{
    struct resp commands = {0};
    struct bytes row = {0};
    struct arena arena;
    arena_init(&arena);
    int64_t now_ms = clock_now_ms(&clock_system), now_us = clock_monotonic_us();
    pthread_mutex_lock(&health->lock);
    size_t count = health->row_count;
    if (count) {
        resp_command(&commands, 2 + 2 * count, "HSET");
        resp_key(&commands, health->redis.prefix, "health", (struct view){NULL, 0});
    }
    for (size_t i = 0; i < count; i++) {
        bytes_clear(&row);
        write_row(&row, &health->rows[i], now_ms, (now_us - health->told_at_us) / 1000);
        add_field_name(&commands, health, health->rows[i].name);
        resp_view(&commands, bytes_view(&row));
    }
    pthread_mutex_unlock(&health->lock);
    if (count)
        redis_link_send(health->link, &commands, &arena, NULL);
    health->told_at_us = now_us;
    resp_finish(&commands);
    bytes_finish(&row);
    arena_finish(&arena);
}

static void take_back(struct health *health)
{
    if (health->row_count == 0 || !redis_link_is_connected(health->link))
        return;
    struct resp commands = {0};
    struct arena arena;
    arena_init(&arena);
    resp_command(&commands, 2 + health->row_count, "HDEL");
    resp_key(&commands, health->redis.prefix, "health", (struct view){NULL, 0});
    for (size_t i = 0; i < health->row_count; i++)
        add_field_name(&commands, health, health->rows[i].name);
    redis_link_send(health->link, &commands, &arena, NULL);
    resp_finish(&commands);
    arena_finish(&arena);
}

static void *run_health(void *context)
{
    struct health *health = context;
    while (!atomic_load(&health->stop)) {
        tell(health);
        for (int waited_ms = 0; waited_ms < EVERY_MS && !atomic_load(&health->stop); waited_ms += STEP_MS)
            nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
    }
    if (atomic_load(&health->is_broken))
        tell(health);
    else
        take_back(health);
    return NULL;
}

struct health *health_start(const struct config *config)
{
    struct health *health = memory_zeroed(1, sizeof *health);
    health->instance = config->engine.instance_id;
    health->redis = config->redis;
    if (health->redis.timeout_ms > REDIS_TIMEOUT_MS)
        health->redis.timeout_ms = REDIS_TIMEOUT_MS; /* a stop waits for it */
    health->link = redis_link_create(&health->redis);
    health->told_at_us = clock_monotonic_us();
    pthread_mutex_init(&health->lock, NULL);
    thread_start(&health->thread, run_health, health);
    return health;
}

void health_add(struct health *health, const char *name, struct runner_status *status)
{
    pthread_mutex_lock(&health->lock);
    if (health->row_count < SERVICES_MAX)
        health->rows[health->row_count++] = (struct health_row){name, status, 0};
    pthread_mutex_unlock(&health->lock);
}

void health_stop(struct health *health, bool is_broken)
{
    if (health == NULL)
        return;
    atomic_store(&health->is_broken, is_broken);
    atomic_store(&health->stop, true);
    pthread_join(health->thread, NULL);
    redis_link_destroy(health->link);
    pthread_mutex_destroy(&health->lock);
    free(health);
}
