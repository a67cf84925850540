/* When a customer was last heard of, and whether they are still with us (READINGS 14, 36, 38, 39). */
#ifndef TS_JOURNEY_ACTIVITY_H
#define TS_JOURNEY_ACTIVITY_H

#include "processors/journey/task.h"

static inline bool activity_is_one(const struct touchpoint *touch)
{
    return touch->body_kind != TOUCHPOINT_BODY_CASE_ACTED && touch->body_kind != TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN;
}

/* `segment`: the number of the one the event names; 0: none. */
void activity_apply(struct customer *customer, const struct touchpoint *touch, uint32_t segment, const struct moment *moment);

enum { ALL_CHANNELS = -1 };

/* active_customers, loyalty_share, referral_rate. `channel`: of the channels, only that one. */
void activity_contribute(struct journey_task *task, const struct customer *customer, int channel, struct tally *tally);

/* churn_rate (and so retention): the spans in which the customer is alive. */
void life_contribute(struct journey_task *task, const struct customer *customer, struct tally *tally);
bool life_is_alive_at(const struct customer *customer, int64_t at_ms);

#endif
