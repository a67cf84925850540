#include "processors/journey/tickets/tickets.h"

#include "base/memory.h"
#include "processors/journey/apply.h"

#include <stdlib.h>

struct ticket *tickets_find(const struct customer *customer, uint64_t identity)
{
    for (uint32_t i = customer->ticket_count; i > 0; i--) {
        if (customer->tickets[i - 1].identity == identity)
            return &customer->tickets[i - 1];
    }
    return NULL;
}

static struct ticket *ticket_open(struct customer *customer, uint64_t identity)
{
    struct ticket *ticket = tickets_find(customer, identity);
    if (ticket)
        return ticket;
    customer->tickets = room_array_grow(&customer->room, customer->tickets, customer->ticket_count, sizeof *customer->tickets);
    ticket = &customer->tickets[customer->ticket_count++];
    *ticket = (struct ticket){.identity = identity, .next_at_ms = NEVER_MS};
    return ticket;
}

static bool action_starts(const struct ticket_event *event)
{
    return event->action == TICKET_ACTION_OPENED || event->action == TICKET_ACTION_REOPENED;
}

static bool action_ends(const struct ticket_event *event)
{
    return event->action == TICKET_ACTION_RESOLVED || event->action == TICKET_ACTION_CLOSED;
}

/* Is it open as things stand, and since when (event number of the start); NO_EVENT: closed. */
static uint32_t ticket_open_since(const struct ticket *ticket)
{
    uint32_t since = NO_EVENT;
    for (uint32_t i = 0; i < ticket->count; i++) {
        if (action_ends(&ticket->events[i]))
            since = NO_EVENT;
        else if (since == NO_EVENT && action_starts(&ticket->events[i]))
            since = i;
    }
    return since;
}

static uint32_t opened_of(const struct ticket *ticket)
{
    bool is_open = false;
    for (uint32_t i = 0; i < ticket->count; i++) {
        const struct ticket_event *event = &ticket->events[i];
        if (!is_open && event->action == TICKET_ACTION_OPENED)
            return i;
        is_open = action_starts(event) || (is_open && !action_ends(event));
    }
    return NO_EVENT;
}

static void glance_end_wait(struct ticket_glance *glance, int64_t at_ms)
{
    if (glance->waits_over == 0) {
        glance->waited_from_ms = glance->waits_since_ms;
        glance->waited_to_ms = at_ms;
    }
    glance->waits_over = glance->waits_over ? 2 : 1;
    glance->waits_since_ms = NEVER_MS;
}

static struct ticket_glance glance_read(const struct ticket *ticket)
{
    struct ticket_glance glance = {.is_read = true, .opened = opened_of(ticket), .waits_since_ms = NEVER_MS, .opened_at_ms = NEVER_MS,
                                   .last_at_ms = ticket->count ? ticket->events[ticket->count - 1].moment.at_ms : INT64_MIN};
    uint32_t team = 0, handoffs = 0;
    if (glance.opened != NO_EVENT) {
        glance.opened_at_ms = ticket->events[glance.opened].moment.at_ms;
        glance.opened_by_agent = ticket->events[glance.opened].has_agent;
        glance.topic_set = ticket->events[glance.opened].topic_set;
    }
    for (uint32_t i = 0; i < ticket->count; i++) {
        const struct ticket_event *event = &ticket->events[i];
        handoffs += event->action == TICKET_ACTION_HANDED_OFF && event->team && event->team != team;
        team = event->team ? event->team : team;
        glance.has_effort |= handoffs > 1 || event->action == TICKET_ACTION_REOPENED;
        if (glance.waits_since_ms == NEVER_MS && ticket_event_begins_wait(event))
            glance.waits_since_ms = event->moment.at_ms;
        else if (glance.waits_since_ms != NEVER_MS && ticket_event_ends_wait(event))
            glance_end_wait(&glance, event->moment.at_ms);
    }
    return glance;
}

const struct ticket_glance *ticket_glance_anew(const struct ticket *ticket)
{
    ((struct ticket *)ticket)->glance = glance_read(ticket); /* no ticket is born const */
    return &ticket->glance;
}

uint32_t ticket_opened(const struct ticket *ticket)
{
    return ticket_glance(ticket)->opened;
}

static void ticket_insert(struct room *room, struct ticket *ticket, const struct ticket_event *event)
{
    ticket->events = room_array_grow(room, ticket->events, ticket->count, sizeof *ticket->events);
    uint32_t place = ticket->count++;
    while (place > 0 && moment_is_before(&event->moment, &ticket->events[place - 1].moment)) {
        ticket->events[place] = ticket->events[place - 1];
        place--;
    }
    ticket->events[place] = *event;
    ticket->glance.is_read = false;
    ticket->sla_is_read = false;
}

/* The name is kept for as long as people may ask about the ticket. */
static void ticket_name_keep(struct room *room, struct ticket *ticket, bool is_open, struct view id)
{
    if (is_open && ticket->id == NULL) {
        ticket->id = room_text(room, id);
    } else if (!is_open) {
        room_give(room, ticket->id);
        ticket->id = NULL;
    }
}

void tickets_changed(struct journey_task *task, struct customer *customer, const struct arrival *arrival)
{
    const struct ticket_changed *changed = &arrival->touch->body.ticket_changed;
    struct ticket *ticket = ticket_open(customer, arrival->ticket);
    bool was_open = ticket_open_since(ticket) != NO_EVENT;
    ticket_insert(&customer->room, ticket,
                  &(struct ticket_event){.moment = arrival->moment,
                                         .tuple = arrival->tuple,
                                         .team = strings_number(&task->dimensions.teams, changed->team),
                                         .topic_set = changed->action == TICKET_ACTION_OPENED ? arrival->topic_set : 0,
                                         .action = (uint8_t)changed->action,
                                         .priority = changed->has_priority ? (uint8_t)changed->priority : NO_DETAIL,
                                         .has_agent = changed->agent.size > 0});
    customer->history_count++;
    bool is_open = ticket_open_since(ticket) != NO_EVENT;
    customer->open_ticket_count = (uint16_t)(customer->open_ticket_count + is_open - was_open);
    ticket_name_keep(&customer->room, ticket, is_open, changed->ticket_id);
}

void tickets_set_stage(struct customer *customer, uint64_t identity, const struct moment *moment, uint8_t stage)
{
    struct ticket *ticket = tickets_find(customer, identity);
    for (uint32_t i = ticket ? ticket->count : 0; i > 0; i--) {
        if (moment_compare(&ticket->events[i - 1].moment, moment) == 0) {
            ticket->events[i - 1].stage = stage;
            return;
        }
    }
}
