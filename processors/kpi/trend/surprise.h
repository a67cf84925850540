/* From a distance to a frequency: how often does this series show something that far off?
 *
 * No model's tail fits every series, so the distances (in standard deviations of the forecast) are put against those the
 * series itself has shown: below a high quantile by the normal law, above it by a generalised Pareto tail, whose two
 * numbers come from the running moments of the log excesses (Dekkers, Einmahl & de Haan 1989). A normal tail is the
 * prior. So a heavy-tailed series is not for ever alarming, and a tame one is watched closely. */
#ifndef TS_KPI_TREND_SURPRISE_H
#define TS_KPI_TREND_SURPRISE_H

#include <stdbool.h>

struct surprise {
    double edge;            /* the quantile: this far are 5 % of the rows */
    double first, second;   /* moments of ln(distance / edge) beyond it */
    double rows, beyond;
};

void surprise_init(struct surprise *surprise);
void surprise_learn(struct surprise *surprise, double distance);
/* The share of rows at least so far off, in log10: 0 … -300. */
double surprise_log10(const struct surprise *surprise, double distance);
bool surprise_is_sound(const struct surprise *surprise); /* sound.h */

/* How far a Student t of this shape at z is off, as a standard normal would have it: the same tail probability. */
double student_to_normal(double z, double shape);

#endif
