/* L-BFGS: the minimum of a smooth convex function, deterministic and without a learning rate to tune.
 * Nocedal & Wright, «Numerical Optimization», algorithm 7.4, with halving steps. */
#ifndef TS_SENTIMENT_MINIMISE_H
#define TS_SENTIMENT_MINIMISE_H

#include <stddef.h>

/* The function's value at `at`; writes its gradient. */
typedef double minimise_function(const float *at, float *gradient, void *context);

void minimise(float *at, size_t count, int iterations, minimise_function *function, void *context);

#endif
