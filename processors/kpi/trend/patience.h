/* When is evidence for a shift enough? Set so that a series in which nothing happens alarms as rarely as allowed.
 *
 * The log odds of a shift wander, and now and then make an excursion over an edge. The peaks of excursions are about
 * exponential (with mean 1 where the model is right: an odds ratio exceeds x with probability 1/x). So the rate of
 * excursions and the mean of their peaks over the edge, both learned from the series with a normal one as prior, say
 * which height is passed by chance as seldom as the budget wants. What was said counts as a peak, too: a series that
 * shifts every dozen rows is one in which shifts are no news, and it must show more. */
#ifndef TS_KPI_TREND_PATIENCE_H
#define TS_KPI_TREND_PATIENCE_H

#include <stdbool.h>

struct patience {
    double rows, excursions, excess; /* excess: mean over the edge */
    double recent;                   /* shifts said of late */
    bool flapping;
    double peak;                     /* of the running excursion; below the edge: there is none */
};

void patience_init(struct patience *patience);
/* Takes the row's log odds in. Gives the height above which a shift may be said for `false_alarms` a row. */
double patience_limit(const struct patience *patience, double false_alarms);
void patience_learn(struct patience *patience, double log_odds);
void patience_said(struct patience *patience, double limit, double log_odds);
bool patience_is_sound(const struct patience *patience); /* sound.h */

#endif
