/* What a shift comes from: how much each part of the series, a product or a channel, has moved the whole.
 *
 * The change of a mean from one period to another is split by parts that add up to the whole (Kitagawa 1955, Components of a difference between
 * two rates): with w the share of a part in the items, r its own value and R that of the whole,
 *
 *     rate_effect = (r₂ − r₁) (w₁ + w₂) / 2               its own value has changed
 *     mix_effect  = (w₂ − w₁) ((r₁ + r₂) / 2 − (R₁ + R₂) / 2)   there is more, or less, of it than there was
 *
 * The effects of all parts sum to R₂ − R₁ exactly. A count or a sum has no items to be a mean of: what a part gives to a bucket has changed by
 * its rate_effect, and its mix_effect is 0.
 *
 * A part drives a shift if it accounts for more of the change than for the whole: where all of them fall alike nobody is named. */
#ifndef TS_KPI_DRIVERS_H
#define TS_KPI_DRIVERS_H

#include "base/view.h"
#include "processors/kpi/grid.h"
#include "schemas/kpi_sums.h"

#include <stdbool.h>

struct series;

enum { DRIVERS_MAX = 5 };

/* Two periods of rows: `onset`…`last` of a shift, and the same `times` times before, each `step` rows earlier than the one after it. */
struct periods {
    enum grid grid;
    int32_t onset, last, step, times;
};

/* Sums of one series over both. */
struct period_sums {
    struct kpi_sums before, after;
};

struct driver {
    struct view dimension;
    double share;                    /* of the change of the whole: (rate_effect + mix_effect) / change; below 0: it went the other way */
    double rate_effect, mix_effect;  /* in the KPI's unit */
    double weight;                   /* its share in the whole, the mean of both periods */
};

/* Can the changes of its parts be added up to that of the whole? */
bool drivers_are_known(enum kpi_kind kind);

/* The periods to compare for a shift from `before` to `after`: weeks, else days, else rows earlier, whatever lies within what is kept and shows
 * the shift by half to double its size. false: none does. `sums`: of the series itself over them. */
bool drivers_periods(struct periods *periods, struct period_sums *sums, const struct series *series, double before, double after);

struct period_sums drivers_sums(const struct series *series, const struct periods *periods);

/* false: the part has nothing in either. */
bool drivers_effect(struct driver *out, enum kpi_id kpi, const struct periods *periods, const struct period_sums *whole,
                    const struct period_sums *part);

/* Keeps the DRIVERS_MAX that stand out most, the first most of all; equal ones by name. Returns their count. */
size_t drivers_keep(struct driver kept[DRIVERS_MAX], size_t count, const struct driver *driver);

#endif
