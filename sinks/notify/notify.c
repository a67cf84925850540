#include "sinks/notify/notify.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "engine/follow.h"
#include "engine/publisher.h"
#include "schemas/reader.h"
#include "sinks/notify/delivery.h"
#include "sinks/notify/later.h"
#include "sinks/notify/silence_watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { KEPT_DAYS = 90 /* a KPI may miss its target for as long as the topics are kept */ };

/* One receiver's thread. */
struct notifier {
    const struct notify_config *config;
    struct receiver *receiver;
    struct silence_watch *silences;
    atomic_bool *stop;
    struct record_reader *reader;
    struct publisher *publisher; /* of what is kept, and of what was told */
    struct delivery delivery;
    struct later later;
    struct arena arena;
    pthread_t thread;
    atomic_bool is_gone;
    enum outcome outcome;
};

/* --- which alerts ------------------------------------------------------------------------------------------------ */

static void on_revoked(void *context, struct view topic, int32_t partition)
{
    struct notifier *notifier = context;
    (void)topic, (void)partition; /* there is one topic, and what was told is read for all of it */
    later_lose(&notifier->later);
}

static void on_committed(void *context, struct view topic, int32_t partition, int64_t committed)
{
    struct notifier *notifier = context;
    (void)topic;
    later_is_handled(&notifier->later, partition, committed);
}

/* What is told as it comes goes on where it was; of what waits all that has been said has just been read. */
static int64_t start_at(void *context, struct view topic, int32_t partition)
{
    struct notifier *notifier = context;
    (void)topic;
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
        return outcome_is_for_later(outcome) ? outcome : OUTCOME_OK;
    if (!later_takes(&notifier->later, &alert, record->value))
        return OUTCOME_OK;
    if (!delivery_send(&notifier->delivery, &alert, 0, 0))
        return OUTCOME_RETRY; /* stopped in the middle: after the restart it comes again */
    later_told(&notifier->later, &alert);
    return OUTCOME_OK;
}

/* What is silent is worked out anew, of all that is open. */
static void take_silences(struct notifier *notifier)
{
    const struct silences *silences = silence_watch_now(notifier->silences);
    if (silences == notifier->receiver->silences)
        return;
    notifier->receiver->silences = silences;
    later_read_again(&notifier->later);
}

static enum outcome on_batch(void *context, const struct record *records, size_t count)
{
    struct notifier *notifier = context;
    enum outcome outcome = OUTCOME_OK;
    take_silences(notifier);
    if (!later_is_complete(&notifier->later))
        return OUTCOME_REDO;
    for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++)
        outcome = on_record(notifier, &records[i]);
    return outcome == OUTCOME_OK ? later_tell(&notifier->later) : outcome;
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
    if (notifier->publisher == NULL)
        log_error("cannot note what is told", "receiver", notifier->receiver->name, "error", error, NULL);
    delivery_init(&notifier->delivery, notifier->config, notifier->receiver, notifier->publisher, notifier->stop);
    struct alert_log log = {bytes_text(&topic), notifier->reader, clock_now_ms(notifier->config->clock) - DAYS(KEPT_DAYS), notifier->stop};
    later_init(&notifier->later, notifier->config, log, notifier->publisher, &notifier->delivery);
    const char *topics[] = {bytes_text(&topic), NULL};
    struct follow follow = {.group = bytes_text(&group), .member = notifier->config->member, .topics = topics, .batch_records_max = 100, .wait_ms_max = 500, .context = notifier,
                            .is_sole = receiver_sees_all(notifier->receiver), .on_batch = on_batch, .on_revoked = on_revoked,
                            .on_committed = on_committed, .start_at = start_at};
    notifier->outcome = notifier->publisher ? follow_run(&follow, notifier->config->kafka, notifier->stop) : OUTCOME_STOP;
    later_finish(&notifier->later);
    delivery_finish(&notifier->delivery);
    publisher_destroy(notifier->publisher);
    record_reader_destroy(notifier->reader);
    arena_finish(&notifier->arena);
    bytes_finish(&topic);
    bytes_finish(&group);
    atomic_store(&notifier->is_gone, true);
    return NULL;
}

/* As long as anybody is told anything: the log says when a silence begins and ends, and their file is read again when it has changed. */
static void watch_silences(const struct notify_config *config, struct silence_watch *silences, const struct notifier *notifiers, size_t count,
                           atomic_bool *stop)
{
    bool is_anybody_there = true;
    while (silence_watch_has_work(silences) && is_anybody_there && !atomic_load(stop)) {
        silence_watch_look(silences, clock_now_ms(config->clock));
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        is_anybody_there = count == 0;
        for (size_t i = 0; i < count; i++)
            is_anybody_there |= !atomic_load(&notifiers[i].is_gone);
    }
}

static enum outcome run_all(const struct notify_config *config, struct receiver *receivers, size_t count, struct silence_watch *silences, atomic_bool *stop)
{
    struct notifier *notifiers = memory_zeroed(RECEIVERS_MAX, sizeof *notifiers);
    for (size_t i = 0; i < count; i++) {
        receivers[i].silences = silence_watch_now(silences);
        notifiers[i] = (struct notifier){.config = config, .receiver = &receivers[i], .silences = silences, .stop = stop};
        thread_start(&notifiers[i].thread, run_notifier, &notifiers[i]);
    }
    watch_silences(config, silences, notifiers, count, stop);
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < count; i++) {
        pthread_join(notifiers[i].thread, NULL);
        if (notifiers[i].outcome == OUTCOME_STOP)
            outcome = OUTCOME_STOP;
    }
    free(notifiers);
    return outcome;
}

enum outcome notify_run(const struct notify_config *config, atomic_bool *stop)
{
    struct receiver receivers[RECEIVERS_MAX];
    struct silence_watch silences;
    struct bytes error = {0};
    size_t count;
    bool is_good = receivers_read(config->settings, receivers, &count, &error) && silence_watch_init(&silences, config->settings, &error);
    if (!is_good)
        log_error("wrong configuration", "error", bytes_text(&error), NULL);
    bytes_finish(&error);
    if (!is_good)
        return OUTCOME_STOP;
    if (count == 0)
        log_info("nobody to notify: notify.receivers is empty", NULL);
    enum outcome outcome = run_all(config, receivers, count, &silences, stop);
    silence_watch_finish(&silences);
    return outcome;
}
