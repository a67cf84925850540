/* What to do next: the five answers of everything that handles a record or talks to another system.
 * A library's error becomes an outcome once, at the edge, and is logged there with its details. */
#ifndef TS_BASE_OUTCOME_H
#define TS_BASE_OUTCOME_H

#include <stdbool.h>

enum outcome {
    OUTCOME_OK,    /* handled, carry on */
    OUTCOME_PARK,  /* this record can never work: set it aside and carry on */
    OUTCOME_RETRY, /* nothing changed; the same call may work later */
    OUTCOME_REDO,  /* the transaction is aborted; send the batch again in a new one */
    OUTCOME_STOP   /* fenced or broken: leave and be restarted */
};

/* Nothing is said of the record itself: what it needs (its schema, say) is not to be had now. */
static inline bool outcome_is_for_later(enum outcome outcome)
{
    return outcome == OUTCOME_RETRY || outcome == OUTCOME_STOP;
}

const char *outcome_name(enum outcome outcome);

#endif
