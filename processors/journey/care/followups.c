/* Follow-ups: what to send to whom and when, once for each (customer, kind, cause).
 *
 * A touchpoint that fits a rule's trigger leaves a note of what is due when. At that time the conditions are asked, and the
 * FollowUp goes out; not before, since it could not be taken back. While a case is open it waits (unless the rule may speak
 * then), and is dropped once it has expired. An event so old that its follow-up would have been due before we heard of
 * it leaves none: imported history makes nobody send anything. */
#include "base/memory.h"
#include "processors/journey/care/absence.h"
#include "processors/journey/care/pending.h"
#include "processors/journey/matters/activity.h"
#include "processors/journey/matters/orders.h"
#include "processors/journey/tickets/tickets.h"
#include "schemas/wire.h"

#include <stdlib.h>

enum { VARIABLES_MAX = 4 };

/* What a touchpoint sets off. */
struct cause {
    struct moment moment;
    int64_t from_ms;  /* what the delay is counted from */
    struct view subject, note;
    unsigned triggers; /* bits */
};

#define SETS_OFF(trigger) (1u << TRIGGER_##trigger)

/* --- triggers --- */

static void order_cause(const struct turn *turn, struct cause *cause)
{
    const struct cohort *cohort = turn->customer->cohort;
    cause->subject = turn->arrival->touch->body.order_placed.order_id;
    cause->triggers = SETS_OFF(ORDER_PLACED);
    if (cohort && cohort->has_first)
        cause->triggers |= moment_compare(&cohort->first, &cause->moment) == 0 ? SETS_OFF(FIRST_ORDER) : SETS_OFF(REPEAT_ORDER);
}

static void subscription_cause(const struct subscription_changed *changed, struct cause *cause)
{
    bool starts = changed->action == SUBSCRIPTION_ACTION_STARTED || changed->action == SUBSCRIPTION_ACTION_RENEWED;
    cause->subject = changed->subscription_id;
    if (changed->action == SUBSCRIPTION_ACTION_RENEWED)
        cause->triggers |= SETS_OFF(RENEWED);
    if (starts && changed->has_term_ends_at)
        cause->triggers |= SETS_OFF(TERM_ENDS);
}

static void survey_cause(const struct survey_answered *answered, struct cause *cause)
{
    bool is_delighted = (answered->kind == SURVEY_KIND_NPS && answered->score >= 9) ||
                        (answered->kind == SURVEY_KIND_CSAT && answered->score == 5);
    cause->subject = answered->survey_id;
    cause->triggers = is_delighted ? SETS_OFF(PROMOTER) : 0;
}

static void case_cause(struct turn *turn, struct cause *cause)
{
    const struct case_acted *acted = &turn->arrival->touch->body.case_acted;
    const struct case_story *last = turn->cases.count ? &turn->cases.stories[turn->cases.count - 1] : NULL;
    bool is_closing = last && last->state == ALERT_STATE_RESOLVED && last->changed_at_ms == cause->moment.at_ms &&
                      acted->action == CASE_ACTION_CLOSED;
    cause->subject = acted->case_id;
    cause->note = acted->note;
    cause->triggers = is_closing ? SETS_OFF(CASE_CLOSED) : 0;
}

static void cause_read(struct turn *turn, struct cause *cause)
{
    const struct touchpoint *touch = turn->arrival->touch;
    *cause = (struct cause){.moment = turn->arrival->moment, .from_ms = turn->arrival->moment.at_ms};
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_ORDER_PLACED: order_cause(turn, cause); break;
    case TOUCHPOINT_BODY_ORDER_DELIVERED:
        cause->subject = touch->body.order_delivered.order_id;
        cause->triggers = SETS_OFF(ORDER_DELIVERED);
        break;
    case TOUCHPOINT_BODY_TICKET_CHANGED:
        cause->subject = touch->body.ticket_changed.ticket_id;
        cause->triggers = touch->body.ticket_changed.action == TICKET_ACTION_RESOLVED ? SETS_OFF(TICKET_RESOLVED) : 0;
        break;
    case TOUCHPOINT_BODY_SURVEY_ANSWERED: survey_cause(&touch->body.survey_answered, cause); break;
    case TOUCHPOINT_BODY_REVIEW_POSTED: cause->triggers = touch->body.review_posted.stars == 5 ? SETS_OFF(PROMOTER) : 0; break;
    case TOUCHPOINT_BODY_DEVICE_REPORTED:
        cause->subject = touch->body.device_reported.device_id;
        cause->note = touch->body.device_reported.code;
        cause->triggers = touch->body.device_reported.severity == SEVERITY_CRITICAL ? SETS_OFF(DEVICE_CRITICAL) : 0;
        break;
    case TOUCHPOINT_BODY_SERVICE_VISITED:
        cause->subject = touch->body.service_visited.visit_id;
        cause->triggers = touch->body.service_visited.kind != VISIT_KIND_REPAIR ? SETS_OFF(SERVICED) : 0;
        break;
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED: subscription_cause(&touch->body.subscription_changed, cause); break;
    case TOUCHPOINT_BODY_REFERRAL_MADE:
        cause->subject = touch->body.referral_made.referred_customer_id;
        cause->triggers = touch->body.referral_made.converted ? SETS_OFF(REFERRED) : 0;
        break;
    case TOUCHPOINT_BODY_CASE_ACTED: case_cause(turn, cause); break;
    default: break;
    }
}

/* --- what waits --- */

/* Older ones of the same rule, where only the latest stands. false: the newer one is there already. */
static bool latest_keep(struct room *room, struct care *care, const struct followup_rule *rule, int64_t due_at_ms)
{
    for (uint32_t i = care->pending_count; i > 0; i--) {
        if (care->pending[i - 1].rule != rule->number)
            continue;
        if (care->pending[i - 1].due_at_ms > due_at_ms)
            return false;
        pending_remove(room, care, i - 1);
    }
    return true;
}

static int64_t due_of(const struct turn *turn, const struct followup_rule *rule, const struct cause *cause)
{
    if (rule->trigger == TRIGGER_TERM_ENDS)
        return turn->arrival->touch->body.subscription_changed.term_ends_at_ms - rule->delay_ms;
    return cause->from_ms + rule->delay_ms;
}

static void followup_note(struct turn *turn, const struct followup_rule *rule, const struct cause *cause)
{
    struct care *care = customer_care(turn->customer);
    int64_t due_at_ms = due_of(turn, rule, cause);
    if (turn_is_historical(turn, due_at_ms))
        return;
    if ((rule->conditions & CONDITION_LATEST) && !latest_keep(&turn->customer->room, care, rule, due_at_ms))
        return;
    struct pending pending = {.cause = cause->moment, .due_at_ms = due_at_ms, .expires_at_ms = due_at_ms + rule->expires_ms, .rule = rule->number};
    pending_add(turn, pending, cause->subject, cause->note);
}

static void causes_note(struct turn *turn)
{
    const struct followup_rules *rules = &turn->task->shared->followups;
    struct cause cause;
    cause_read(turn, &cause);
    unsigned kinds = 0; /* once for each kind and cause, whatever rules there are */
    for (uint32_t i = 0; cause.triggers && i < rules->count; i++) {
        const struct followup_rule *rule = &rules->items[i];
        bool fits = rule->is_enabled && (cause.triggers >> rule->trigger & 1) && !(kinds >> rule->kind & 1);
        if (!fits)
            continue;
        kinds |= 1u << rule->kind;
        followup_note(turn, rule, &cause);
    }
}

/* --- when its time has come --- */

static bool is_loyal(const struct customer *customer)
{
    return (customer->cohort && customer->cohort->has_second) || (customer->seldom && customer->seldom->is_member);
}

static bool has_used_since(const struct customer *customer, int64_t at_ms)
{
    const struct cohort *cohort = customer->cohort;
    if (cohort == NULL || !cohort->has_used)
        return false;
    return cohort->first_used.at_ms >= at_ms || (cohort->used_count && cohort->used_at_ms[cohort->used_count - 1] >= at_ms);
}

static bool is_surveyed_since(const struct customer *customer, int64_t at_ms)
{
    for (uint32_t i = 0; i < customer->survey_count; i++) {
        const struct survey *survey = &customer->surveys[i];
        if ((survey->is_sent && survey->sent.at_ms >= at_ms) || (survey->is_answered && survey->answered.at_ms >= at_ms))
            return true;
    }
    return false;
}

static bool is_changed_since(const struct customer *customer, uint64_t subscription, const struct moment *moment)
{
    const struct seldom *seldom = customer->seldom;
    for (uint32_t i = 0; seldom && i < seldom->subscription_count; i++) {
        if (seldom->subscriptions[i].identity == subscription && moment_is_before(moment, &seldom->subscriptions[i].moment))
            return true;
    }
    return false;
}

static bool is_disappointed_since(const struct customer *customer, const struct moment *moment)
{
    const struct care *care = customer->care;
    for (uint32_t i = care ? care->fact_count : 0; i > 0 && moment_is_before(moment, &care->facts[i - 1].moment); i--) {
        if (fact_is_negative_rating(&care->facts[i - 1]))
            return true;
    }
    return false;
}

/* The latest standing answer of a kind since then says less than what the rule thanks for, without being bad enough for a fact. */
static bool has_cooled_since(const struct customer *customer, const struct moment *moment)
{
    static const int least_happy[SURVEY_KIND_COUNT] = {[SURVEY_KIND_NPS] = 9, [SURVEY_KIND_CSAT] = 4};
    const struct survey *latest[SURVEY_KIND_COUNT] = {0};
    for (uint32_t i = 0; i < customer->survey_count; i++) {
        const struct survey *survey = &customer->surveys[i];
        bool is_since = survey->is_answered && moment_is_before(moment, &survey->answered);
        if (is_since && (!latest[survey->kind] || moment_is_before(&latest[survey->kind]->answered, &survey->answered)))
            latest[survey->kind] = survey;
    }
    for (int kind = 0; kind < SURVEY_KIND_COUNT; kind++) {
        if (latest[kind] && latest[kind]->score < least_happy[kind])
            return true;
    }
    return false;
}

/* RESOLVED while the ticket is not open resolves nothing (READINGS 20). Asked when it is due, for its opening may come late. */
static bool has_resolved(struct turn *turn, uint64_t item, const struct moment *moment)
{
    const struct ticket *ticket = tickets_find(turn->customer, item);
    struct story *story = &turn->task->story;
    if (ticket == NULL)
        return true; /* its history has gone */
    story_read(story, ticket);
    for (uint32_t i = 0; i < story->episode_count; i++) {
        uint32_t end = story->episodes[i].end;
        if (end != NO_EVENT && moment_compare(&ticket->events[end].moment, moment) == 0)
            return true;
    }
    return false;
}

/* An order counts with its first delivery (READINGS 33), and so is asked about once, in however many parcels it comes. */
static bool is_first_delivery(const struct turn *turn, uint64_t item, const struct moment *moment)
{
    const struct order *order = orders_find(turn->customer, item);
    return order == NULL || !order->is_delivered || moment_compare(&order->delivered, moment) == 0;
}

static bool conditions_hold(struct turn *turn, const struct followup_rule *rule, const struct pending *pending, struct view subject)
{
    const struct customer *customer = turn->customer;
    unsigned conditions = rule->conditions;
    uint64_t item = pending->item ? pending->item : subject.size ? identity_of(subject) : 0;
    const struct order *order = conditions & CONDITION_KEPT ? orders_find(customer, item) : NULL;
    if (order && order->is_returned)
        return false;
    if ((conditions & CONDITION_UNUSED) && has_used_since(customer, pending->cause.at_ms))
        return false;
    if ((conditions & CONDITION_UNSURVEYED) && is_surveyed_since(customer, pending->cause.at_ms))
        return false;
    if ((conditions & CONDITION_UNRENEWED) && is_changed_since(customer, item, &pending->cause))
        return false;
    if ((conditions & CONDITION_HAPPY) &&
        (is_disappointed_since(customer, &pending->cause) || has_cooled_since(customer, &pending->cause)))
        return false;
    if (rule->trigger == TRIGGER_TICKET_RESOLVED && !has_resolved(turn, item, &pending->cause))
        return false;
    if (rule->trigger == TRIGGER_ORDER_DELIVERED && !is_first_delivery(turn, item, &pending->cause))
        return false;
    if ((conditions & CONDITION_NO_OPEN_TICKET) && customer->open_ticket_count > 0)
        return false;
    return !(conditions & CONDITION_LOYAL) || is_loyal(customer);
}

static void followup_send(struct turn *turn, const struct followup_rule *rule, const struct pending *pending, struct view subject,
                          struct view note)
{
    struct uuid cause = moment_event_id(&pending->cause);
    struct uuid space = uuid_version5(&cause, turn->customer_id);
    struct uuid own = uuid_version5(&space, view_of_text(follow_up_kind_name(rule->kind)));
    char id[UUID_TEXT_SIZE + 1];
    uuid_format(&own, id);
    struct attribute variables[VARIABLES_MAX];
    struct follow_up record = {.followup_id = view_of(id, UUID_TEXT_SIZE),
                               .customer_id = turn->customer_id,
                               .kind = rule->kind,
                               .cause = cause,
                               .channel = CHANNEL_EMAIL,
                               .due_at_ms = pending->due_at_ms,
                               .expires_at_ms = pending->expires_at_ms,
                               .variables = {variables, 0}};
    customer_preferred_channel(turn->customer, &record.channel);
    variables[record.variables.count++] = (struct attribute){VIEW_LITERAL("rule"), view_of_text(rule->name)};
    if (subject.size)
        variables[record.variables.count++] =
            (struct attribute){view_of_text(followup_trigger_variable(rule->trigger)), subject};
    if (note.size)
        variables[record.variables.count++] = (struct attribute){VIEW_LITERAL("note"), note};
    struct bytes *value = outbox_begin(turn->step->outbox, JOURNEY_OUTPUT_FOLLOWUPS, OUTBOX_BY_KEY, turn->customer_id,
                                       turn->task->timestamp_ms);
    wire_begin(value, turn->task->shared->ids.follow_up);
    follow_up_encode(value, &record);
    outbox_end(turn->step->outbox);
}

/* false: it has still to wait. `texts`: of subject and note. */
static bool pending_settle(struct turn *turn, const struct followup_rule *rule, const struct pending *pending, const char *texts)
{
    struct view subject = view_of(texts, pending->subject_size), note = view_of(texts + pending->subject_size, pending->note_size);
    if (rule == NULL || !rule->is_enabled || pending->expires_at_ms < turn->at_ms)
        return true;
    bool is_held = turn_live_case(turn) && !(rule->conditions & CONDITION_DURING_CASES);
    if (pending->due_at_ms > turn->at_ms || is_held)
        return false;
    if (conditions_hold(turn, rule, pending, subject))
        followup_send(turn, rule, pending, subject, note);
    return true;
}

/* When it is next to be looked at. A watch waits for the partition's clock alone. */
static void sooner(const struct turn *turn, const struct pending *pending, int64_t *next_at_ms)
{
    bool is_waiting = pending->due_at_ms > turn->at_ms || pending_is_watch(pending);
    int64_t at_ms = is_waiting ? pending->due_at_ms : pending->expires_at_ms + 1;
    if (at_ms < *next_at_ms)
        *next_at_ms = at_ms;
}

static bool due_settle(struct turn *turn, const struct pending *pending, const char *texts)
{
    if (pending_is_watch(pending))
        return absence_settle(turn, pending, view_of(texts, pending->subject_size));
    return pending_settle(turn, followup_rule_find(&turn->task->shared->followups, pending->rule), pending, texts);
}

/* Returns when the first of them is to be looked at. */
static int64_t pending_look(struct turn *turn, struct care *care)
{
    int64_t first_ms = NEVER_MS;
    uint32_t texts_at = 0;
    care->pending_held_ms = INT64_MIN;
    for (uint32_t i = 0; i < care->pending_count;) {
        const struct pending *pending = &care->pending[i];
        uint32_t texts_size = pending->subject_size + pending->note_size;
        if (pending->due_at_ms <= turn->at_ms) {
            if (due_settle(turn, pending, care->pending_texts ? care->pending_texts + texts_at : "")) {
                pending_remove(&turn->customer->room, care, i);
                continue;
            }
            if (pending->due_at_ms > care->pending_held_ms && !pending_is_watch(pending))
                care->pending_held_ms = pending->due_at_ms;
        }
        sooner(turn, pending, &first_ms);
        texts_at += texts_size;
        i++;
    }
    return first_ms;
}

/* Most turns come before anything is due: to know when that will be spares a look at all of them. Exactly what a look would find, since
 * who was at rest in between has forgotten it: so times before the held ones were due, which late events bring, are looked at. */
static int64_t pending_review(struct turn *turn)
{
    struct care *care = turn->customer->care;
    if (care == NULL)
        return NEVER_MS;
    bool is_case_over = care->pending_held_ms > INT64_MIN && turn_live_case(turn) == NULL;
    if (turn->at_ms >= care->pending_rests_ms || turn->at_ms < care->pending_held_ms || is_case_over)
        care->pending_rests_ms = pending_look(turn, care);
    return care->pending_rests_ms;
}

/* --- silence: nothing is noted for it, since every customer falls silent in the end --- */

static const struct followup_rule *silence_rule(const struct turn *turn)
{
    const struct followup_rules *rules = &turn->task->shared->followups;
    return rules->silence < rules->count ? &rules->items[rules->silence] : NULL;
}

static void silence_begin(struct turn *turn, const struct followup_rule *rule)
{
    struct cohort *cohort = turn->customer->cohort;
    const struct moment *moment = &turn->arrival->moment;
    if (!activity_is_one(turn->arrival->touch) || !moment_is_before(&cohort->silent_since, moment))
        return;
    cohort->silent_since = *moment;
    cohort->is_won_back = turn_is_historical(turn, moment->at_ms + rule->delay_ms);
}

static struct pending silence_pending(const struct cohort *cohort, const struct followup_rule *rule)
{
    int64_t due_at_ms = cohort->silent_since.at_ms + rule->delay_ms;
    return (struct pending){.cause = cohort->silent_since, .rule = rule->number, .due_at_ms = due_at_ms,
                            .expires_at_ms = due_at_ms + rule->expires_ms};
}

static void silence_review(struct turn *turn, const struct followup_rule *rule, int64_t *next_at_ms)
{
    struct cohort *cohort = turn->customer->cohort;
    if (turn->arrival)
        silence_begin(turn, rule);
    if (cohort->is_won_back)
        return;
    struct pending pending = silence_pending(cohort, rule);
    cohort->is_won_back = pending_settle(turn, rule, &pending, "");
    if (!cohort->is_won_back)
        sooner(turn, &pending, next_at_ms);
}

/* --- a turn --- */

int64_t followups_review(struct turn *turn)
{
    const struct followup_rule *silence = turn->customer->cohort ? silence_rule(turn) : NULL;
    if (turn->arrival)
        causes_note(turn);
    int64_t next_at_ms = pending_review(turn);
    if (silence)
        silence_review(turn, silence, &next_at_ms);
    return next_at_ms;
}
