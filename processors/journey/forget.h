/* CustomerForgotten (READINGS 43): totals stay, gauges lose the customer, the entry is deleted. */
#ifndef TS_JOURNEY_FORGET_H
#define TS_JOURNEY_FORGET_H

#include "processors/journey/task.h"

void forget_customer(struct journey_task *task, struct entry *entry, struct step *step);

#endif
