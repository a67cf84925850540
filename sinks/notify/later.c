#include "sinks/notify/later.h"

#include "base/log.h"
#include "base/metrics.h"
#include "schemas/wire.h"

void later_init(struct later *later, const struct notify_config *config, const struct told_log *log, struct publisher *publisher,
                struct delivery *delivery)
{
    struct bytes labels = {0};
    const struct receiver *receiver = delivery->receiver;
    *later = (struct later){.config = config, .log = log, .publisher = publisher, .delivery = delivery};
    arena_init(&later->arena);
    waiting_init(&later->waiting, receiver);
    bytes_printf(&later->topic, "%salerts.escalated", config->kafka->topic_prefix);
    metrics_label(&labels, "receiver", receiver->name);
    later->escalated_total = metrics_counter("touchstream_notify_escalated_total", bytes_text(&labels),
                                             "Alerts told because nobody had acknowledged them for as long as the receiver's `after`.");
    later->inhibited = metrics_gauge("touchstream_notify_inhibited", bytes_text(&labels),
                                     "Alerts not told now because one about the whole, or about the data itself, is open.");
    bytes_finish(&labels);
}

void later_finish(struct later *later)
{
    waiting_finish(&later->waiting);
    arena_finish(&later->arena);
    bytes_finish(&later->topic);
}

/* --- what was told ----------------------------------------------------------------------------------------------- */

/* For the next process, without whom the alert is about: who is forgotten is to be forgotten here, too. */
static void write_down(struct later *later, const struct alert *alert, int64_t now_ms)
{
    struct bytes value = {0};
    struct alert told = {.alert_id = alert->alert_id,
                         .revision = alert->revision,
                         .rule = alert->rule,
                         .kind = alert->kind,
                         .severity = alert->severity,
                         .state = alert->state,
                         .text = VIEW_LITERAL(""),
                         .opened_at_ms = alert->opened_at_ms,
                         .changed_at_ms = alert->changed_at_ms,
                         .actor = view_of_text(later->waiting.receiver->name)};
    wire_begin(&value, later->config->escalated_schema_id);
    alert_encode(&value, &told);
    publisher_send(later->publisher, bytes_text(&later->topic), -1, alert->alert_id, bytes_view(&value), now_ms, NULL);
    bytes_finish(&value);
}

static bool remember_one(void *context, const struct record *record)
{
    struct later *later = context;
    struct alert told;
    const char *why;
    arena_reset(&later->arena);
    if (record->value.data && record_reader_read(later->log->reader, record->value, &later->arena, &told, NULL, &why) == OUTCOME_OK &&
        view_equal_text(told.actor, later->waiting.receiver->name))
        waiting_remember(&later->waiting, &told, record->timestamp_ms);
    return true;
}

static bool has_ended(const struct later *later, enum outcome outcome)
{
    return outcome == OUTCOME_OK && !atomic_load(later->log->stop);
}

static bool read_what_was_told(struct later *later)
{
    struct scan scan = {.topic = bytes_text(&later->topic), .since_ms = later->log->since_ms, .context = later, .on_record = remember_one};
    waiting_reset(&later->waiting);
    return has_ended(later, scan_run(&scan, later->config->kafka, later->log->stop));
}

/* --- what there is to tell --------------------------------------------------------------------------------------- */

void later_takes(struct later *later, const struct alert *alert, struct view record)
{
    waiting_takes(&later->waiting, alert, record, clock_now_ms(later->config->clock));
}

static bool take_old_one(void *context, const struct record *record)
{
    struct later *later = context;
    struct alert alert;
    const char *why;
    later->old_until = record->offset + 1;
    arena_reset(&later->arena);
    if (!record->value.data)
        return true;
    enum outcome outcome = record_reader_read(later->log->reader, record->value, &later->arena, &alert, NULL, &why);
    if (outcome == OUTCOME_OK)
        later_takes(later, &alert, record->value);
    later->is_lost |= outcome == OUTCOME_RETRY || outcome == OUTCOME_STOP;
    return !later->is_lost;
}

/* All that has been said is read before anything is told: somebody may have acknowledged since what waits. From there on it comes live. What cannot
 * be read now is asked for again, by a REDO. */
int64_t later_read_old(struct later *later, int32_t partition)
{
    struct scan scan = {.topic = later->log->topic, .since_ms = later->log->since_ms, .only_partition = &partition, .context = later,
                        .on_record = take_old_one};
    later->old_until = 0;
    if (!later->knows_told)
        later->knows_told = read_what_was_told(later);
    if (!later->knows_told || !has_ended(later, scan_run(&scan, later->config->kafka, later->log->stop)))
        later->is_lost = true;
    return later->old_until;
}

bool later_is_complete(struct later *later)
{
    bool is_complete = !later->is_lost;
    later->is_lost = false;
    later->knows_told &= is_complete;
    return is_complete;
}

void later_lose(struct later *later)
{
    later->knows_told = false;
    waiting_reset(&later->waiting);
}

/* --- telling ----------------------------------------------------------------------------------------------------- */

/* What is due, decoded. */
struct telling {
    struct alert *alerts;
    int64_t *waited_ms;
    size_t count;
};

static enum outcome read_due(struct later *later, const struct due *due, struct telling *telling)
{
    arena_reset(&later->arena);
    *telling = (struct telling){.alerts = arena_alloc(&later->arena, due->count * sizeof *telling->alerts),
                                .waited_ms = arena_alloc(&later->arena, due->count * sizeof *telling->waited_ms)};
    for (size_t i = 0; i < due->count; i++) {
        const char *why;
        struct alert alert;
        if (record_reader_read(later->log->reader, due->items[i].record, &later->arena, &alert, NULL, &why) != OUTCOME_OK)
            return OUTCOME_RETRY;
        size_t place = telling->count++; /* the gravest first, then the oldest */
        for (; place > 0; place--) {
            const struct alert *other = &telling->alerts[place - 1];
            if (other->severity > alert.severity || (other->severity == alert.severity && other->opened_at_ms <= alert.opened_at_ms))
                break;
            telling->alerts[place] = *other;
            telling->waited_ms[place] = telling->waited_ms[place - 1];
        }
        telling->alerts[place] = alert;
        telling->waited_ms[place] = due->items[i].waited_ms;
    }
    return OUTCOME_OK;
}

static void note_as_told(struct later *later, const struct telling *telling)
{
    int64_t now_ms = clock_now_ms(later->config->clock);
    for (size_t i = 0; i < telling->count; i++)
        write_down(later, &telling->alerts[i], now_ms);
    publisher_flush(later->publisher, 10000);
    for (size_t i = 0; i < telling->count; i++) {
        waiting_told(&later->waiting, &telling->alerts[i], now_ms); /* last: its record may go, and the alert with it */
        metric_add(later->escalated_total, telling->waited_ms[i] > 0);
    }
}

/* false: stopped. */
static bool tell(struct later *later, const struct telling *telling, struct view group)
{
    const struct group_message message = {telling->alerts, telling->waited_ms, telling->count, group};
    bool is_settled = group.size ? delivery_send_group(later->delivery, &message) : delivery_send(later->delivery, telling->alerts, *telling->waited_ms);
    if (is_settled)
        note_as_told(later, telling);
    return is_settled;
}

static void say_how_many_are_held_back(struct later *later)
{
    size_t now = later->waiting.inhibited, before = (size_t)metric_value(later->inhibited);
    if (!now != !before)
        log_info(now ? "alerts are not told while one about the whole or about the data is open" : "no alert is held back any more", "receiver",
                 later->waiting.receiver->name, NULL);
    metric_set(later->inhibited, (double)now);
}

enum outcome later_tell(struct later *later)
{
    struct due due;
    int64_t now_ms = clock_now_ms(later->config->clock);
    while (waiting_due(&later->waiting, now_ms, later->config->settings->max_age_ms, &due)) {
        struct telling telling;
        enum outcome outcome = read_due(later, &due, &telling);
        if (outcome != OUTCOME_OK || !tell(later, &telling, due.group))
            return OUTCOME_RETRY;
    }
    say_how_many_are_held_back(later);
    return OUTCOME_OK;
}
