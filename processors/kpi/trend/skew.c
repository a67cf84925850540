#include "processors/kpi/trend/skew.h"

#include "processors/kpi/trend/sound.h"

#include <math.h>

static const double rows_least = 300;   /* a short series is made of its shifts, and they are lopsided, too */
static const double memory_rows = 5000;
static const double distance_most = 4;  /* one oddity is no skewness */
static const double doubt = 2;          /* standard errors that are not believed */
static const double skewness_least = 0.15, skewness_most = 2;
static const double bend_least = 0.15;  /* below it the root is too steep: on in a straight line */

void skew_learn(struct skew *skew, double z)
{
    double tame = fmax(-distance_most, fmin(distance_most, z));
    skew->rows = fmin(skew->rows + 1, memory_rows);
    skew->first += (tame - skew->first) / skew->rows;
    skew->third += (tame * tame * tame - skew->third) / skew->rows;
}

double skew_of(const struct skew *skew)
{
    if (skew->rows < rows_least)
        return 0;
    double raw = skew->third - 3 * skew->first, error = doubt * sqrt(6 / skew->rows);
    double believed = raw * fmax(0, 1 - error * error / (raw * raw));
    if (fabs(believed) < skewness_least)
        return 0;
    return fmax(-skewness_most, fmin(skewness_most, believed));
}

double skew_unbend(double skewness, double z, double *log_slope)
{
    double bend = 1 + skewness * z / 2, edge = fmax(bend, bend_least), log_edge = log(edge), root = exp(log_edge / 3);
    *log_slope = -2.0 / 3 * log_edge;
    double distance = 6 / skewness * (root - 1) + skewness / 6;
    if (bend < bend_least)
        distance += (bend - edge) * 2 / skewness * root / edge;
    return distance;
}

bool skew_is_sound(const struct skew *skew)
{
    return isfinite(skew->rows) && isfinite(skew->first) && isfinite(skew->third);
}
