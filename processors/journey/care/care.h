/* What is remembered of a customer's trouble: facts, and what was told about them. Hangs off struct customer, allocated on
 * first need, so that a quiet customer costs nothing.
 *
 * A *fact* is one thing a touchpoint said that cases are made of: a bad rating, words of law, somebody acting on a case.
 * Facts are kept sorted by when they happened, and cases.c reads the cases off them, as tickets are read off their events:
 * so the KPIs of cases do not depend on the order of arrival. What was *published*, in contrast, is history: revisions of
 * alerts in the order in which things became known. */
#ifndef TS_JOURNEY_CARE_H
#define TS_JOURNEY_CARE_H

#include "processors/journey/apply.h"
#include "processors/journey/care/case_settings.h"
#include "schemas/alert_rules.h"

enum { FACTS_MAX = 128, CARE_TEXT_MAX = 280 };

/* Besides the hot codes that come from one touchpoint. */
enum {
    FACT_GOOD_SCORE = HOT_CODE_COUNT, /* a rating that is not negative */
    FACT_CROSSED,                     /* the score rose to hot without any of the openers */
    FACT_ACT,                         /* CaseActed */
    FACT_CODE_COUNT
};

enum rating { RATING_NONE, RATING_NPS, RATING_CSAT, RATING_CES, RATING_STARS };

struct case_fact {
    struct moment moment;
    uint64_t case_identity; /* opener: of the case that it opens; act: of the case it names */
    uint32_t tuple;
    int32_t score;          /* of a rating; people reached */
    uint8_t code, stage;
    uint8_t rating;         /* enum rating */
    uint8_t action;         /* enum case_action */
    char *actor, *note;     /* of an act; owned, NULL: none */
};

/* What was last told of a case. */
struct case_published {
    uint64_t identity;
    struct uuid id;
    struct moment opener;
    uint64_t reasons; /* hash of codes and events */
    int64_t due_at_ms, opened_at_ms, looked_at_ms; /* looked: when the score was last held against the one published */
    int32_t revision;
    double score;
    char *owner;
    uint8_t state, severity, kind;
    bool is_historical;
};

/* Any other alert. */
struct rule_alert {
    uint64_t scope;   /* what with its rule makes the fingerprint */
    uint64_t ticket;  /* identity; 0: none */
    struct uuid id, case_id, event;
    int64_t opened_at_ms, changed_at_ms, due_at_ms; /* due NEVER_MS: none */
    int32_t revision;
    double score;
    char *subject;    /* ticket id, "device code", or what a watch was about; owned */
    uint8_t rule, state, severity;
    bool has_case, is_historical;
};

/* A follow-up that waits for its time; or a watch (absence.h). */
struct pending {
    struct moment cause;
    int64_t due_at_ms, expires_at_ms;
    uint32_t rule;    /* hash of its name: rules may come and go between two runs; of a watch enum alert_rule */
    uint16_t subject_size, note_size; /* in care->pending_texts */
    uint64_t item;    /* identity of the order, ticket, subscription it is about, where its id was too long to be kept; else 0 */
};

struct care {
    struct case_fact *facts; /* sorted by moment, then code */
    struct case_published *cases;
    struct rule_alert *alerts;
    struct pending *pending;
    char *pending_texts; /* of each in turn: the id of what it is about, and a note */
    uint32_t pending_texts_size;
    uint32_t fact_count, case_count, alert_count, pending_count;
    uint32_t fact_codes;     /* bits 1u << code of the facts there are; not packed */
    uint32_t fact_ratings;   /* the same of their ratings */
    int64_t sealed_at_ms;    /* facts up to then are gone */
    int64_t promises_from_ms; /* deadlines up to then had alerts that left for want of room: they do not come again */
    /* What followups.c last found, not packed: as long as the case lives no follow-up needs a look at any time from `held` (the latest due
     * time of those that wait for its end; INT64_MIN: none do) until `rests` (INT64_MIN: who knows). */
    int64_t pending_held_ms, pending_rests_ms;
    bool is_hot;                /* from hot.from on, until below hot.until */
    char *text;              /* the customer's last words */
};

struct care *customer_care(struct customer *customer); /* makes it */
void care_finish(struct room *room, struct care *care); /* what hangs off it; NULL is fine */

char *care_text_copy(struct room *room, struct view text, size_t most); /* NULL for a null or empty one; cut */
void care_text_set(struct room *room, char **place, struct view text, size_t most);

/* Can it hold a fact? */
bool care_may_note(const struct arrival *arrival);

/* The facts that an arrived touchpoint holds; called once the rest of the customer is as the event left it. */
void care_remember(struct journey_task *task, struct customer *customer, const struct arrival *arrival);

/* The channel used most, of those that carry a message; of two alike the one used last. false: none yet. */
bool customer_preferred_channel(const struct customer *customer, enum channel *out);

/* false: it is known, or older than what is remembered. */
bool care_fact_add(struct customer *customer, const struct case_fact *fact);

/* Reads again which facts there are; after facts came otherwise than by care_fact_add. */
void care_facts_list(struct care *care);

/* Room for later facts: the oldest cases that can no longer change leave, with what they contributed. When nothing is left
 * to remember, customer->care is NULL again. */
void care_tidy(const struct journey_task *task, struct customer *customer, int64_t clock_ms);

enum {
    FACT_OPENERS = 1 << HOT_NPS_LOW | 1 << HOT_CSAT_LOW | 1 << HOT_CES_LOW | 1 << HOT_STARS_LOW | 1 << HOT_LAW_WORDS | 1 << HOT_SAFETY_WORDS |
                   1 << FACT_CROSSED
};
_Static_assert((int)FACT_CODE_COUNT < 32, "a bit each");

/* Each of the last three texts is worse than the one before, the last one negative. Of fewer texts the trail has zeros. */
static inline bool mood_falls(const struct customer *customer)
{
    const int8_t *trail = customer->mood_trail;
    return customer->sentiment_count >= 3 && trail[0] > trail[1] && trail[1] > trail[2] && trail[2] < 0;
}

/* Asked of every fact at every reading. */
static inline bool fact_is_opener(const struct case_fact *fact)
{
    return FACT_OPENERS >> fact->code & 1;
}

static inline bool fact_is_negative_rating(const struct case_fact *fact)
{
    return fact->rating != RATING_NONE && fact->code != FACT_GOOD_SCORE;
}

/* The event id that a moment holds. */
struct uuid moment_event_id(const struct moment *moment);

/* Ids of cases and alerts: the same customer, rule and event give the same id for ever. */
struct uuid case_id_of(struct view customer_id, const struct moment *opener);
uint64_t case_identity_of(const struct uuid *case_id);

#endif
