#include "processors/kpi/rows.h"

#include "processors/kpi/evaluate.h"

#include <math.h>

/* Is the bucket's value near enough to normal for the detectors, which know lopsided noise (skew.h)? Simulated at the shipped budget, counts of half as
 * many raise several times the alarms (tests/quality/alarms.c). Rates of fewer would do; a series that says so little is watched by the day. */
static bool has_enough(enum kpi_kind kind, enum grid grid, const struct kpi_sums *sums, const struct kpi_sums *pool)
{
    static const double buckets_pooled[GRID_COUNT] = {90 * 1440, 90 * 24, 90};
    double n = (double)sums->n;
    switch (kind) {
    case KPI_KIND_RATE:
    case KPI_KIND_SHARE:
    case KPI_KIND_NPS:
    case KPI_KIND_MEAN:
        return n >= 4;
    case KPI_KIND_DURATION: /* the tail of one is long */
        return n >= 5;
    case KPI_KIND_COUNT:
    case KPI_KIND_DISTINCT: /* of what is usual: none at all may be the news */
        return (double)pool->n >= buckets_pooled[grid];
    case KPI_KIND_SUM:
        return (double)pool->n >= 3 * buckets_pooled[grid];
    default:
        return true;
    }
}

/* A count of nothing is 0; a mean of nothing is missing. */
static double value_of(enum kpi_id id, enum grid grid, const struct kpi_sums *sums, const struct kpi_sums *pool, int64_t flow)
{
    double value;
    enum kpi_kind kind = kpi_names[id].kind;
    if (!has_enough(kind, grid, sums, pool))
        return NAN;
    if (evaluate_value(id, sums, flow, &value))
        return value;
    return kind == KPI_KIND_COUNT || kind == KPI_KIND_SUM || kind == KPI_KIND_DISTINCT ? 0 : NAN;
}

/* Where rows are no samples, what they say themselves is all that is known of their noise. */
struct row_said row_say(enum kpi_id id, enum grid grid, const struct kpi_sums *sums, const struct kpi_sums *pool, int64_t flow)
{
    struct row_said said = {.value = value_of(id, grid, sums, pool, flow)};
    if (!row_has_own_noise(kpi_names[id].kind))
        return said;
    said.n = fmax((double)sums->n, 0);
    said.variance = evaluate_variance(id, sums, pool);
    return said;
}

/* Stars and points lie between two ends as rates do; a few of them are seldom all at the ends, as hits and misses are. */
static const double noise_of_hits = 0.9, noise_of_scores = 0.6;

void row_set_scale(enum kpi_id id, struct trend_config *config)
{
    static const enum trend_scale scales[KPI_KINDS] = {[KPI_KIND_RATE] = TREND_SHARE,    [KPI_KIND_SHARE] = TREND_SHARE,   [KPI_KIND_NPS] = TREND_SHARE,
                                                       [KPI_KIND_COUNT] = TREND_ROOT,    [KPI_KIND_SUM] = TREND_ROOT,
                                                       [KPI_KIND_DISTINCT] = TREND_ROOT, [KPI_KIND_DURATION] = TREND_LOG};
    const struct catalog_row *row = catalog_find(id);
    enum kpi_kind kind = kpi_names[id].kind;
    bool is_between = kind == KPI_KIND_MEAN && row->most > row->least;
    config->scale = is_between ? TREND_SHARE : scales[kind];
    config->least = kind == KPI_KIND_NPS ? -100 : row->least;
    config->most = kind == KPI_KIND_NPS ? 100 : row->most;
    config->least_noise = is_between || kind == KPI_KIND_NPS ? noise_of_scores : noise_of_hits;
}

/* A count's noise grows with the count: that it got noisier says no more than that there is more of it. */
bool row_has_own_noise(enum kpi_kind kind)
{
    return kind == KPI_KIND_RATE || kind == KPI_KIND_SHARE || kind == KPI_KIND_NPS || kind == KPI_KIND_MEAN || kind == KPI_KIND_DURATION;
}
