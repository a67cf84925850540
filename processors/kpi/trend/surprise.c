#include "processors/kpi/trend/surprise.h"

#include "processors/kpi/trend/sound.h"

#include <math.h>

static const double edge_share = 0.05;
static const double prior_beyond = 20;   /* the normal tail counts as so many rows beyond the edge */
static const double rows_memory = 20000;
static const double tail_least = -0.12;  /* a tail with an end in sight would make the next row impossible, not rare */
static const double tail_most = 0.6;
static const double edge_least = 0.2;    /* a forecast better than this is luck, or a constant */

/* Of the standard normal beyond its two-sided 5 %. */
static const double normal_edge = 1.959964;
static const double normal_first = 0.1667;
static const double normal_second = 0.0460;

void surprise_init(struct surprise *surprise)
{
    *surprise = (struct surprise){.edge = normal_edge, .first = normal_first, .second = normal_second};
}

void surprise_learn(struct surprise *surprise, double distance)
{
    surprise->rows = fmin(surprise->rows + 1, rows_memory);
    /* Stochastic approximation of the quantile; the density beyond the edge is about share / (edge · first). */
    double step = surprise->edge * surprise->first / (prior_beyond + surprise->rows * edge_share);
    if (distance > surprise->edge) {
        double excess = log(distance / surprise->edge);
        surprise->beyond = fmin(surprise->beyond + 1, rows_memory * edge_share);
        double gain = 1 / (prior_beyond + surprise->beyond);
        surprise->first += (excess - surprise->first) * gain;
        surprise->second += (excess * excess - surprise->second) * gain;
        surprise->edge += step * (1 - edge_share);
    } else {
        surprise->edge = fmax(edge_least, surprise->edge - step * edge_share);
    }
}

static double normal_log10(double distance)
{
    double x = distance / M_SQRT2;
    if (x < 5)
        return log10(erfc(x));
    return (-x * x - log(x * sqrt(M_PI)) - 0.5 / (x * x)) / M_LN10;
}

double surprise_log10(const struct surprise *surprise, double distance)
{
    double normal = normal_log10(distance / surprise->edge * normal_edge);
    if (distance <= surprise->edge)
        return normal;
    double ratio = fmin(surprise->first * surprise->first / surprise->second, 0.95);
    double below = 1 - 0.5 / (1 - ratio);
    double shape = fmin(fmax(surprise->first + below, tail_least), tail_most);
    double scale = surprise->edge * surprise->first * (1 - fmin(below, 0));
    double over = (distance - surprise->edge) / scale;
    double fall = fabs(shape) < 1e-6 ? over : log1p(fmax(shape * over, -0.999999)) / shape;
    return fmax(fmax(-300, normal), log10(edge_share) - fall / M_LN10);
}

/* Wallace's transform; its error in z is below 2 % from shape 2 on. */
double student_to_normal(double z, double shape)
{
    double bend = (8 * shape + 1) / (8 * shape + 3);
    return bend * sqrt(shape * log1p(z * z / shape));
}

bool surprise_is_sound(const struct surprise *surprise)
{
    return isfinite(surprise->edge) && isfinite(surprise->first) && isfinite(surprise->second) && isfinite(surprise->rows) && isfinite(surprise->beyond);
}
