/* What is remembered and told of a customer's alerts besides the case, whatever rule they come from (alert_rules.c, absence.c).
 *
 * A rule and what it is about, its scope, make a fingerprint: the same one updates its alert, and never makes a second. An alert that nothing
 * was heard of for cases.expire_after expires, and is forgotten. */
#ifndef TS_JOURNEY_RULE_ALERTS_H
#define TS_JOURNEY_RULE_ALERTS_H

#include "base/time_text.h"
#include "processors/journey/care/turn.h"

enum { ALERT_TEXT_MAX = 400 };

static inline bool rule_alert_is_live(const struct rule_alert *alert)
{
    return alert->state == ALERT_STATE_OPEN;
}

/* `what`: identity of what it is about; `episode`: of which an alert is each its own, NULL: none. */
static inline uint64_t rule_alert_scope(enum alert_rule rule, uint64_t what, const struct moment *episode)
{
    uint64_t scope = what * 0x9e3779b97f4a7c15u + (uint64_t)rule + 1;
    return episode ? scope ^ (episode->id_low * 0xff51afd7ed558ccdu) ^ episode->id_high : scope;
}

/* NULL: none; of no care, too. */
static inline struct rule_alert *rule_alert_find(struct care *care, enum alert_rule rule, uint64_t scope)
{
    for (uint32_t i = 0; care && i < care->alert_count; i++) {
        if (care->alerts[i].rule == rule && care->alerts[i].scope == scope)
            return &care->alerts[i];
    }
    return NULL;
}

/* Tells the first revision: `alert` needs rule, scope and what it is about. The subject is copied. Other alerts may move or leave. */
void rule_alert_open(struct turn *turn, struct rule_alert alert, const char *subject, int64_t at_ms);

/* Tells the next one, in its rule's words, or in these. */
void rule_alert_tell(struct turn *turn, struct rule_alert *alert, enum alert_state state, int64_t at_ms);
void rule_alert_tell_so(struct turn *turn, struct rule_alert *alert, enum alert_state state, int64_t at_ms, const char *text);

/* "2026-11-22 10:00 UTC" */
void rule_alert_time(char text[TIME_TEXT_SIZE], int64_t at_ms);

void rule_alerts_age(struct turn *turn);

#endif
