/* From sums to numbers: what a window says (READINGS 7, 8, 9, 38, 41, 49). Pure functions, any thread. */
#ifndef TS_KPI_EVALUATE_H
#define TS_KPI_EVALUATE_H

#include "processors/kpi/intervals.h"
#include "processors/kpi/series.h"

struct kpi; /* schemas/records.h */

/* The value alone; false: null. `flow_total`: of a gauge, and of churn who is alive, at the end of the window. */
bool evaluate_value(enum kpi_id id, const struct kpi_sums *sums, int64_t flow_total, double *value);

/* Sampling variance of a rate, NPS or mean: what the trend detectors know about noise; 0 for unknown. How single items spread is
 * taken from `pool`, a longer stretch of the same series: a bucket that happens to be all hits must not look certain. */
double evaluate_variance(enum kpi_id id, const struct kpi_sums *sums, const struct kpi_sums *pool);

/* n as READINGS 8 counts it. */
int64_t evaluate_n(enum kpi_id id, const struct kpi_sums *sums, int64_t flow_total);

/* Everything but names, target and times of the `i`th window of the series. `id` is the series' KPI, or `retention` for
 * a series of churn_rate. */
void evaluate_window(struct kpi *out, enum kpi_id id, const struct series *series, int i);

#endif
