#include "sinks/notify/notify.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "engine/follow.h"
#include "engine/publisher.h"
#include "schemas/reader.h"
#include "schemas/wire.h"
#include "sinks/notify/delivery.h"
#include "sinks/notify/escalation.h"
#include "sinks/notify/silences.h"
#include "sinks/notify/told.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RECALL_DAYS = 31 /* a case without news for 30 days has expired */ };

/* One receiver's thread. */
struct notifier {
    const struct notify_config *config;
    const struct receiver *receiver;
    atomic_bool *stop;
    struct record_reader *reader;
    struct publisher *publisher; /* of what is kept, and of what was told */
    struct delivery delivery;
    struct told told;
    struct told_log log;
    struct escalation escalation; /* in told's stead, for a receiver that escalates */
    const char *escalated_topic;  /* with prefix */
    bool knows_told;              /* that has been read */
    bool is_lost;                 /* a part of the logs could not be */
    int64_t old_until;            /* how far a partition has been read that was just assigned */
    struct arena arena;
    struct metric *escalated_total;
    pthread_t thread;
    atomic_bool is_gone;
    enum outcome outcome;
};

/* --- which alerts ------------------------------------------------------------------------------------------------ */

static bool is_young(const struct notifier *notifier, const struct alert *alert)
{
    return clock_now_ms(notifier->config->clock) - alert->changed_at_ms <= notifier->config->settings->max_age_ms;
}

static bool is_due(struct notifier *notifier, const struct alert *alert)
{
    return is_young(notifier, alert) && told_takes(&notifier->told, alert);
}

static void on_revoked(void *context, struct view topic, int32_t partition)
{
    struct notifier *notifier = context;
    (void)topic; /* there is one */
    told_lose(&notifier->told, partition);
}

static enum outcome on_batch(void *context, const struct record *records, size_t count)
{
    struct notifier *notifier = context;
    for (size_t i = 0; i < count; i++) {
        arena_reset(&notifier->arena);
        struct alert alert;
        const char *why;
        enum outcome outcome = told_recall(&notifier->told, &notifier->log, &records[i]);
        if (outcome != OUTCOME_OK)
            return outcome;
        outcome = OUTCOME_PARK;
        if (records[i].value.data)
            outcome = record_reader_read(notifier->reader, records[i].value, &notifier->arena, &alert, NULL, &why);
        if (outcome == OUTCOME_RETRY || outcome == OUTCOME_STOP)
            return outcome;
        if (outcome == OUTCOME_OK && is_due(notifier, &alert) && !delivery_send(&notifier->delivery, &alert, 0)) {
            told_takes_back(&notifier->told, &alert);
            return OUTCOME_RETRY; /* stopped in the middle: after the restart it comes again */
        }
    }
    return OUTCOME_OK;
}

/* --- what nobody has acknowledged -------------------------------------------------------------------------------- */

/* For the next process, without whom the alert is about: who is forgotten is to be forgotten here, too. */
static void write_down(struct notifier *notifier, const struct alert *alert)
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
                         .actor = view_of_text(notifier->receiver->name)};
    wire_begin(&value, notifier->config->escalated_schema_id);
    alert_encode(&value, &told);
    publisher_send(notifier->publisher, notifier->escalated_topic, -1, alert->alert_id, bytes_view(&value),
                   clock_now_ms(notifier->config->clock), NULL);
    publisher_flush(notifier->publisher, 10000);
    bytes_finish(&value);
}

/* false: stopped. */
static bool escalate(struct notifier *notifier, const struct alert *alert, int64_t waited_ms)
{
    if (!delivery_send(&notifier->delivery, alert, waited_ms))
        return false;
    write_down(notifier, alert);
    escalation_told(&notifier->escalation, alert); /* last: its record may go, and the alert with it */
    metric_add(notifier->escalated_total, waited_ms > 0);
    return true;
}

static bool remember_one(void *context, const struct record *record)
{
    struct notifier *notifier = context;
    struct alert told;
    const char *why;
    arena_reset(&notifier->arena);
    if (record->value.data && record_reader_read(notifier->reader, record->value, &notifier->arena, &told, NULL, &why) == OUTCOME_OK &&
        view_equal_text(told.actor, notifier->receiver->name))
        escalation_remember(&notifier->escalation, &told);
    return true;
}

static bool is_complete(const struct notifier *notifier, enum outcome outcome)
{
    return outcome == OUTCOME_OK && !atomic_load(notifier->stop);
}

static bool read_what_was_told(struct notifier *notifier)
{
    struct scan scan = {.topic = notifier->escalated_topic, .since_ms = notifier->log.since_ms, .context = notifier, .on_record = remember_one};
    escalation_reset(&notifier->escalation);
    return is_complete(notifier, scan_run(&scan, notifier->config->kafka, notifier->stop));
}

static enum outcome take_one(struct notifier *notifier, const struct record *record)
{
    struct alert alert;
    const char *why;
    arena_reset(&notifier->arena);
    if (!record->value.data)
        return OUTCOME_OK;
    enum outcome outcome = record_reader_read(notifier->reader, record->value, &notifier->arena, &alert, NULL, &why);
    if (outcome == OUTCOME_RETRY || outcome == OUTCOME_STOP)
        return outcome;
    if (outcome == OUTCOME_OK)
        escalation_takes(&notifier->escalation, &alert, record->value);
    return OUTCOME_OK;
}

static bool take_old_one(void *context, const struct record *record)
{
    struct notifier *notifier = context;
    notifier->old_until = record->offset + 1;
    notifier->is_lost |= take_one(notifier, record) != OUTCOME_OK;
    return !notifier->is_lost;
}

/* All that has been said is read before anything is told: somebody may have acknowledged since what waits. From there on it comes live. What cannot
 * be read now is asked for again, by a REDO. */
static int64_t start_at(void *context, struct view topic, int32_t partition)
{
    struct notifier *notifier = context;
    struct scan scan = {.topic = notifier->log.topic, .since_ms = notifier->log.since_ms, .only_partition = &partition, .context = notifier,
                        .on_record = take_old_one};
    (void)topic; /* there is one */
    notifier->old_until = 0;
    if (!notifier->knows_told)
        notifier->knows_told = read_what_was_told(notifier);
    if (!notifier->knows_told || !is_complete(notifier, scan_run(&scan, notifier->config->kafka, notifier->stop)))
        notifier->is_lost = true;
    return notifier->old_until;
}

static enum outcome escalate_due(struct notifier *notifier)
{
    struct view value;
    int64_t waited_ms;
    int64_t now_ms = clock_now_ms(notifier->config->clock);
    while (escalation_due(&notifier->escalation, now_ms, notifier->config->settings->max_age_ms, &value, &waited_ms)) {
        struct alert alert;
        const char *why;
        arena_reset(&notifier->arena);
        enum outcome outcome = record_reader_read(notifier->reader, value, &notifier->arena, &alert, NULL, &why);
        if (outcome != OUTCOME_OK)
            return OUTCOME_RETRY;
        if (!escalate(notifier, &alert, waited_ms))
            return OUTCOME_RETRY;
    }
    return OUTCOME_OK;
}

/* Who has them now may tell more before they come back. All of them go at once. */
static void on_escalations_revoked(void *context, struct view topic, int32_t partition)
{
    struct notifier *notifier = context;
    (void)topic, (void)partition;
    notifier->knows_told = false;
    escalation_reset(&notifier->escalation);
}

static enum outcome on_escalation_batch(void *context, const struct record *records, size_t count)
{
    struct notifier *notifier = context;
    enum outcome outcome = OUTCOME_OK;
    if (notifier->is_lost) {
        notifier->is_lost = notifier->knows_told = false;
        return OUTCOME_REDO;
    }
    for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++)
        outcome = take_one(notifier, &records[i]);
    return outcome == OUTCOME_OK ? escalate_due(notifier) : outcome;
}

/* --- the service ------------------------------------------------------------------------------------------------- */

static void *run_notifier(void *context)
{
    struct notifier *notifier = context;
    struct bytes topic = {0}, group = {0}, labels = {0}, escalated = {0};
    char error[256];
    const char *prefix = notifier->config->kafka->topic_prefix;
    bytes_printf(&topic, "%salerts", prefix);
    bytes_printf(&escalated, "%salerts.escalated", prefix);
    bytes_printf(&group, "%snotify.%s", prefix, notifier->receiver->name);
    metrics_label(&labels, "receiver", notifier->receiver->name);
    notifier->escalated_total = metrics_counter("touchstream_notify_escalated_total", bytes_text(&labels),
                                                "Alerts told because nobody had acknowledged them for as long as the receiver's `after`.");
    arena_init(&notifier->arena);
    notifier->reader = record_reader_create(&alert_shape, notifier->config->registry);
    notifier->publisher = publisher_create(notifier->config->kafka, &(struct publisher_settings){0}, NULL, error, sizeof error);
    delivery_init(&notifier->delivery, notifier->config, notifier->receiver, notifier->publisher, notifier->stop);
    notifier->told.receiver = notifier->receiver;
    notifier->log = (struct told_log){bytes_text(&topic), notifier->config->kafka, notifier->reader,
                                      clock_now_ms(notifier->config->clock) - DAYS(RECALL_DAYS), notifier->stop};
    escalation_init(&notifier->escalation, notifier->receiver);
    notifier->escalated_topic = bytes_text(&escalated);
    const char *topics[] = {bytes_text(&topic), NULL};
    struct follow follow = {.group = bytes_text(&group), .topics = topics, .batch_records_max = 100, .wait_ms_max = 500,
                            .context = notifier, .on_batch = on_batch, .on_revoked = on_revoked};
    if (notifier->receiver->escalates) {
        follow.start_at = start_at;
        follow.on_batch = on_escalation_batch;
        follow.on_revoked = on_escalations_revoked;
    }
    notifier->outcome = notifier->publisher ? follow_run(&follow, notifier->config->kafka, notifier->stop) : OUTCOME_STOP;
    delivery_finish(&notifier->delivery);
    publisher_destroy(notifier->publisher);
    record_reader_destroy(notifier->reader);
    told_finish(&notifier->told);
    escalation_finish(&notifier->escalation);
    arena_finish(&notifier->arena);
    bytes_finish(&topic);
    bytes_finish(&group);
    bytes_finish(&labels);
    bytes_finish(&escalated);
    atomic_store(&notifier->is_gone, true);
    return NULL;
}

/* The log says when a silence begins and ends, as long as anybody is told anything. */
static void watch_silences(const struct notify_config *config, const struct silences *silences, const struct notifier *notifiers, size_t count,
                           atomic_bool *stop)
{
    int64_t before_ms = INT64_MIN;
    bool is_anybody_there = true;
    while (silences->count && is_anybody_there && !atomic_load(stop)) {
        int64_t now_ms = clock_now_ms(config->clock);
        silences_say(silences, before_ms, now_ms);
        before_ms = now_ms;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        is_anybody_there = count == 0;
        for (size_t i = 0; i < count; i++)
            is_anybody_there |= !atomic_load(&notifiers[i].is_gone);
    }
}

enum outcome notify_run(const struct notify_config *config, atomic_bool *stop)
{
    struct receiver receivers[RECEIVERS_MAX];
    struct silences silences;
    struct bytes error = {0};
    size_t count;
    if (!receivers_read(config->settings, receivers, &count, &error) || !silences_read(config->settings->silences, &silences, &error)) {
        log_error("wrong configuration", "error", bytes_text(&error), NULL);
        bytes_finish(&error);
        return OUTCOME_STOP;
    }
    if (count == 0)
        log_info("nobody to notify: notify.receivers is empty", NULL);
    struct notifier *notifiers = memory_zeroed(RECEIVERS_MAX, sizeof *notifiers);
    for (size_t i = 0; i < count; i++) {
        receivers[i].silences = &silences;
        notifiers[i] = (struct notifier){.config = config, .receiver = &receivers[i], .stop = stop};
        thread_create(&notifiers[i].thread, run_notifier, &notifiers[i]);
    }
    watch_silences(config, &silences, notifiers, count, stop);
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < count; i++) {
        pthread_join(notifiers[i].thread, NULL);
        if (notifiers[i].outcome == OUTCOME_STOP)
            outcome = OUTCOME_STOP;
    }
    free(notifiers);
    return outcome;
}
