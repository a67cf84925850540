/* A contribution: one number that one KPI counts in one minute under some dimensions.
 *
 * What a ticket, order, survey … contributes is a function of its events and of the clock. A change is never worked out as such:
 * the contributions before and after it are listed by the same function, and their difference is what goes out. A
 * contribution that comes with time (a miss at a deadline, a cohort come of age) is in the list once the clock has
 * reached its instant; the list says when it will next be another one, and the entry's timer then makes the same comparison. */
#ifndef TS_JOURNEY_CONTRIBUTIONS_H
#define TS_JOURNEY_CONTRIBUTIONS_H

#include "processors/journey/sums/dimensions.h"

#include "schemas/kpi_names.h"
#include "schemas/kpi_sums.h"

#define PLACE_TOPIC_IS_AGE UINT32_MAX /* backlog under age= alone, with the band as detail */

/* Where it is counted. Which of the fields make dimensions follows from the KPI's rollups (kpi_names.h). */
struct place {
    uint32_t tuple;  /* of dimensions.h */
    uint32_t name;   /* number of the team, campaign or currency */
    uint32_t topic;  /* number of the ticket's topic; 0: none */
    int32_t minute;  /* since the epoch */
    uint8_t kpi;     /* enum kpi_id */
    uint8_t stage;   /* or NO_STAGE; stage_moves: the stage left */
    uint8_t detail;  /* priority, age band, message kind, stage entered; or NO_DETAIL */
    uint8_t zero;    /* places are compared as bytes */
};

struct contribution {
    struct place place;
    int32_t bin; /* of the histogram; −1: none */
    int32_t n, num, immature;
    int32_t zero;
    int64_t sum;
};

/* The contributions of something at a clock. Reused: no allocation once warm. */
struct tally {
    struct contribution *items;
    size_t count, capacity;
    int64_t clock_ms;
    int64_t next_at_ms; /* when they will be others without any event; INT64_MAX: never */
};

void tally_begin(struct tally *tally, int64_t clock_ms);
void tally_finish(struct tally *tally);

/* Has the clock reached `at_ms`? If not, that is when to ask again. */
static inline bool tally_is_due(struct tally *tally, int64_t at_ms)
{
    if (at_ms <= tally->clock_ms)
        return true;
    if (at_ms < tally->next_at_ms)
        tally->next_at_ms = at_ms;
    return false;
}

/* The rest is inlined: an event makes a dozen of them. */

static inline int32_t place_minute(int64_t at_ms)
{
    int64_t minute = at_ms / 60000;
    return (int32_t)(at_ms < minute * 60000 ? minute - 1 : minute);
}

static inline struct place place_at(enum kpi_id kpi, uint32_t tuple, uint8_t stage, int64_t at_ms)
{
    return (struct place){
        .tuple = tuple, .minute = place_minute(at_ms), .kpi = (uint8_t)kpi, .stage = stage, .detail = NO_DETAIL};
}

void tally_grow(struct tally *tally);

static inline struct contribution *tally_add(struct tally *tally, struct place place)
{
    if (tally->count == tally->capacity)
        tally_grow(tally);
    struct contribution *item = &tally->items[tally->count++];
    *item = (struct contribution){.place = place, .bin = -1, .n = 1};
    return item;
}

/* `value` is what the KPI's kind makes of it: a score, ms, an amount, a hit (0 or 1). */

static inline void tally_add_rate(struct tally *tally, struct place place, bool is_hit, bool is_immature)
{
    struct contribution *item = tally_add(tally, place);
    item->num = is_hit;
    item->immature = is_immature;
}

static inline void tally_add_mean(struct tally *tally, struct place place, int64_t score)
{
    tally_add(tally, place)->sum = score;
}

static inline void tally_add_count(struct tally *tally, struct place place)
{
    tally_add(tally, place);
}

static inline void tally_add_amount(struct tally *tally, struct place place, int64_t amount)
{
    tally_add(tally, place)->sum = amount;
}

/* Gauges, distinct, shares, churn. */
static inline void tally_add_flow(struct tally *tally, struct place place, int n, int num)
{
    struct contribution *item = tally_add(tally, place);
    item->n = n;
    item->num = num;
}

/* What was listed from `since` on has been, but stands no longer: it counts nowhere, and tells where it did (worker_totals.h). */
static inline void tally_withdraw(struct tally *tally, size_t since)
{
    for (size_t i = since; i < tally->count; i++)
        tally->items[i] = (struct contribution){.place = tally->items[i].place, .bin = -1};
}

void tally_add_nps(struct tally *tally, struct place place, int score);
void tally_add_duration(struct tally *tally, struct place place, int64_t duration_ms);
void tally_add_uplift(struct tally *tally, struct place place, bool is_exposed, bool is_hit);

#endif
