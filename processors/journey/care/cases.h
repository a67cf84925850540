/* Cases, read from the sorted facts of a customer as tickets are read from their events; a customer has one at a time.
 *
 *   opener ─▶ OPEN ─acknowledge─▶ ACKNOWLEDGED ─contact─▶ IN_PROGRESS ─close─▶ RESOLVED ─next score good─▶ VERIFIED
 *              ▲ └────────────── snooze ─▶ SNOOZED ─its time, or trouble─▶ OPEN      │
 *              └───────────── REOPENED, or more trouble: a negative score, words of law ┘
 *
 * An opener is a clearly negative rating (NPS 0–3, CSAT 1, CES 1–2, one star), words of law or safety, or a score that rose to
 * hot by itself. One that comes while a case is open belongs to it. Without any news for cases.expire_after a case is EXPIRED.
 * The first three kinds of opener and all acts are touchpoints, so what these cases contribute (hot_open, loop_…) is a function
 * of the set of events; a score that crosses does so in the order in which events became known. */
#ifndef TS_JOURNEY_CASES_H
#define TS_JOURNEY_CASES_H

#include "processors/journey/care/care.h"

struct case_story {
    const struct case_fact *opener;
    const char *owner;               /* borrowed from the facts */
    const char *actor;               /* of the last change of state or owner, when somebody made it */
    uint32_t fact_begin, fact_end;   /* its facts */
    int64_t points_from_ms;          /* what was said before is settled with the case before; INT64_MIN: none */
    int64_t opened_at_ms, changed_at_ms;
    int64_t contacted_at_ms;         /* NEVER_MS: not yet */
    int64_t begun_at_ms;             /* opened, or reopened last */
    int64_t news_at_ms;              /* what keeps it from expiring */
    int64_t snoozed_until_ms;
    enum alert_state state;
    bool is_final;                   /* nothing but an act can change it any more */
};

struct case_reading {
    struct case_story stories[FACTS_MAX + 1];
    uint32_t count;
    int64_t next_at_ms; /* when it will be another one without any event */
};

/* With a tally, lists the contributions of all cases at the tally's clock. */
void cases_read(const struct care *care, const struct case_settings *settings, int64_t clock_ms, struct tally *tally,
                struct case_reading *out);
void cases_contribute(const struct journey_task *task, const struct customer *customer, struct tally *tally);

/* Does somebody have to act on it, so that it stands on the hot list? */
static inline bool case_is_listed(enum alert_state state)
{
    return state == ALERT_STATE_OPEN || state == ALERT_STATE_ACKNOWLEDGED || state == ALERT_STATE_IN_PROGRESS ||
           state == ALERT_STATE_WAITING_CUSTOMER;
}

static inline bool case_is_live(enum alert_state state)
{
    return case_is_listed(state) || state == ALERT_STATE_SNOOZED;
}

#endif
