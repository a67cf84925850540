/* Repair visits and first_time_fix (READINGS 32). */
#ifndef TS_JOURNEY_VISITS_H
#define TS_JOURNEY_VISITS_H

#include "processors/journey/task.h"

void visits_apply(struct customer *customer, const struct service_visited *visited, const struct moment *moment,
                  uint32_t tuple);
void visits_set_stage(struct customer *customer, const struct moment *moment, uint8_t stage);
void visit_contribute(const struct seldom *seldom, uint32_t number, struct tally *tally);

#endif
