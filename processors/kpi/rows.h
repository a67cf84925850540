/* What a closed bucket says to a detector.
 *
 * The detectors think in bell curves. The mean of two or three answers has none, and a rate of them is 0, ½ or 1: a bucket with
 * too few items is told as missing, so that a sparse series is watched by the day, or not at all, rather than by the
 * hour with false alarms. A gauge wanders by nature: by the day its steps are news, by the hour they are how it moves. */
#ifndef TS_KPI_ROWS_H
#define TS_KPI_ROWS_H

#include "processors/kpi/grid.h"
#include "processors/kpi/trend/trend.h"
#include "schemas/kpi_names.h"
#include "schemas/kpi_sums.h"

/* What trend_add is given. */
struct row_said {
    double value; /* NaN: missing */
    double n, variance;
};

/* `pool`: what the series has had of late, `flow`: a gauge's value at the bucket's end. */
struct row_said row_say(enum kpi_id id, enum grid grid, const struct kpi_sums *sums, const struct kpi_sums *pool, int64_t flow);

/* The scale on which the noise of a KPI's rows is even, and what goes with it. */
void row_set_scale(enum kpi_id id, struct trend_config *config);

/* Can the noise change while the level does not? */
bool row_has_own_noise(enum kpi_kind kind);

#endif
