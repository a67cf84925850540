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
 * A part drives a shift if it accounts for more of the change than for the whole: where all of them fall alike nobody is named. Nor is who
 * stands out by no more than chance: were a part nothing but a draw of so many items of the whole, its effect would differ from its
 * weight times the change by a standard error that follows from the items' variance: that of the whole before, or the part's own after, if
 * that is larger (the whole's after has the difference between its parts in it). */
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

/* What parts are compared with. */
struct whole {
    enum kpi_id kpi;
    struct periods periods;
    struct period_sums sums;
    double item_variance; /* of one item's value before; of a count or a sum: unused */
};

struct driver {
    struct view dimension;
    double share;                    /* of the change of the whole: (rate_effect + mix_effect) / change; below 0: it went the other way */
    double rate_effect, mix_effect;  /* in the KPI's unit */
    double weight;                   /* its share in the whole, the mean of both periods */
    double noise;                    /* the standard error of share − weight */
};

/* Can the changes of its parts be added up to that of the whole? */
bool drivers_are_known(enum kpi_kind kind);

/* The whole in the periods to compare for a shift from `before` to `after`, from row `onset` to row `last`: weeks, else days, else rows earlier,
 * whatever lies within what is kept and shows the shift by half to double its size. false: none does. */
bool drivers_whole(struct whole *whole, const struct series *series, enum grid grid, int32_t onset, int32_t last, double before, double after);

struct period_sums drivers_sums(const struct series *series, const struct periods *periods);

/* false: the part has nothing in either. */
bool drivers_effect(struct driver *out, const struct whole *whole, const struct period_sums *part);

/* Keeps the DRIVERS_MAX that stand out most, the first most of all; equal ones by name. Returns their count. */
size_t drivers_keep(struct driver kept[DRIVERS_MAX], size_t count, const struct driver *driver);

#endif
