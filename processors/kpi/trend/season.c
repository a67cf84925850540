#include "processors/kpi/trend/season.h"

#include <math.h>
#include <string.h>

static const int64_t hour_ms = 3600000, day_ms = 86400000, week_ms = 7 * 86400000LL;

/* Memory of each part, in cycles: long enough to average noise away, short enough to follow a season that changes. */
static const double level_days = 7, hour_days = 21, week_weeks = 10;
/* The hour-of-week part starts as if this many weeks without any difference had been seen. */
static const double week_prior_weeks = 2;

struct place {
    int slot[2];
    double share[2];
};

void season_init(struct season *season)
{
    memset(season, 0, sizeof *season);
    season->first_at_ms = season->last_at_ms = INT64_MIN;
}

static int64_t floor_rest(int64_t value, int64_t by)
{
    int64_t rest = value % by;
    return rest < 0 ? rest + by : rest;
}

/* 1970-01-01 was a Thursday; slot 0 is Monday's first hour. */
static struct place place_of(enum season_kind kind, int64_t local_ms)
{
    int64_t in_week = floor_rest(local_ms + 3 * day_ms, week_ms);
    if (kind == SEASON_WEEK_OF_DAYS)
        return (struct place){{(int)(in_week / day_ms), 0}, {1, 0}};
    double hours = (double)in_week / (double)hour_ms - 0.5;
    double floor_hours = floor(hours);
    int slot = ((int)floor_hours + SEASON_SLOTS) % SEASON_SLOTS;
    double beyond = hours - floor_hours;
    return (struct place){{slot, (slot + 1) % SEASON_SLOTS}, {1 - beyond, beyond}};
}

static int day_slot(enum season_kind kind, int slot)
{
    return kind == SEASON_WEEK_OF_DAYS ? slot : slot % SEASON_HOURS;
}

static double hour_variance(const struct season *season, int slots)
{
    double sum = 0, squares = 0;
    int seen = 0;
    for (int k = 0; k < slots; k++) {
        if (season->hour_rows[k] <= 0)
            continue;
        sum += season->hour[k];
        squares += (double)season->hour[k] * season->hour[k];
        seen++;
    }
    return seen > 1 ? fmax(0, squares / seen - sum / seen * (sum / seen)) : 0;
}

struct season_part season_at(const struct season *season, enum season_kind kind, int64_t local_ms)
{
    struct season_part part = {0, 0, true};
    if (kind == SEASON_NONE)
        return part;
    if (season->first_at_ms == INT64_MIN)
        return (struct season_part){0, 0, false};
    struct place place = place_of(kind, local_ms);
    double known = 0;
    for (int k = 0; k < 2; k++) {
        int slot = place.slot[k], hour = day_slot(kind, slot);
        part.worth += place.share[k] * ((double)season->hour[hour] + (double)season->week[slot]);
        known += place.share[k] * (season->week_rows[slot] > 0);
    }
    int64_t cycle = kind == SEASON_WEEK_OF_DAYS ? week_ms : day_ms;
    part.ready = local_ms - season->first_at_ms >= cycle;
    if (kind == SEASON_WEEK_OF_HOURS && known < 1 && local_ms - season->first_at_ms < week_ms)
        part.doubt = (1 - known) * hour_variance(season, SEASON_HOURS);
    return part;
}

/* A slot met for the first time begins where its neighbour stands, not at nothing. */
static void first_visit(struct season *season, enum season_kind kind, int hour)
{
    int slots = kind == SEASON_WEEK_OF_DAYS ? 7 : SEASON_HOURS, before = (hour + slots - 1) % slots;
    if (season->hour_rows[hour] <= 0 && season->hour_rows[before] > 0)
        season->hour[hour] = season->hour[before];
}

static void nudge(float *mean, float *rows, double share, double miss, double prior_rows, double rows_most)
{
    if (share <= 0)
        return;
    *rows = (float)fmin((double)*rows + share, rows_most);
    *mean += (float)(share * miss / ((double)*rows + prior_rows));
}

void season_learn(struct season *season, enum season_kind kind, int64_t local_ms, double value)
{
    if (kind == SEASON_NONE || isnan(value))
        return;
    double step_ms = kind == SEASON_WEEK_OF_DAYS ? (double)day_ms : (double)hour_ms;
    if (season->first_at_ms == INT64_MIN) {
        season->first_at_ms = local_ms;
        season->level = value;
    } else if (local_ms > season->last_at_ms) {
        step_ms = fmin((double)(local_ms - season->last_at_ms), step_ms);
    }
    season->last_at_ms = local_ms;
    double slot_ms = kind == SEASON_WEEK_OF_DAYS ? (double)day_ms : (double)hour_ms;
    double rows_per_slot = fmax(1, slot_ms / step_ms);
    double rows_per_day = kind == SEASON_WEEK_OF_DAYS ? 1 : rows_per_slot * 24;

    struct place place = place_of(kind, local_ms);
    for (int k = 0; k < 2; k++)
        if (place.share[k] > 0)
            first_visit(season, kind, day_slot(kind, place.slot[k]));
    double miss = value - season->level - season_at(season, kind, local_ms).worth;
    season->level_rows = fmin(season->level_rows + 1, level_days * rows_per_day);
    double rows = season->level_rows;
    if (rows > 10)
        miss = fmax(-4 * season->spread, fmin(4 * season->spread, miss));
    season->spread += (fabs(miss) - season->spread) / fmin(rows, rows_per_day);
    season->level += miss / rows;
    for (int k = 0; k < 2; k++) {
        int slot = place.slot[k], hour = day_slot(kind, slot);
        nudge(&season->hour[hour], &season->hour_rows[hour], place.share[k], miss, 0, hour_days * rows_per_slot);
        if (kind == SEASON_WEEK_OF_HOURS)
            nudge(&season->week[slot], &season->week_rows[slot], place.share[k], miss, week_prior_weeks * rows_per_slot,
                  week_weeks * rows_per_slot);
    }
}

void season_move(struct season *season, double by)
{
    season->level += by;
}
