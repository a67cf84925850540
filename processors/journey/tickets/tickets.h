/* Tickets: their events kept in order, and all that they contribute (READINGS 18, 20–31). */
#ifndef TS_JOURNEY_TICKETS_H
#define TS_JOURNEY_TICKETS_H

#include "processors/journey/tickets/story.h"

struct ticket *tickets_find(const struct customer *customer, uint64_t identity);

/* The event (a TicketChanged) takes its place in its ticket; `customer->open_ticket_count` follows. */
struct arrival; /* apply.h */
void tickets_changed(struct journey_task *task, struct customer *customer, const struct arrival *arrival);
void tickets_set_stage(struct customer *customer, uint64_t identity, const struct moment *moment, uint8_t stage);

/* Number of the OPENED event that stands for the ticket: the first that starts an episode; NO_EVENT: none. */
uint32_t ticket_opened(const struct ticket *ticket);

/* The same and what else is often asked, of all the ticket's events whatever the time; read once until the next event comes. */
const struct ticket_glance *ticket_glance_anew(const struct ticket *ticket);
static inline const struct ticket_glance *ticket_glance(const struct ticket *ticket)
{
    return ticket->glance.is_read ? &ticket->glance : ticket_glance_anew(ticket);
}

/* The customer waits for us from their own word until ours. Asked of every event of every recent ticket at every score. */
static inline bool ticket_event_begins_wait(const struct ticket_event *event)
{
    bool is_ours = event->has_agent && event->action != TICKET_ACTION_CUSTOMER_REPLIED;
    return event->action == TICKET_ACTION_CUSTOMER_REPLIED ||
           (!is_ours && (event->action == TICKET_ACTION_OPENED || event->action == TICKET_ACTION_REOPENED));
}

static inline bool ticket_event_ends_wait(const struct ticket_event *event)
{
    return event->action == TICKET_ACTION_AGENT_REPLIED || event->action == TICKET_ACTION_PENDING ||
           event->action == TICKET_ACTION_RESOLVED || event->action == TICKET_ACTION_CLOSED;
}

/* What is promised for an episode: by the latest priority named until its end, and its segment. */
const struct policy *ticket_policy(struct journey_task *task, const struct ticket *ticket, const struct episode *episode);

/* The clocks of an open ticket, for the enriched event, the journey and warnings. Reads the story anew. */
struct ticket_state {
    bool is_open, awaits_first_response;
    int64_t opened_at_ms;          /* of the episode */
    int64_t first_response_due_ms; /* NEVER_MS: paused, or answered, or not promised */
    int64_t resolution_due_ms;
    uint32_t team;                 /* in charge */
    uint8_t priority;              /* or NO_DETAIL */
    uint32_t handoffs;             /* of the episode */
    const struct policy *policy;
};

void ticket_state_at(struct journey_task *task, const struct ticket *ticket, int64_t at_ms, struct ticket_state *out);

void ticket_contribute(struct journey_task *task, const struct customer *customer, const struct ticket *ticket,
                       struct tally *tally);

#endif
