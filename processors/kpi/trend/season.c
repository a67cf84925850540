#include "processors/kpi/trend/season.h"

#include "processors/kpi/trend/sound.h"

#include <math.h>
#include <string.h>

static const int64_t hour_ms = 3600000, day_ms = 86400000, week_ms = 7 * 86400000LL;

/* Memory of each part, in cycles: long enough to average noise away, short enough to follow a season that changes. */
static const double level_days = 7, hour_days = 21, week_weeks = 10;
/* Before so many weeks a level that comes and goes may be the week's rhythm, and is left to the slots to learn. */
static const double settled_weeks = 4;
/* A rhythm: the hours' variance against the square of the mean miss. */
static const double rhythm_least = 0.5;
/* The variance of normal noise against the square of its mean miss. */
static const double variance_of_miss = 1.57;
/* How much of the noise a slot of the week must stand out of to be believed; slot_worth. */
static const double garrote = 2;
/* Hours differ in noise, too; as if an hour had already been as noisy as the mean one for so many rows. */
static const double noise_rows = 20, even_noise_rows = 10, day_noise_rows = 100;
static const double noise_days = 7, even_noise_days = 21, day_noise_weeks = 4, even_days = 14;

struct place {
    int slot[2];
    double share[2]; /* of slot[0], in which it lies, and of its neighbour */
};

void season_init(struct season *season)
{
    memset(season, 0, sizeof *season);
    season->first_at_ms = season->last_at_ms = INT64_MIN;
    season->centred = true;
}

static int64_t floor_rest(int64_t value, int64_t by)
{
    int64_t rest = value % by;
    return rest < 0 ? rest + by : rest;
}

/* 1970-01-01 was a Thursday; slot 0 is Monday's first hour. Days may begin with a step (a shop that closes on Sunday), so
 * nothing is interpolated over midnight: the first and the last half hour go on as straight as their neighbours. */
static struct place place_of(enum season_kind kind, int64_t local_ms)
{
    int64_t in_week = floor_rest(local_ms + 3 * day_ms, week_ms);
    if (kind == SEASON_WEEK_OF_DAYS)
        return (struct place){{(int)(in_week / day_ms), 0}, {1, 0}};
    int within = (int)(in_week / hour_ms), hour = within % SEASON_HOURS;
    double beyond = (double)(in_week % hour_ms) / (double)hour_ms - 0.5;
    int other = hour == 0 ? within + 1 : hour == SEASON_HOURS - 1 || beyond < 0 ? within - 1 : within + 1;
    double towards = other > within ? beyond : -beyond;
    return (struct place){{within, other}, {1 - towards, towards}};
}

static int hour_of(int slot)
{
    return slot % SEASON_HOURS;
}

/* How much the hours of the day (by the day: the days of the week) differ, beyond what the means of so few visits differ anyway. */
static double rhythm_variance(const struct season *season, enum season_kind kind)
{
    const float *mean = kind == SEASON_WEEK_OF_DAYS ? season->week : season->hour;
    const float *rows = kind == SEASON_WEEK_OF_DAYS ? season->week_rows : season->hour_rows;
    double sum = 0, squares = 0, noise = 0;
    int seen = 0;
    for (int k = 0; k < (kind == SEASON_WEEK_OF_DAYS ? 7 : SEASON_HOURS); k++) {
        if (rows[k] <= 0)
            continue;
        sum += (double)mean[k];
        squares += (double)mean[k] * (double)mean[k];
        noise += variance_of_miss * season->spread * season->spread / (double)rows[k];
        seen++;
    }
    return seen > 1 ? fmax(0, (squares - noise) / seen - sum / seen * (sum / seen)) : 0;
}

static double middle_of(double *value, int count)
{
    for (int k = 1; k < count; k++)
        for (int j = k; j > 0 && value[j - 1] > value[j]; j--) {
            double swap = value[j];
            value[j] = value[j - 1];
            value[j - 1] = swap;
        }
    return value[count / 2];
}

/* x²/(x² + noise): what of x to believe. */
static double believed(double x, double noise)
{
    double signal = x * x;
    return signal > 0 && signal + noise > 1e-280 ? x * signal / (signal + noise) : 0;
}

/* Rows of one visit are not as good as visits of their own, for what moves a series moves it for a while: their root. */
static double slot_visits(const struct season *season, int slot)
{
    return (double)season->week_rows[slot] / sqrt(fmax(season->rows_per_slot, 1));
}

static double beyond_hour(const struct season *season, int slot)
{
    return (double)season->week[slot] - (double)season->hour[hour_of(slot)];
}

/* What the whole day differs from the hours of the mean day: 24 slots say it sooner than one. */
static double day_worth(const struct season *season, int slot)
{
    double sum = 0, visits = 0;
    int first = slot - hour_of(slot), seen = 0;
    for (int k = first; k < first + SEASON_HOURS; k++) {
        if (season->week_rows[k] <= 0)
            continue;
        sum += beyond_hour(season, k);
        visits += slot_visits(season, k);
        seen++;
    }
    return seen ? believed(sum / seen, garrote * season->spread * season->spread / fmax(visits, 0.5)) : 0;
}

/* How far a slot of the week and its neighbours are from their hours of the day and from `day`: the middle of five, because
 * one odd hour last week is no rhythm. */
static double beyond_around(const struct season *season, int slot, double day)
{
    enum { AROUND = 5 };
    double beyond[AROUND];
    for (int k = 0; k < AROUND; k++) {
        int near = (slot + k - AROUND / 2 + SEASON_SLOTS) % SEASON_SLOTS;
        beyond[k] = season->week_rows[near] > 0 ? beyond_hour(season, near) - day : 0;
    }
    return middle_of(beyond, AROUND);
}

/* A slot's worth is its hour of the day's plus what the week adds, shrunk by how much of that may be noise: a weekend that
 * halves the traffic is believed after one visit, a wiggle as large as the noise is not. */
static double slot_worth(const struct season *season, enum season_kind kind, int slot, double hourly)
{
    if (!season->settled || season->week_rows[slot] <= 0)
        return hourly;
    double noise = garrote * season->spread * season->spread / fmax(slot_visits(season, slot), 0.5);
    if (kind == SEASON_WEEK_OF_DAYS)
        return hourly + believed((double)season->week[slot] - hourly, noise);
    double day = day_worth(season, slot), around = beyond_around(season, slot, day);
    double share = around != 0 ? believed(around, noise) / around : 0;
    return hourly + day + ((double)season->week[slot] - hourly - day) * share;
}

static double noise_of(double miss, double rows, double rows_prior, double usual)
{
    if (!(usual > 0) || rows <= 0)
        return 1;
    double mean = (rows * miss + rows_prior * usual) / (rows + rows_prior);
    return mean * mean / (usual * usual);
}

static double slot_noise(const struct season *season, int slot)
{
    int hour = hour_of(slot), day = slot / SEASON_HOURS;
    return noise_of((double)season->even_miss[hour], (double)season->even_miss_rows[hour], even_noise_rows, season->even) *
           noise_of((double)season->day_miss[day], (double)season->day_rows[day], day_noise_rows * season->rows_per_slot, season->even);
}

struct season_part season_at(const struct season *season, enum season_kind kind, int64_t local_ms)
{
    struct season_part part = {0, 1, 1, true, false};
    if (kind == SEASON_NONE)
        return part;
    if (season->first_at_ms == INT64_MIN)
        return (struct season_part){0, 1, 1, false, true};
    struct place place = place_of(kind, local_ms);
    int own = place.slot[0], other = place.slot[1];
    part.noise_now = noise_of((double)season->miss[hour_of(own)], (double)season->miss_rows[hour_of(own)], noise_rows, season->spread);
    part.noise = kind == SEASON_WEEK_OF_HOURS ? slot_noise(season, own) : 1;
    part.worth = slot_worth(season, kind, own, (double)season->hour[hour_of(own)]);
    if (place.share[1] != 0 && season->hour_rows[hour_of(other)] > 0)
        part.worth = place.share[0] * part.worth +
                     place.share[1] * slot_worth(season, kind, other, (double)season->hour[hour_of(other)]);
    int64_t cycle = kind == SEASON_WEEK_OF_DAYS ? week_ms : day_ms;
    part.ready = local_ms - season->first_at_ms >= cycle;
    part.hushed = !part.ready || (local_ms - season->first_at_ms < (kind == SEASON_WEEK_OF_DAYS ? 3 : 2) * week_ms &&
                                  rhythm_variance(season, kind) > rhythm_least * season->spread * season->spread);
    return part;
}

/* An hour met for the first time begins where its neighbour stands, not at nothing. */
static void first_visit(struct season *season, int hour)
{
    int before = (hour + SEASON_HOURS - 1) % SEASON_HOURS;
    if (season->hour_rows[hour] <= 0 && season->hour_rows[before] > 0)
        season->hour[hour] = season->hour[before];
}

/* A running mean that in the end remembers rows_most rows. */
static void nudge(float *mean, float *rows, double miss, double rows_most)
{
    *rows = (float)fmin((double)*rows + 1, rows_most);
    *mean += (float)(miss / (double)*rows);
}

/* What is far off teaches no more than what is `spreads` off; but a series that has not moved yet knows no far. */
static double tame(const struct season *season, double miss, double spreads)
{
    double most = spreads * season->spread;
    if (season->rows <= 10 || !(most > 0))
        return miss;
    return fmax(-most, fmin(most, miss));
}

struct pace {
    double rows_per_slot, rows_per_day;
};

static struct pace pace_of(const struct season *season, enum season_kind kind, int64_t local_ms)
{
    if (kind == SEASON_WEEK_OF_DAYS)
        return (struct pace){1, 4}; /* a month for the level */
    double step_ms = (double)hour_ms;
    if (local_ms > season->last_at_ms)
        step_ms = fmin((double)(local_ms - season->last_at_ms), step_ms);
    double rows = (double)hour_ms / fmax(step_ms, 1000);
    return (struct pace){rows, rows * 24};
}

static void begin(struct season *season, int64_t local_ms, double value)
{
    season->first_at_ms = season->last_at_ms = local_ms;
    season->level = season->anchor = value;
}

/* So far misses were half learning: what they say of noise is to be learned anew, and soon. */
static void doubt_noise(struct season *season)
{
    for (int hour = 0; hour < SEASON_HOURS; hour++)
        season->miss_rows[hour] = season->even_miss_rows[hour] = (float)fmin((double)season->miss_rows[hour], season->rows_per_slot);
    for (int day = 0; day < SEASON_DAYS; day++)
        season->day_rows[day] = (float)fmin((double)season->day_rows[day], season->rows_per_slot);
    season->even_rows = fmin(season->even_rows, SEASON_HOURS * season->rows_per_slot);
}

/* In the first week the level is still finding itself, so the slots were kept relative to the first value. */
static void settle(struct season *season, enum season_kind kind)
{
    for (int slot = 0; slot < SEASON_SLOTS; slot++)
        season->week[slot] += (float)(season->anchor - season->level);
    doubt_noise(season);
    if (kind == SEASON_WEEK_OF_DAYS) { /* so far all was rhythm: the noise starts small, and anew */
        season->spread *= 0.1;
        season->even *= 0.1;
        season->even_rows = 0;
        season->rows = 0;
    }
    season->settled = true;
}

/* The days' worths are relative to the level, so they sum to nothing. Left alone they would wander together against it, for what is believed of
 * each is less than it is, by another share: after two years the rest of a steady series had risen by a tenth. */
static void centre_days(struct season *season)
{
    float sum = 0;
    int seen = 0;
    for (int day = 0; day < SEASON_DAYS; day++)
        if (season->week_rows[day] > 0) {
            sum += season->week[day];
            seen++;
        }
    float mean = sum / (float)seen;
    for (int day = 0; day < SEASON_DAYS; day++)
        if (season->week_rows[day] > 0)
            season->week[day] -= mean;
    season->level += (double)mean;
}

/* Each row teaches the hour it lies in, though it is judged between the middles of two. */
static void learn_slot(struct season *season, enum season_kind kind, int slot, double total, double miss, double even_miss)
{
    int hour = hour_of(slot);
    float *rows = &season->week_rows[slot];
    double base = season->settled ? season->level : season->anchor;
    double beyond = total - base - (double)season->week[slot];
    if (season->settled)
        beyond = tame(season, beyond, 4);
    nudge(&season->week[slot], rows, beyond, week_weeks * season->rows_per_slot);
    if (kind == SEASON_WEEK_OF_DAYS) {
        if (season->settled && season->centred)
            centre_days(season);
        return;
    }
    first_visit(season, hour);
    double hourly = tame(season, total - season->level - (double)season->hour[hour], 4);
    nudge(&season->hour[hour], &season->hour_rows[hour], hourly, hour_days * season->rows_per_slot);
    int day = slot / SEASON_HOURS;
    nudge(&season->miss[hour], &season->miss_rows[hour], miss - (double)season->miss[hour], noise_days * season->rows_per_slot);
    nudge(&season->even_miss[hour], &season->even_miss_rows[hour], even_miss - (double)season->even_miss[hour],
          even_noise_days * season->rows_per_slot);
    nudge(&season->day_miss[day], &season->day_rows[day], even_miss - (double)season->day_miss[day],
          day_noise_weeks * SEASON_HOURS * season->rows_per_slot);
}

void season_learn(struct season *season, enum season_kind kind, int64_t local_ms, double value, double worth, double weight)
{
    if (kind == SEASON_NONE || isnan(value))
        return;
    if (season->first_at_ms == INT64_MIN)
        begin(season, local_ms, value);
    if (!season->settled && local_ms - season->first_at_ms >= week_ms)
        settle(season, kind);
    struct pace pace = pace_of(season, kind, local_ms);
    season->last_at_ms = local_ms;
    season->rows += 1;
    season->rows_per_slot += (pace.rows_per_slot - season->rows_per_slot) / fmin(season->rows, 1000);

    double miss = value - season->level - worth;
    double spread_rows = kind == SEASON_WEEK_OF_DAYS ? 28 : pace.rows_per_day;
    season->even_rows = fmin(season->even_rows + 1, kind == SEASON_WEEK_OF_DAYS ? spread_rows : even_days * pace.rows_per_day);
    season->even += (fabs(tame(season, miss, 4)) / sqrt(weight) - season->even) / season->even_rows;
    season->spread += (fabs(tame(season, miss, 3)) - season->spread) / fmin(season->rows, spread_rows);
    miss = tame(season, miss, 4);
    struct place place = place_of(kind, local_ms);
    learn_slot(season, kind, place.slot[0], value, fabs(miss), fabs(miss) / sqrt(weight));
    season->level_rows = fmin(season->level_rows + 1, level_days * pace.rows_per_day);
    season->level += miss / season->level_rows;
}

void season_restart(struct season *season, int64_t local_ms, double level, double rows)
{
    if (season->first_at_ms == INT64_MIN || local_ms - season->first_at_ms < settled_weeks * (double)week_ms)
        return;
    season->level = level;
    season->level_rows = rows;
}

bool season_is_sound(const struct season *season)
{
    const double numbers[] = {season->rows, season->level, season->level_rows, season->rows_per_slot, season->anchor, season->spread, season->even, season->even_rows};
    bool is_new = season->first_at_ms == INT64_MIN && season->last_at_ms == INT64_MIN;
    return (is_new || (sound_is_instant(season->first_at_ms) && sound_is_instant(season->last_at_ms))) && sound_is_flag(&season->settled) &&
           sound_is_flag(&season->centred) && sound_are_numbers(numbers, sizeof numbers / sizeof *numbers) &&
           sound_are_floats(season->hour, SEASON_HOURS) && sound_are_floats(season->hour_rows, SEASON_HOURS) &&
           sound_are_floats(season->miss, SEASON_HOURS) && sound_are_floats(season->miss_rows, SEASON_HOURS) &&
           sound_are_floats(season->even_miss, SEASON_HOURS) && sound_are_floats(season->even_miss_rows, SEASON_HOURS) &&
           sound_are_floats(season->day_miss, SEASON_DAYS) && sound_are_floats(season->day_rows, SEASON_DAYS) &&
           sound_are_floats(season->week, SEASON_SLOTS) && sound_are_floats(season->week_rows, SEASON_SLOTS);
}
