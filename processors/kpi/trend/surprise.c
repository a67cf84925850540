#include "processors/kpi/trend/surprise.h"

#include <math.h>

static const double edge_share = 0.05;       /* beyond the edge are this many rows */
static const double prior_beyond = 10;       /* the model's own tail counts as this many excesses */
static const double rows_most = 20000;       /* memory */

void surprise_init(struct surprise *surprise)
{
    *surprise = (struct surprise){.edge = -log(edge_share), .excess = 1};
}

double surprise_log10(const struct surprise *surprise, double value)
{
    /* Below the edge: as if uniform in probability between it and the middle. */
    if (value <= surprise->edge)
        return log10(edge_share) * value / surprise->edge;
    return log10(edge_share) - (value - surprise->edge) / surprise->excess / M_LN10;
}

void surprise_learn(struct surprise *surprise, double value)
{
    surprise->rows = fmin(surprise->rows + 1, rows_most);
    double step = 1 / (20 + surprise->rows * edge_share);
    /* Stochastic approximation of the quantile: up by the share below, down by the share above, in balance at the edge. */
    double slope = surprise->excess * step;
    if (value > surprise->edge) {
        double over = value - surprise->edge;
        surprise->beyond = fmin(surprise->beyond + 1, rows_most * edge_share);
        surprise->excess += (over - surprise->excess) / (prior_beyond + surprise->beyond);
        surprise->edge += slope * (1 - edge_share);
    } else {
        surprise->edge = fmax(0.1, surprise->edge - slope * edge_share);
    }
}

/* Hill's normalising transform of t, then the normal tail; off by less than 1 % in the exponent from shape 2 on. */
double student_surprise(double z, double shape)
{
    double z2 = z * z;
    double normal2 = (shape - 0.5) * (shape >= 1 ? log1p(z2 / shape) : 0) * (shape > 2 ? (1 - 1 / (4 * shape)) : 1);
    double x = sqrt(fmax(normal2, 0) / 2);
    if (x < 5)
        return -log(erfc(x) + 1e-300);
    return x * x + log(x * sqrt(M_PI)) + 0.5 / (x * x);
}
