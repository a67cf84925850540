/* CustomerForgotten (READINGS 43), or nothing for journey.kept: totals stay, gauges lose the customer, the entry is deleted.
 *
 * What is dated before it and comes after it belongs to the life that is over. It counts where it would have counted, so that KPIs stay a
 * function of the set of events, and nothing is kept or told of it. That somebody was forgotten, and when, is known by a hash of the id here, and
 * by a header of the tombstone that `journeys` gets for the deletion: nothing that was not there before says who it was. It is known until they
 * come back to begin another life, and for FORGOTTEN_KNOWN_MS at the most, as long as the tombstone is sure to be there. */
#ifndef TS_JOURNEY_FORGET_H
#define TS_JOURNEY_FORGET_H

#include "base/map.h"
#include "processors/journey/task.h"

#define FORGOTTEN_KNOWN_MS DAYS(30)

void forget_customer(struct journey_task *task, struct entry *entry, struct step *step, int64_t at_ms);

/* When somebody is forgotten for want of news, the last of which was then; TIMER_NEVER: never. */
int64_t forget_lapse_ms(const struct journey_task *task, int64_t last_ms);

/* Nobody of this id is known: is this touchpoint of a life that ended at `*ended_at_ms`? */
bool forget_is_past(const struct journey_task *task, const struct touchpoint *touch, int64_t clock_ms, int64_t *ended_at_ms);
/* Takes a customer out of the gauges and has the entry deleted, of whom nothing was told to anybody. */
void forget_entry(struct journey_task *task, struct entry *entry, struct step *step);
void forget_is_over(struct journey_task *task, struct view customer_id); /* another life begins */

/* For processor.key_note and key_noted. */
int64_t forget_note(void *task, struct view customer_id);
void forget_noted(void *task, struct view customer_id, int64_t note);

#endif
