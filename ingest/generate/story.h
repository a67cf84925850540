/* What makes a demo worth watching: now and then something goes wrong on purpose, in live traffic.
 *
 * - An angry customer: an order that never came, a furious NPS answer, an urgent ticket, within a minute.
 * - A ticket that nobody answers: opened, asked about again, and left until its first response is overdue.
 * - A bad day: for a quarter of an hour deliveries of one product are late and its customers unhappy: a shift to be found. */
#ifndef TS_INGEST_GENERATE_STORY_H
#define TS_INGEST_GENERATE_STORY_H

#include "base/random.h"
#include "schemas/records.h"

struct story {
    struct random random;
    int64_t next_angry_ms, next_silence_ms, next_bad_day_ms; /* 0: not planned yet */
    int64_t bad_day_ends_ms;
    int64_t now_ms;
    int angry_step;
    uint32_t angry_customer, number;
    char id[24], text[320];
};

void story_init(struct story *story, uint64_t seed);

/* Has a story an event to tell now? Then `out` (body and product) and `customer` are it. */
bool story_tell(struct story *story, int64_t now_ms, struct touchpoint *out, uint32_t *customer, uint32_t customers);

bool story_is_bad_day(const struct story *story, struct view product);
double story_gloom(const struct story *story, struct view product); /* what it adds to a customer's contentment */

#endif
