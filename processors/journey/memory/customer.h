/* What is remembered of one customer while it is awake (resting.h): enough to compute every KPI contribution again from the set of events, whatever
 * order they came in (READINGS 3).
 *
 * Where the rule allows it a fact is kept instead of the events that made it: the first order and the first on a later day
 * say all that repeat purchases ask for. Tickets keep their events, since anything may come between two of them.
 * Each part is one file: activity.c, orders.c, surveys.c, tickets.c, subscriptions.c, engagement.c, visits.c. */
#ifndef TS_JOURNEY_CUSTOMER_H
#define TS_JOURNEY_CUSTOMER_H

#include "processors/journey/memory/dedupe.h"
#include "processors/journey/memory/names.h"
#include "processors/journey/moment.h"

#include "schemas/records.h"

#define NEVER_MS INT64_MAX

/* --- tickets --- */

struct ticket_event {
    struct moment moment;
    uint32_t tuple;
    uint32_t team;      /* number; 0: none named */
    uint32_t topic_set; /* OPENED only */
    uint8_t action;     /* enum ticket_action */
    uint8_t priority;   /* enum priority, or NO_DETAIL */
    uint8_t stage;      /* the customer's, once this was applied */
    bool has_agent;
};

/* What nearly everybody asks of a ticket, so that its events need not be walked again, nor even be fetched. */
struct ticket_glance {
    bool is_read;
    bool has_effort;        /* a reopening, or more than one hand-off */
    bool opened_by_agent;
    uint8_t waits_over;     /* how often the customer has waited for us, two for more; the first of it: */
    uint32_t opened;        /* ticket_opened() */
    uint32_t topic_set;     /* of that event */
    int64_t waited_from_ms, waited_to_ms;
    int64_t waits_since_ms; /* NEVER_MS: they do not wait */
    int64_t opened_at_ms;   /* of that event; NEVER_MS: none */
    int64_t last_at_ms;     /* of the newest event */
};

struct ticket {
    uint64_t identity;
    struct ticket_event *events; /* sorted by moment */
    uint32_t count;
    int64_t next_at_ms;  /* when its contributions change by time alone */
    char *id;            /* NUL-terminated; only while it is open */
    /* What was read of the events, until another one comes; neither is packed. */
    struct ticket_glance glance; /* tickets.h */
    struct sla_memo *sla;        /* sla.c; NULL: never read */
    bool sla_is_read;
};

/* --- surveys: one item per (kind, survey_id) --- */

struct survey {
    uint64_t identity;
    struct moment sent, answered; /* first sent; latest answer */
    uint32_t sent_tuple, answered_tuple;
    uint8_t kind; /* enum survey_kind */
    uint8_t sent_stage, answered_stage;
    bool is_sent, is_answered;
    int8_t score;
    uint8_t label;        /* enum sentiment_label of the comment */
    bool has_sentiment;
    int32_t sentiment;    /* × KPI_SENTIMENT_SCALE */
    uint64_t about;       /* identity of a ticket; 0: none */
    int64_t *other_answers_ms; /* replaced ones: they still count for completion; NULL: none */
    uint32_t other_answer_count;
    int64_t next_at_ms;
};

/* --- orders --- */

struct order {
    uint64_t identity;
    struct moment delivered; /* first delivery */
    int64_t promised_at_ms;
    uint32_t tuple;
    uint8_t stage;
    bool is_delivered, has_promise, is_returned;
};

struct spending {
    uint32_t currency;
    int64_t amount_minor;
};

/* What the first orders say (READINGS 34, 41). */
struct cohort {
    struct moment first, second; /* second: the first one on a later day */
    uint32_t tuple;              /* of the first */
    uint8_t stage;
    bool has_first, has_second, has_used, has_onboarding;
    struct moment first_used;    /* ProductUsed */
    int64_t onboarding_opened_at_ms; /* earliest */
    /* Times of use within reach of a first order, thinned: between two of them that are no more than 14 days apart nothing
     * in between can matter. Sorted. */
    int64_t *used_at_ms;
    uint32_t used_count;
    uint32_t order_count;
    struct moment silent_since; /* the last activity, of the customer as a whole */
    bool is_won_back;           /* the follow-up for that silence is settled */
    struct spending *spent;
    uint32_t spent_count;
};

/* --- seldom: allocated on first need --- */

struct subscription_event {
    struct moment moment;
    uint64_t identity;
    int64_t term_ends_at_ms;
    uint32_t tuple;
    uint8_t action, stage;
    bool has_term;
    int64_t next_at_ms;
};

struct engagement_unit { /* (campaign, kind) */
    uint64_t identity;
    struct moment delivered;
    uint32_t tuple, campaign;
    uint8_t kind;
    bool is_delivered;
    int64_t opened_at_ms, clicked_at_ms; /* latest; INT64_MIN: never */
};

struct visit { /* REPAIR */
    struct moment moment;
    uint64_t visit, ticket; /* ticket 0: none */
    uint32_t tuple;
    uint8_t stage;
    bool is_fixed;
    int64_t next_at_ms;
};

struct referral { /* a person referred by this customer, converted */
    uint64_t person;
    int64_t at_ms; /* the first time */
};

/* A stretch of activity without a gap of 90 days. */
struct activity_span {
    int64_t first_ms, last_ms;
};

struct seldom {
    struct subscription_event *subscriptions; /* sorted by moment */
    struct engagement_unit *units;
    struct visit *visits;                     /* sorted by moment */
    struct referral *referrals;
    struct activity_span *older_spans;        /* all but the latest; sorted */
    uint32_t subscription_count, unit_count, visit_count, referral_count, older_span_count;
    struct moment loyalty_changed;
    bool has_loyalty, is_member;
};

struct customer {
    /* What resting.c asks of those of whom it asks nothing else: one line. */
    struct entry *entry; /* whose it is */
    struct customer *newer, *older;
    struct room room;        /* of what hangs off it */
    uint32_t history_count;  /* remembered events: at most journey.history_max */
    uint16_t open_ticket_count;
    uint8_t stage;           /* enum stage */
    uint8_t chances;         /* to stay awake */
    int64_t evaluated_at_ms; /* the clock for which contributions were sent last */
    struct dedupe seen;
    struct ticket *tickets;
    struct survey *surveys;
    struct order *orders;
    struct cohort *cohort;   /* NULL: no order, no use */
    struct seldom *seldom;   /* NULL: nothing of it */
    struct care *care;       /* NULL: no trouble, and nothing told; care.h */
    uint32_t ticket_count, survey_count, order_count;
    uint64_t events;         /* accepted in the whole life */
    struct activity_span activity; /* the latest stretch */
    struct moment first_activity;
    struct moment segment_said; /* when `segment` was last named */
    uint32_t segment;           /* number; 0: never */
    uint32_t channel_minutes[CHANNEL_COUNT]; /* last activity there, minutes since the epoch + 1; 0: never */
    int64_t stage_since_at_ms;
    struct stage_path *path; /* through the stages, where it is long: stage.c. Not packed; NULL: to be read when asked for */
    int64_t sentiment_sum;   /* × KPI_SENTIMENT_SCALE */
    uint32_t sentiment_count;
    bool has_activity;
    bool has_support_score;  /* a CSAT answer about something */
    uint16_t churn_thousandths; /* the risk as it stood at the last turn */
    uint8_t channel_uses[CHANNEL_COUNT]; /* all are halved when one is full */
    int8_t mood_trail[3];    /* sentiment of the latest texts as they came, −100 … 100; the newest last */
    int8_t last_scores[SURVEY_KIND_COUNT]; /* latest standing answers + 1; 0: none */
    uint32_t kept_count;
    struct packed_name *kept; /* values that they remember for all: keeping.h */
};

/* Whom somebody only worked on has done nothing, and was seen as that began. */
static inline int64_t customer_first_seen_ms(const struct customer *customer)
{
    return customer->has_activity ? customer->first_activity.at_ms : customer->stage_since_at_ms;
}

static inline int64_t customer_last_seen_ms(const struct customer *customer)
{
    return customer->has_activity ? customer->activity.last_ms : customer->stage_since_at_ms;
}

enum { CUSTOMER_ROOM_BYTES = 1048 }; /* with it and all before it a home is whole cache lines: customer.c */

/* A customer with a long story gets a larger room, before anything hangs off them. */
void customer_room_for(struct customer *customer, size_t packed_bytes);

/* So many in one piece of the heap, which is the first's: free it once all are cleared. */
struct customer *customers_create(size_t count);
struct customer *customer_at(struct customer *customers, size_t place);
/* All that hangs off it; the struct itself is all zero again, but for its room. */
void customer_clear(struct customer *customer);
void ticket_finish(struct room *room, struct ticket *ticket);

struct seldom *customer_seldom(struct customer *customer); /* makes it */
struct cohort *customer_cohort(struct customer *customer); /* makes it */

#endif
