#include "processors/journey/enrich.h"

#include "processors/journey/matters/surveys.h"
#include "processors/journey/tickets/tickets.h"
#include "schemas/wire.h"

/* What people say is feedback or brand; what they do is digital, social or service. */
static const enum category categories[TOUCHPOINT_BODY_COUNT] = {
    [TOUCHPOINT_BODY_ORDER_PLACED] = CATEGORY_DIGITAL,
    [TOUCHPOINT_BODY_ORDER_DELIVERED] = CATEGORY_SERVICE,
    [TOUCHPOINT_BODY_PRODUCT_RETURNED] = CATEGORY_SERVICE,
    [TOUCHPOINT_BODY_PRODUCT_USED] = CATEGORY_DIGITAL,
    [TOUCHPOINT_BODY_DEVICE_REPORTED] = CATEGORY_DIGITAL,
    [TOUCHPOINT_BODY_SERVICE_VISITED] = CATEGORY_SERVICE,
    [TOUCHPOINT_BODY_MESSAGE_ENGAGED] = CATEGORY_BRAND,
    [TOUCHPOINT_BODY_SURVEY_SENT] = CATEGORY_FEEDBACK,
    [TOUCHPOINT_BODY_SURVEY_ANSWERED] = CATEGORY_FEEDBACK,
    [TOUCHPOINT_BODY_TICKET_CHANGED] = CATEGORY_SERVICE,
    [TOUCHPOINT_BODY_REVIEW_POSTED] = CATEGORY_FEEDBACK,
    [TOUCHPOINT_BODY_SOCIAL_MENTION] = CATEGORY_SOCIAL,
    [TOUCHPOINT_BODY_INTERVIEW_HELD] = CATEGORY_FEEDBACK,
    [TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED] = CATEGORY_DIGITAL,
    [TOUCHPOINT_BODY_LOYALTY_CHANGED] = CATEGORY_BRAND,
    [TOUCHPOINT_BODY_REFERRAL_MADE] = CATEGORY_SOCIAL,
    [TOUCHPOINT_BODY_CASE_ACTED] = CATEGORY_SERVICE,
    [TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN] = CATEGORY_SERVICE,
};

static enum category category_of(const struct touchpoint *touch)
{
    if (touch->body_kind == TOUCHPOINT_BODY_SURVEY_SENT && touch->body.survey_sent.kind == SURVEY_KIND_BRAND)
        return CATEGORY_BRAND;
    if (touch->body_kind == TOUCHPOINT_BODY_SURVEY_ANSWERED && touch->body.survey_answered.kind == SURVEY_KIND_BRAND)
        return CATEGORY_BRAND;
    return categories[touch->body_kind];
}

static void snapshot_of(const struct customer *customer, struct customer_snapshot *out)
{
    int nps = surveys_last_score(customer, SURVEY_KIND_NPS), csat = surveys_last_score(customer, SURVEY_KIND_CSAT);
    int ces = surveys_last_score(customer, SURVEY_KIND_CES);
    *out = (struct customer_snapshot){
        .orders = customer->cohort ? (int32_t)customer->cohort->order_count : 0,
        .open_tickets = customer->open_ticket_count,
        .has_mean_sentiment = customer->sentiment_count > 0,
        .has_last_nps = nps >= 0,
        .last_nps = nps,
        .has_last_csat = csat >= 0,
        .last_csat = csat,
        .has_last_ces = ces >= 0,
        .last_ces = ces,
        .events = (int64_t)customer->events,
        .first_seen_at_ms = customer_first_seen_ms(customer)};
    if (customer->sentiment_count > 0)
        out->mean_sentiment = (double)customer->sentiment_sum / KPI_SENTIMENT_SCALE / customer->sentiment_count;
}

static void clocks_of(struct journey_task *task, const struct customer *customer, uint64_t identity, struct enriched_touchpoint *out)
{
    const struct ticket *ticket = tickets_find(customer, identity);
    int64_t at_ms = out->touch.occurred_at_ms;
    if (ticket == NULL)
        return;
    struct ticket_state state;
    ticket_state_at(task, ticket, at_ms, &state);
    if (!state.is_open)
        return;
    out->has_sla = true;
    out->sla = (struct ticket_clocks){.ticket_id = out->touch.body.ticket_changed.ticket_id,
                                      .has_resolution_elapsed_ms = true,
                                      .resolution_elapsed_ms = at_ms - state.opened_at_ms,
                                      .has_resolution_due_at = true,
                                      .resolution_due_at_ms = state.resolution_due_ms};
    if (!state.awaits_first_response)
        return;
    const struct episode *episode = &task->story.episodes[task->story.episode_count - 1];
    out->sla.has_first_response_elapsed_ms = true;
    out->sla.first_response_elapsed_ms =
        story_team_ms(&task->story, episode, state.policy->calendar, state.opened_at_ms, at_ms);
    out->sla.has_first_response_due_at = state.first_response_due_ms != NEVER_MS;
    out->sla.first_response_due_at_ms = out->sla.has_first_response_due_at ? state.first_response_due_ms : 0;
}

void enrich_describe(struct journey_task *task, const struct customer *customer, const struct arrival *arrival,
                     struct enriched_touchpoint *out, struct step *step)
{
    const struct impression *impression = arrival->impression;
    out->stage = (enum stage)customer->stage;
    out->category = category_of(&out->touch);
    out->has_sentiment = impression->has_sentiment;
    out->sentiment = impression->sentiment;
    out->has_emotion = impression->has_emotion;
    out->emotion = impression->emotion;
    out->topics.count = impression->topic_count;
    out->topics.items = (struct view *)impression->topics; /* only read from here on */
    out->has_sla = false;
    if (out->touch.body_kind == TOUCHPOINT_BODY_TICKET_CHANGED)
        clocks_of(task, customer, arrival->ticket, out);
    snapshot_of(customer, &out->customer);
    out->partition = task->partition;
    out->offset = step->offset;
}

void enrich_send(struct journey_task *task, const struct enriched_touchpoint *enriched, struct view raw, struct step *step)
{
    struct bytes *value = outbox_begin(step->outbox, JOURNEY_OUTPUT_ENRICHED, OUTBOX_BY_KEY, enriched->touch.customer_id,
                                       step->record->timestamp_ms);
    wire_begin(value, task->shared->ids.enriched);
    enriched_touchpoint_encode_after(value, raw, enriched);
    outbox_end(step->outbox);
}
