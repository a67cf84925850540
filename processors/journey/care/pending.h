/* What waits for its time: follow-ups (followups.c), and watches for what is expected (absence.c). In the order in which it was noted, its texts
 * in one piece beside it. */
#ifndef TS_JOURNEY_PENDING_H
#define TS_JOURNEY_PENDING_H

#include "processors/journey/care/turn.h"

/* Copies `subject` and `note`, cut to CARE_TEXT_MAX. Where there are followups.pending_max already, the oldest leaves. */
void pending_add(struct turn *turn, struct pending pending, struct view subject, struct view note);

void pending_remove(struct room *room, struct care *care, uint32_t number);

/* The first of this rule that is about this (data NULL: whatever); care->pending_count: none. */
uint32_t pending_find(const struct care *care, uint32_t rule, struct view subject);

#endif
