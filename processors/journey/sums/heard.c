#include "processors/journey/sums/heard.h"

#include "base/clock.h"
#include "processors/journey/memory/number_table.h"
#include "processors/journey/memory/strings.h"
#include "processors/journey/sums/dimensions.h"
#include "schemas/wire.h"

#include <stdlib.h>

enum { SOURCES_MAX = 1000, MINUTES_TOGETHER = 256, ASTRAY_MINUTES = 5, ASTRAY_MOST = 8 };

struct heard_minute {
    uint32_t source;
    int32_t minute;
};

struct last_heard {
    int32_t minute;  /* told last, or waiting to be */
    uint32_t astray; /* how many were long before it, since */
};

struct heard {
    struct strings sources; /* who comes when there are too many is `_other` */
    struct last_heard *last; /* by source */
    size_t last_count, last_capacity;
    uint32_t recent;        /* most touchpoints come from where the one before came from */
    struct heard_minute *waiting;
    size_t waiting_count, waiting_capacity;
    struct bytes key;
};

struct heard *heard_create(void)
{
    struct heard *heard = memory_zeroed(1, sizeof *heard);
    strings_init(&heard->sources, SOURCES_MAX);
    return heard;
}

void heard_destroy(struct heard *heard)
{
    strings_finish(&heard->sources);
    free(heard->last);
    free(heard->waiting);
    bytes_finish(&heard->key);
    free(heard);
}

/* One that is long before the last is a straggler; when they are many, the last was of a collector whose clock was ahead and has been set right. */
static bool is_set_back(struct last_heard *last, int32_t minute)
{
    return (int64_t)minute < (int64_t)last->minute - ASTRAY_MINUTES && ++last->astray >= ASTRAY_MOST;
}

void heard_note(struct heard *heard, struct view source, int64_t at_ms)
{
    int32_t minute = (int32_t)(at_ms / MINUTES(1));
    if (heard->recent == 0 || !view_equal(strings_text(&heard->sources, heard->recent), source))
        heard->recent = strings_number(&heard->sources, source);
    while (heard->last_count <= heard->recent) {
        heard->last = GROWN(heard->last, heard->last_count, heard->last_capacity);
        heard->last[heard->last_count++] = (struct last_heard){INT32_MIN, 0};
    }
    struct last_heard *last = &heard->last[heard->recent];
    if (heard->recent == 0 || (minute <= last->minute && !is_set_back(last, minute)))
        return;
    *last = (struct last_heard){minute, 0};
    heard->waiting = GROWN(heard->waiting, heard->waiting_count, heard->waiting_capacity);
    heard->waiting[heard->waiting_count++] = (struct heard_minute){heard->recent, minute};
}

static int by_source(const void *one, const void *other)
{
    const struct heard_minute *a = one, *b = other;
    return a->source != b->source ? (a->source < b->source ? -1 : 1) : (a->minute > b->minute) - (a->minute < b->minute);
}

static void source_send(struct heard *heard, const struct heard_minute *minutes, size_t count, const struct totals_target *target)
{
    struct kpi_delta_bucket buckets[MINUTES_TOGETHER];
    struct bytes *key = &heard->key;
    bytes_clear(key);
    bytes_append_text(key, KPI_SOURCE_KEY "source=");
    dimension_append_value(key, strings_text(&heard->sources, minutes->source));
    for (size_t i = 0; i < count; i++)
        buckets[i] = (struct kpi_delta_bucket){.minute = minutes[i].minute, .n = 1};
    struct view dimension = view_of(key->data + strlen(KPI_SOURCE_KEY), key->size - strlen(KPI_SOURCE_KEY));
    struct kpi_delta delta = {.kind = DELTA_KIND_HEARD, .kpi = VIEW_LITERAL(""), .dimension = dimension,
                              .source_partition = target->partition, .clock_at_ms = target->clock_ms};
    delta.buckets.items = buckets;
    delta.buckets.count = count;
    struct bytes *value = outbox_begin(target->outbox, target->topic, OUTBOX_BY_KEY, bytes_view(key), target->timestamp_ms);
    wire_begin(value, target->schema_id);
    kpi_delta_encode(value, &delta);
    outbox_end(target->outbox);
}

void heard_send(struct heard *heard, const struct totals_target *target)
{
    if (heard->waiting_count == 0)
        return;
    qsort(heard->waiting, heard->waiting_count, sizeof *heard->waiting, by_source);
    for (size_t i = 0, count; i < heard->waiting_count; i += count) {
        for (count = 1; i + count < heard->waiting_count && count < MINUTES_TOGETHER; count++)
            if (heard->waiting[i + count].source != heard->waiting[i].source)
                break;
        source_send(heard, &heard->waiting[i], count, target);
    }
    heard->waiting_count = 0;
}
