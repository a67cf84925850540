#include "sinks/notify/notify.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "engine/follow.h"
#include "engine/publisher.h"
#include "schemas/reader.h"
#include "sinks/notify/delivery.h"
#include "sinks/notify/later.h"
#include "sinks/notify/silences.h"
#include "sinks/notify/told.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { RECALL_DAYS = 31, /* a case without news for 30 days has expired */
       KEPT_DAYS = 90 /* and a KPI that misses its target may do so for as long as the topics are kept */ };

/* One receiver's thread. */
struct notifier {
    const struct notify_config *config;
    const struct receiver *receiver;
    atomic_bool *stop;
    struct record_reader *reader;
    struct publisher *publisher; /* of what is kept, and of what was told */
    struct delivery delivery;
    struct told told; /* of what is told as it comes */
    struct told_log log, whole_log;
    struct later later; /* and what is not */
    bool has_later;
    struct arena arena;
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
    later_lose(&notifier->later);
}

/* What is told as it comes goes on where it was; of what waits all that has been said has just been read. */
static int64_t start_at(void *context, struct view topic, int32_t partition)
{
    struct notifier *notifier = context;
    (void)topic; /* there is one */
    int64_t old_until = later_read_old(&notifier->later, partition);
    return receiver_holds_all(notifier->receiver) ? old_until : -1;
}

static enum outcome on_record(struct notifier *notifier, const struct record *record)
{
    struct alert alert;
    const char *why;
    if (!record->value.data)
        return OUTCOME_OK;
    arena_reset(&notifier->arena);
    enum outcome outcome = record_reader_read(notifier->reader, record->value, &notifier->arena, &alert, NULL, &why);
    if (outcome != OUTCOME_OK)
        return outcome == OUTCOME_RETRY || outcome == OUTCOME_STOP ? outcome : OUTCOME_OK;
    if (notifier->has_later)
        later_takes(&notifier->later, &alert, record->value);
    if (is_due(notifier, &alert) && !delivery_send(&notifier->delivery, &alert, 0)) {
        told_takes_back(&notifier->told, &alert);
        return OUTCOME_RETRY; /* stopped in the middle: after the restart it comes again */
    }
    return OUTCOME_OK;
}

static enum outcome on_batch(void *context, const struct record *records, size_t count)
{
    struct notifier *notifier = context;
    enum outcome outcome = OUTCOME_OK;
    if (!later_is_complete(&notifier->later))
        return OUTCOME_REDO;
    for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++) {
        if (!receiver_holds_all(notifier->receiver))
            outcome = told_recall(&notifier->told, &notifier->log, &records[i]);
        if (outcome == OUTCOME_OK)
            outcome = on_record(notifier, &records[i]);
    }
    return outcome == OUTCOME_OK && notifier->has_later ? later_tell(&notifier->later) : outcome;
}

/* --- the service ------------------------------------------------------------------------------------------------- */

static void *run_notifier(void *context)
{
    struct notifier *notifier = context;
    struct bytes topic = {0}, group = {0};
    char error[256];
    const char *prefix = notifier->config->kafka->topic_prefix;
    bytes_printf(&topic, "%salerts", prefix);
    bytes_printf(&group, "%snotify.%s", prefix, notifier->receiver->name);
    arena_init(&notifier->arena);
    notifier->reader = record_reader_create(&alert_shape, notifier->config->registry);
    notifier->publisher = publisher_create(notifier->config->kafka, &(struct publisher_settings){0}, NULL, error, sizeof error);
    delivery_init(&notifier->delivery, notifier->config, notifier->receiver, notifier->publisher, notifier->stop);
    notifier->told.receiver = notifier->receiver;
    int64_t now_ms = clock_now_ms(notifier->config->clock);
    notifier->log = (struct told_log){bytes_text(&topic), notifier->config->kafka, notifier->reader, now_ms - DAYS(RECALL_DAYS), notifier->stop};
    notifier->whole_log = notifier->log;
    notifier->whole_log.since_ms = now_ms - DAYS(KEPT_DAYS);
    later_init(&notifier->later, notifier->config, &notifier->whole_log, notifier->publisher, &notifier->delivery);
    notifier->has_later = receiver_holds_some(notifier->receiver);
    const char *topics[] = {bytes_text(&topic), NULL};
    struct follow follow = {.group = bytes_text(&group), .topics = topics, .batch_records_max = 100, .wait_ms_max = 500, .context = notifier,
                            .is_sole = receiver_sees_all(notifier->receiver), .on_batch = on_batch, .on_revoked = on_revoked,
                            .start_at = notifier->has_later ? start_at : NULL};
    notifier->outcome = notifier->publisher ? follow_run(&follow, notifier->config->kafka, notifier->stop) : OUTCOME_STOP;
    later_finish(&notifier->later);
    delivery_finish(&notifier->delivery);
    publisher_destroy(notifier->publisher);
    record_reader_destroy(notifier->reader);
    told_finish(&notifier->told);
    arena_finish(&notifier->arena);
    bytes_finish(&topic);
    bytes_finish(&group);
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
