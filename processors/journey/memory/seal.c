#include "processors/journey/memory/seal.h"

#include "base/memory.h"
#include "processors/journey/matters/stage.h"

#include <stdlib.h>

/* A sixteenth leaves at once, so that sealing is seldom. */
enum { SEALED_PART = 16, OPEN_FACTOR = 2 };

/* Everything that waits for nothing is a candidate, the longest untouched first. */
struct candidate {
    int64_t last_ms;
    uint32_t events;
};

static int candidate_compare(const void *a, const void *b)
{
    const struct candidate *first = a, *second = b;
    return (first->last_ms > second->last_ms) - (first->last_ms < second->last_ms);
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

static bool ticket_is_closed(const struct ticket *ticket)
{
    return ticket->id == NULL && ticket->next_at_ms == NEVER_MS;
}

static int64_t ticket_last_ms(const struct ticket *ticket)
{
    return ticket->events[ticket->count - 1].moment.at_ms;
}

static bool survey_is_closed(const struct survey *survey)
{
    return survey->next_at_ms == NEVER_MS;
}

static int64_t survey_last_ms(const struct survey *survey)
{
    return later(survey->is_sent ? survey->sent.at_ms : INT64_MIN, survey->is_answered ? survey->answered.at_ms : INT64_MIN);
}

/* Up to which time matters must go for `wanted` events to leave. */
static int64_t bound_of(const struct customer *customer, uint32_t wanted)
{
    size_t most = customer->ticket_count + customer->survey_count + customer->order_count, count = 0;
    struct candidate *candidates = memory_allocate((most + 1) * sizeof *candidates);
    for (uint32_t i = 0; i < customer->ticket_count; i++) {
        const struct ticket *ticket = &customer->tickets[i];
        if (ticket_is_closed(ticket))
            candidates[count++] = (struct candidate){ticket_last_ms(ticket), ticket->count};
    }
    for (uint32_t i = 0; i < customer->survey_count; i++) {
        const struct survey *survey = &customer->surveys[i];
        if (survey_is_closed(survey))
            candidates[count++] = (struct candidate){survey_last_ms(survey), 1 + survey->other_answer_count};
    }
    for (uint32_t i = 0; i < customer->order_count; i++)
        candidates[count++] = (struct candidate){customer->orders[i].delivered.at_ms, 1};
    qsort(candidates, count, sizeof *candidates, candidate_compare);
    int64_t bound_ms = INT64_MIN;
    for (size_t i = 0, sealed = 0; i < count && sealed < wanted; i++) {
        sealed += candidates[i].events;
        bound_ms = candidates[i].last_ms;
    }
    free(candidates);
    return bound_ms;
}

static void tickets_seal(struct customer *customer, int64_t bound_ms)
{
    uint32_t kept = 0;
    stage_forget(customer); /* who recovers from what is kept walks it again, and must find the same */
    for (uint32_t i = 0; i < customer->ticket_count; i++) {
        struct ticket *ticket = &customer->tickets[i];
        if (!ticket_is_closed(ticket) || ticket_last_ms(ticket) > bound_ms) {
            customer->tickets[kept++] = *ticket;
            continue;
        }
        customer->history_count -= ticket->count;
        ticket_finish(&customer->room, ticket);
    }
    customer->ticket_count = kept;
    customer->tickets = room_array_shrink(&customer->room, customer->tickets, kept, sizeof *customer->tickets);
}

static void surveys_seal(struct customer *customer, int64_t bound_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < customer->survey_count; i++) {
        struct survey *survey = &customer->surveys[i];
        if (!survey_is_closed(survey) || survey_last_ms(survey) > bound_ms) {
            customer->surveys[kept++] = *survey;
            continue;
        }
        customer->history_count -= 1 + survey->other_answer_count;
        room_give(&customer->room, survey->other_answers_ms);
    }
    customer->survey_count = kept;
    customer->surveys = room_array_shrink(&customer->room, customer->surveys, kept, sizeof *customer->surveys);
}

static void orders_seal(struct customer *customer, int64_t bound_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < customer->order_count; i++) {
        if (customer->orders[i].delivered.at_ms > bound_ms)
            customer->orders[kept++] = customer->orders[i];
        else
            customer->history_count--;
    }
    customer->order_count = kept;
    customer->orders = room_array_shrink(&customer->room, customer->orders, kept, sizeof *customer->orders);
}

void seal_oldest(struct journey_task *task, struct customer *customer)
{
    uint32_t most = (uint32_t)task->shared->settings->history_max;
    if (customer->history_count <= most)
        return;
    int64_t bound_ms = bound_of(customer, most / SEALED_PART + 1);
    if (bound_ms == INT64_MIN)
        return; /* all of it waits for something */
    tickets_seal(customer, bound_ms);
    surveys_seal(customer, bound_ms);
    orders_seal(customer, bound_ms);
}

static bool is_remembered(const struct touchpoint *touch)
{
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_TICKET_CHANGED:
        return touch->body.ticket_changed.action != TICKET_ACTION_RESOLVED && touch->body.ticket_changed.action != TICKET_ACTION_CLOSED;
    case TOUCHPOINT_BODY_ORDER_DELIVERED:
    case TOUCHPOINT_BODY_PRODUCT_RETURNED:
    case TOUCHPOINT_BODY_SERVICE_VISITED:
    case TOUCHPOINT_BODY_MESSAGE_ENGAGED:
    case TOUCHPOINT_BODY_SURVEY_SENT:
    case TOUCHPOINT_BODY_SURVEY_ANSWERED:
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED:
    case TOUCHPOINT_BODY_REFERRAL_MADE:
        return true;
    default:
        return false;
    }
}

bool seal_is_full(const struct journey_task *task, const struct customer *customer, const struct touchpoint *touch)
{
    return customer->history_count >= (uint64_t)task->shared->settings->history_max * OPEN_FACTOR && is_remembered(touch);
}
