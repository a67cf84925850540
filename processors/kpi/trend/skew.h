/* Lopsided noise: counts of a few an hour, durations and the like reach further up than down.
 *
 * Taken for normal, such a series shows "shifts" upwards out of nothing: two or three of its longer ends in a row, and back again. So
 * the third moment of how far rows were off their forecasts is learned, and a distance is bent to where a normal one of the same
 * probability would lie: by the cube root, which makes gamma and Poisson variables nearly normal (Wilson & Hilferty 1931). */
#ifndef TS_KPI_TREND_SKEW_H
#define TS_KPI_TREND_SKEW_H

#include <stdbool.h>

struct skew {
    double rows, first, third; /* running moments of the distances */
};

/* Zero-initialised is a series not yet known, taken for even. `z`: off its forecast by so many deviations. */
void skew_learn(struct skew *skew, double z);
bool skew_is_sound(const struct skew *skew); /* sound.h */
/* The skewness to go by: 0 unless it stands out of what chance does. */
double skew_of(const struct skew *skew);

/* The normal distance for `z`. *log_slope: ln of the map's slope there, by which densities are to be corrected. */
double skew_unbend(double skewness, double z, double *log_slope);

#endif
