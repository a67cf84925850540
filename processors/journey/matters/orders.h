/* Orders: deliveries and returns (READINGS 33), and what a customer's first orders say (34, 41). */
#ifndef TS_JOURNEY_ORDERS_H
#define TS_JOURNEY_ORDERS_H

#include "processors/journey/task.h"

void orders_placed(struct journey_task *task, struct customer *customer, const struct order_placed *placed,
                   const struct moment *moment, uint32_t tuple);
void orders_delivered(struct customer *customer, const struct order_delivered *delivered, const struct moment *moment,
                      uint32_t tuple);
void orders_returned(struct customer *customer, const struct product_returned *returned);
void orders_used(struct customer *customer, const struct moment *moment);
void orders_onboarding_opened(struct customer *customer, int64_t at_ms);

/* The stage that this event led to belongs to what it is the first of. */
void orders_set_stage(struct customer *customer, uint64_t order, const struct moment *moment, uint8_t stage);

struct order *orders_find(const struct customer *customer, uint64_t identity);
void order_contribute(const struct order *order, struct tally *tally);
void cohort_contribute(const struct customer *customer, struct tally *tally);

#endif
