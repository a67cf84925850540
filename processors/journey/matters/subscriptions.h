/* Subscriptions: their changes in order, and renewal_rate (READINGS 37). Being alive by them: activity.h. */
#ifndef TS_JOURNEY_SUBSCRIPTIONS_H
#define TS_JOURNEY_SUBSCRIPTIONS_H

#include "processors/journey/task.h"

void subscriptions_changed(struct customer *customer, const struct subscription_changed *changed, const struct moment *moment,
                           uint32_t tuple);
void subscriptions_set_stage(struct customer *customer, const struct moment *moment, uint8_t stage);

/* The term that change `number` set. */
void subscription_contribute(const struct seldom *seldom, uint32_t number, struct tally *tally);

/* What was last said of a subscription; NULL: nothing. */
const struct subscription_event *subscriptions_latest(const struct customer *customer, uint64_t identity);

/* When the first of them was STARTED; NULL: none was. */
const struct subscription_event *subscriptions_first_start(const struct customer *customer);

/* The next term end of a running subscription; NEVER_MS: none. */
int64_t subscriptions_renew_at_ms(const struct customer *customer);

#endif
