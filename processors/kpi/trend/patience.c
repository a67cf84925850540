#include "processors/kpi/trend/patience.h"

#include "processors/kpi/trend/sound.h"

#include <math.h>

static const double edge = 0;             /* log odds */
static const double edge_low = -1.5;      /* an excursion is over below this */
static const double prior_rate = 0.003;   /* excursions a row of a normal series, counted as prior_rows rows */
static const double prior_rows = 1000;
static const double prior_excess = 1.2;   /* their mean height, counted as prior_excursions */
static const double prior_excursions = 30;
static const double memory_rows = 20000;
static const double said_most = 2;        /* a huge shift counts as this many times the limit at most */
static const double flap_rows = 300;      /* shifts within about so many rows */
static const double flap_most = 6;        /* are flapping when there are more than so many, */
static const double flap_calm = 2;        /* until there are less than so many */

void patience_init(struct patience *patience)
{
    *patience = (struct patience){
        .rows = prior_rows, .excursions = prior_rows * prior_rate, .excess = prior_excess, .peak = -INFINITY};
}

double patience_limit(const struct patience *patience, double false_alarms)
{
    double rate = patience->excursions / patience->rows;
    return edge + patience->excess * fmax(log(rate / false_alarms), 0);
}

static void learn_peak(struct patience *patience, double excess)
{
    double seen = patience->excursions - prior_rows * prior_rate + prior_excursions;
    patience->excursions += 1;
    patience->excess += (excess - patience->excess) / fmax(seen + 1, prior_excursions);
    patience->peak = -INFINITY;
}

void patience_learn(struct patience *patience, double log_odds)
{
    patience->rows += 1;
    patience->recent *= 1 - 1 / flap_rows;
    if (patience->recent < flap_calm)
        patience->flapping = false;
    if (patience->rows > memory_rows) {
        patience->excursions *= memory_rows / patience->rows;
        patience->rows = memory_rows;
    }
    if (log_odds > edge)
        patience->peak = fmax(patience->peak, log_odds);
    else if (log_odds < edge_low && patience->peak > edge)
        learn_peak(patience, patience->peak - edge);
}

/* How high it would have gone is not known: by the exponential's lack of memory, one mean more than the limit. */
void patience_said(struct patience *patience, double limit, double log_odds)
{
    patience->recent += 1;
    if (patience->recent > flap_most)
        patience->flapping = true;
    double least = limit - edge + patience->excess;
    learn_peak(patience, fmin(fmax(least, log_odds - edge), said_most * least));
}

bool patience_is_sound(const struct patience *patience)
{
    return isfinite(patience->rows) && isfinite(patience->excursions) && isfinite(patience->excess) && isfinite(patience->recent) &&
           sound_is_flag(&patience->flapping) && (isfinite(patience->peak) || patience->peak == -INFINITY);
}
