/* Grouping: one message about several alerts. In words of Prometheus' Alertmanager:
 *
 *     - name: support-channel
 *       group_by: [rule, kpi]    # out of rule, kind, severity, kpi, dimension, customer, ticket; []: all in one group
 *       group_wait: 30s          # from the first of a group that is to be told to the message: what belongs to it comes along
 *       group_interval: 5m       # at least, between two messages of one group
 *
 * No clock, no I/O. One thread. */
#ifndef TS_NOTIFY_GROUPING_H
#define TS_NOTIFY_GROUPING_H

#include "base/map.h"
#include "base/settings.h"
#include "schemas/records.h"

struct grouping {
    bool is_on;
    unsigned labels; /* bit: which of them, in the order above */
    int64_t wait_ms, interval_ms;
};

/* Of a receiver's mapping. false: `error` names line, key and remedy. */
bool grouping_read(const struct settings_node *receiver, struct grouping *grouping, struct bytes *error);

/* Appends what an alert has in common with others of its group, as a JSON object: {"rule":"kpi.target","kpi":"csat"}. That is the group's key. */
void grouping_append_key(struct bytes *out, const struct grouping *grouping, const struct alert *alert);

/* The same for people: " · kpi.target · csat". */
void grouping_append_words(struct bytes *out, const struct grouping *grouping, const struct alert *alert);

/* --- the groups there are --- */

struct group {
    char *key;
    size_t members;
    int64_t told_ms; /* the last message; INT64_MIN: none */
};

struct groups {
    struct map by_key;
    size_t sweep_at; /* so many are enough to look for what can go */
};

void groups_finish(struct groups *groups);

/* From `old` (NULL: none) to the alert's group, which is returned; valid as long as it has members. */
struct group *groups_move(struct groups *groups, const struct grouping *grouping, struct group *old, const struct alert *alert);
void groups_leave(struct group *group); /* NULL: nothing happens */

/* Now and then forgets those without members and of which the interval is over. */
void groups_sweep(struct groups *groups, const struct grouping *grouping, int64_t now_ms);

#endif
