/* What the two halves of waiting.h share: waiting.c keeps a track of each alert as the logs tell it, waiting_due.c works out when what
 * is known of it is due. */
#ifndef TS_NOTIFY_WAITING_PRIVATE_H
#define TS_NOTIFY_WAITING_PRIVATE_H

#include "schemas/alert_rules.h"
#include "sinks/notify/waiting.h"

enum { SEVERITIES = SEVERITY_CRITICAL + 1 };

#define NOT_OPEN INT64_MAX /* see track.since_ms */

/* One alert: what the log says of it, and what its receiver was told. */
struct track {
    int32_t revision;             /* the newest seen, and what it says: */
    enum alert_state state;
    enum severity severity;
    int64_t changed_at_ms;
    bool is_held;                 /* not told as it comes */
    struct bytes record;          /* empty while there is nothing to tell of it */
    int32_t told_revision;        /* the newest told; 0: none */
    bool is_told;                 /* and it is not over since */
    bool is_unheard;              /* it was told that it is over, and is open again since or was, untold */
    enum alert_state told_state;
    enum severity told_severity;
    int64_t since_ms[SEVERITIES]; /* when it became open and so grave; NOT_OPEN: it is not */
    uint64_t silences;            /* about it, one bit each */
    struct subject subject;       /* of those that can be inhibited */
    bool is_capped;               /* put off until the digest */
    int64_t capped_ms;            /* since then; or told by it then */
    struct group *group;          /* NULL: the receiver does not group */
    int64_t told_ms;              /* the last time; INT64_MIN: never */
    int64_t noted_ms;             /* the newest note that it was told is of then */
    int64_t taken_ms;             /* when it came that it is due; of a restart, when that was read again */
};

static inline bool track_is_over(const struct track *track)
{
    return alert_is_over(track->state);
}

/* Of what the receiver knows, whichever way it was told. */
static inline bool track_has_changed(const struct track *track)
{
    return track->revision > track->told_revision &&
           (track->told_revision == 0 || track->state != track->told_state || track->severity != track->told_severity);
}

/* Until it is over; who is told change by change hears, too, how it goes on from there (VERIFIED). */
static inline bool track_is_news(const struct track *track)
{
    bool goes_on = track->told_revision && alert_is_over(track->told_state) && track_is_over(track) && !track->is_unheard;
    return track_has_changed(track) && (track->is_told || (goes_on && !track->is_held));
}

/* When it is to be told. */
struct plan {
    int64_t due_ms;   /* INT64_MAX: it does not wait, or nobody knows how long */
    int64_t free_ms;  /* not before; a moment later, it might be inhibited */
    int64_t ready_ms; /* a reason to speak; before, it comes along when others of its group have one */
    int64_t waited_ms; /* as in struct due_item */
    int64_t told_again_ms; /* it was told before, then; 0: not told again */
    bool is_inhibited;
};

/* As things stand in the track, with silences and inhibition as they are at now_ms. */
struct plan plan_of(const struct waiting *waiting, const struct track *track, int64_t now_ms);

/* That it is over is never too old for who was told that it was not; nor is what is still so. */
bool plan_is_too_old(const struct track *track, const struct plan *plan, int64_t now_ms, int64_t age_max_ms);

static inline int64_t later_of(int64_t one_ms, int64_t other_ms)
{
    return one_ms > other_ms ? one_ms : other_ms;
}

#endif
