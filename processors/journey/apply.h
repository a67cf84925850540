/* An accepted touchpoint takes its place in what is remembered of the customer. */
#ifndef TS_JOURNEY_APPLY_H
#define TS_JOURNEY_APPLY_H

#include "processors/journey/impression.h"
#include "processors/journey/matters/matters.h"

struct arrival {
    const struct touchpoint *touch;
    const struct impression *impression;
    struct moment moment;
    uint32_t tuple;
    uint32_t topic_set; /* of an OPENED */
    uint64_t ticket;    /* identity of the one that changed; 0: none */
};

struct arrival arrival_of(struct journey_task *task, const struct touchpoint *touch, const struct impression *impression);

/* Remembers the event; the customer's stage follows. */
void arrival_remember(struct journey_task *task, struct customer *customer, const struct arrival *arrival);

/* What the event counts by itself, whatever else is known: usage, reviews, texts, offers. */
void arrival_contribute(struct journey_task *task, const struct customer *customer, const struct arrival *arrival,
                        struct tally *tally);

#endif
