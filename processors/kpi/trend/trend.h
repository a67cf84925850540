/* Shifts in a series, online: has its level, slope or noise changed, since when, and how sure are we? Is this one point odd?
 *
 * One `struct trend` follows one series in bounded memory (some 4 KiB) at about 1 µs a point. It
 * knows no clock and rolls no dice: the same rows give the same shifts, also when it was saved and loaded in between.
 * Scale-free: a series times a thousand gives the same shifts. How it works: runs.h, season.h, skew.h, surprise.h.
 *
 * Threads: none of its own; one thread at a time per struct trend. */
#ifndef TS_KPI_TREND_H
#define TS_KPI_TREND_H

#include "base/bytes.h"
#include "base/view.h"
#include "processors/kpi/trend/scale.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct time_zone;

enum trend_resolution { TREND_MINUTE, TREND_HOUR, TREND_DAY, TREND_OTHER };

enum trend_kind { TREND_KIND_LEVEL, TREND_KIND_TREND, TREND_KIND_VARIANCE, TREND_KIND_SPIKE };

struct trend_config {
    enum trend_resolution resolution;
    /* Learn and take away the hour of the day and the day of the week (TREND_DAY: the day of the week). Then nothing is
     * said in the first day (TREND_DAY: week), which could not be told from a season. */
    bool seasonal;
    enum trend_scale scale; /* what the values are; a count is at home on TREND_ROOT */
    double least, most;     /* TREND_SHARE: the values' range, of which a value is a share; both 0: 0 to 1 */
    double least_noise;     /* TREND_SHARE: of the deviation of as many hits and misses there is at least so much, whatever has been seen */
    const struct time_zone *zone; /* by whose clocks the hours and days of the season are; NULL: UTC */
    /* The share of points at which a series in which nothing happens may raise an alarm; see trend_budget. */
    double false_alarms_per_point;
};

/* A shift as it is found; the record that tells of it is a trend_shift (schemas/records.h). */
struct trend_change {
    enum trend_kind kind;
    int64_t onset_row, detected_row; /* rows of this series from 0, missing ones counted; onset ≤ detected */
    int64_t onset_at_ms, detected_at_ms;
    /* In the unit of the values. LEVEL: what was to be expected at the onset and the mean since (on the scale, scale.h), the season taken away. SPIKE: what
     * was to be expected of the row, season included, and what it is. TREND: slope per row. VARIANCE: standard deviation. */
    double before, after;
    double low, high;  /* where `before` said the new points would be, 95 % */
    double confidence; /* 0…1: the probability that it is a change, given how often nothing happens */
};

/* The whole installation may raise `per_month` false alarms; `series` series of this resolution share the part
 * `share` (0…1) of them. Gives trend_config.false_alarms_per_point. */
double trend_budget(double per_month, double share, double series, enum trend_resolution resolution);

struct trend *trend_create(const struct trend_config *config);
void trend_destroy(struct trend *trend);

/* The next row of the series; rows come in the order of time. `value` NaN: missing (it counts as a row). `n`: the sample
 * size behind the value, 0 for unknown. `variance`: the sampling variance of `value` itself, 0 for unknown; on a scale that is not linear `n` alone
 * says it.
 * Writes up to `most` shifts found with this row and gives their number (at most TREND_SHIFTS_MOST). */
enum { TREND_SHIFTS_MOST = 2 };
size_t trend_add(struct trend *trend, int64_t at_ms, double value, double n, double variance, struct trend_change *out,
                 size_t most);

/* How unusual the row last added was among all rows of this series so far: 0 ordinary … 1 never seen the like. */
double trend_score(const struct trend *trend);

/* Where the present regime stands, the season taken away: the mean of its rows, and by how much it rises a row. false: none is known yet. */
bool trend_stands_at(const struct trend *trend, double *level, double *slope);

/* The whole state as bytes, appended; and back. trend_load gives NULL when the bytes are not a state of this version, or it was learned by other
 * clocks or on another scale (start afresh then). The config is not part of the state: what the installation says now applies. */
void trend_save(const struct trend *trend, struct bytes *out);
struct trend *trend_load(const struct trend_config *config, struct view saved);

const char *trend_kind_name(enum trend_kind kind); /* "level", "trend", "variance", "spike" */

#endif
