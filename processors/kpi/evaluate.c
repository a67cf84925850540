#include "processors/kpi/evaluate.h"

#include "schemas/records.h"

enum { LOW_N = 30, NPS_HALF_WIDTH_MOST = 15 };

static double ratio(int64_t a, int64_t b)
{
    return (double)a / (double)b;
}

/* The two sides of an uplift; see schemas/kpi_names.h for where the sums keep them. */
struct sides {
    int64_t exposed_n, exposed_hits, other_n, other_hits;
};

static struct sides sides_of(const struct kpi_sums *sums)
{
    return (struct sides){sums->immature, sums->num, sums->n - sums->immature, sums->sum};
}

bool evaluate_value(enum kpi_id id, const struct kpi_sums *sums, int64_t flow_total, double *value)
{
    enum kpi_kind kind = kpi_names[id].kind;
    int64_t n = kind == KPI_KIND_CHURN ? sums->num + flow_total : sums->n;
    if (kind == KPI_KIND_GAUGE) {
        *value = (double)flow_total;
        return true;
    }
    if (n <= 0)
        return false;
    if (kind == KPI_KIND_RATE || kind == KPI_KIND_SHARE)
        *value = ratio(sums->num, n);
    else if (kind == KPI_KIND_NPS)
        *value = 100 * (((double)sums->num - (double)sums->sum) / (double)n);
    else if (kind == KPI_KIND_MEAN || kind == KPI_KIND_DURATION)
        *value = ratio(sums->sum, n) / catalog_find(id)->divisor;
    else if (kind == KPI_KIND_SUM)
        *value = (double)sums->sum / catalog_find(id)->divisor;
    else if (kind == KPI_KIND_CHURN)
        *value = id == KPI_RETENTION ? ratio(flow_total, n) : ratio(sums->num, n);
    else if (kind == KPI_KIND_UPLIFT) {
        struct sides sides = sides_of(sums);
        if (sides.exposed_n <= 0 || sides.other_n <= 0)
            return false;
        *value = ratio(sides.exposed_hits, sides.exposed_n) - ratio(sides.other_hits, sides.other_n);
    } else
        *value = (double)n; /* COUNT, DISTINCT */
    return true;
}

/* How a single item spreads. A rate gets one hit and one miss more: no hits at all must not look like certainty. */
static double item_variance(enum kpi_id id, const struct kpi_sums *pool)
{
    double size = (double)pool->n, divisor = catalog_find(id)->divisor;
    if (kpi_names[id].kind == KPI_KIND_NPS) {
        double p = ((double)pool->num + 0.75) / (size + 3), d = ((double)pool->sum + 0.75) / (size + 3);
        return 10000 * (p + d - (p - d) * (p - d));
    }
    if (kpi_names[id].kind == KPI_KIND_RATE || kpi_names[id].kind == KPI_KIND_SHARE) {
        double rate = ((double)pool->num + 1) / (size + 2);
        return rate * (1 - rate);
    }
    return variance_of_mean(pool->n, pool->sum, pool->sum_squares) * size / (divisor * divisor);
}

double evaluate_variance(enum kpi_id id, const struct kpi_sums *sums, const struct kpi_sums *pool)
{
    return sums->n > 0 ? item_variance(id, pool->n > sums->n ? pool : sums) / (double)sums->n : 0;
}

int64_t evaluate_n(enum kpi_id id, const struct kpi_sums *sums, int64_t flow_total)
{
    if (kpi_names[id].kind == KPI_KIND_GAUGE)
        return flow_total;
    return kpi_names[id].kind == KPI_KIND_CHURN ? sums->num + flow_total : sums->n;
}

static void set(bool *has, double *field, double value)
{
    *has = true;
    *field = value;
}

static void set_interval(struct kpi *out, struct interval interval, double divisor)
{
    if (!interval.exists)
        return;
    set(&out->has_low, &out->low, interval.low / divisor);
    set(&out->has_high, &out->high, interval.high / divisor);
}

static void set_fraction(struct kpi *out, double numerator, int64_t denominator)
{
    set(&out->has_numerator, &out->numerator, numerator);
    set(&out->has_denominator, &out->denominator, (double)denominator);
}

static void set_quantiles(struct kpi *out, const struct window_state *state)
{
    int64_t n = state->now.n, low, high;
    median_ranks(n, &low, &high);
    /* In one walk, for which the ranks must ascend: with few items the interval's end lies beyond p90, or p99 even. */
    int64_t p90 = (9 * n + 9) / 10, p99 = (99 * n + 99) / 100;
    int high_place = high <= p90 ? 2 : high <= p99 ? 3 : 4, p90_place = high_place == 2 ? 3 : 2, p99_place = high_place == 4 ? 3 : 4;
    int64_t ranks[5] = {low, (n + 1) / 2};
    double at_ranks[5];
    ranks[high_place] = high;
    ranks[p90_place] = p90;
    ranks[p99_place] = p99;
    histogram_at_ranks(&state->histogram, ranks, at_ranks, 5);
    set(&out->has_p50, &out->p50, at_ranks[1]);
    set(&out->has_p90, &out->p90, at_ranks[p90_place]);
    set(&out->has_p99, &out->p99, at_ranks[p99_place]);
    set(&out->has_p50_low, &out->p50_low, at_ranks[0]);
    set(&out->has_p50_high, &out->p50_high, at_ranks[high_place]);
    out->has_sum = true;
    out->sum = state->now.sum;
}

static void set_uplift(struct kpi *out, const struct kpi_sums *sums)
{
    struct sides sides = sides_of(sums);
    out->has_exposed_n = out->has_exposed_hits = out->has_other_n = out->has_other_hits = true;
    out->exposed_n = sides.exposed_n;
    out->exposed_hits = sides.exposed_hits;
    out->other_n = sides.other_n;
    out->other_hits = sides.other_hits;
    if (!out->has_value)
        return;
    set_interval(out, interval_of_difference(sides.exposed_hits, sides.exposed_n, sides.other_hits, sides.other_n), 1);
    if (sides.other_hits > 0)
        set(&out->has_ratio, &out->ratio,
            ratio(sides.exposed_hits, sides.exposed_n) / ratio(sides.other_hits, sides.other_n));
}

static void set_churn(struct kpi *out, enum kpi_id id, int64_t churned, int64_t alive)
{
    int64_t hits = id == KPI_RETENTION ? alive : churned;
    set_fraction(out, (double)hits, churned + alive);
    set_interval(out, interval_of_rate(hits, churned + alive), 1);
}

/* READINGS 14, 36: for what moves with a customer there is no window before. A gauge's is its value at at − W. */
static void set_previous(struct kpi *out, enum kpi_id id, const struct series *series, int i)
{
    const struct window_state *state = &series->windows[i];
    if (catalog_is_gauge(series->kind))
        set(&out->has_previous, &out->previous, (double)(series->flow_total - state->now.n));
    else if (!catalog_is_moving(series->kind))
        out->has_previous = evaluate_value(id, &state->before, 0, &out->previous);
}

void evaluate_window(struct kpi *out, enum kpi_id id, const struct series *series, int i)
{
    const struct window_state *state = &series->windows[i];
    const struct kpi_sums *now = &state->now;
    double divisor = catalog_find(id)->divisor;
    *out = (struct kpi){.n = evaluate_n(id, now, series->flow_total), .maturity = 1};
    out->has_value = evaluate_value(id, now, series->flow_total, &out->value);
    out->low_n = out->n < LOW_N;
    set_previous(out, id, series, i);
    switch (series->kind) {
    case KPI_KIND_COUNT:
    case KPI_KIND_SUM:
    case KPI_KIND_GAUGE:
    case KPI_KIND_DISTINCT:
        out->low_n = false;
        return;
    case KPI_KIND_UPLIFT:
        set_uplift(out, now);
        return;
    default:
        break;
    }
    if (!out->has_value)
        return;
    if (series->kind == KPI_KIND_RATE)
        out->maturity = 1 - ratio(now->immature, now->n);
    if (series->kind == KPI_KIND_RATE || series->kind == KPI_KIND_SHARE) {
        set_fraction(out, (double)now->num, now->n);
        set_interval(out, interval_of_rate(now->num, now->n), 1);
    } else if (series->kind == KPI_KIND_NPS) {
        set_fraction(out, (double)now->num - (double)now->sum, now->n);
        set_interval(out, interval_of_nps(now->num, now->sum, now->n), 1);
        out->low_n = out->low_n || (out->high - out->low) / 2 > NPS_HALF_WIDTH_MOST;
    } else if (series->kind == KPI_KIND_CHURN) {
        set_churn(out, id, now->num, series->flow_total);
    } else {
        set_fraction(out, (double)now->sum / divisor, now->n);
        set_interval(out, interval_of_mean(now->n, now->sum, now->sum_squares), divisor);
        if (series->kind == KPI_KIND_DURATION)
            set_quantiles(out, state);
    }
}
