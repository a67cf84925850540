#include "processors/kpi/trend/trend.h"

#include "base/memory.h"
#include "base/time_zone.h"
#include "processors/kpi/trend/patience.h"
#include "processors/kpi/trend/runs.h"
#include "processors/kpi/trend/season.h"
#include "processors/kpi/trend/skew.h"
#include "processors/kpi/trend/sound.h"
#include "processors/kpi/trend/surprise.h"
#include "processors/kpi/trend/unusual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct state {
    int64_t row, spike_row;
    double noise; /* running mean of the sampling variance, to weigh rows by */
    double score;
    bool hushed;
    struct season season;
    struct skew skew;
    struct surprise surprise;
    struct patience patience;
    struct unusual unusual;
    struct runs runs;
};

struct trend {
    struct trend_config config;
    double alarms; /* the share of rows at which it may raise one by chance, as it is asked for */
    struct state state;
};

/* The budget's parts; together less than all of it, for tails and rhythms are never learned to the end. */
static const double spike_part = 0.50;
static const double shift_part = 0.48;
static const int64_t spike_rows_least = 21;
static const double plain_jump = 2.5; /* in such units; a pure change of spread is hardly ever so far off by chance */
static const double value_most = 1e100; /* beyond it squares overflow: no KPI, and taken for missing */
static const double false_alarms_known = 1.4e-4; /* a point: one in ten months of hours */
static const double rarity_more = 0.75; /* by which power rarer than that is asked for again */
static const double false_alarms_most = 1.0 / 100; /* a point; a looser budget than this would ask for noise */

double trend_budget(double per_month, double share, double series, enum trend_resolution resolution)
{
    static const double points_per_month[] = {
        [TREND_MINUTE] = 43830, [TREND_HOUR] = 730.5, [TREND_DAY] = 30.4375, [TREND_OTHER] = 730.5};
    return per_month * share / (fmax(series, 1) * points_per_month[resolution]);
}

/* What a series shows of its own chances says little of what is a hundred times rarer: an alarm in 200,000 rows was raised four to ten times as
 * often in simulations. So beyond what can be known each factor of rarity is asked for nearly twice. */
static double alarm_rate(const struct trend_config *config)
{
    double wanted = fmin(fmax(config->false_alarms_per_point, 1e-12), false_alarms_most);
    return wanted * fmin(1, pow(wanted / false_alarms_known, rarity_more));
}

struct trend *trend_create(const struct trend_config *config)
{
    struct trend *trend = memory_zeroed(1, sizeof *trend);
    trend->config = *config;
    trend->alarms = alarm_rate(config);
    trend->state.spike_row = INT64_MIN / 2;
    season_init(&trend->state.season);
    surprise_init(&trend->state.surprise);
    patience_init(&trend->state.patience);
    unusual_init(&trend->state.unusual);
    runs_init(&trend->state.runs);
    return trend;
}

void trend_destroy(struct trend *trend)
{
    free(trend);
}

static enum season_kind season_kind_of(const struct trend_config *config)
{
    if (!config->seasonal || config->resolution == TREND_OTHER)
        return SEASON_NONE;
    return config->resolution == TREND_DAY ? SEASON_WEEK_OF_DAYS : SEASON_WEEK_OF_HOURS;
}

/* How much noisier than usual this row is: its sampling variance against the usual one. A tenth is taken to be noise
 * that no sample size removes, so that one huge sample does not rule alone. */
static double sampling_weight(struct state *state, double n, double variance)
{
    double noise = variance > 0 ? variance : n > 0 ? 1 / n : 0;
    if (!(noise > 0))
        return 1;
    state->noise += state->noise > 0 ? (noise - state->noise) / fmin((double)state->row + 1, 500) : noise;
    return 0.1 + 0.9 * noise / state->noise;
}

/* From the scale that is judged on to the values' own unit. */
struct unit {
    enum trend_scale scale;
    double least, length; /* of a share's range */
    double per_item;      /* 1/n of a row, on average; 0: not known */
};

static struct unit unit_of(const struct trend *trend)
{
    const struct trend_config *config = &trend->config;
    bool has_range = config->scale == TREND_SHARE && config->most > config->least;
    return (struct unit){config->scale, has_range ? config->least : 0, has_range ? config->most - config->least : 1, trend->state.noise};
}

static double on_scale(const struct unit *unit, double value, double n)
{
    return scale_in(unit->scale, (value - unit->least) / unit->length, n);
}

static double in_unit(const struct unit *unit, double level)
{
    return unit->least + unit->length * scale_out(unit->scale, level);
}

static double mean_in_unit(const struct unit *unit, double level, double deviation)
{
    return unit->least + unit->length * scale_mean(unit->scale, level, deviation * deviation, unit->per_item);
}

static double slope_in_unit(const struct unit *unit, double slope, double level)
{
    return slope * unit->length * scale_slope(unit->scale, level);
}

/* A share scatters by chance as its sample size says, also one that never missed yet: the first miss is no news. */
static double least_noise(const struct trend *trend)
{
    return trend->config.scale == TREND_SHARE ? trend->config.least_noise * sqrt(trend->state.noise / 4) : 0;
}

/* What changed most: where the series stands, where it is going, or how much it wobbles; each in units of what the old
 * regime's noise would do to it over as many rows. A level that has plainly moved is the news, though the spread may have moved further:
 * a share that falls from 0.95 scatters more for that alone. */
static void describe(const struct unit *unit, const struct run *old, const struct run *now, struct trend_change *shift)
{
    double old_sigma = fmax(run_deviation(old), 1e-300), rows = now->rows, wobble = run_wobble(now);
    double jump = fabs(run_mean(now) - now->expected) * sqrt(rows) / fmax(fmax(old_sigma, now->deviation), wobble);
    double bend = fabs(now->mean[1] - old->mean[1]) * rows * sqrt(rows / 12) / fmax(old_sigma, run_deviation(now));
    double ratio = fmin(fmax(wobble / old_sigma, 0.1), 10); /* after a constant everything is infinitely noisier */
    double width = fabs(log(ratio)) * sqrt(2 * rows);
    shift->kind = TREND_KIND_LEVEL;
    shift->before = mean_in_unit(unit, now->expected, run_deviation(old));
    shift->after = mean_in_unit(unit, run_mean(now), wobble);
    if (bend > jump && bend > width) {
        shift->kind = TREND_KIND_TREND;
        shift->before = slope_in_unit(unit, old->mean[1], now->expected);
        shift->after = slope_in_unit(unit, now->mean[1], run_mean(now));
    } else if (width > jump && jump < plain_jump) {
        shift->kind = TREND_KIND_VARIANCE;
        shift->before = slope_in_unit(unit, old_sigma, run_mean(now));
        shift->after = slope_in_unit(unit, wobble, run_mean(now));
    }
    shift->low = in_unit(unit, now->expected - 1.96 * now->deviation);
    shift->high = in_unit(unit, now->expected + 1.96 * now->deviation);
}

/* The row as it came, on the scale, and as it is judged. */
struct row {
    int64_t number, at_ms, local_ms;
    double value, on_scale, rest, weight, weight_now;
    struct season_part season;
};

/* Is this one row odd? True: a spike, written to `spike`. A spike's neighbour is not said again. */
static bool look_at_row(struct state *state, const struct unit *unit, const struct row *row, double false_alarms, struct trend_change *spike)
{
    struct runs_forecast forecast = runs_expect(&state->runs, row->weight);
    if (!forecast.known)
        return false;
    double off = (row->rest - forecast.mean) / forecast.deviation;
    double now = off * sqrt(row->weight / row->weight_now);
    double skewness = state->runs.skewness = skew_of(&state->skew), log_slope;
    double even = skewness != 0 ? skew_unbend(skewness, off, &log_slope) : off;
    skew_learn(&state->skew, off);
    double distance = student_to_normal(fabs(even), forecast.shape);
    double frequency = surprise_log10(&state->surprise, distance);
    surprise_learn(&state->surprise, distance);
    state->score = unusual_add(&state->unusual, now, row->rest, sqrt(row->season.noise_now));
    if (frequency >= log10(false_alarms))
        return false;
    bool is_news = row->number - state->spike_row > 1 && row->number >= spike_rows_least;
    double expected = forecast.mean + row->season.worth;
    state->spike_row = row->number;
    *spike = (struct trend_change){
        .kind = TREND_KIND_SPIKE, .onset_row = row->number, .detected_row = row->number, .onset_at_ms = row->at_ms,
        .detected_at_ms = row->at_ms, .before = mean_in_unit(unit, expected, sqrt(forecast.variance)), .after = row->value,
        .low = in_unit(unit, expected - 1.96 * forecast.deviation), .high = in_unit(unit, expected + 1.96 * forecast.deviation),
        .confidence = 1 - pow(10, frequency)};
    return is_news;
}

/* Has the regime changed? True: written to `shift`. */
static bool look_at_regime(struct state *state, const struct unit *unit, const struct row *row, double false_alarms, struct trend_change *shift)
{
    struct runs_news news;
    runs_add(&state->runs, row->number, row->at_ms, row->rest, row->weight, &news);
    double limit = patience_limit(&state->patience, false_alarms);
    patience_learn(&state->patience, news.log_odds);
    if (news.candidate < 0 || news.log_odds <= limit)
        return false;
    struct run old = state->runs.run[0];
    runs_accept(&state->runs, news.candidate);
    patience_said(&state->patience, limit, news.log_odds);
    const struct run *now = &state->runs.run[0];
    *shift = (struct trend_change){.onset_row = now->start_row, .detected_row = row->number,
                                  .onset_at_ms = now->start_at_ms, .detected_at_ms = row->at_ms,
                                  .confidence = 1 / (1 + exp(-news.log_odds))};
    describe(unit, &old, now, shift);
    season_restart(&state->season, row->local_ms, run_mean(now), now->rows);
    return !state->patience.flapping;
}

static void leave_hush(struct state *state, bool hushed)
{
    if (state->hushed && !hushed) { /* what it took for regimes was the week's rhythm */
        runs_init(&state->runs);
        patience_init(&state->patience);
        surprise_init(&state->surprise);
        state->skew = (struct skew){0};
    }
    state->hushed = hushed;
}

/* Not once for all: people keep their hours by clocks that change twice a year. In whole hours for rows that are hours of UTC, or a row would lie across
 * two slots where clocks are half an hour beside those, and be judged by the mean of both. */
static int64_t offset_ms(const struct trend_config *config, int64_t at_ms)
{
    const int64_t hour_ms = 3600000;
    int64_t offset_ms = config->zone ? time_zone_offset_ms(config->zone, at_ms) : 0, beside_ms = (offset_ms % hour_ms + hour_ms) % hour_ms;
    return config->resolution == TREND_HOUR ? offset_ms - beside_ms : offset_ms;
}

/* Numbers that a damaged state has made absurd, or a series at the ends of arithmetic, are nobody's news. */
static size_t hand_out(const struct trend_change *found, size_t count, struct trend_change *out, size_t most)
{
    size_t told = 0;
    for (size_t i = 0; i < count && told < most; i++) {
        const double numbers[] = {found[i].before, found[i].after, found[i].low, found[i].high, found[i].confidence};
        if (sound_are_numbers(numbers, sizeof numbers / sizeof *numbers))
            out[told++] = found[i];
    }
    return told;
}

size_t trend_add(struct trend *trend, int64_t at_ms, double value, double n, double variance, struct trend_change *out,
                 size_t most)
{
    struct state *state = &trend->state;
    enum season_kind kind = season_kind_of(&trend->config);
    /* An hour's row speaks for the whole hour: take it at its middle. */
    int64_t middle_ms = trend->config.resolution == TREND_HOUR ? 1800000 : 0;
    struct row row = {.number = state->row++, .at_ms = at_ms, .value = value,
                      .local_ms = at_ms + offset_ms(&trend->config, at_ms) + middle_ms};
    state->score = 0;
    if (!(fabs(value) < value_most)) {
        struct runs_news nothing;
        runs_add(&state->runs, row.number, at_ms, NAN, 1, &nothing);
        return 0;
    }
    double weight = sampling_weight(state, n, trend->config.scale == TREND_LINEAR ? variance : 0);
    struct unit unit = unit_of(trend);
    row.on_scale = on_scale(&unit, value, n);
    row.season = season_at(&state->season, kind, row.local_ms);
    season_learn(&state->season, kind, row.local_ms, row.on_scale, row.season.worth, weight);
    if (!row.season.ready)
        return 0;
    leave_hush(state, row.season.hushed);
    row.weight = weight * row.season.noise;
    row.weight_now = n > 0 || variance > 0 ? weight : row.season.noise_now;
    row.rest = row.on_scale - row.season.worth;

    struct trend_change found[TREND_SHIFTS_MOST];
    state->runs.least_noise = least_noise(trend);
    size_t count = look_at_row(state, &unit, &row, spike_part * trend->alarms, &found[0]);
    count += look_at_regime(state, &unit, &row, shift_part * trend->alarms, &found[count]);
    return row.season.hushed ? 0 : hand_out(found, count, out, most);
}

double trend_score(const struct trend *trend)
{
    return trend->state.score;
}

bool trend_stands_at(const struct trend *trend, double *level, double *slope)
{
    const struct runs *runs = &trend->state.runs;
    if (runs->count == 0 || runs->run[0].rows == 0)
        return false;
    const struct run *now = &runs->run[0];
    struct unit unit = unit_of(trend);
    *level = mean_in_unit(&unit, run_mean(now), run_wobble(now));
    *slope = slope_in_unit(&unit, now->mean[1], run_mean(now) + now->mean[1] * now->rows / 2); /* by now, not on average */
    return isfinite(*level) && isfinite(*slope);
}

/* The state goes out as it lies in memory, behind a mark that changes with its layout: checkpoints are read back by the
 * same program on the same kind of machine, and a state of another layout is refused, not guessed at. */
struct mark {
    uint32_t magic, version;
    uint64_t size;
};

/* By which clocks, as far as it matters, in a number that is 0 for UTC: how far off they are in a January and in a July, in quarters of an hour. */
static uint32_t clocks_of(const struct trend_config *config)
{
    const int64_t january_ms = 1767225600000, july_ms = 1782864000000, quarter_ms = 900000;
    uint32_t january = (uint32_t)(offset_ms(config, january_ms) / quarter_ms), july = (uint32_t)(offset_ms(config, july_ms) / quarter_ms);
    return (january & 0xff) << 8 | (july & 0xff) << 16;
}

static struct mark mark_of(const struct trend_config *config)
{
    return (struct mark){0x54534852, 3 | (uint32_t)config->scale << 4 | clocks_of(config), sizeof(struct state)};
}

void trend_save(const struct trend *trend, struct bytes *out)
{
    struct mark mark = mark_of(&trend->config);
    bytes_append(out, &mark, sizeof mark);
    bytes_append(out, &trend->state, sizeof trend->state);
}

static bool state_is_sound(const struct state *state)
{
    return sound_is_count(state->row) && state->spike_row >= INT64_MIN / 2 && state->spike_row <= state->row && state->runs.row <= state->row &&
           isfinite(state->noise) && isfinite(state->score) && sound_is_flag(&state->hushed) && season_is_sound(&state->season) && skew_is_sound(&state->skew) &&
           surprise_is_sound(&state->surprise) && patience_is_sound(&state->patience) && unusual_is_sound(&state->unusual) && runs_are_sound(&state->runs);
}

struct trend *trend_load(const struct trend_config *config, struct view saved)
{
    struct mark mark = mark_of(config);
    if (saved.size != sizeof mark + sizeof(struct state) || memcmp(saved.data, &mark, sizeof mark) != 0)
        return NULL;
    struct trend *trend = trend_create(config);
    memcpy(&trend->state, saved.data + sizeof mark, sizeof trend->state);
    if (state_is_sound(&trend->state))
        return trend;
    trend_destroy(trend);
    return NULL;
}

const char *trend_kind_name(enum trend_kind kind)
{
    static const char *const names[] = {"level", "trend", "variance", "spike"};
    return names[kind];
}
