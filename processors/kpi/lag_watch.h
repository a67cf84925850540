/* Touchpoints that are read late: one alert, rule data.lag, for KPIs then lack what has come since. How late is the record time of a journey
 * partition's word of its clock less that clock, and less the disorder that it allows for: touchpoints move it, ticks where none come, or none but old ones.
 * Partition 0 of kpi.deltas tells for all of them. Where no journey process speaks at all its own ticks pass the time. Part of the clocks'
 * entry; task thread. */
#ifndef TS_KPI_LAG_WATCH_H
#define TS_KPI_LAG_WATCH_H

#include "processors/kpi/packed.h"
#include "processors/kpi/task.h"

struct lag_place {
    int32_t partition; /* of touchpoints */
    int64_t clock_ms;
    int64_t spoken_ms; /* record time */
};

/* A journey partition says where its clock is. */
void lag_watch_hear(struct step *step, struct lag_watch *watch, int32_t partition, int64_t clock_ms);
/* Time has passed: the step's record time. true: it has changed. */
bool lag_watch_look(struct step *step, struct lag_watch *watch);
void lag_watch_finish(struct lag_watch *watch);

void lag_watch_save(const struct lag_watch *watch, struct bytes *out);
/* Checkpoints of before do not have it: then nothing was late. */
void lag_watch_load(struct lag_watch *watch, struct unpacker *in);

#endif
