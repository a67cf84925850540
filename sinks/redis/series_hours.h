/* Closed hours on their way into ts:series:KPI:DIM.
 *
 * A stream's ids only grow, so an hour in the middle can be revised only by taking the tail off and writing it again, which is
 * dear. And the kpi stage tells much again: a week with every hour that closes, an hour for each late event. Therefore
 *   - what one batch tells about a series is merged first: the last word on each hour stands;
 *   - what we know to be in Redis already is left out (the last KNOWN_HOURS_MAX of each series are remembered, as hashes);
 *   - hours that are told with n 0 have lost all they had, and are taken out, gauges apart (for them 0 is a value);
 *   - hours after the newest one are plain XADDs. Only a series we know nothing of yet, or a revision, costs a script.
 * What is remembered holds as long as Redis does what we say and nobody else writes: after anything else, series_hours_forget. */
#ifndef TS_SINKS_REDIS_SERIES_HOURS_H
#define TS_SINKS_REDIS_SERIES_HOURS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "schemas/records.h"
#include "sinks/redis/redis_link.h"
#include "sinks/redis/resp.h"

/* No hour stands in ts:series that ended so long before the newest: the longest window is 90 days. By time and not by how many, or a series with an hour
 * a day would keep years. Needs Redis 6.2 (MINID). */
#define SERIES_KEPT_MS DAYS(92)

struct series_told;
struct series_question;

/* Zero-initialised is empty and valid. One thread. */
struct series_hours {
    struct map known;          /* "KPI:DIM" → struct series_known * */
    struct map told;           /* "KPI:DIM" → struct series_told *, of the batch at hand and in its arena */
    struct series_told *first; /* the same in the order in which they came */
    struct series_told **last;
    uint64_t generation;       /* how often we forgot */
};

/* Which answers of a batch say how far a series reaches in Redis. In the batch's arena. */
struct series_questions {
    struct series_question *first;
    uint64_t generation;
};

void series_hours_finish(struct series_hours *hours);
void series_hours_forget(struct series_hours *hours);

/* Notes what a record tells; nothing is written before series_hours_write. `kpi` and what it borrows stay until then. */
void series_hours_tell(struct series_hours *hours, const struct kpi *kpi, struct arena *arena);

/* The series has ended and its stream is deleted: what was told of it so far is not written, and what is told from now on begins it anew. */
void series_hours_gone(struct series_hours *hours, struct view series /* "KPI:DIM" */);

/* Adds the commands for all that was told since the last call. */
void series_hours_write(struct series_hours *hours, struct resp *commands, const char *prefix, struct arena *arena,
                        struct series_questions *questions);

/* The batch is in Redis: `answers`, one for each command that was in `commands` when series_hours_write returned. */
void series_hours_learn(struct series_hours *hours, const struct series_questions *questions, const struct redis_answer *answers);

#endif
