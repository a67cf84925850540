/* The stage of the journey: SUPPORT while a ticket is open, else LOYALTY from the second order day, else UTILIZATION after the
 * first use, else ONBOARDING (READINGS 35); how many customers are in each, how long, from where to where (15). */
#ifndef TS_JOURNEY_STAGE_H
#define TS_JOURNEY_STAGE_H

#include "processors/journey/task.h"

/* As things stand. */
enum stage stage_now(const struct customer *customer);

/* stage_customers, stage_dwell, stage_moves: of the moves at or after `from_ms` only, the earlier ones being the same
 * before and after an event that happened then. INT64_MIN: all. */
void stage_contribute(struct journey_task *task, struct customer *customer, int64_t from_ms, struct tally *tally);

/* A path is forgotten with what it was read from. */
void stage_path_destroy(struct stage_path *path);
void stage_forget(struct customer *customer);

/* An event of that time may have changed the way from there on. */
void stage_follow(struct customer *customer, int64_t from_ms);

#endif
