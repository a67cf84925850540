/* The promises of an open ticket: since when they run, when three quarters of the time are gone, when they are broken. */
#ifndef TS_JOURNEY_SLA_H
#define TS_JOURNEY_SLA_H

#include "processors/journey/tickets/tickets.h"

enum promise_kind { PROMISE_FIRST_RESPONSE, PROMISE_RESOLUTION, PROMISE_COUNT };

struct promise {
    bool is_running;     /* neither kept yet nor given up; it may be paused */
    int64_t warn_at_ms;  /* NEVER_MS: paused before it */
    int64_t due_at_ms;
    double elapsed;      /* of the promised time, at the instant asked for; 1: broken */
};

struct sla_reading {
    bool is_open;
    struct moment start; /* of the episode */
    struct promise promises[PROMISE_COUNT];
};

/* What an open ticket's events say is remembered with it until another one comes: `room` is its customer's. */
void sla_read(struct journey_task *task, struct room *room, struct ticket *ticket, int64_t at_ms, struct sla_reading *out);

/* What is due next on an open ticket; NEVER_MS: nothing. */
int64_t sla_due_ms(const struct sla_reading *reading);

#endif
