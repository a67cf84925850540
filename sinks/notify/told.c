#include "sinks/notify/told.h"

enum { TOLD_MAX = 200000 };

void told_finish(struct told *told)
{
    map_finish(&told->alerts, NULL);
    bytes_finish(&told->is_recalled);
}

bool told_takes(struct told *told, const struct alert *alert)
{
    void *now = (void *)(uintptr_t)(1 + (unsigned)alert->state * 16 + (unsigned)alert->severity);
    bool was_told = map_find(&told->alerts, alert->alert_id) != NULL;
    if (receiver_holds(told->receiver, alert) || !receiver_wants(told->receiver, alert, was_told) || receiver_is_spared(told->receiver, alert, was_told))
        return false;
    if (told->alerts.count >= TOLD_MAX)
        map_finish(&told->alerts, NULL); /* bounded; the price is a repeat */
    void **last = map_place(&told->alerts, alert->alert_id);
    bool has_changed = *last != now;
    *last = now;
    return has_changed;
}

void told_takes_back(struct told *told, const struct alert *alert)
{
    map_remove(&told->alerts, alert->alert_id);
}

/* --- out of the log ---------------------------------------------------------------------------------------------- */

struct recall {
    struct told *told;
    const struct told_log *log;
    const struct record *first;
    struct arena arena;
};

static bool on_record(void *context, const struct record *record)
{
    struct recall *recall = context;
    struct alert alert;
    const char *why;
    if (record->offset >= recall->first->offset)
        return false;
    arena_reset(&recall->arena);
    if (record->value.data && record_reader_read(recall->log->reader, record->value, &recall->arena, &alert, NULL, &why) == OUTCOME_OK)
        told_takes(recall->told, &alert);
    return true;
}

static bool is_recalled(const struct told *told, int32_t partition)
{
    return (size_t)partition < told->is_recalled.size && told->is_recalled.data[partition];
}

static void set_recalled(struct told *told, int32_t partition, bool is_so)
{
    while (told->is_recalled.size <= (size_t)partition)
        bytes_append_byte(&told->is_recalled, false);
    told->is_recalled.data[partition] = is_so;
}

enum outcome told_recall(struct told *told, const struct told_log *log, const struct record *first)
{
    if (is_recalled(told, first->partition))
        return OUTCOME_OK;
    struct recall recall = {.told = told, .log = log, .first = first};
    struct scan scan = {.topic = log->topic, .since_ms = log->since_ms, .only_partition = &first->partition, .context = &recall, .on_record = on_record};
    arena_init(&recall.arena);
    enum outcome outcome = first->offset > 0 ? scan_run(&scan, log->kafka, log->stop) : OUTCOME_OK;
    arena_finish(&recall.arena);
    if (outcome != OUTCOME_OK || atomic_load(log->stop))
        return OUTCOME_RETRY;
    set_recalled(told, first->partition, true);
    return OUTCOME_OK;
}

void told_lose(struct told *told, int32_t partition)
{
    set_recalled(told, partition, false);
}
