/* Messages a customer got and what they did with them (READINGS 40), and who else they brought (39). */
#ifndef TS_JOURNEY_ENGAGEMENT_H
#define TS_JOURNEY_ENGAGEMENT_H

#include "processors/journey/task.h"

uint64_t engagement_identity(const struct message_engaged *engaged);
struct engagement_unit *engagement_find(const struct customer *customer, uint64_t identity);

void engagement_apply(struct journey_task *task, struct customer *customer, const struct message_engaged *engaged,
                      const struct moment *moment, uint32_t tuple);
void engagement_contribute(const struct engagement_unit *unit, struct tally *tally);

void loyalty_apply(struct customer *customer, const struct loyalty_changed *changed, const struct moment *moment);
void referral_apply(struct customer *customer, struct view customer_id, const struct referral_made *made, int64_t at_ms);

#endif
