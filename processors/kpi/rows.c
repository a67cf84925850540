#include "processors/kpi/rows.h"

#include "processors/kpi/evaluate.h"

#include <math.h>

/* Is the bucket's value near enough to normal for the detectors, which know lopsided noise (skew.h)? Simulated at the shipped budget,
 * smaller ones raise twice as many alarms and more (tests/quality/alarms.c). Rates need some hits and some misses to be expected. */
static bool has_enough(const struct series_state *state, enum grid grid, const struct kpi_sums *sums, const struct kpi_sums *pool)
{
    static const double buckets_pooled[GRID_COUNT] = {90 * 1440, 90 * 24, 90};
    double n = (double)sums->n, rate = ((double)pool->num + 1) / ((double)pool->n + 2);
    switch (state->series.kind) {
    case KPI_KIND_RATE:
    case KPI_KIND_SHARE:
        return n * rate * (1 - rate) >= 1.5;
    case KPI_KIND_NPS:
    case KPI_KIND_MEAN:
        return n >= 4;
    case KPI_KIND_DURATION: /* the tail of one is long */
        return n >= 5;
    case KPI_KIND_COUNT:
    case KPI_KIND_DISTINCT: /* of what is usual: none at all may be the news */
        return (double)pool->n >= 2 * buckets_pooled[grid];
    case KPI_KIND_SUM:
        return (double)pool->n >= 5 * buckets_pooled[grid];
    default:
        return true;
    }
}

/* A count of nothing is 0; a mean of nothing is missing. */
double row_value(const struct series_state *state, enum grid grid, const struct kpi_sums *sums, const struct kpi_sums *pool, int64_t flow)
{
    double value;
    if (!has_enough(state, grid, sums, pool))
        return NAN;
    if (evaluate_value(state->series.kpi, sums, flow, &value))
        return value;
    enum kpi_kind kind = state->series.kind;
    return kind == KPI_KIND_COUNT || kind == KPI_KIND_SUM || kind == KPI_KIND_DISTINCT ? 0 : NAN;
}

/* A count's noise grows with the count: that it got noisier says no more than that there is more of it. */
bool row_has_own_noise(enum kpi_kind kind)
{
    return kind == KPI_KIND_RATE || kind == KPI_KIND_SHARE || kind == KPI_KIND_NPS || kind == KPI_KIND_MEAN || kind == KPI_KIND_DURATION;
}
