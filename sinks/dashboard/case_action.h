/* What people do to a case on the dashboard, as the CaseActed touchpoint that it is: into Kafka, acknowledged, or not done. */
#ifndef TS_SINKS_DASHBOARD_CASE_ACTION_H
#define TS_SINKS_DASHBOARD_CASE_ACTION_H

#include "base/clock.h"
#include "engine/publisher.h"

#include <stdatomic.h>

struct case_actions;

struct case_actions_config {
    const struct kafka_settings *kafka;
    const _Atomic uint32_t *touchpoint_schema_id; /* 0: not known yet */
    struct clock *clock;
};

struct case_actions *case_actions_create(const struct case_actions_config *config, char *error, size_t error_size);
void case_actions_destroy(struct case_actions *actions);

/* `verb` is acknowledge, assign, contact, close, snooze or reopen. PARK: no such verb. RETRY: Kafka did not take it within
 * some seconds, or has not been there yet. On OK event_id holds the touchpoint's id. Any thread; waits for Kafka's acknowledgement. */
enum outcome case_action_send(struct case_actions *actions, struct view customer_id, struct view case_id, struct view verb,
                              struct view actor, struct view note, char event_id[37]);

#endif
