/* What the hour of the day and the day of the week are worth.
 *
 * A slow level plus a profile by hour of the day plus, on top, what each hour of the week differs from that (shrunk, so
 * that a series without a week pays nothing for it). Between the middles of two hours it is interpolated. Every part is
 * a running mean with a long memory; a row far off what was expected teaches only as much as a row three deviations off.
 * A series by the day has the weekday profile alone. */
#ifndef TS_KPI_TREND_SEASON_H
#define TS_KPI_TREND_SEASON_H

#include <stdbool.h>
#include <stdint.h>

enum season_kind { SEASON_NONE, SEASON_WEEK_OF_HOURS, SEASON_WEEK_OF_DAYS };
enum { SEASON_HOURS = 24, SEASON_SLOTS = 168 };

struct season {
    int64_t first_at_ms, last_at_ms; /* INT64_MIN before the first row */
    double level, level_rows;
    double spread;                   /* mean absolute miss */
    float hour[SEASON_HOURS], hour_rows[SEASON_HOURS];
    float week[SEASON_SLOTS], week_rows[SEASON_SLOTS];
};

struct season_part {
    double worth;  /* to be taken from the value */
    double doubt;  /* variance of what is not known of it yet */
    bool ready;    /* one whole cycle has been seen */
};

void season_init(struct season *season);
struct season_part season_at(const struct season *season, enum season_kind kind, int64_t local_ms);
void season_learn(struct season *season, enum season_kind kind, int64_t local_ms, double value);
void season_move(struct season *season, double by); /* the level has shifted */

#endif
