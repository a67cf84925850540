#include "sinks/redis/redis_batch.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sinks/redis/listeners.h"

void batch_maker_init(struct batch_maker *maker, const char *topic_prefix, const struct redis_settings *redis, struct registry *registry)
{
    *maker = (struct batch_maker){.topic_prefix = topic_prefix, .projection = {.prefix = redis->prefix, .settings = redis}};
    for (size_t i = 0; i < SINK_TOPICS; i++)
        maker->readers[i] = record_reader_create(sink_topics[i].shape, registry);
    maker->undecodable_total =
        metrics_counter("touchstream_sink_undecodable_total", NULL, "Records skipped because they do not decode.");
}

void batch_maker_finish(struct batch_maker *maker)
{
    for (size_t i = 0; i < SINK_TOPICS; i++)
        record_reader_destroy(maker->readers[i]);
    positions_finish(&maker->positions);
    series_hours_finish(&maker->projection.hours);
    kpis_forget(&maker->projection);
    resp_finish(&maker->projection.commands);
    resp_finish(&maker->projection.forgotten);
    resp_finish(&maker->projection.followups);
    bytes_finish(&maker->projection.scratch);
}

/* --- one record -------------------------------------------------------------------------------------------------- */

static struct view without_prefix(const struct batch_maker *maker, struct view topic)
{
    size_t size = strlen(maker->topic_prefix);
    return view_of(topic.data + size, topic.size - size);
}

struct view batch_position_name(const struct batch_maker *maker, struct arena *arena, struct view topic, int32_t partition)
{
    return position_name(arena, without_prefix(maker, topic), partition);
}

static size_t topic_of(const struct batch_maker *maker, struct view topic)
{
    size_t i = 0;
    while (i + 1 < SINK_TOPICS && !view_equal_text(without_prefix(maker, topic), sink_topics[i].name))
        i++;
    return i; /* nothing else is subscribed */
}

static enum outcome project_record(struct batch_maker *maker, const struct record *record, size_t from, bool is_superseded)
{
    struct arena *arena = maker->projection.arena;
    maker->projection.is_superseded = is_superseded;
    if (record->value.data == NULL) {
        if (sink_topics[from].project_gone)
            sink_topics[from].project_gone(&maker->projection, record->key, record->timestamp_ms);
        return OUTCOME_OK;
    }
    if (is_superseded && sink_topics[from].is_last_all)
        return OUTCOME_OK;
    union sink_record any;
    const char *why = "";
    enum outcome outcome = record_reader_read(maker->readers[from], record->value, arena, &any, NULL, &why);
    if (outcome == OUTCOME_OK)
        sink_topics[from].project(&maker->projection, &any);
    if (outcome != OUTCOME_PARK)
        return outcome;
    metric_add(maker->undecodable_total, 1);
    log_warning("skipped a record that does not decode", "topic", arena_text(arena, record->topic), "partition",
                LOG_NUMBER(record->partition), "offset", LOG_NUMBER(record->offset), "error", why, NULL);
    return OUTCOME_OK;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

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
static struct touched *touched_of(struct batch_maker *maker, struct redis_batch *batch, const struct record *record)
{
    struct touched_list *list = &batch->touched;
    for (size_t i = list->count; i-- > 0;) {
        if (list->items[i].partition == record->partition && list->items[i].topic == record->topic.data)
            return &list->items[i];
    }
    struct view name = batch_position_name(maker, &batch->arena, record->topic, record->partition);
    struct touched *touched = positions_touch(&maker->positions, list, name);
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

/* Everything of the batch before it is forgotten. */
static void begin(struct batch_maker *maker, struct redis_batch *batch, const struct record *records, size_t count)
{
    struct projection *projection = &maker->projection;
    arena_reset(&batch->arena);
    batch->touched = (struct touched_list){.items = arena_alloc(&batch->arena, count * sizeof *batch->touched.items)};
    batch->record_count = count;
    projection->arena = &batch->arena;
    projection->now_ms = newest_ms(records, count);
    resp_clear(&projection->commands);
    followups_clear(projection);
    forgotten_clear(projection);
    kpis_forget(projection);
}

static enum outcome project_records(struct batch_maker *maker, struct redis_batch *batch, const struct record *records, size_t count)
{
    const bool *is_superseded = find_superseded(records, count, &batch->arena);
    struct touched *touched = NULL;
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || records[i].topic.data != records[i - 1].topic.data || records[i].partition != records[i - 1].partition) {
            touched = touched_of(maker, batch, &records[i]);
            from = topic_of(maker, records[i].topic);
        }
        if (records[i].offset < touched->after)
            continue;
        enum outcome outcome = project_record(maker, &records[i], from, is_superseded[i]);
        if (outcome != OUTCOME_OK)
            return outcome;
        touched->after = records[i].offset + 1;
    }
    return OUTCOME_OK;
}

/* What the records have left to be written once for all of them. */
static void write_rest(struct batch_maker *maker, struct redis_batch *batch, bool has_listeners)
{
    struct projection *projection = &maker->projection;
    struct resp *commands = &projection->commands;
    forgotten_write(projection);
    followups_trim(projection);
    batch->kpis = kpis_write(projection);
    batch->has_kpis = batch->kpis != NULL;
    if (has_listeners) {
        kpis_publish(batch->kpis, projection->prefix, commands);
        batch->kpis = NULL;
    }
    series_hours_write(&projection->hours, commands, projection->prefix, &batch->arena, &batch->questions);
    positions_write(&batch->touched, commands, projection->prefix);
}

enum outcome batch_make(struct batch_maker *maker, struct redis_batch *batch, const struct record *records, size_t count, bool has_listeners)
{
    struct resp *commands = &maker->projection.commands;
    begin(maker, batch, records, count);
    resp_command(commands, 1, "MULTI");
    enum outcome outcome = project_records(maker, batch, records, count);
    if (outcome != OUTCOME_OK)
        return outcome;
    write_rest(maker, batch, has_listeners);
    batch->exec_at = commands->command_count;
    resp_command(commands, 1, "EXEC");
    if (batch->has_kpis)
        listeners_ask(commands, maker->projection.prefix);
    batch->command_count = commands->command_count;
    return OUTCOME_OK;
}
