#include "processors/kpi/trend/unusual.h"

#include "processors/kpi/trend/sound.h"

#include <math.h>
#include <string.h>

static const double level_rows = 5000;   /* memory of the level */
static const double short_rows = 5;      /* the running means */
static const double long_rows = 50;
static const double distance_most = 20;  /* what is further off counts as this far in a mean */
static const double wake_rows = 100;     /* in which the memory of an oddity fades to a third */
static const double wake_margin = 1.06;  /* so much odder than the wake stands out again */
static const double wake_rest = 0.2;     /* what is left of the rest */
static const double half_rarity = 3;     /* one row in 10^3 scores one half */

void unusual_init(struct unusual *unusual)
{
    memset(unusual, 0, sizeof *unusual);
    for (int k = 0; k < UNUSUAL_VIEWS; k++)
        surprise_init(&unusual->view[k]);
}

static double smooth(double *mean, double value, double rows, double seen)
{
    *mean += (value - *mean) / fmin(rows, seen);
    return *mean;
}

static double from_level(struct unusual *unusual, double value, double noise)
{
    double rows = unusual->rows = fmin(unusual->rows + 1, level_rows);
    if (rows == 1)
        unusual->level = value;
    double miss = value - unusual->level;
    double far = unusual->spread > 0 ? miss / (unusual->spread * noise) : 0;
    if (rows > 20 && unusual->spread > 0)
        miss = fmax(-5 * unusual->spread, fmin(5 * unusual->spread, miss));
    unusual->level += miss / rows;
    unusual->spread += (fabs(miss) - unusual->spread) / rows;
    return far;
}

double unusual_add(struct unusual *unusual, double distance, double value, double noise)
{
    double seen = unusual->rows + 1, far = from_level(unusual, value, noise);
    double tame = fmax(-distance_most, fmin(distance_most, distance));
    double tame_far = fmax(-distance_most, fmin(distance_most, far));
    double look[UNUSUAL_VIEWS] = {
        fabs(far),
        sqrt(smooth(&unusual->mean[1], tame * tame, short_rows, seen)),
        sqrt(smooth(&unusual->mean[2], tame * tame, long_rows, seen)),
        fabs(smooth(&unusual->mean[3], tame_far, short_rows, seen)),
        fabs(smooth(&unusual->mean[4], tame_far, long_rows, seen)),
    };
    double rarest = 0;
    for (int k = 0; k < UNUSUAL_VIEWS; k++) {
        double rarity = -surprise_log10(&unusual->view[k], look[k]);
        surprise_learn(&unusual->view[k], look[k]);
        rarest = fmax(rarest, rarity);
    }
    double wake = unusual->wake;
    unusual->wake = fmax(rarest, wake * exp(-1 / wake_rows));
    if (rarest < wake * wake_margin)
        rarest *= wake_rest;
    return rarest / (half_rarity + rarest);
}

bool unusual_is_sound(const struct unusual *unusual)
{
    bool are_sound = isfinite(unusual->level) && isfinite(unusual->spread) && isfinite(unusual->rows) && isfinite(unusual->wake) &&
                     sound_are_numbers(unusual->mean, UNUSUAL_VIEWS);
    for (int k = 0; k < UNUSUAL_VIEWS; k++)
        are_sound &= surprise_is_sound(&unusual->view[k]);
    return are_sound;
}
