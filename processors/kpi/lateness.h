/* Whoever sends what happened only when it is long over: a file every night, a batch every hour.
 *
 * What comes for rows that have closed is an upload; it is over when nothing more has come for a while. One is an accident: somebody was away, and
 * has sent again. Two, no further apart than four times as long as they are late (nights, with a long weekend between), are a rhythm: until that
 * much time has passed without another, rows are waited for, and are complete as soon as an upload has got past them.
 *
 * All times are the event clock's. One thread at a time. */
#ifndef TS_KPI_LATENESS_H
#define TS_KPI_LATENESS_H

#include "processors/kpi/packed.h"

enum { UPLOADS_KEPT = 3 };

struct upload {
    int64_t first_ms, last_ms; /* when it came */
    int64_t late_ms;           /* how long after it had happened the oldest of it came; 0: there was none */
    bool is_most;              /* of a row it brought half or more: without it there is next to nothing */
};

struct lateness {
    struct upload uploads[UPLOADS_KEPT]; /* the last one first */
    int64_t on_since_ms, over_at_ms;     /* one is coming in, and over then if nothing more comes; INT64_MAX: none is */
    int64_t newest_ms, complete_until_ms; /* how far the one that comes in reaches; the one before */
    int64_t stale_from_ms;               /* the oldest row that was taken for complete without it; INT64_MAX: none */
    int64_t heard_ms;                    /* when anything late came last, of however little weight */
    int32_t row;                         /* that it was for */
    int64_t row_n;                       /* and how much has come for that row in a row */
};

struct lateness *lateness_create(void); /* free with free() */

/* An upload goes on, or begins: of `late_ms` ago is the oldest of this, of `newest_ms` the newest; half of a row or more, or not. It is over when
 * nothing more has come for `quiet_ms`, or when it has gone on for an hour. */
void lateness_hear(struct lateness *lateness, int64_t clock_ms, int64_t late_ms, int64_t newest_ms, int64_t quiet_ms, bool is_most);
void lateness_over(struct lateness *lateness); /* it is */

/* As if one had just come in: rows from then on are to be looked at again. */
void lateness_look_again(struct lateness *lateness, int64_t clock_ms, int64_t stale_from_ms);

/* How long rows are to be waited for, 0: no longer than others; and from when on no longer (INT64_MAX: they are not). NULL: nothing was ever late. */
int64_t lateness_wait_ms(const struct lateness *lateness, int64_t clock_ms);
int64_t lateness_wait_ends_ms(const struct lateness *lateness);

/* There is a rhythm, and what comes in time is next to nothing. */
bool lateness_is_most(const struct lateness *lateness, int64_t clock_ms);

bool lateness_is_past(const struct lateness *lateness, int64_t clock_ms); /* nothing of it matters any more */

void lateness_save(const struct lateness *lateness, struct bytes *out);
struct lateness *lateness_load(struct unpacker *in);

#endif
