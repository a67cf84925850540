#include "ingest/verdicts.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/ring.h"
#include "schemas/kpi_names.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTES_KEPT = 15, SOURCES_MAX = 1000, CODE_MAX = 32, TELL_MS = 10000 };

/* Not told yet, of a minute. */
struct count {
    int64_t taken, refused;
};

struct source_verdicts {
    struct view name;     /* owned */
    int64_t newest;       /* minute; the ring goes back from it */
    int64_t refused_last; /* the minute */
    struct count minutes[MINUTES_KEPT];
    char code[CODE_MAX];
};

struct verdicts {
    pthread_mutex_t lock;
    struct source_verdicts *sources;
    size_t count, capacity;
    int64_t told_at_ms;
    struct bytes key, value;
};

struct verdicts *verdicts_create(void)
{
    struct verdicts *verdicts = memory_zeroed(1, sizeof *verdicts);
    pthread_mutex_init(&verdicts->lock, NULL);
    return verdicts;
}

void verdicts_destroy(struct verdicts *verdicts)
{
    if (!verdicts)
        return;
    for (size_t i = 0; i < verdicts->count; i++)
        free((char *)(uintptr_t)verdicts->sources[i].name.data);
    free(verdicts->sources);
    bytes_finish(&verdicts->key);
    bytes_finish(&verdicts->value);
    pthread_mutex_destroy(&verdicts->lock);
    free(verdicts);
}

/* They are few: names of a list in the configuration, or of mappings. NULL: too many. */
static struct source_verdicts *source_open(struct verdicts *verdicts, struct view name)
{
    for (size_t i = 0; i < verdicts->count; i++)
        if (view_equal(verdicts->sources[i].name, name))
            return &verdicts->sources[i];
    if (verdicts->count == SOURCES_MAX)
        return NULL;
    char *copy = memory_allocate(name.size + 1);
    memcpy(copy, name.data, name.size);
    verdicts->sources = GROWN(verdicts->sources, verdicts->count, verdicts->capacity);
    struct source_verdicts *source = &verdicts->sources[verdicts->count++];
    *source = (struct source_verdicts){.name = view_of(copy, name.size), .newest = INT64_MIN / 2, .refused_last = INT64_MIN / 2};
    return source;
}

/* A clock that was set back makes the newest minute the one. */
static struct count *count_at(struct source_verdicts *source, int64_t minute)
{
    int64_t passed = minute - source->newest;
    for (int64_t i = 0; i < passed && i < MINUTES_KEPT; i++)
        source->minutes[ring_place(minute - i, MINUTES_KEPT)] = (struct count){0, 0};
    source->newest = passed > 0 ? minute : source->newest;
    return &source->minutes[ring_place(source->newest, MINUTES_KEPT)];
}

void verdicts_note(struct verdicts *verdicts, struct view source, int64_t taken, int64_t refused, struct view code, int64_t now_ms)
{
    pthread_mutex_lock(&verdicts->lock);
    struct source_verdicts *one = source_open(verdicts, source);
    if (one) {
        struct count *count = count_at(one, now_ms / MINUTES(1));
        count->taken += taken;
        count->refused += refused;
        if (refused > 0) {
            one->refused_last = one->newest;
            snprintf(one->code, sizeof one->code, "%.*s", VIEW_ARGUMENTS(code));
        }
    }
    pthread_mutex_unlock(&verdicts->lock);
}

static void key_write(struct bytes *key, struct view source)
{
    bytes_clear(key);
    bytes_append_text(key, KPI_REFUSED_KEY "source=");
    kpi_dimension_append_sent_value(key, source);
}

static void source_tell(struct verdicts *verdicts, struct source_verdicts *source, const struct outlet *outlet, int64_t now_ms)
{
    struct kpi_delta_bucket buckets[MINUTES_KEPT];
    size_t count = 0;
    for (int64_t minute = source->newest - MINUTES_KEPT + 1; minute <= source->newest; minute++) {
        const struct count *one = &source->minutes[ring_place(minute, MINUTES_KEPT)];
        if (one->taken + one->refused > 0)
            buckets[count++] = (struct kpi_delta_bucket){.minute = minute, .n = one->taken, .num = one->refused};
    }
    if (count == 0)
        return;
    key_write(&verdicts->key, source->name);
    size_t prefix = strlen(KPI_REFUSED_KEY);
    struct kpi_delta delta = {.kind = DELTA_KIND_HEARD,
                              .kpi = view_of_text(source->code),
                              .dimension = view_of(verdicts->key.data + prefix, verdicts->key.size - prefix),
                              .source_partition = -1,
                              .clock_at_ms = now_ms,
                              .buckets = {buckets, count}};
    if (outlet_send_delta(outlet, bytes_view(&verdicts->key), &delta, now_ms, &verdicts->value) == OUTCOME_OK)
        memset(source->minutes, 0, sizeof source->minutes);
}

void verdicts_tell(struct verdicts *verdicts, const struct outlet *outlet, int64_t now_ms)
{
    pthread_mutex_lock(&verdicts->lock);
    bool is_due = now_ms < verdicts->told_at_ms || now_ms - verdicts->told_at_ms >= TELL_MS;
    for (size_t i = 0; is_due && i < verdicts->count; i++) {
        struct source_verdicts *source = &verdicts->sources[i];
        count_at(source, now_ms / MINUTES(1)); /* what is too old is past */
        if (source->newest - source->refused_last < MINUTES_KEPT)
            source_tell(verdicts, source, outlet, now_ms);
    }
    verdicts->told_at_ms = is_due ? now_ms : verdicts->told_at_ms;
    pthread_mutex_unlock(&verdicts->lock);
}
