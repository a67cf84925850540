/* Counts by chance, for the tests of what watches them. */
#ifndef TS_TESTS_UNIT_TREND_DRAWS_H
#define TS_TESTS_UNIT_TREND_DRAWS_H

#include "base/random.h"

#include <math.h>

/* Beyond 60 a rounded normal one: exp(−mean) would lose its digits. */
static inline double draw_poisson(struct random *random, double mean)
{
    if (mean > 60)
        return fmax(0, round(mean + sqrt(mean) * random_normal(random)));
    double limit = exp(-mean), product = random_unit(random);
    int count = 0;
    for (; product > limit; product *= random_unit(random))
        count++;
    return count;
}

#endif
