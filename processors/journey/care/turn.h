/* A customer's turn at cases, alerts and follow-ups: after a touchpoint, or when time has come. */
#ifndef TS_JOURNEY_TURN_H
#define TS_JOURNEY_TURN_H

#include "processors/journey/care/cases.h"
#include "processors/journey/care/hot_score.h"

struct turn {
    struct journey_task *task;
    struct customer *customer;
    struct view customer_id;
    const struct arrival *arrival; /* NULL: time has come */
    struct step *step;
    int64_t heard_at_ms;           /* when what made this turn reached us: received_at, or the time of a tick */
    int64_t at_ms;                 /* as of when: the partition's clock or the newest thing known of the customer, whichever is later */
    const struct case_settings *settings;
    struct case_reading cases;
    struct hot_reading hot;        /* of the newest case while it lives, else of what was said since */
    double churn_risk;
    int64_t promises_next_ms;      /* the next alert about a promise; alert_rules.c */
    bool promises_are_stale;       /* alerts came or went since it was read */
};

/* --- the two ways in (turn.c) --- */

/* Fills hot_score, reasons and churn_risk of `enriched`. */
void turn_on_touch(struct journey_task *task, struct entry *entry, const struct arrival *arrival, struct step *step,
                   struct enriched_touchpoint *enriched);
void turn_on_time(struct journey_task *task, struct entry *entry, struct step *step);

/* The customer is forgotten: what was told of their cases is taken back, in records that do not name them. */
void turn_forget(struct journey_task *task, struct entry *entry, struct step *step);

/* --- what a turn is made of --- */

static inline struct case_story *turn_live_case(struct turn *turn)
{
    struct case_story *last = turn->cases.count ? &turn->cases.stories[turn->cases.count - 1] : NULL;
    return last && case_is_live(last->state) ? last : NULL;
}

/* Is something that happened then too long ago to bother anybody? */
bool turn_is_historical(const struct turn *turn, int64_t happened_at_ms);

/* case_alerts.c */
void case_alerts_tell(struct turn *turn);
bool case_alerts_live_id(struct turn *turn, struct uuid *id); /* of the case that lives, as it was told */
int64_t case_alerts_next_ms(const struct turn *turn);
void case_alerts_forget(struct turn *turn);

/* alert_rules.c */
void alert_rules_review(struct turn *turn);
int64_t alert_rules_next_ms(struct turn *turn);
/* When the next promise on an open ticket is endangered or broken; NEVER_MS: none. */
int64_t alert_rules_promise_after(struct turn *turn, int64_t after_ms);

/* rule_alerts.c */
void rule_alerts_forget(struct turn *turn);

/* followups.c */
int64_t followups_review(struct turn *turn); /* returns when the next of them is to be looked at */

/* churn.c */
double churn_risk_of(const struct turn *turn);

/* One record to `alerts`; key: the case's id, or the alert's own. */
void turn_send_alert(struct turn *turn, const struct alert *alert);

#endif
