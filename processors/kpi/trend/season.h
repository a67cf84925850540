/* What the hour of the day and the day of the week are worth.
 *
 * A slow level plus a profile by hour of the day plus what each day of the week differs from that plus, on top, what each hour of
 * the week differs from both (the last two shrunk, so that a series without a week pays nothing for it). Between the middles of two hours it is interpolated. Every part is
 * a running mean with a long memory; a row far off what was expected teaches only as much as a row three deviations off.
 * A series by the day has the weekday profile alone. */
#ifndef TS_KPI_TREND_SEASON_H
#define TS_KPI_TREND_SEASON_H

#include <stdbool.h>
#include <stdint.h>

enum season_kind { SEASON_NONE, SEASON_WEEK_OF_HOURS, SEASON_WEEK_OF_DAYS };
enum { SEASON_HOURS = 24, SEASON_DAYS = 7, SEASON_SLOTS = SEASON_DAYS * SEASON_HOURS };

struct season {
    int64_t first_at_ms, last_at_ms; /* INT64_MIN before the first row */
    double rows, level, level_rows;
    double rows_per_slot;
    double anchor;                   /* the first value */
    bool settled;                    /* the first week is over */
    bool centred;                    /* the days' worths sum to nothing; not where they were learned before that was so: it would be a shift */
    double spread;                   /* mean absolute miss */
    double even, even_rows;          /* the same of misses over the root of their rows' weights */
    float hour[SEASON_HOURS], hour_rows[SEASON_HOURS];
    float miss[SEASON_HOURS], miss_rows[SEASON_HOURS];           /* misses by the hour of the day, of late; */
    float even_miss[SEASON_HOURS], even_miss_rows[SEASON_HOURS]; /* even ones, over a longer time, */
    float day_miss[SEASON_DAYS], day_rows[SEASON_DAYS];          /* and by the day of the week */
    /* Relative to the level, like hour[], whose refinement this is; in the first week relative to the anchor. */
    float week[SEASON_SLOTS], week_rows[SEASON_SLOTS];
};

struct season_part {
    double worth;  /* to be taken from the value */
    double noise;  /* this hour's and this day's variance against the mean, beyond what the weights of rows say */
    double noise_now; /* this hour's variance against that of the last day */
    bool ready;    /* one whole day has been seen (by the day: one week) */
    bool hushed;   /* a rhythm of hours is there, and the week's is not known before its second visit */
};

void season_init(struct season *season);
struct season_part season_at(const struct season *season, enum season_kind kind, int64_t local_ms);
/* `worth` is what season_at said of this row; `weight` its sampling variance against the usual one's (1: not known). */
void season_learn(struct season *season, enum season_kind kind, int64_t local_ms, double value, double worth, double weight);
/* The level has shifted: it is this since so many rows. */
void season_restart(struct season *season, int64_t local_ms, double level, double rows);
bool season_is_sound(const struct season *season); /* sound.h */

#endif
