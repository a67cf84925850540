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
    digest_init(&later->digest, &receiver->digest);
    bytes_printf(&later->topic, "%salerts.escalated", config->kafka->topic_prefix);
    metrics_label(&labels, "receiver", receiver->name);
    later->escalated_total = metrics_counter("touchstream_notify_escalated_total", bytes_text(&labels),
                                             "Alerts told because nobody had acknowledged them for as long as the receiver's `after`.");
    later->inhibited = metrics_gauge("touchstream_notify_inhibited", bytes_text(&labels),
                                     "Alerts not told now because one about the whole, or about the data itself, is open.");
    later->capped_total = metrics_counter("touchstream_notify_capped_total", bytes_text(&labels),
                                          "Alerts put off until the receiver's digest, being beyond its `daily_max`.");
    bytes_finish(&labels);
}

void later_finish(struct later *later)
{
    digest_finish(&later->digest);
    waiting_finish(&later->waiting);
    arena_finish(&later->arena);
    bytes_finish(&later->topic);
}

/* --- what was told ----------------------------------------------------------------------------------------------- */

/* For the next process, without whom the alert is about: who is forgotten is to be forgotten here, too. */
static void write_down(struct later *later, const struct alert *alert, enum note note, int64_t now_ms)
{
    struct bytes value = {0};
    struct alert told = {.alert_id = alert->alert_id,
                         .revision = alert->revision,
                         .rule = alert->rule,
                         .kind = alert->kind,
                         .severity = alert->severity,
                         .state = alert->state,
                         .text = view_of_text(note_texts[note]),
                         .opened_at_ms = alert->opened_at_ms,
                         .changed_at_ms = alert->changed_at_ms,
                         .actor = view_of_text(later->waiting.receiver->name)};
    wire_begin(&value, later->config->escalated_schema_id);
    alert_encode(&value, &told);
    publisher_send(later->publisher, bytes_text(&later->topic), -1, alert->alert_id, bytes_view(&value), now_ms, NULL);
    bytes_finish(&value);
}

static void remember(struct later *later, const struct alert *told, int64_t told_ms)
{
    enum note note = NOTE_DIGEST;
    while (note != NOTE_TOLD && !view_equal_text(told->text, note_texts[note]))
        note--;
    waiting_remember(&later->waiting, told, note, told_ms);
    if (note == NOTE_TOLD)
        digest_counts(&later->digest, told_ms);
}

static bool remember_one(void *context, const struct record *record)
{
    struct later *later = context;
    struct alert told;
    const char *why;
    arena_reset(&later->arena);
    if (record->value.data && record_reader_read(later->log->reader, record->value, &later->arena, &told, NULL, &why) == OUTCOME_OK &&
        view_equal_text(told.actor, later->waiting.receiver->name))
        remember(later, &told, record->timestamp_ms);
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
    digest_forget(&later->digest);
    later->owes_digest = true;
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

/* What is due, decoded: the gravest first, then the oldest; what goes out one by one as it was due. */
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
        size_t place = telling->count++;
        for (; due->group.size && place > 0; place--) {
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

/* Of one message: at one time, which no other has. Last, for their records may go, and the alerts with them. */
static void note_all(struct later *later, const struct alert *alerts, size_t count, enum note note)
{
    int64_t at_ms = digest_stamp_ms(&later->digest, clock_now_ms(later->config->clock));
    for (size_t i = 0; i < count; i++)
        write_down(later, &alerts[i], note, at_ms);
    publisher_flush(later->publisher, 10000);
    for (size_t i = 0; i < count; i++)
        waiting_told(&later->waiting, &alerts[i], note, at_ms);
    if (note == NOTE_TOLD)
        digest_counts(&later->digest, at_ms);
}

/* It goes out whatever was told today. */
static bool is_exempt(const struct later *later, const struct telling *telling)
{
    bool is_exempt = false;
    for (size_t i = 0; i < telling->count; i++)
        is_exempt |= alert_is_over(&telling->alerts[i]) || (telling->alerts[i].severity == SEVERITY_CRITICAL && !later->digest.rules->caps_critical);
    return is_exempt;
}

static bool is_to_be_put_off(const struct later *later, const struct telling *telling)
{
    return digest_is_full(&later->digest) && !is_exempt(later, telling);
}

static void put_off(struct later *later, const struct telling *telling)
{
    metric_add(later->capped_total, (double)telling->count);
    note_all(later, telling->alerts, telling->count, NOTE_CAPPED);
}

/* By one message. false: stopped. */
static bool tell(struct later *later, const struct telling *telling, struct view group)
{
    if (is_to_be_put_off(later, telling)) {
        put_off(later, telling);
        return true;
    }
    const struct group_message message = {telling->alerts, telling->waited_ms, telling->count, group};
    if (!(group.size ? delivery_send_group(later->delivery, &message) : delivery_send(later->delivery, telling->alerts, *telling->waited_ms)))
        return false;
    for (size_t i = 0; i < telling->count; i++)
        metric_add(later->escalated_total, telling->waited_ms[i] > 0);
    note_all(later, telling->alerts, telling->count, NOTE_TOLD);
    return true;
}

/* Long enough: what comes in the log meanwhile may end the wait of others. */
static bool has_talked(const struct later *later, int64_t begun_ms)
{
    return clock_now_ms(later->config->clock) - begun_ms >= SECONDS(1);
}

/* By one message each; what is put off is so together, for there may be very many. false: stopped. */
static bool tell_each(struct later *later, const struct telling *telling, int64_t begun_ms)
{
    for (size_t i = 0; i < telling->count && !has_talked(later, begun_ms);) {
        struct telling some = {telling->alerts + i, telling->waited_ms + i, 1};
        while (i + some.count < telling->count && is_to_be_put_off(later, &(struct telling){some.alerts + some.count, NULL, 1}) &&
               is_to_be_put_off(later, &some))
            some.count++;
        if (!tell(later, &some, (struct view){NULL, 0}))
            return false;
        i += some.count;
    }
    return true;
}

/* --- the digest --- */

static bool tell_digest(struct later *later, const struct view *records, size_t count, int64_t day_ms)
{
    struct digest_summary summary = {.until_ms = day_ms};
    struct alert *alerts = arena_alloc(&later->arena, count * sizeof *alerts);
    bool is_settled = true;
    for (size_t i = 0; i < count && is_settled; i++) {
        const char *why;
        is_settled = record_reader_read(later->log->reader, records[i], &later->arena, &alerts[i], NULL, &why) == OUTCOME_OK;
        if (is_settled)
            digest_add(&summary, &alerts[i]);
    }
    is_settled = is_settled && delivery_send_digest(later->delivery, &summary);
    digest_summary_finish(&summary);
    if (is_settled)
        note_all(later, alerts, count, NOTE_DIGEST);
    return is_settled;
}

/* What was put off before the day began in which we are: the digest's time has come, or had while nobody was there. */
static bool tell_digest_if_due(struct later *later, int64_t now_ms)
{
    int64_t day_before_ms = later->digest.day_ms, day_ms = digest_day_ms(&later->digest, now_ms);
    size_t count;
    if (day_ms == day_before_ms && !later->owes_digest)
        return true;
    arena_reset(&later->arena);
    struct view *records = waiting_capped(&later->waiting, day_ms, &later->arena, &count);
    later->owes_digest = count > 0 && !tell_digest(later, records, count, day_ms);
    return !later->owes_digest;
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
    if (later->digest.rules->daily_max && !tell_digest_if_due(later, now_ms))
        return OUTCOME_RETRY;
    while (!has_talked(later, now_ms) && waiting_due(&later->waiting, now_ms, later->config->settings->max_age_ms, &due)) {
        struct telling telling;
        enum outcome outcome = read_due(later, &due, &telling);
        if (outcome != OUTCOME_OK || atomic_load(later->log->stop))
            return OUTCOME_RETRY;
        if (!(due.group.size ? tell(later, &telling, due.group) : tell_each(later, &telling, now_ms)))
            return OUTCOME_RETRY;
    }
    say_how_many_are_held_back(later);
    return OUTCOME_OK;
}
