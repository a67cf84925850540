#include "sinks/dashboard/case_action.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "schemas/records.h"
#include "schemas/wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { ACKNOWLEDGE_WAIT_MS = 10000 };

struct case_actions {
    struct case_actions_config config;
    struct publisher *publisher;
    struct bytes topic;
};

/* One send being waited for. Counted twice, by the waiter and by Kafka: whoever comes last frees it, since a message may
 * be settled after its waiter gave up. */
struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t settled;
    bool is_settled, is_acknowledged, is_abandoned;
};

static void waiting_free(struct waiting *waiting)
{
    pthread_cond_destroy(&waiting->settled);
    pthread_mutex_destroy(&waiting->lock);
    free(waiting);
}

static void on_done(void *message_context, bool is_acknowledged, const char *error)
{
    (void)error;
    struct waiting *waiting = message_context;
    pthread_mutex_lock(&waiting->lock);
    waiting->is_settled = true;
    waiting->is_acknowledged = is_acknowledged;
    bool is_abandoned = waiting->is_abandoned;
    pthread_cond_signal(&waiting->settled);
    pthread_mutex_unlock(&waiting->lock);
    if (is_abandoned)
        waiting_free(waiting);
}

struct case_actions *case_actions_create(const struct case_actions_config *config, char *error, size_t error_size)
{
    struct case_actions *actions = memory_zeroed(1, sizeof *actions);
    actions->config = *config;
    bytes_printf(&actions->topic, "%stouchpoints", config->kafka->topic_prefix);
    struct publisher_settings settings = {.linger_ms = 1, .queue_messages_max = 1000};
    actions->publisher = publisher_create(config->kafka, &settings, on_done, error, error_size);
    if (actions->publisher == NULL) {
        case_actions_destroy(actions);
        return NULL;
    }
    return actions;
}

void case_actions_destroy(struct case_actions *actions)
{
    if (actions == NULL)
        return;
    publisher_destroy(actions->publisher);
    bytes_finish(&actions->topic);
    free(actions);
}

static bool action_of(struct view verb, enum case_action *action)
{
    static const struct {
        const char *verb;
        enum case_action action;
    } verbs[] = {{"acknowledge", CASE_ACTION_ACKNOWLEDGED}, {"assign", CASE_ACTION_ASSIGNED},
                 {"contact", CASE_ACTION_CONTACTED},        {"close", CASE_ACTION_CLOSED},
                 {"snooze", CASE_ACTION_SNOOZED},           {"reopen", CASE_ACTION_REOPENED}};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (view_equal_text(verb, verbs[i].verb)) {
            *action = verbs[i].action;
            return true;
        }
    }
    return false;
}

static struct uuid random_uuid(void)
{
    struct uuid uuid;
    random_secret(uuid.bytes, sizeof uuid.bytes);
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

/* Waits for Kafka's word; the waiting is freed by whoever is last. */
static enum outcome wait_for(struct waiting *waiting)
{
    int64_t until_us = clock_monotonic_us() + ACKNOWLEDGE_WAIT_MS * 1000;
    pthread_mutex_lock(&waiting->lock);
    while (!waiting->is_settled && thread_wait(&waiting->settled, &waiting->lock, until_us))
        ;
    bool is_settled = waiting->is_settled, is_acknowledged = waiting->is_acknowledged;
    waiting->is_abandoned = !is_settled;
    pthread_mutex_unlock(&waiting->lock);
    if (is_settled)
        waiting_free(waiting);
    return is_settled && is_acknowledged ? OUTCOME_OK : OUTCOME_RETRY;
}

enum outcome case_action_send(struct case_actions *actions, struct view customer_id, struct view case_id, struct view verb,
                              struct view actor, struct view note, char event_id[37])
{
    enum case_action action;
    if (!action_of(verb, &action))
        return OUTCOME_PARK;
    uint32_t schema_id = atomic_load(actions->config.touchpoint_schema_id);
    if (schema_id == 0)
        return OUTCOME_RETRY;
    int64_t now_ms = clock_now_ms(actions->config.clock);
    struct touchpoint touch = {.event_id = random_uuid(),
                               .customer_id = customer_id,
                               .occurred_at_ms = now_ms,
                               .received_at_ms = now_ms,
                               .source = VIEW_LITERAL("dashboard"),
                               .channel = CHANNEL_WEB,
                               .body_kind = TOUCHPOINT_BODY_CASE_ACTED};
    touch.body.case_acted = (struct case_acted){.case_id = case_id, .action = action, .actor = actor, .note = note};
    uuid_format(&touch.event_id, event_id);

    struct bytes value = {0};
    wire_begin(&value, schema_id);
    touchpoint_encode(&value, &touch);
    struct waiting *waiting = memory_zeroed(1, sizeof *waiting);
    pthread_mutex_init(&waiting->lock, NULL);
    thread_condition_init(&waiting->settled);
    enum outcome outcome = publisher_send(actions->publisher, bytes_text(&actions->topic), -1, customer_id,
                                          bytes_view(&value), now_ms, waiting);
    bytes_finish(&value);
    if (outcome == OUTCOME_OK)
        return wait_for(waiting);
    waiting_free(waiting);
    return OUTCOME_RETRY;
}
