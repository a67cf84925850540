#include "processors/journey/apply.h"

#include "processors/journey/care/care.h"
#include "processors/journey/matters/activity.h"
#include "processors/journey/matters/engagement.h"
#include "processors/journey/matters/orders.h"
#include "processors/journey/matters/stage.h"
#include "processors/journey/matters/subscriptions.h"
#include "processors/journey/matters/surveys.h"
#include "processors/journey/matters/visits.h"
#include "processors/journey/tickets/tickets.h"

/* The topic its source gave it, else what its text is about (READINGS 30). */
static uint32_t topics_of(struct journey_task *task, const struct touchpoint *touch, const struct impression *impression)
{
    if (touch->body_kind != TOUCHPOINT_BODY_TICKET_CHANGED || touch->body.ticket_changed.action != TICKET_ACTION_OPENED)
        return 0;
    for (size_t i = 0; i < touch->attributes.count; i++) {
        if (view_equal_text(touch->attributes.items[i].key, "topic") && touch->attributes.items[i].value.size)
            return dimensions_topic_set(&task->dimensions, &touch->attributes.items[i].value, 1);
    }
    return dimensions_topic_set(&task->dimensions, impression->topics, impression->topic_count);
}

struct arrival arrival_of(struct journey_task *task, const struct touchpoint *touch, const struct impression *impression)
{
    return (struct arrival){.touch = touch,
                            .impression = impression,
                            .moment = moment_of(touch->occurred_at_ms, &touch->event_id),
                            .tuple = dimensions_of_touch(&task->dimensions, touch),
                            .topic_set = topics_of(task, touch, impression),
                            .ticket = touch->body_kind == TOUCHPOINT_BODY_TICKET_CHANGED ? identity_of(touch->body.ticket_changed.ticket_id) : 0};
}

static void body_remember(struct journey_task *task, struct customer *customer, const struct arrival *arrival)
{
    const struct touchpoint *touch = arrival->touch;
    const struct moment *moment = &arrival->moment;
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_ORDER_PLACED:
        orders_placed(task, customer, &touch->body.order_placed, moment, arrival->tuple);
        break;
    case TOUCHPOINT_BODY_ORDER_DELIVERED:
        orders_delivered(customer, &touch->body.order_delivered, moment, arrival->tuple);
        break;
    case TOUCHPOINT_BODY_PRODUCT_RETURNED:
        orders_returned(customer, &touch->body.product_returned);
        break;
    case TOUCHPOINT_BODY_PRODUCT_USED:
        orders_used(customer, moment);
        break;
    case TOUCHPOINT_BODY_SERVICE_VISITED:
        visits_apply(customer, &touch->body.service_visited, moment, arrival->tuple);
        break;
    case TOUCHPOINT_BODY_MESSAGE_ENGAGED:
        engagement_apply(task, customer, &touch->body.message_engaged, moment, arrival->tuple);
        if (touch->body.message_engaged.kind == MESSAGE_KIND_ONBOARDING &&
            touch->body.message_engaged.action == ENGAGEMENT_OPENED)
            orders_onboarding_opened(customer, moment->at_ms);
        break;
    case TOUCHPOINT_BODY_SURVEY_SENT:
        surveys_sent(customer, &touch->body.survey_sent, moment, arrival->tuple);
        break;
    case TOUCHPOINT_BODY_SURVEY_ANSWERED:
        surveys_answered(customer, &touch->body.survey_answered, moment, arrival->tuple, arrival->impression);
        break;
    case TOUCHPOINT_BODY_TICKET_CHANGED:
        tickets_changed(task, customer, arrival);
        break;
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED:
        subscriptions_changed(customer, &touch->body.subscription_changed, moment, arrival->tuple);
        break;
    case TOUCHPOINT_BODY_LOYALTY_CHANGED:
        loyalty_apply(customer, &touch->body.loyalty_changed, moment);
        break;
    case TOUCHPOINT_BODY_REFERRAL_MADE:
        referral_apply(customer, touch->customer_id, &touch->body.referral_made, moment->at_ms);
        break;
    default:
        break;
    }
}

/* What was remembered of the event bears the stage that it led to (READINGS 13). */
static void stage_remember(struct customer *customer, const struct arrival *arrival)
{
    const struct touchpoint *touch = arrival->touch;
    const struct moment *moment = &arrival->moment;
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_ORDER_PLACED:
        orders_set_stage(customer, 0, moment, customer->stage);
        break;
    case TOUCHPOINT_BODY_ORDER_DELIVERED:
        orders_set_stage(customer, identity_of(touch->body.order_delivered.order_id), moment, customer->stage);
        break;
    case TOUCHPOINT_BODY_SERVICE_VISITED:
        visits_set_stage(customer, moment, customer->stage);
        break;
    case TOUCHPOINT_BODY_SURVEY_SENT:
        surveys_set_stage(customer, survey_identity(touch->body.survey_sent.kind, touch->body.survey_sent.survey_id), moment,
                          customer->stage);
        break;
    case TOUCHPOINT_BODY_SURVEY_ANSWERED:
        surveys_set_stage(customer, survey_identity(touch->body.survey_answered.kind, touch->body.survey_answered.survey_id),
                          moment, customer->stage);
        break;
    case TOUCHPOINT_BODY_TICKET_CHANGED:
        tickets_set_stage(customer, arrival->ticket, moment, customer->stage);
        break;
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED:
        subscriptions_set_stage(customer, moment, customer->stage);
        break;
    default:
        break;
    }
}

void arrival_remember(struct journey_task *task, struct customer *customer, const struct arrival *arrival)
{
    customer->events++;
    activity_apply(customer, arrival->touch, task->dimensions.tuples[arrival->tuple].segment, &arrival->moment);
    body_remember(task, customer, arrival);
    if (arrival->impression->has_sentiment) {
        customer->sentiment_sum += arrival->impression->scaled;
        customer->sentiment_count++;
    }
    enum stage stage = stage_now(customer);
    if (stage != (enum stage)customer->stage || customer->events == 1)
        customer->stage_since_at_ms = arrival->moment.at_ms;
    customer->stage = (uint8_t)stage;
    stage_remember(customer, arrival);
    care_remember(task, customer, arrival);
}

static void review_contribute(const struct arrival *arrival, uint8_t stage, struct tally *tally)
{
    int32_t stars = arrival->touch->body.review_posted.stars;
    int64_t at_ms = arrival->moment.at_ms;
    tally_add_mean(tally, place_at(KPI_REVIEW_STARS, arrival->tuple, stage, at_ms), stars);
    tally_add_rate(tally, place_at(KPI_REVIEW_LOW, arrival->tuple, stage, at_ms), stars <= 2, false);
    tally_add_count(tally, place_at(KPI_REVIEW_COUNT, arrival->tuple, stage, at_ms));
}

static void offer_contribute(struct journey_task *task, const struct arrival *arrival, struct tally *tally)
{
    const struct order_placed *placed = &arrival->touch->body.order_placed;
    if (!placed->has_offer)
        return;
    struct place place = place_at(KPI_UPSELL_REVENUE, 0, NO_STAGE, arrival->moment.at_ms);
    place.name = strings_number(&task->dimensions.currencies, placed->currency);
    tally_add_amount(tally, place, placed->amount_minor);
}

/* The event belonged to a segment that the customer had left by what is known already: there they were until then. */
static void older_segment_contribute(struct journey_task *task, const struct customer *customer, const struct arrival *arrival,
                                     struct tally *tally)
{
    struct customer then = *customer;
    size_t since = tally->count;
    then.segment = task->dimensions.tuples[arrival->tuple].segment;
    activity_contribute(task, &then, (int)arrival->touch->channel, tally);
    life_contribute(task, &then, tally);
    tally_withdraw(tally, since);
}

void arrival_contribute(struct journey_task *task, const struct customer *customer, const struct arrival *arrival,
                        struct tally *tally)
{
    const struct touchpoint *touch = arrival->touch;
    uint32_t segment = task->dimensions.tuples[arrival->tuple].segment;
    if (segment && segment != customer->segment)
        older_segment_contribute(task, customer, arrival, tally);
    if (touch->body_kind == TOUCHPOINT_BODY_SURVEY_ANSWERED)
        surveys_contribute_older(customer, &touch->body.survey_answered, &arrival->moment, arrival->tuple, arrival->impression, tally);
    if (touch->body_kind == TOUCHPOINT_BODY_PRODUCT_USED)
        tally_add_amount(tally, place_at(KPI_USAGE_MINUTES, arrival->tuple, customer->stage, arrival->moment.at_ms),
                         touch->body.product_used.seconds);
    else if (touch->body_kind == TOUCHPOINT_BODY_REVIEW_POSTED)
        review_contribute(arrival, customer->stage, tally);
    else if (touch->body_kind == TOUCHPOINT_BODY_ORDER_PLACED)
        offer_contribute(task, arrival, tally);
    if (touch->body_kind != TOUCHPOINT_BODY_SURVEY_ANSWERED) /* the answer's text counts with the answer: surveys.c */
        impression_contribute(arrival->impression, arrival->tuple, customer->stage, arrival->moment.at_ms, tally);
}
