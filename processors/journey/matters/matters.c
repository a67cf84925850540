#include "processors/journey/matters/matters.h"

#include "base/clock.h"
#include "processors/journey/care/care.h"
#include "processors/journey/care/cases.h"
#include "processors/journey/matters/activity.h"
#include "processors/journey/matters/engagement.h"
#include "processors/journey/matters/orders.h"
#include "processors/journey/matters/stage.h"
#include "processors/journey/matters/subscriptions.h"
#include "processors/journey/matters/surveys.h"
#include "processors/journey/matters/visits.h"
#include "processors/journey/tickets/tickets.h"

/* --- what an event may change --- */

static bool ticket_has_opening(const struct ticket *ticket)
{
    for (uint32_t i = 0; i < ticket->count; i++) {
        if (ticket->events[i].action == TICKET_ACTION_OPENED)
            return true;
    }
    return false;
}

/* Can this event change which OPENED stands for the ticket? Only then do other tickets of its topic notice. */
static bool may_move_opening(const struct ticket *ticket, enum ticket_action action, const struct moment *moment)
{
    uint32_t opened = ticket ? ticket_opened(ticket) : NO_EVENT;
    if (opened != NO_EVENT)
        return moment_is_before(moment, &ticket->events[opened].moment);
    return action == TICKET_ACTION_OPENED || (ticket && ticket_has_opening(ticket));
}

static void scope_add_ticket(struct scope *scope, const struct customer *customer, const struct arrival *arrival)
{
    enum ticket_action action = arrival->touch->body.ticket_changed.action;
    scope->item = arrival->ticket;
    scope->matters |= MATTER_TICKET;
    const struct ticket *ticket = tickets_find(customer, scope->item);
    if (may_move_opening(ticket, action, &arrival->moment))
        scope->matters |= MATTER_RELATED;
    switch (action) {
    case TICKET_ACTION_OPENED:
    case TICKET_ACTION_REOPENED:
    case TICKET_ACTION_RESOLVED:
    case TICKET_ACTION_CLOSED: scope->matters |= MATTER_STAGE; break;
    default: break;
    }
}

/* What comes after the second order says nothing new of it (orders.c, first_orders_update). */
static bool may_move_second_order(const struct cohort *cohort, const struct moment *moment)
{
    return cohort && cohort->has_first && (!cohort->has_second || moment_is_before(moment, &cohort->second));
}

static void scope_add_body(struct scope *scope, const struct customer *customer, const struct arrival *arrival)
{
    const struct touchpoint *touch = arrival->touch;
    const struct moment *moment = &arrival->moment;
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_ORDER_PLACED:
        scope->matters |= MATTER_COHORT;
        if (may_move_second_order(customer->cohort, moment))
            scope->matters |= MATTER_STAGE;
        break;
    case TOUCHPOINT_BODY_ORDER_DELIVERED:
        scope->matters |= MATTER_ORDER;
        scope->item = identity_of(touch->body.order_delivered.order_id);
        break;
    case TOUCHPOINT_BODY_PRODUCT_RETURNED:
        scope->matters |= MATTER_ORDER;
        scope->item = identity_of(touch->body.product_returned.order_id);
        break;
    case TOUCHPOINT_BODY_PRODUCT_USED:
        scope->matters |= MATTER_COHORT;
        if (customer->cohort == NULL || !customer->cohort->has_used ||
            moment_is_before(moment, &customer->cohort->first_used))
            scope->matters |= MATTER_STAGE;
        break;
    case TOUCHPOINT_BODY_SERVICE_VISITED:
        scope->matters |= MATTER_VISITS;
        scope->item = touch->body.service_visited.ticket_id.size ? identity_of(touch->body.service_visited.ticket_id) : 0;
        break;
    case TOUCHPOINT_BODY_MESSAGE_ENGAGED:
        scope->matters |= MATTER_ENGAGEMENT | MATTER_COHORT;
        scope->item = engagement_identity(&touch->body.message_engaged);
        break;
    case TOUCHPOINT_BODY_SURVEY_SENT:
        scope->matters |= MATTER_SURVEY;
        scope->item = survey_identity(touch->body.survey_sent.kind, touch->body.survey_sent.survey_id);
        break;
    case TOUCHPOINT_BODY_SURVEY_ANSWERED:
        scope->matters |= MATTER_SURVEY | MATTER_SUPPORT;
        scope->item = survey_identity(touch->body.survey_answered.kind, touch->body.survey_answered.survey_id);
        break;
    case TOUCHPOINT_BODY_TICKET_CHANGED:
        scope_add_ticket(scope, customer, arrival);
        break;
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED:
        scope->matters |= MATTER_SUBSCRIPTION;
        scope->item = identity_of(touch->body.subscription_changed.subscription_id);
        break;
    default:
        break;
    }
}

/* Another event in the same minute, or an older one, moves nothing. */
static bool may_change_activity(const struct customer *customer, const struct touchpoint *touch, const struct moment *moment,
                                uint32_t segment)
{
    if (!customer->has_activity || touch->body_kind == TOUCHPOINT_BODY_LOYALTY_CHANGED ||
        touch->body_kind == TOUCHPOINT_BODY_REFERRAL_MADE || (segment && segment != customer->segment))
        return true;
    int64_t minute = moment->at_ms / MINUTES(1);
    return minute > customer->activity.last_ms / MINUTES(1) || minute >= customer->channel_minutes[touch->channel];
}

/* Within a stretch of activity whose end is not yet due, one more event changes nothing about being alive: it can at most move
 * the end, which the timer will find. By far most events are of that kind. */
static bool may_change_life(const struct customer *customer, const struct touchpoint *touch, const struct moment *moment,
                            uint32_t segment)
{
    if (!customer->has_activity || touch->body_kind == TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED || (segment && segment != customer->segment))
        return true;
    return moment->at_ms < customer->activity.first_ms || moment->at_ms - customer->activity.last_ms >= DAYS(90) ||
           customer->activity.last_ms + DAYS(90) <= customer->evaluated_at_ms;
}

struct scope scope_of_touch(const struct customer *customer, const struct arrival *arrival, uint32_t segment)
{
    const struct touchpoint *touch = arrival->touch;
    const struct moment *moment = &arrival->moment;
    struct scope scope = {.channel = (int)touch->channel,
                          .from_ms = moment->at_ms,
                          .topic_set = arrival->topic_set,
                          .is_latest = customer->has_activity && moment->at_ms > customer->activity.last_ms,
                          .stage = customer->stage};
    if (care_may_note(arrival))
        scope.matters |= MATTER_CASES;
    scope_add_body(&scope, customer, arrival);
    if (may_change_activity(customer, touch, moment, segment))
        scope.matters |= MATTER_ACTIVITY;
    if (may_change_life(customer, touch, moment, segment))
        scope.matters |= MATTER_LIFE;
    if (customer->has_support_score)
        scope.matters |= MATTER_SUPPORT;
    if (!customer->has_activity || moment_is_before(moment, &customer->first_activity))
        scope.matters |= MATTER_STAGE;
    return scope;
}

/* --- walking a scope --- */

struct walk {
    struct journey_task *task;
    struct customer *customer;
    const struct scope *scope;
    struct tally *tally;
    bool keeps_next;
};

static bool is_all(const struct walk *walk)
{
    return walk->scope->matters & MATTER_ALL;
}

static bool is_due(const struct walk *walk, int64_t next_at_ms)
{
    return (walk->scope->matters & MATTER_DUE) && next_at_ms <= walk->scope->due_ms;
}

/* An item's own next time is what the tally learnt since item_begin. */
static int64_t item_begin(struct walk *walk)
{
    int64_t outer_ms = walk->tally->next_at_ms;
    walk->tally->next_at_ms = NEVER_MS;
    return outer_ms;
}

static void item_end(struct walk *walk, int64_t outer_ms, int64_t *next_at_ms)
{
    if (walk->keeps_next)
        *next_at_ms = walk->tally->next_at_ms;
    if (outer_ms < walk->tally->next_at_ms)
        walk->tally->next_at_ms = outer_ms;
}

static void ticket_walk(struct walk *walk, struct ticket *ticket)
{
    int64_t outer_ms = item_begin(walk);
    ticket_contribute(walk->task, walk->customer, ticket, walk->tally);
    item_end(walk, outer_ms, &ticket->next_at_ms);
}

/* Does `other` share a topic with any OPENED of the ticket in scope, or with the event at hand? */
static bool is_related(const struct walk *walk, const struct ticket *ticket, const struct ticket *other)
{
    uint32_t set = ticket_glance(other)->topic_set;
    if (set == 0)
        return false;
    const struct dimensions *dimensions = &walk->task->dimensions;
    if (dimensions_share_topic(dimensions, set, walk->scope->topic_set))
        return true;
    for (uint32_t i = 0; ticket && i < ticket->count; i++) {
        if (dimensions_share_topic(dimensions, set, ticket->events[i].topic_set))
            return true;
    }
    return false;
}

static void tickets_walk(struct walk *walk)
{
    struct customer *customer = walk->customer;
    unsigned matters = walk->scope->matters;
    if (is_all(walk) || (matters & MATTER_DUE)) {
        for (uint32_t i = 0; i < customer->ticket_count; i++) {
            if (is_all(walk) || is_due(walk, customer->tickets[i].next_at_ms))
                ticket_walk(walk, &customer->tickets[i]);
        }
        return;
    }
    struct ticket *ticket = matters & MATTER_TICKET ? tickets_find(customer, walk->scope->item) : NULL;
    if (ticket)
        ticket_walk(walk, ticket);
    for (uint32_t i = 0; (matters & MATTER_RELATED) && i < customer->ticket_count; i++) {
        if (&customer->tickets[i] != ticket && is_related(walk, ticket, &customer->tickets[i]))
            ticket_walk(walk, &customer->tickets[i]);
    }
}

static void survey_walk(struct walk *walk, struct survey *survey)
{
    int64_t outer_ms = item_begin(walk);
    survey_contribute(survey, walk->tally);
    item_end(walk, outer_ms, &survey->next_at_ms);
}

static void surveys_walk(struct walk *walk)
{
    struct customer *customer = walk->customer;
    if (walk->scope->matters & MATTER_SURVEY) {
        struct survey *survey = surveys_find(customer, walk->scope->item);
        if (survey)
            survey_walk(walk, survey);
        return;
    }
    if (!(walk->scope->matters & (MATTER_ALL | MATTER_DUE)))
        return;
    for (uint32_t i = 0; i < customer->survey_count; i++) {
        if (is_all(walk) || is_due(walk, customer->surveys[i].next_at_ms))
            survey_walk(walk, &customer->surveys[i]);
    }
}

static void subscriptions_walk(struct walk *walk)
{
    struct seldom *seldom = walk->customer->seldom;
    bool is_one = walk->scope->matters & MATTER_SUBSCRIPTION;
    for (uint32_t i = 0; i < seldom->subscription_count; i++) {
        struct subscription_event *change = &seldom->subscriptions[i];
        if (!is_all(walk) && !is_due(walk, change->next_at_ms) && !(is_one && change->identity == walk->scope->item))
            continue;
        int64_t outer_ms = item_begin(walk);
        subscription_contribute(seldom, i, walk->tally);
        item_end(walk, outer_ms, &change->next_at_ms);
    }
}

static void visits_walk(struct walk *walk)
{
    struct seldom *seldom = walk->customer->seldom;
    bool is_some = walk->scope->matters & MATTER_VISITS;
    for (uint32_t i = 0; i < seldom->visit_count; i++) {
        struct visit *visit = &seldom->visits[i];
        bool is_touched = is_some && (visit->ticket == walk->scope->item || visit->moment.at_ms == walk->scope->from_ms);
        if (!is_all(walk) && !is_due(walk, visit->next_at_ms) && !is_touched)
            continue;
        int64_t outer_ms = item_begin(walk);
        visit_contribute(seldom, i, walk->tally);
        item_end(walk, outer_ms, &visit->next_at_ms);
    }
}

static void seldom_walk(struct walk *walk)
{
    unsigned matters = walk->scope->matters;
    if (matters & (MATTER_SUBSCRIPTION | MATTER_ALL | MATTER_DUE))
        subscriptions_walk(walk);
    if (matters & (MATTER_VISITS | MATTER_ALL | MATTER_DUE))
        visits_walk(walk);
    struct seldom *seldom = walk->customer->seldom;
    for (uint32_t i = 0; is_all(walk) && i < seldom->unit_count; i++)
        engagement_contribute(&seldom->units[i], walk->tally);
    struct engagement_unit *unit =
        matters & MATTER_ENGAGEMENT ? engagement_find(walk->customer, walk->scope->item) : NULL;
    if (unit)
        engagement_contribute(unit, walk->tally);
}

static void orders_walk(struct walk *walk)
{
    const struct customer *customer = walk->customer;
    const struct order *order = walk->scope->matters & MATTER_ORDER ? orders_find(customer, walk->scope->item) : NULL;
    if (order)
        order_contribute(order, walk->tally);
    for (uint32_t i = 0; is_all(walk) && i < customer->order_count; i++)
        order_contribute(&customer->orders[i], walk->tally);
}

/* An event later than all others can only move the customer from the stage they were in: as long as they are still there, as they are
 * before it and often after it, nothing is to be listed from then on. */
static bool stage_stands(const struct walk *walk)
{
    return walk->scope->is_latest && walk->customer->stage == walk->scope->stage;
}

void matters_contribute(struct journey_task *task, struct customer *customer, const struct scope *scope, struct tally *tally,
                        bool keeps_next)
{
    struct walk walk = {task, customer, scope, tally, keeps_next};
    unsigned always = scope->matters & MATTER_ALL ? ~0u : scope->matters;
    if (always & MATTER_ACTIVITY)
        activity_contribute(task, customer, is_all(&walk) ? ALL_CHANNELS : scope->channel, tally);
    if (always & (MATTER_LIFE | MATTER_DUE))
        life_contribute(task, customer, tally);
    if (always & (MATTER_COHORT | MATTER_DUE))
        cohort_contribute(customer, tally);
    if (always & (MATTER_SUPPORT | MATTER_DUE))
        support_contribute(customer, tally);
    if ((always & MATTER_STAGE) && !stage_stands(&walk))
        stage_contribute(task, customer, scope->matters & MATTER_ALL ? INT64_MIN : scope->from_ms, tally);
    tickets_walk(&walk);
    surveys_walk(&walk);
    orders_walk(&walk);
    if (customer->seldom)
        seldom_walk(&walk);
    if (always & (MATTER_CASES | MATTER_DUE))
        cases_contribute(task, customer, tally);
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

int64_t matters_next_at_ms(struct journey_task *task, struct customer *customer, struct tally *scratch)
{
    tally_begin(scratch, customer->evaluated_at_ms);
    life_contribute(task, customer, scratch);
    cohort_contribute(customer, scratch);
    support_contribute(customer, scratch);
    cases_contribute(task, customer, scratch);
    int64_t next_at_ms = scratch->next_at_ms;
    for (uint32_t i = 0; i < customer->ticket_count; i++)
        next_at_ms = earlier(next_at_ms, customer->tickets[i].next_at_ms);
    for (uint32_t i = 0; i < customer->survey_count; i++)
        next_at_ms = earlier(next_at_ms, customer->surveys[i].next_at_ms);
    const struct seldom *seldom = customer->seldom;
    for (uint32_t i = 0; seldom && i < seldom->subscription_count; i++)
        next_at_ms = earlier(next_at_ms, seldom->subscriptions[i].next_at_ms);
    for (uint32_t i = 0; seldom && i < seldom->visit_count; i++)
        next_at_ms = earlier(next_at_ms, seldom->visits[i].next_at_ms);
    return next_at_ms;
}
