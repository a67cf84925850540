/* Alerts about what did not come: an order's delivery, a first use, a subscription's renewal or end.
 *
 * What makes us expect something leaves a *watch* among what waits for its time (pending.h): its rule is one of enum alert_rule, where a
 * follow-up has the hash of a name, and what is `expires_at_ms` there is here when the thing was expected; due is that and the grace. What was
 * expected takes the watch away. Nothing else is remembered: who is not watched costs nothing. */
#ifndef TS_JOURNEY_ABSENCE_H
#define TS_JOURNEY_ABSENCE_H

#include "processors/journey/care/turn.h"

/* What the touchpoint of this turn makes us expect, and what it brings: watches come and go, alerts are resolved. */
void absence_on_touch(struct turn *turn);

/* A name's hash is as small in one of four hundred million. */
static inline bool pending_is_watch(const struct pending *pending)
{
    return pending->rule < RULE_COUNT;
}

/* false: by the partition's clock it is not yet due. Else there is an alert, and the watch is over. */
bool absence_settle(struct turn *turn, const struct pending *watch, struct view subject);

#endif
