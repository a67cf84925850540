/* What an event, or time, may change of a customer: the matters whose contributions are compared before and after.
 *
 * A scope is chosen before anything changes and walked twice by the same function, once on each side of the change. It may be
 * too wide (that costs time), never too narrow: tests/oracle/check.py holds it to that. */
#ifndef TS_JOURNEY_MATTERS_H
#define TS_JOURNEY_MATTERS_H

#include "processors/journey/task.h"

enum matter {
    MATTER_ACTIVITY = 1 << 0,      /* active_customers, loyalty_share, referral_rate */
    MATTER_LIFE = 1 << 1,          /* churn_rate */
    MATTER_STAGE = 1 << 2,         /* stage_… */
    MATTER_COHORT = 1 << 3,        /* activation, repeat_purchase_…, uplift_onboarding */
    MATTER_SUPPORT = 1 << 4,       /* uplift_excellent_support */
    MATTER_TICKET = 1 << 5,        /* the ticket `item` */
    MATTER_RELATED = 1 << 6,       /* other tickets with one of its topics */
    MATTER_SURVEY = 1 << 7,        /* the survey `item` */
    MATTER_ORDER = 1 << 8,         /* the order `item` */
    MATTER_SUBSCRIPTION = 1 << 9,  /* the subscription `item` */
    MATTER_VISITS = 1 << 10,       /* the repair visits for ticket `item`, or at `from_ms` */
    MATTER_ENGAGEMENT = 1 << 11,   /* the unit `item` */
    MATTER_DUE = 1 << 12,          /* whatever changes by time alone by `due_ms` */
    MATTER_CASES = 1 << 14,        /* cases: what may be a fact of them */
    MATTER_ALL = 1 << 13,          /* everything */
};

struct scope {
    unsigned matters;
    uint64_t item;
    uint32_t topic_set; /* of the event at hand, besides those of the ticket's other events */
    int channel;        /* of the event */
    int64_t from_ms;    /* when the event happened */
    int64_t due_ms;
    bool is_latest;     /* it happened after all that is known */
    uint8_t stage;      /* before it */
};

/* `segment`: the number of the one the event names; 0: none. */
struct arrival; /* apply.h */
struct scope scope_of_touch(const struct customer *customer, const struct arrival *arrival, uint32_t segment);
static inline struct scope scope_of_time(int64_t clock_ms)
{
    return (struct scope){.matters = MATTER_DUE, .due_ms = clock_ms};
}

/* Lists the contributions of everything in scope. With `keeps_next` each item notes when it is next to be looked at. */
void matters_contribute(struct journey_task *task, struct customer *customer, const struct scope *scope, struct tally *tally,
                        bool keeps_next);

/* The earliest time at which anything changes by itself; asks the items, and the rest at the clock. */
int64_t matters_next_at_ms(struct journey_task *task, struct customer *customer, struct tally *scratch);

#endif
