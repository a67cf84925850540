#include "processors/kpi/trend/runs.h"

#include "processors/kpi/trend/skew.h"
#include "processors/kpi/trend/sound.h"

#include <math.h>
#include <string.h>
#include <stdlib.h>

/* Priors. Lengths are in rows; «σ» is the noise of the present regime. None of them has the series' unit. */
static const double hazard = 0.01;          /* a regime begins at a row */
static const double flat_share = 0.5;        /* of new regimes have neither slope nor echo */
static const double echo_usual = 0.8;       /* echo of a new regime, and how far it may be from that */
static const double echo_spread = 0.2;
static const double level_spread = 2;       /* σ: of a new regime's level about its first value */
static const double slope_spread = 0.3;     /* σ a row */
static const double shape_new = 4;          /* rows that the present regime's σ counts as in a new one */
static const double shape_first = 2;        /* the same for the very first regime */
static const double spike_share = 0.01;     /* a row is a spike; how many σ wide spikes are */
static const double spike_width = 10;
static const double spike_run_most = 3;     /* so many in a row are no spikes any more */
static const double jump_width = 5;         /* σ: first value of a new regime about the last of the old */
static const double memory_rows = 500;      /* a regime forgets what is older: slow drift is no shift */
static const double ripe_rows = 3;          /* a new regime has at least so many rows before it is said */
static const double quantum_steps = 10;     /* so many steps before the least of them is held for the grain of the data */
static const double floor_of_range = 0.01;  /* least σ, of the range seen: what the eye would not see */
enum { YOUNG_ROWS = 4 };                     /* before it is pruned */
static const double floor_of_nothing = 1e-50; /* of a series that has only been 0; its square and the inverse of it still are numbers */

enum { LL, LS, LE, SS, SE, EE };

void runs_init(struct runs *runs)
{
    memset(runs, 0, sizeof *runs);
    runs->last_value = NAN;
    runs->low = INFINITY;
    runs->high = -INFINITY;
}

/* ln of the Student t density at a squared distance z2. Γ((ν+1)/2)/Γ(ν/2) by its asymptotic series, in which √ν cancels
 * against the density's own; good to 2 % at ν = 1 and to 1e-4 from 3 on. */
static double log_student(double z2, double shape, double variance)
{
    double bend = -1 / (4 * shape) + 1 / (24 * shape * shape * shape), x = z2 / (shape * variance);
    double fall = x < 0.01 ? x * (1 - x * (0.5 - x / 3)) : log1p(x);
    return bend - 0.5 * log(2 * M_PI * variance) - 0.5 * (shape + 1) * fall;
}

static double noise_floor(const struct runs *runs)
{
    double range = runs->high - runs->low;
    double floor = fmax(floor_of_range * range, runs->steps >= quantum_steps ? runs->quantum * 0.2887 : 0);
    if (!(floor > 0))
        floor = fmax(1e-3 * fabs(runs->last_value), floor_of_nothing);
    return fmax(floor, runs->least_noise);
}

static double run_variance(const struct run *run)
{
    return run->scale / run->shape;
}

struct prediction {
    double mean, reach, gain[3]; /* reach: x'Px */
};

static void run_predict(const struct run *run, struct prediction *p)
{
    double echo = run->last - run->origin;
    const double *c = run->spread;
    p->mean = run->origin + run->mean[0] + run->mean[1] + run->mean[2] * echo;
    /* x = (1, 1, echo) : the level is that of the row before. */
    p->gain[0] = c[LL] + c[LS] + c[LE] * echo;
    p->gain[1] = c[LS] + c[SS] + c[SE] * echo;
    p->gain[2] = c[LE] + c[SE] + c[EE] * echo;
    p->reach = p->gain[0] + p->gain[1] + p->gain[2] * echo;
}

static void run_step(struct run *run)
{
    double *c = run->spread;
    run->mean[0] += run->mean[1];
    c[LL] += 2 * c[LS] + c[SS];
    c[LS] += c[SS];
    c[LE] += c[SE];
}

static void run_forget(struct run *run)
{
    if (run->shape <= memory_rows)
        return;
    double keep = memory_rows / run->shape;
    run->shape *= keep;
    run->scale *= keep;
    double *c = run->spread;
    if (c[LL] < level_spread * level_spread && c[SS] < slope_spread * slope_spread && c[EE] * run_variance(run) < echo_spread * echo_spread)
        for (int k = 0; k < 6; k++)
            c[k] /= keep;
}

static void run_learn(struct run *run, const struct prediction *p, double value, double weight)
{
    double total = weight + p->reach, miss = value - p->mean;
    static const int row[6] = {0, 0, 0, 1, 1, 2}, column[6] = {0, 1, 2, 1, 2, 2};
    for (int k = 0; k < 3; k++)
        run->mean[k] += p->gain[k] * miss / total;
    for (int k = 0; k < 6; k++)
        run->spread[k] -= p->gain[row[k]] * p->gain[column[k]] / total;
    run_step(run);
    run->scale += miss * miss / total;
    run->shape += 1;
    run->rows++;
    run->sum += value - run->origin;
    run->squares += (value - run->origin) * (value - run->origin);
    run->odd = 0;
    run->last = value;
    run_forget(run);
}

static void run_begin(struct run *run, bool flat, int64_t row, double value, double sigma, double shape)
{
    memset(run, 0, sizeof *run);
    run->start_row = row;
    run->rows = 1;
    run->origin = run->last = value;
    run->flat = flat;
    run->spread[LL] = flat ? 1 : level_spread * level_spread;
    if (!flat) {
        run->mean[2] = echo_usual;
        run->spread[SS] = slope_spread * slope_spread;
        run->spread[EE] = echo_spread * echo_spread / (sigma * sigma);
    }
    run->shape = shape;
    run->scale = shape * sigma * sigma;
}

static void run_add(struct run *run, double value, double weight, double floor, double skewness)
{
    struct prediction p;
    run_predict(run, &p);
    double variance = fmax(run_variance(run), floor * floor);
    double total = variance * (weight + p.reach);
    double miss = value - p.mean, square = miss * miss, log_slope = 0;
    if (skewness != 0) {
        double distance = skew_unbend(skewness, miss / sqrt(total), &log_slope);
        square = distance * distance * total;
    }
    double in = log_student(square, run->shape, total) + log_slope;
    if (square > 9 * total && run->odd < spike_run_most) {
        double wide = value - run->last;
        double out = log(spike_share) + log_student(wide * wide, 2, spike_width * spike_width * variance);
        if (out > in) {
            run->log_weight += out;
            run->odd++;
            run_step(run);
            run->last = p.mean;
            return;
        }
    }
    run->log_weight += in;
    run_learn(run, &p, value, weight);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The heaviest run weighs 1; log_all is what they weigh together. */
static void rescale(struct runs *runs)
{
    double top = -INFINITY, all = 0;
    for (int k = 0; k < runs->count; k++)
        top = fmax(top, runs->run[k].log_weight);
    for (int k = 0; k < runs->count; k++) {
        runs->run[k].log_weight -= top;
        all += exp(runs->run[k].log_weight);
    }
    runs->log_all = log(all);
}

static void runs_start(struct runs *runs)
{
    double step[RUNS_WAITED], floor = noise_floor(runs);
    int steps = 0;
    for (int k = 1; k < runs->waiting; k++)
        step[steps++] = fabs(runs->waited[k] - runs->waited[k - 1]);
    qsort(step, (size_t)steps, sizeof *step, compare);
    double sigma = fmax(step[steps / 2], floor);
    runs->count = 2;
    for (int flat = 0; flat < 2; flat++) {
        struct run *run = &runs->run[flat];
        run_begin(run, flat, runs->row - runs->waiting + 1, runs->waited[0], sigma, shape_first);
        for (int k = 1; k < runs->waiting; k++)
            run_add(run, runs->waited[k], runs->waited_weight[k], floor, runs->skewness);
    }
    rescale(runs);
}

static void note_scale(struct runs *runs, double value)
{
    double step = fabs(value - runs->last_value);
    if (step > 0 && (runs->quantum == 0 || step < runs->quantum))
        runs->quantum = step;
    runs->steps += step > 0;
    runs->low = fmin(runs->low, value);
    runs->high = fmax(runs->high, value);
}

/* Makes room for the two that begin with every row. The young are spared: their case is not heard yet. */
static void runs_prune(struct runs *runs)
{
    while (runs->count > RUNS_MOST - 2) {
        int least = -1;
        for (int k = 1; k < runs->count; k++)
            if (runs->row - runs->run[k].start_row >= YOUNG_ROWS &&
                (least < 0 || runs->run[k].log_weight < runs->run[least].log_weight))
                least = k;
        runs->run[least] = runs->run[--runs->count];
    }
}

struct runs_forecast runs_expect(const struct runs *runs, double weight)
{
    struct runs_forecast forecast = {0};
    if (runs->count == 0)
        return forecast;
    struct prediction p;
    const struct run *run = &runs->run[0];
    double floor = noise_floor(runs);
    run_predict(run, &p);
    forecast.known = true;
    forecast.mean = p.mean;
    forecast.variance = fmax(run_variance(run), floor * floor);
    forecast.deviation = sqrt(forecast.variance * (weight + p.reach));
    forecast.shape = run->shape;
    return forecast;
}

static void begin_fresh(const struct runs *runs, struct run fresh[2], int64_t row, int64_t at_ms, double value,
                        double weight)
{
    struct runs_forecast forecast = runs_expect(runs, weight);
    double variance = forecast.variance, wide = jump_width * jump_width * variance * weight;
    for (int flat = 0; flat < 2; flat++) {
        double jump = value - (flat ? forecast.mean : runs->run[0].last);
        run_begin(&fresh[flat], flat, row, value, sqrt(variance), shape_new);
        fresh[flat].start_at_ms = at_ms;
        fresh[flat].expected = forecast.mean;
        fresh[flat].deviation = forecast.deviation;
        fresh[flat].log_weight = runs->log_all + log(flat ? flat_share : 1 - flat_share) + log(hazard) + log_student(jump * jump, 3, wide);
    }
}

/* The likelier of the two readings of the present regime goes first. */
static void lead(struct runs *runs, int64_t start_row)
{
    int first = -1;
    for (int k = 0; k < runs->count; k++)
        if (runs->run[k].start_row == start_row && (first < 0 || runs->run[k].log_weight > runs->run[first].log_weight))
            first = k;
    struct run swap = runs->run[0];
    runs->run[0] = runs->run[first];
    runs->run[first] = swap;
}

static void weigh(struct runs *runs, struct runs_news *news)
{
    int64_t start_row = runs->run[0].start_row;
    double top = -INFINITY, all = 0, ripe = 0, present = 0, best = 0, green = 0;
    lead(runs, start_row);
    for (int k = 0; k < runs->count; k++)
        top = fmax(top, runs->run[k].log_weight);
    for (int k = 0; k < runs->count; k++) {
        struct run *run = &runs->run[k];
        run->log_weight -= top;
        double weight = exp(run->log_weight);
        all += weight;
        if (run->start_row == start_row) {
            present += weight;
        } else if (run->rows >= ripe_rows && run->odd == 0) {
            ripe += weight;
            if (weight > best) {
                best = weight;
                news->candidate = k;
            }
        } else {
            green = fmax(green, weight);
        }
    }
    if (!(all > 0)) { /* arithmetic at its end (values a hundred decades apart): begin anew */
        runs_init(runs);
        *news = (struct runs_news){.candidate = -1, .log_odds = -INFINITY};
        return;
    }
    runs->log_all = log(all);
    if (news->candidate >= 0)
        news->log_odds = fmin(log(ripe) - fmax(log(present), -700), 700);
    /* A beginning that is likelier still has to ripen: to say another now would be to say a wrong row. */
    if (green > best)
        news->candidate = -1;
}

void runs_add(struct runs *runs, int64_t row, int64_t at_ms, double value, double weight,
              struct runs_news *news)
{
    *news = (struct runs_news){.candidate = -1, .log_odds = -INFINITY};
    runs->row = row;
    if (isnan(value)) {
        for (int k = 0; k < runs->count; k++)
            run_step(&runs->run[k]);
        return;
    }
    double before = runs->last_value, floor = isnan(before) ? 0 : noise_floor(runs);
    if (!isnan(before))
        note_scale(runs, value);
    else
        runs->low = runs->high = value;
    runs->last_value = value;
    if (runs->count == 0) {
        runs->waited[runs->waiting] = value;
        runs->waited_weight[runs->waiting++] = weight;
        if (runs->waiting == RUNS_WAITED)
            runs_start(runs);
        return;
    }
    struct run fresh[2];
    begin_fresh(runs, fresh, row, at_ms, value, weight);
    for (int k = 0; k < runs->count; k++)
        run_add(&runs->run[k], value, weight, floor, runs->skewness);
    runs_prune(runs);
    runs->run[runs->count++] = fresh[0];
    runs->run[runs->count++] = fresh[1];
    weigh(runs, news);
}

void runs_accept(struct runs *runs, int candidate)
{
    int64_t start_row = runs->run[candidate].start_row;
    int kept = 0;
    for (int k = 0; k < runs->count; k++)
        if (runs->run[k].start_row == start_row)
            runs->run[kept++] = runs->run[k];
    runs->count = kept;
    rescale(runs);
    lead(runs, start_row);
}

static bool run_is_sound(const struct run *run, int64_t row)
{
    const double numbers[] = {run->origin, run->last, run->sum, run->squares, run->expected, run->deviation, run->shape, run->scale, run->log_weight};
    return run->start_row >= 0 && run->start_row <= row && sound_is_instant(run->start_at_ms) && sound_is_flag(&run->flat) && sound_is_count(run->rows) &&
           sound_is_count(run->odd) && sound_are_numbers(numbers, sizeof numbers / sizeof *numbers) && sound_are_numbers(run->mean, 3) &&
           sound_are_numbers(run->spread, 6);
}

/* Two begin with a row, or there would be none that may go (runs_prune). */
static bool are_few_young(const struct runs *runs)
{
    int young = 0;
    for (int k = 0; k < runs->count; k++)
        young += runs->row - runs->run[k].start_row < YOUNG_ROWS;
    return young <= 2 * YOUNG_ROWS;
}

bool runs_are_sound(const struct runs *runs)
{
    const double numbers[] = {runs->log_all, runs->quantum, runs->skewness, runs->least_noise};
    bool is_new = isnan(runs->last_value);
    bool are_sound = runs->count >= 0 && runs->count <= RUNS_MOST && runs->waiting >= 0 && runs->waiting < RUNS_WAITED + (runs->count > 0) &&
                     sound_is_count(runs->steps) && sound_is_count(runs->row) && sound_are_numbers(numbers, sizeof numbers / sizeof *numbers) &&
                     (is_new || (isfinite(runs->last_value) && isfinite(runs->low) && isfinite(runs->high)));
    for (int k = 0; are_sound && k < runs->count; k++)
        are_sound = run_is_sound(&runs->run[k], runs->row);
    return are_sound && (runs->count == 0 ? sound_are_numbers(runs->waited, (size_t)runs->waiting) && sound_are_numbers(runs->waited_weight, (size_t)runs->waiting)
                                          : !is_new && are_few_young(runs));
}

double run_mean(const struct run *run)
{
    return run->origin + run->sum / run->rows;
}

double run_deviation(const struct run *run)
{
    return sqrt(run_variance(run));
}

double run_wobble(const struct run *run)
{
    double mean = run->sum / run->rows;
    return run->rows < 2 ? 0 : sqrt(fmax(0, (run->squares - run->rows * mean * mean) / (run->rows - 1)));
}
