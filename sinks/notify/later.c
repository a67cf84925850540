#include "sinks/notify/later.h"

#include "base/log.h"
#include "base/metrics.h"
#include "schemas/alert_rules.h"
#include "schemas/wire.h"

#include <stdlib.h>
#include <string.h>

/* Notes are gone after the 90 days of their topic. Whoever was told of what lasts longer is to hear of its end all the same, so what is open is noted
 * again in time: by who has just read all there is, for another process may have told its end since. Therefore all is read again now and then. */
#define NOTED_AGAIN_MS DAYS(30)

void later_init(struct later *later, const struct notify_config *config, struct alert_log log, struct publisher *publisher, struct delivery *delivery)
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
    later->repeated_total = metrics_counter("touchstream_notify_repeated_total", bytes_text(&labels),
                                            "Alerts told again, being open still after the receiver's `repeat_interval`.");
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
    bytes_finish(&later->live);
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
    for (int attempt = 0; attempt < 2; attempt++) { /* of an old log there may be more than its queue holds */
        if (publisher_send(later->publisher, bytes_text(&later->topic), -1, alert->alert_id, bytes_view(&value), now_ms, NULL) != OUTCOME_RETRY)
            break;
        publisher_flush(later->publisher, 10000);
    }
    later->owes_flush = true;
    bytes_finish(&value);
}

static void note_again(struct later *later)
{
    int64_t now_ms = clock_now_ms(later->config->clock);
    size_t count;
    arena_reset(&later->arena);
    const struct alert *fading = waiting_fading(&later->waiting, now_ms - NOTED_AGAIN_MS, &later->arena, &count);
    for (size_t i = 0; i < count; i++) {
        write_down(later, &fading[i], NOTE_KEPT, now_ms);
        waiting_remember(&later->waiting, &fading[i], NOTE_KEPT, now_ms);
    }
}

/* About no alert: whoever reads the notes later knows that from here on they are complete. */
static void write_down_beginning(struct later *later)
{
    int64_t now_ms = clock_now_ms(later->config->clock);
    const struct alert beginning = {.alert_id = view_of_text(later->waiting.receiver->name), .rule = VIEW_LITERAL(""), .opened_at_ms = now_ms, .changed_at_ms = now_ms};
    write_down(later, &beginning, NOTE_BEGUN, now_ms);
    later->owes_beginning = false;
}

/* Once for all that was told since the last time: one wait for Kafka each would be all that we do. */
static void flush_notes(struct later *later)
{
    if (later->owes_flush)
        publisher_flush(later->publisher, 10000);
    later->owes_flush = false;
}

static void remember(struct later *later, const struct alert *told, int64_t told_ms)
{
    enum note note = NOTE_BEGUN;
    while (note != NOTE_TOLD && !view_equal_text(told->text, note_texts[note]))
        note--;
    if (note == NOTE_BEGUN) {
        later->has_begun = true;
        return;
    }
    waiting_remember(&later->waiting, told, note, told_ms < later->read_at_ms ? told_ms : later->read_at_ms);
    if (note == NOTE_TOLD)
        digest_counts(&later->digest, told_ms);
}

static bool remember_one(void *context, const struct record *record)
{
    struct later *later = context;
    struct alert told;
    const char *why;
    arena_reset(&later->arena);
    if (record->value.data && record_reader_read(later->log.reader, record->value, &later->arena, &told, NULL, &why) == OUTCOME_OK &&
        view_equal_text(told.actor, later->waiting.receiver->name))
        remember(later, &told, record->timestamp_ms);
    return true;
}

static bool has_ended(const struct later *later, enum outcome outcome)
{
    return outcome == OUTCOME_OK && !atomic_load(later->log.stop);
}

static bool read_what_was_told(struct later *later)
{
    struct scan scan = {.topic = bytes_text(&later->topic), .since_ms = later->log.since_ms, .context = later, .on_record = remember_one};
    waiting_reset(&later->waiting);
    digest_forget(&later->digest);
    later->owes_digest = true;
    later->has_begun = false;
    later->read_ms = clock_monotonic_ms(later->config->clock);
    later->read_at_ms = clock_now_ms(later->config->clock);
    if (!has_ended(later, scan_run(&scan, later->config->kafka, later->log.stop)))
        return false;
    note_again(later);
    return true;
}

/* --- what there is to tell --------------------------------------------------------------------------------------- */

bool later_takes(struct later *later, const struct alert *alert, struct view record)
{
    return waiting_takes_live(&later->waiting, alert, record, clock_now_ms(later->config->clock), later->config->settings->max_age_ms);
}

static int64_t *live_from(struct later *later, int32_t partition)
{
    static const int64_t unknown = -1;
    while (later->live.size < (size_t)(partition + 1) * sizeof unknown)
        bytes_append(&later->live, &unknown, sizeof unknown);
    return (int64_t *)(void *)later->live.data + partition;
}

void later_is_handled(struct later *later, int32_t partition, int64_t committed)
{
    *live_from(later, partition) = committed;
}

/* Of a version that did not note what it told at once: all that it handled it has told. Noted now, so that this is asked once. */
static void presume_told(struct later *later, const struct alert *alert, struct view record)
{
    if (!waiting_takes_live(&later->waiting, alert, record, alert->changed_at_ms, INT64_MAX / 2))
        return;
    write_down(later, alert, NOTE_TOLD, alert->changed_at_ms);
    waiting_told(&later->waiting, alert, NOTE_TOLD, alert->changed_at_ms);
}

static void take_old(struct later *later, const struct alert *alert, const struct record *record)
{
    bool is_held = receiver_holds(later->waiting.receiver, alert);
    if (!is_held && record->offset >= *live_from(later, record->partition))
        return; /* it comes, and what comes after it in its turn */
    if (is_held || later->has_begun)
        waiting_takes(&later->waiting, alert, record->value, clock_now_ms(later->config->clock));
    else
        presume_told(later, alert, record->value);
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
    enum outcome outcome = record_reader_read(later->log.reader, record->value, &later->arena, &alert, NULL, &why);
    if (outcome == OUTCOME_OK)
        take_old(later, &alert, record);
    later->is_lost |= outcome_is_for_later(outcome);
    return !later->is_lost;
}

/* All that has been said is read before anything is told: somebody may have acknowledged since what waits. From there on it comes live. What cannot
 * be read now is asked for again, by a REDO. */
int64_t later_read_old(struct later *later, int32_t partition)
{
    struct scan scan = {.topic = later->log.topic, .since_ms = later->log.since_ms, .only_partition = &partition, .context = later,
                        .on_record = take_old_one};
    later->old_until = 0;
    if (!later->knows_told)
        later->knows_told = read_what_was_told(later);
    if (!later->knows_told || *live_from(later, partition) < 0 || !has_ended(later, scan_run(&scan, later->config->kafka, later->log.stop)))
        later->is_lost = true;
    later->owes_beginning = true;
    return later->old_until;
}

void later_read_again(struct later *later)
{
    later->is_lost = true;
}

/* Who is told when is a matter of dates: `after`, a silence, a day's messages, all of them in the topics. What was noted here of a clock that
 * is set back since (when something came, when its group was told) lies ahead now and would hold up what is to be told, by an hour if it was
 * that. Read again it is as after a restart. */
static bool is_clock_set_back(const struct later *later)
{
    int64_t passed_ms = clock_monotonic_ms(later->config->clock) - later->read_ms;
    return clock_now_ms(later->config->clock) - later->read_at_ms < passed_ms - SECONDS(2);
}

bool later_is_complete(struct later *later)
{
    if (later->knows_told && (clock_monotonic_ms(later->config->clock) - later->read_ms > NOTED_AGAIN_MS || is_clock_set_back(later)))
        later->is_lost = true;
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

/* What is due, decoded: of a group the gravest first, then the oldest; what goes out one by one as it was due. */
struct telling {
    struct alert *alerts;
    int64_t *waited_ms, *told_again_ms; /* as in struct due_item */
    size_t count;
};

struct decoded {
    struct alert alert;
    const struct due_item *item;
};

static int compare_decoded(const void *a, const void *b)
{
    const struct decoded *one = a, *other = b;
    if (one->alert.severity != other->alert.severity)
        return one->alert.severity > other->alert.severity ? -1 : 1;
    if (one->alert.opened_at_ms != other->alert.opened_at_ms)
        return one->alert.opened_at_ms < other->alert.opened_at_ms ? -1 : 1;
    return view_compare(one->alert.alert_id, other->alert.alert_id);
}

static enum outcome read_due(struct later *later, const struct due *due, struct telling *telling)
{
    arena_reset(&later->arena);
    struct decoded *all = arena_alloc(&later->arena, due->count * sizeof *all);
    for (size_t i = 0; i < due->count; i++) {
        const char *why;
        all[i].item = &due->items[i];
        if (record_reader_read(later->log.reader, due->items[i].record, &later->arena, &all[i].alert, NULL, &why) != OUTCOME_OK)
            return OUTCOME_RETRY;
    }
    if (due->group.size)
        qsort(all, due->count, sizeof *all, compare_decoded);
    *telling = (struct telling){.alerts = arena_alloc(&later->arena, due->count * sizeof *telling->alerts),
                                .waited_ms = arena_alloc(&later->arena, due->count * sizeof *telling->waited_ms),
                                .told_again_ms = arena_alloc(&later->arena, due->count * sizeof *telling->told_again_ms),
                                .count = due->count};
    for (size_t i = 0; i < due->count; i++) {
        telling->alerts[i] = all[i].alert;
        telling->waited_ms[i] = all[i].item->waited_ms;
        telling->told_again_ms[i] = all[i].item->told_again_ms;
    }
    return OUTCOME_OK;
}

static struct telling part_of(const struct telling *telling, size_t first, size_t count)
{
    return (struct telling){telling->alerts + first, telling->waited_ms + first, telling->told_again_ms + first, count};
}

/* Of one message: at one time, which no other has. Last, for their records may go, and the alerts with them. */
static void note_all(struct later *later, const struct alert *alerts, size_t count, enum note note)
{
    int64_t at_ms = digest_stamp_ms(&later->digest, clock_now_ms(later->config->clock));
    for (size_t i = 0; i < count; i++)
        write_down(later, &alerts[i], note, at_ms);
    for (size_t i = 0; i < count; i++)
        waiting_told(&later->waiting, &alerts[i], note, at_ms);
    if (note == NOTE_TOLD)
        digest_counts(&later->digest, at_ms);
}

void later_told(struct later *later, const struct alert *alert)
{
    note_all(later, alert, 1, NOTE_TOLD);
}

/* It goes out whatever was told today. */
static bool is_exempt(const struct later *later, const struct telling *telling)
{
    bool is_exempt = false;
    for (size_t i = 0; i < telling->count; i++)
        is_exempt |= alert_is_over(telling->alerts[i].state) || (telling->alerts[i].severity == SEVERITY_CRITICAL && !later->digest.rules->caps_critical);
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
static bool tell(struct later *later, const struct telling *telling, const struct group_message *group)
{
    if (is_to_be_put_off(later, telling)) {
        put_off(later, telling);
        return true;
    }
    if (!(group ? delivery_send_group(later->delivery, group)
                : delivery_send(later->delivery, telling->alerts, *telling->waited_ms, *telling->told_again_ms)))
        return false;
    for (size_t i = 0; i < telling->count; i++)
        metric_add(telling->told_again_ms[i] ? later->repeated_total : later->escalated_total, telling->waited_ms[i] > 0);
    note_all(later, telling->alerts, telling->count, NOTE_TOLD);
    return true;
}

/* As many messages as it takes, one behind the other: a list for people says how many there are, a program wants each of them. */
static bool tell_group(struct later *later, const struct telling *telling, struct view key)
{
    size_t most = later->waiting.receiver->form == RECEIVER_JSON ? GROUP_PART_MOST : telling->count;
    size_t parts = (telling->count + most - 1) / most;
    for (size_t part = 0; part < parts; part++) {
        size_t first = part * most, left = telling->count - first;
        struct telling some = part_of(telling, first, left < most ? left : most);
        const struct group_message message = {some.alerts, some.waited_ms, some.count, key, some.told_again_ms, part + 1, parts};
        if (!tell(later, &some, &message))
            return false;
    }
    return true;
}

/* Long enough: what comes in the log meanwhile may end the wait of others. */
static bool has_talked(const struct later *later, int64_t begun_ms)
{
    return clock_monotonic_ms(later->config->clock) - begun_ms >= SECONDS(1);
}

/* By one message each; what is put off is so together, for there may be very many. false: stopped. */
static bool tell_each(struct later *later, const struct telling *telling, int64_t begun_ms)
{
    for (size_t i = 0; i < telling->count && !has_talked(later, begun_ms);) {
        struct telling some = part_of(telling, i, 1);
        while (i + some.count < telling->count && is_to_be_put_off(later, &(struct telling){.alerts = some.alerts + some.count, .count = 1}) &&
               is_to_be_put_off(later, &some))
            some.count++;
        if (!tell(later, &some, NULL))
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
        is_settled = record_reader_read(later->log.reader, records[i], &later->arena, &alerts[i], NULL, &why) == OUTCOME_OK;
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

static enum outcome tell_all(struct later *later)
{
    struct due due;
    int64_t now_ms = clock_now_ms(later->config->clock), begun_ms = clock_monotonic_ms(later->config->clock);
    if (later->digest.rules->daily_max && !tell_digest_if_due(later, now_ms))
        return OUTCOME_RETRY;
    while (!has_talked(later, begun_ms) && waiting_due(&later->waiting, now_ms, later->config->settings->max_age_ms, &due)) {
        struct telling telling;
        enum outcome outcome = read_due(later, &due, &telling);
        if (outcome != OUTCOME_OK || atomic_load(later->log.stop))
            return OUTCOME_RETRY;
        if (!(due.group.size ? tell_group(later, &telling, due.group) : tell_each(later, &telling, begun_ms)))
            return OUTCOME_RETRY;
    }
    say_how_many_are_held_back(later);
    return OUTCOME_OK;
}

enum outcome later_tell(struct later *later)
{
    if (later->owes_beginning)
        write_down_beginning(later);
    enum outcome outcome = tell_all(later);
    flush_notes(later);
    return outcome;
}
