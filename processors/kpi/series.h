/* One series (KPI × dimension): its buckets, and the sums of every rolling window, kept up to date.
 *
 *     minutes ──▶ 5m 1h 24h      kept 48 h
 *     hours   ──▶ 7d 30d         kept 90 d
 *     days    ──▶ 90d            kept 2 y, in the configured zone
 *
 * An addition goes to its minute, hour and day, and into the sums of each window that contains it. When time moves, what leaves a
 * window is subtracted, bucket by bucket: an addition costs the same however long the windows are, and each bucket
 * leaves each window once. Late additions are no different from others. `tests/unit/kpi/series.c` holds all of it equal
 * to adding up from scratch.
 *
 * A window that was published as empty is not published again for every bucket that leaves the one before: what it says of its
 * published_at_ms stays true. It is when something is added that was in one of the two then, even if it is in neither now.
 *
 * A window W ends with the bucket that contains at_ms (READINGS 4). Minutes after it wait: they are stored, but count only once at_ms
 * has reached them. `before` is the window of the same length just before. One thread at a time. */
#ifndef TS_KPI_SERIES_H
#define TS_KPI_SERIES_H

#include "processors/kpi/bins.h"
#include "processors/kpi/grid.h"
#include "processors/kpi/level.h"

enum { MINUTES_KEPT = 2 * 1440, HOURS_KEPT = 90 * 24, DAYS_KEPT = 731 };

struct window_state {
    struct kpi_sums now, before;
    struct histogram histogram;            /* of `now`; durations only */
    int64_t changes_at_ms;                 /* when time alone will change it */
    int64_t published_at_ms;               /* at_ms of what was published last; INT64_MIN: nothing */
    int64_t empty_since_ms;                /* published as empty since; INT64_MIN: not empty, or already deleted */
    int32_t end;                           /* index of its last bucket */
    int32_t oldest_now, oldest_before;     /* first bucket with something in it; INT32_MAX: none */
};

struct series {
    enum kpi_id kpi;
    enum kpi_kind kind;
    const struct time_zone *zone;
    struct level levels[GRID_COUNT];
    struct bins *bins;               /* one a grid; NULL but for durations */
    int64_t flow_total;              /* Σ n of all that ever counted: the value of a gauge */
    int64_t at_ms;                   /* where the windows end; INT64_MIN: before the first clock */
    int32_t entered_minute;          /* minutes after it wait */
    int32_t newest_minute;           /* that anything which counts happened in; INT32_MIN: none */
    uint8_t window_ids[WINDOW_COUNT];
    uint8_t window_count;
    uint8_t changed;                 /* bit per window (place in window_ids): to be published, something came or went since clear */
    struct window_state *windows;    /* beside window_ids */
};

void series_init(struct series *series, enum kpi_id kpi, const struct time_zone *zone);
void series_finish(struct series *series);

/* Add to a minute; `bins` (durations) may be NULL. false: older than what is kept; it counts in no window, but in flow_total. */
bool series_add(struct series *series, int32_t minute, const struct kpi_sums *more);
void series_add_bin(struct series *series, int32_t minute, int bin, int64_t count);

/* Something counted in this minute for a while of event time, and no longer: an answer whose successor is here already. The sums are as they were, but
 * what was published as of that while is not true: it is to be published again, as of now. Older minutes are meant as well,
 * as with an addition: whoever comes and goes in several need name the newest alone. */
void series_touch(struct series *series, int32_t minute);

/* What was added may follow from events up to this minute, however old the buckets that it went to. */
void series_know(struct series *series, int32_t minute);

/* Move the end of the windows; never back. */
void series_advance(struct series *series, int64_t at_ms);

/* The next instant after at_ms at which time alone changes something (a bucket leaves a window, a waiting minute
 * begins); INT64_MAX: none. */
int64_t series_changes_at_ms(const struct series *series);

/* When the last bucket that is kept now will be forgotten. */
int64_t series_forgotten_at_ms(const struct series *series);

/* Everything is empty: no bucket is kept. */
bool series_is_empty(const struct series *series);

/* Sums of one bucket, zero when it has nothing; waiting minutes are not in hours and days. */
struct kpi_sums series_bucket(const struct series *series, enum grid grid, int32_t index);

/* A gauge's value at the end of a bucket. */
int64_t series_gauge_after(const struct series *series, enum grid grid, int32_t index);

/* Rebuild all window sums from the buckets, for a series read from a checkpoint. */
void series_rebuild(struct series *series);

size_t series_memory_bytes(const struct series *series);

#endif
