/* The run set: when did the present regime begin?
 *
 * A series is taken as a sequence of regimes. Within one, a value follows a line plus an echo of the value before:
 *
 *     y[t] = origin + level + slope·τ + echo·(y[t-1] - origin) + noise,   noise ~ N(0, σ²·weight[t])
 *
 * with level, slope, echo and σ unknown (normal-inverse-gamma prior, so that the forecast of the next value is a Student
 * t; the echo is why a random walk is not a chain of shifts). Each row may begin a new regime with a small probability.
 * The set keeps, for the most plausible beginnings, the posterior of those four and the weight of the beginning itself:
 * Bayesian online change point detection (Adams & MacKay, arXiv 0710.3742) with a regression inside. A row that no
 * regime believes in is first held to be a spike: it costs weight and teaches nothing; only when the rows after it agree
 * with it does a regime that began there win.
 *
 * The odds of a shift are those of the beginnings after the present regime's against the rest; patience.h says when they
 * are enough. Everything is in doubles of the
 * series' own unit; no constant has one. */
#ifndef TS_KPI_TREND_RUNS_H
#define TS_KPI_TREND_RUNS_H

#include <stdbool.h>
#include <stdint.h>

enum { RUNS_MOST = 24, RUNS_WAITED = 4 };

struct run {
    int64_t start_row, start_at_ms;
    bool flat; /* no slope, no echo */
    int32_t rows, odd; /* rows taken in; spikes in a row just now */
    double origin, last;
    double sum, squares;         /* of the values taken in, less origin */
    double expected, deviation;  /* of its first row, by the regime before */
    double mean[3];   /* level, slope, echo */
    double spread[6]; /* their covariance over σ²: ll ls le ss se ee */
    double shape, scale; /* σ² is about scale / shape */
    double log_weight;
};

struct runs {
    int32_t count, waiting, steps;
    int64_t row;
    double waited[RUNS_WAITED], waited_weight[RUNS_WAITED]; /* the first rows, until there is a scale to judge by */
    double log_all; /* of the runs' weights together */
    double last_value, quantum, low, high;
    double skewness; /* of the noise, in all regimes; set from outside before each row */
    double least_noise; /* there is, whatever has been seen; set from outside before each row, 0: not known */
    struct run run[RUNS_MOST]; /* [0] is the present regime */
};

/* Has the present regime ended? The odds for it, and the run that is likeliest to have followed it. */
struct runs_news {
    int candidate; /* -1: none */
    double log_odds;
};

/* What the present regime expects of the next row: mean, spread (standard deviation of the Student t) and its shape. */
struct runs_forecast {
    bool known;
    double mean, deviation, shape, variance; /* variance: of the noise alone */
};

void runs_init(struct runs *runs);
struct runs_forecast runs_expect(const struct runs *runs, double weight);
void runs_add(struct runs *runs, int64_t row, int64_t at_ms, double value, double weight, struct runs_news *news);
/* The candidate becomes the present regime; the doubts about other beginnings are settled with it. */
void runs_accept(struct runs *runs, int candidate);
/* sound.h */
bool runs_are_sound(const struct runs *runs);
double run_mean(const struct run *run);
double run_deviation(const struct run *run); /* of the noise */
double run_wobble(const struct run *run);    /* of the values themselves */

#endif
