#include "processors/kpi/trend/scale.h"

#include <math.h>

static const double little_ms = 1000;

double scale_in(enum trend_scale scale, double value, double n)
{
    double share = fmin(fmax(value, 0), 1);
    switch (scale) {
    case TREND_ROOT:
        return 2 * sqrt(fmax(value, 0) + 0.375);
    case TREND_LOG:
        return log(fmax(value, 0) + little_ms);
    case TREND_SHARE:
        return asin(sqrt(n > 0 ? (share * n + 0.375) / (n + 0.75) : share));
    default:
        return value;
    }
}

double scale_out(enum trend_scale scale, double level)
{
    double angle = fmin(fmax(level, 0), M_PI_2), root = fmax(level, 0);
    switch (scale) {
    case TREND_ROOT:
        return fmax(root * root / 4 - 0.375, 0);
    case TREND_LOG:
        return fmax(exp(level) - little_ms, 0);
    case TREND_SHARE:
        return sin(angle) * sin(angle);
    default:
        return level;
    }
}

/* E[x] of x = scale_out(y), y normal; of a ROOT whatever y's law. */
double scale_mean(enum trend_scale scale, double level, double variance, double per_item)
{
    double drawn, root = fmax(level, 0);
    switch (scale) {
    case TREND_ROOT:
        return fmax((root * root + variance) / 4 - 0.375, 0);
    case TREND_LOG:
        return fmax(exp(level + variance / 2) - little_ms, 0);
    case TREND_SHARE:
        drawn = (1 - cos(2 * fmin(fmax(level, 0), M_PI_2)) * exp(-2 * variance)) / 2;
        return fmin(fmax(drawn * (1 + 0.75 * per_item) - 0.375 * per_item, 0), 1);
    default:
        return level;
    }
}

double scale_slope(enum trend_scale scale, double level)
{
    switch (scale) {
    case TREND_ROOT:
        return fmax(level, 0) / 2;
    case TREND_LOG:
        return exp(level);
    case TREND_SHARE:
        return sin(2 * fmin(fmax(level, 0), M_PI_2));
    default:
        return 1;
    }
}
