#include "processors/kpi/drivers.h"

#include "processors/kpi/evaluate.h"
#include "processors/kpi/series.h"

#include <math.h>
#include <string.h>

/* A part has to account for so much more of the change than of the whole, and by so many standard errors: there are many parts. */
static const double least_excess = 0.1, least_errors = 3;

/* Amounts differ, so a sum strays further than a count: by as much as if each amount were drawn from an exponential law. */
static const double spread_of_amounts = 2;

enum { TIMES_MOST = 4 };

static bool is_added_up(enum kpi_kind kind)
{
    return kind == KPI_KIND_COUNT || kind == KPI_KIND_SUM;
}

/* Customers are not added up (one can be in several parts), and what is open is no sum of what came. */
bool drivers_are_known(enum kpi_kind kind)
{
    return is_added_up(kind) || kind == KPI_KIND_RATE || kind == KPI_KIND_NPS || kind == KPI_KIND_MEAN || kind == KPI_KIND_DURATION;
}

static void add_within(struct kpi_sums *sums, const struct level *level, int32_t from, int32_t until)
{
    for (uint32_t at = level_find(level, from); at < level->count && level_when(level, at) < until; at++) {
        struct kpi_sums more = level_sums(level, at);
        kpi_sums_add(sums, &more, 1);
    }
}

/* Rows from…until − 1. Minutes that a series has not got to, as another has at the same instant, are not in its hours and days yet. */
static void add_rows(struct kpi_sums *sums, const struct series *series, enum grid grid, int32_t from, int32_t until)
{
    add_within(sums, &series->levels[grid], from, until);
    if (grid == GRID_MINUTE)
        return;
    int32_t from_minute = (int32_t)(grid_start_ms(series->zone, grid, from) / 60000);
    int32_t until_minute = (int32_t)(grid_start_ms(series->zone, grid, until) / 60000), waiting = series->entered_minute + 1;
    add_within(sums, &series->levels[GRID_MINUTE], from_minute > waiting ? from_minute : waiting, until_minute);
}

struct period_sums drivers_sums(const struct series *series, const struct periods *periods)
{
    struct period_sums sums = {{0}, {0}};
    add_rows(&sums.after, series, periods->grid, periods->onset, periods->last + 1);
    for (int32_t k = 1; k <= periods->times; k++)
        add_rows(&sums.before, series, periods->grid, periods->onset - k * periods->step, periods->last + 1 - k * periods->step);
    return sums;
}

/* Of a mean its value, 0 of nothing; of a count or a sum what a row has of it. */
static void values_of(enum kpi_id kpi, const struct periods *periods, const struct period_sums *sums, double *before, double *after)
{
    if (!evaluate_value(kpi, &sums->before, 0, before))
        *before = 0;
    if (!evaluate_value(kpi, &sums->after, 0, after))
        *after = 0;
    if (!is_added_up(kpi_names[kpi].kind))
        return;
    double rows = (double)periods->last - periods->onset + 1;
    *before /= rows * periods->times;
    *after /= rows;
}

static bool shows(const struct periods *periods, const struct period_sums *sums, enum kpi_id kpi, double change)
{
    double before, after;
    values_of(kpi, periods, sums, &before, &after);
    bool is_told = is_added_up(kpi_names[kpi].kind) || (sums->before.n > 0 && sums->after.n > 0);
    return is_told && (after - before) / change >= 0.5 && (after - before) / change <= 2;
}

static double item_variance_of(enum kpi_id kpi, const struct kpi_sums *sums)
{
    struct kpi_sums item = {.n = 1};
    return sums->n > 1 ? evaluate_variance(kpi, &item, sums) : 0;
}

bool drivers_whole(struct whole *whole, const struct series *series, enum grid grid, int32_t onset, int32_t last, double before, double after)
{
    static const int32_t units[GRID_COUNT][3] = {[GRID_MINUTE] = {1440, 60, 1}, [GRID_HOUR] = {168, 24, 1}, [GRID_DAY] = {28, 7, 1}};
    const struct level *level = &series->levels[grid];
    struct periods *periods = &whole->periods;
    int32_t rows = last - onset + 1;
    if (level->count == 0 || before == after)
        return false;
    *whole = (struct whole){.kpi = series->kpi, .periods = {.grid = grid, .onset = onset, .last = last}};
    for (size_t i = 0; i < 3; i++) {
        int32_t unit = units[grid][i];
        periods->step = (rows + unit - 1) / unit * unit;
        periods->times = (onset - level_when(level, 0)) / periods->step;
        if (periods->times > TIMES_MOST)
            periods->times = TIMES_MOST;
        if (periods->times < 1)
            continue;
        whole->sums = drivers_sums(series, periods);
        if (!shows(periods, &whole->sums, series->kpi, after - before))
            continue;
        if (!is_added_up(series->kind))
            whole->item_variance = item_variance_of(series->kpi, &whole->sums.before);
        return true;
    }
    return false;
}

static double part_of(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* 1/n − 1/N: what the mean of n of N items strays from that of all N, in variances of one. */
static double draw(int64_t part, int64_t whole)
{
    return part > 0 && part < whole ? 1 / (double)part - 1 / (double)whole : 0;
}

static void mean_effect(struct driver *out, const struct whole *whole, const struct period_sums *part)
{
    double r1, r2, whole1, whole2;
    const struct kpi_sums *all1 = &whole->sums.before, *all2 = &whole->sums.after;
    double w1 = part_of((double)part->before.n, (double)all1->n), w2 = part_of((double)part->after.n, (double)all2->n), w = (w1 + w2) / 2;
    values_of(whole->kpi, &whole->periods, &whole->sums, &whole1, &whole2);
    values_of(whole->kpi, &whole->periods, part, &r1, &r2);
    if (part->before.n <= 0)
        r1 = r2; /* it is new: nothing but more of it */
    if (part->after.n <= 0)
        r2 = r1;
    double apart = (r1 + r2) / 2 - (whole1 + whole2) / 2;
    double item_variance = fmax(whole->item_variance, item_variance_of(whole->kpi, &part->after));
    double rate_variance = w * w * item_variance * (draw(part->before.n, all1->n) + draw(part->after.n, all2->n));
    double mix_variance = apart * apart * w * (1 - w) * (1 / (double)all1->n + 1 / (double)all2->n);
    out->rate_effect = (r2 - r1) * w;
    out->mix_effect = (w2 - w1) * apart + 0.0; /* never a −0 */
    out->weight = w;
    out->share = (out->rate_effect + out->mix_effect) / (whole2 - whole1);
    out->noise = sqrt(rate_variance + mix_variance) / fabs(whole2 - whole1);
}

static void sum_effect(struct driver *out, const struct whole *whole, const struct period_sums *part)
{
    double v1, v2, whole1, whole2, rows = (double)whole->periods.last - whole->periods.onset + 1, rows1 = rows * whole->periods.times;
    values_of(whole->kpi, &whole->periods, &whole->sums, &whole1, &whole2);
    values_of(whole->kpi, &whole->periods, part, &v1, &v2);
    double w = part_of(v1 + v2, whole1 + whole2);
    double item1 = part_of(whole1 * rows1, (double)whole->sums.before.n), item2 = part_of(whole2 * rows, (double)whole->sums.after.n);
    double variance = w * (1 - w) * (whole1 * item1 / rows1 + whole2 * item2 / rows);
    if (kpi_names[whole->kpi].kind == KPI_KIND_SUM)
        variance *= spread_of_amounts;
    out->rate_effect = v2 - v1;
    out->mix_effect = 0;
    out->weight = w;
    out->share = (v2 - v1) / (whole2 - whole1);
    out->noise = sqrt(variance) / fabs(whole2 - whole1);
}

bool drivers_effect(struct driver *out, const struct whole *whole, const struct period_sums *part)
{
    if (part->before.n <= 0 && part->after.n <= 0)
        return false;
    (is_added_up(kpi_names[whole->kpi].kind) ? sum_effect : mean_effect)(out, whole, part);
    return isfinite(out->share) && isfinite(out->noise);
}

static double excess_of(const struct driver *driver)
{
    return driver->share - driver->weight;
}

static bool is_before(const struct driver *a, const struct driver *b)
{
    if (excess_of(a) != excess_of(b))
        return excess_of(a) > excess_of(b);
    return view_compare(a->dimension, b->dimension) < 0;
}

size_t drivers_keep(struct driver kept[DRIVERS_MAX], size_t count, const struct driver *driver)
{
    size_t place = count;
    if (excess_of(driver) < fmax(least_excess, least_errors * driver->noise))
        return count;
    while (place > 0 && is_before(driver, &kept[place - 1]))
        place--;
    if (place == DRIVERS_MAX)
        return count;
    size_t moved = (count < DRIVERS_MAX ? count : DRIVERS_MAX - 1) - place;
    memmove(kept + place + 1, kept + place, moved * sizeof *kept);
    kept[place] = *driver;
    return count < DRIVERS_MAX ? count + 1 : count;
}
