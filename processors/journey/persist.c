#include "processors/journey/persist.h"

#include "base/memory.h"
#include "processors/journey/cases.h"
#include "processors/journey/subscriptions.h"
#include "processors/journey/surveys.h"
#include "processors/journey/tickets.h"
#include "schemas/wire.h"

#include <stdlib.h>

/* --- private bytes --- */

/* One walk for both directions would be shorter and harder to read: saving and loading stand side by side instead. */

static void ticket_save(const struct journey_task *task, const struct ticket *ticket, struct bytes *out)
{
    const struct dimensions *dimensions = &task->dimensions;
    pack_word(out, ticket->identity);
    pack_signed(out, ticket->next_at_ms);
    pack_text(out, view_of_text(ticket->id));
    pack_unsigned(out, ticket->count);
    for (uint32_t i = 0; i < ticket->count; i++) {
        const struct ticket_event *event = &ticket->events[i];
        pack_moment(out, &event->moment);
        dimensions_pack(dimensions, out, event->tuple);
        pack_text(out, strings_text(&dimensions->teams, event->team));
        dimensions_pack_topics(dimensions, out, event->topic_set);
        pack_unsigned(out, event->action);
        pack_unsigned(out, event->priority);
        pack_unsigned(out, event->stage);
        pack_unsigned(out, event->has_agent);
    }
}

static void ticket_load(struct journey_task *task, struct ticket *ticket, struct unpack *in)
{
    struct dimensions *dimensions = &task->dimensions;
    ticket->identity = unpack_word(in);
    ticket->next_at_ms = unpack_signed(in);
    struct view id = unpack_text(in);
    if (id.size) {
        ticket->id = memory_zeroed(1, id.size + 1);
        memcpy(ticket->id, id.data, id.size);
    }
    uint32_t count = unpack_count(in, 24);
    for (uint32_t i = 0; i < count; i++) {
        ticket->events = customer_array_grow(ticket->events, ticket->count, sizeof *ticket->events);
        struct ticket_event *event = &ticket->events[ticket->count++];
        event->moment = unpack_moment(in);
        event->tuple = dimensions_unpack(dimensions, in);
        event->team = strings_number_uncapped(&dimensions->teams, unpack_text(in));
        event->topic_set = dimensions_unpack_topics(dimensions, in);
        event->action = (uint8_t)unpack_unsigned(in);
        event->priority = (uint8_t)unpack_unsigned(in);
        event->stage = (uint8_t)unpack_unsigned(in);
        event->has_agent = unpack_unsigned(in) != 0;
        in->has_failed |= event->action >= TICKET_ACTION_COUNT;
    }
}

static void survey_save(const struct journey_task *task, const struct survey *survey, struct bytes *out)
{
    pack_word(out, survey->identity);
    pack_unsigned(out, survey->kind);
    pack_unsigned(out, (unsigned)survey->is_sent | (unsigned)survey->is_answered << 1 | (unsigned)survey->has_sentiment << 2);
    if (survey->is_sent) {
        pack_moment(out, &survey->sent);
        dimensions_pack(&task->dimensions, out, survey->sent_tuple);
        pack_unsigned(out, survey->sent_stage);
    }
    if (survey->is_answered) {
        pack_moment(out, &survey->answered);
        dimensions_pack(&task->dimensions, out, survey->answered_tuple);
        pack_unsigned(out, survey->answered_stage);
        pack_signed(out, survey->score);
        pack_signed(out, survey->sentiment);
        pack_unsigned(out, survey->label);
        pack_word(out, survey->about);
    }
    pack_unsigned(out, survey->other_answer_count);
    for (uint32_t i = 0; i < survey->other_answer_count; i++)
        pack_signed(out, survey->other_answers_ms[i]);
    pack_signed(out, survey->next_at_ms);
}

static void survey_load(struct journey_task *task, struct survey *survey, struct unpack *in)
{
    survey->identity = unpack_word(in);
    survey->kind = (uint8_t)unpack_unsigned(in);
    in->has_failed |= survey->kind >= SURVEY_KIND_COUNT;
    uint64_t flags = unpack_unsigned(in);
    survey->is_sent = flags & 1;
    survey->is_answered = flags >> 1 & 1;
    survey->has_sentiment = flags >> 2 & 1;
    if (survey->is_sent) {
        survey->sent = unpack_moment(in);
        survey->sent_tuple = dimensions_unpack(&task->dimensions, in);
        survey->sent_stage = (uint8_t)unpack_unsigned(in);
    }
    if (survey->is_answered) {
        survey->answered = unpack_moment(in);
        survey->answered_tuple = dimensions_unpack(&task->dimensions, in);
        survey->answered_stage = (uint8_t)unpack_unsigned(in);
        survey->score = (int8_t)unpack_signed(in);
        survey->sentiment = (int32_t)unpack_signed(in);
        survey->label = (uint8_t)unpack_unsigned(in);
        survey->about = unpack_word(in);
    }
    for (uint32_t count = unpack_count(in, 1); count > 0; count--) {
        survey->other_answers_ms =
            customer_array_grow(survey->other_answers_ms, survey->other_answer_count, sizeof *survey->other_answers_ms);
        survey->other_answers_ms[survey->other_answer_count++] = unpack_signed(in);
    }
    survey->next_at_ms = unpack_signed(in);
}

static void order_save(const struct journey_task *task, const struct order *order, struct bytes *out)
{
    pack_word(out, order->identity);
    pack_unsigned(out, (unsigned)order->is_delivered | (unsigned)order->has_promise << 1 | (unsigned)order->is_returned << 2);
    if (!order->is_delivered)
        return;
    pack_moment(out, &order->delivered);
    pack_signed(out, order->promised_at_ms);
    dimensions_pack(&task->dimensions, out, order->tuple);
    pack_unsigned(out, order->stage);
}

static void order_load(struct journey_task *task, struct order *order, struct unpack *in)
{
    order->identity = unpack_word(in);
    uint64_t flags = unpack_unsigned(in);
    order->is_delivered = flags & 1;
    order->has_promise = flags >> 1 & 1;
    order->is_returned = flags >> 2 & 1;
    if (!order->is_delivered)
        return;
    order->delivered = unpack_moment(in);
    order->promised_at_ms = unpack_signed(in);
    order->tuple = dimensions_unpack(&task->dimensions, in);
    order->stage = (uint8_t)unpack_unsigned(in);
}

static void cohort_save(const struct journey_task *task, const struct cohort *cohort, struct bytes *out)
{
    pack_unsigned(out, (unsigned)cohort->has_first | (unsigned)cohort->has_second << 1 | (unsigned)cohort->has_used << 2 |
                           (unsigned)cohort->has_onboarding << 3);
    if (cohort->has_first) {
        pack_moment(out, &cohort->first);
        dimensions_pack(&task->dimensions, out, cohort->tuple);
        pack_unsigned(out, cohort->stage);
    }
    if (cohort->has_second)
        pack_moment(out, &cohort->second);
    if (cohort->has_used)
        pack_moment(out, &cohort->first_used);
    pack_signed(out, cohort->onboarding_opened_at_ms);
    pack_unsigned(out, cohort->order_count);
    pack_unsigned(out, cohort->used_count);
    for (uint32_t i = 0; i < cohort->used_count; i++)
        pack_signed(out, cohort->used_at_ms[i]);
    pack_unsigned(out, cohort->spent_count);
    for (uint32_t i = 0; i < cohort->spent_count; i++) {
        pack_text(out, strings_text(&task->dimensions.currencies, cohort->spent[i].currency));
        pack_signed(out, cohort->spent[i].amount_minor);
    }
}

static void cohort_load(struct journey_task *task, struct cohort *cohort, struct unpack *in)
{
    uint64_t flags = unpack_unsigned(in);
    cohort->has_first = flags & 1;
    cohort->has_second = flags >> 1 & 1;
    cohort->has_used = flags >> 2 & 1;
    cohort->has_onboarding = flags >> 3 & 1;
    if (cohort->has_first) {
        cohort->first = unpack_moment(in);
        cohort->tuple = dimensions_unpack(&task->dimensions, in);
        cohort->stage = (uint8_t)unpack_unsigned(in);
    }
    if (cohort->has_second)
        cohort->second = unpack_moment(in);
    if (cohort->has_used)
        cohort->first_used = unpack_moment(in);
    cohort->onboarding_opened_at_ms = unpack_signed(in);
    cohort->order_count = (uint32_t)unpack_unsigned(in);
    cohort->used_count = unpack_count(in, 1);
    if (cohort->used_count)
        cohort->used_at_ms = memory_zeroed(cohort->used_count, sizeof *cohort->used_at_ms);
    for (uint32_t i = 0; i < cohort->used_count; i++)
        cohort->used_at_ms[i] = unpack_signed(in);
    for (uint32_t count = unpack_count(in, 2); count > 0; count--) {
        cohort->spent = customer_array_grow(cohort->spent, cohort->spent_count, sizeof *cohort->spent);
        struct spending *spending = &cohort->spent[cohort->spent_count++];
        spending->currency = strings_number_uncapped(&task->dimensions.currencies, unpack_text(in));
        spending->amount_minor = unpack_signed(in);
    }
}

static void subscriptions_save(const struct journey_task *task, const struct seldom *seldom, struct bytes *out)
{
    pack_unsigned(out, seldom->subscription_count);
    for (uint32_t i = 0; i < seldom->subscription_count; i++) {
        const struct subscription_event *change = &seldom->subscriptions[i];
        pack_moment(out, &change->moment);
        pack_word(out, change->identity);
        pack_signed(out, change->term_ends_at_ms);
        dimensions_pack(&task->dimensions, out, change->tuple);
        pack_unsigned(out, change->action);
        pack_unsigned(out, change->stage);
        pack_unsigned(out, change->has_term);
        pack_signed(out, change->next_at_ms);
    }
}

static void subscriptions_load(struct journey_task *task, struct seldom *seldom, struct unpack *in)
{
    for (uint32_t count = unpack_count(in, 32); count > 0; count--) {
        seldom->subscriptions =
            customer_array_grow(seldom->subscriptions, seldom->subscription_count, sizeof *seldom->subscriptions);
        struct subscription_event *change = &seldom->subscriptions[seldom->subscription_count++];
        change->moment = unpack_moment(in);
        change->identity = unpack_word(in);
        change->term_ends_at_ms = unpack_signed(in);
        change->tuple = dimensions_unpack(&task->dimensions, in);
        change->action = (uint8_t)unpack_unsigned(in);
        change->stage = (uint8_t)unpack_unsigned(in);
        change->has_term = unpack_unsigned(in) != 0;
        change->next_at_ms = unpack_signed(in);
    }
}

static void units_save(const struct journey_task *task, const struct seldom *seldom, struct bytes *out)
{
    pack_unsigned(out, seldom->unit_count);
    for (uint32_t i = 0; i < seldom->unit_count; i++) {
        const struct engagement_unit *unit = &seldom->units[i];
        pack_word(out, unit->identity);
        pack_moment(out, &unit->delivered);
        dimensions_pack(&task->dimensions, out, unit->tuple);
        pack_text(out, strings_text(&task->dimensions.campaigns, unit->campaign));
        pack_unsigned(out, unit->kind);
        pack_unsigned(out, unit->is_delivered);
        pack_signed(out, unit->opened_at_ms);
        pack_signed(out, unit->clicked_at_ms);
    }
}

static void units_load(struct journey_task *task, struct seldom *seldom, struct unpack *in)
{
    for (uint32_t count = unpack_count(in, 32); count > 0; count--) {
        seldom->units = customer_array_grow(seldom->units, seldom->unit_count, sizeof *seldom->units);
        struct engagement_unit *unit = &seldom->units[seldom->unit_count++];
        unit->identity = unpack_word(in);
        unit->delivered = unpack_moment(in);
        unit->tuple = dimensions_unpack(&task->dimensions, in);
        unit->campaign = strings_number_uncapped(&task->dimensions.campaigns, unpack_text(in));
        unit->kind = (uint8_t)unpack_unsigned(in);
        unit->is_delivered = unpack_unsigned(in) != 0;
        unit->opened_at_ms = unpack_signed(in);
        unit->clicked_at_ms = unpack_signed(in);
    }
}

static void visits_save(const struct journey_task *task, const struct seldom *seldom, struct bytes *out)
{
    pack_unsigned(out, seldom->visit_count);
    for (uint32_t i = 0; i < seldom->visit_count; i++) {
        const struct visit *visit = &seldom->visits[i];
        pack_moment(out, &visit->moment);
        pack_word(out, visit->visit);
        pack_word(out, visit->ticket);
        dimensions_pack(&task->dimensions, out, visit->tuple);
        pack_unsigned(out, visit->stage);
        pack_unsigned(out, visit->is_fixed);
        pack_signed(out, visit->next_at_ms);
    }
}

static void visits_load(struct journey_task *task, struct seldom *seldom, struct unpack *in)
{
    for (uint32_t count = unpack_count(in, 40); count > 0; count--) {
        seldom->visits = customer_array_grow(seldom->visits, seldom->visit_count, sizeof *seldom->visits);
        struct visit *visit = &seldom->visits[seldom->visit_count++];
        visit->moment = unpack_moment(in);
        visit->visit = unpack_word(in);
        visit->ticket = unpack_word(in);
        visit->tuple = dimensions_unpack(&task->dimensions, in);
        visit->stage = (uint8_t)unpack_unsigned(in);
        visit->is_fixed = unpack_unsigned(in) != 0;
        visit->next_at_ms = unpack_signed(in);
    }
}

static void seldom_save(const struct journey_task *task, const struct seldom *seldom, struct bytes *out)
{
    subscriptions_save(task, seldom, out);
    units_save(task, seldom, out);
    visits_save(task, seldom, out);
    pack_unsigned(out, seldom->referral_count);
    for (uint32_t i = 0; i < seldom->referral_count; i++) {
        pack_word(out, seldom->referrals[i].person);
        pack_signed(out, seldom->referrals[i].at_ms);
    }
    pack_unsigned(out, seldom->older_span_count);
    for (uint32_t i = 0; i < seldom->older_span_count; i++) {
        pack_signed(out, seldom->older_spans[i].first_ms);
        pack_signed(out, seldom->older_spans[i].last_ms);
    }
    pack_unsigned(out, (unsigned)seldom->has_loyalty | (unsigned)seldom->is_member << 1);
    if (seldom->has_loyalty)
        pack_moment(out, &seldom->loyalty_changed);
}

static void seldom_load(struct journey_task *task, struct seldom *seldom, struct unpack *in)
{
    subscriptions_load(task, seldom, in);
    units_load(task, seldom, in);
    visits_load(task, seldom, in);
    for (uint32_t count = unpack_count(in, 9); count > 0; count--) {
        seldom->referrals = customer_array_grow(seldom->referrals, seldom->referral_count, sizeof *seldom->referrals);
        struct referral *referral = &seldom->referrals[seldom->referral_count++];
        referral->person = unpack_word(in);
        referral->at_ms = unpack_signed(in);
    }
    seldom->older_span_count = unpack_count(in, 2);
    if (seldom->older_span_count)
        seldom->older_spans = memory_zeroed(seldom->older_span_count, sizeof *seldom->older_spans);
    for (uint32_t i = 0; i < seldom->older_span_count; i++) {
        seldom->older_spans[i].first_ms = unpack_signed(in);
        seldom->older_spans[i].last_ms = unpack_signed(in);
    }
    uint64_t flags = unpack_unsigned(in);
    seldom->has_loyalty = flags & 1;
    seldom->is_member = flags >> 1 & 1;
    if (seldom->has_loyalty)
        seldom->loyalty_changed = unpack_moment(in);
}

static void facts_save(const struct journey_task *task, const struct customer *customer, struct bytes *out)
{
    pack_signed(out, customer->evaluated_at_ms);
    pack_unsigned(out, customer->history_count);
    pack_unsigned(out, customer->events);
    pack_signed(out, customer->activity.first_ms);
    pack_signed(out, customer->activity.last_ms);
    pack_moment(out, &customer->first_activity);
    pack_moment(out, &customer->segment_said);
    pack_text(out, strings_text(&task->dimensions.segments, customer->segment));
    for (int i = 0; i < CHANNEL_COUNT; i++)
        pack_unsigned(out, customer->channel_minutes[i]);
    pack_signed(out, customer->stage_since_at_ms);
    pack_signed(out, customer->sentiment_sum);
    pack_unsigned(out, customer->sentiment_count);
    pack_unsigned(out, customer->open_ticket_count);
    pack_unsigned(out, customer->stage);
    pack_unsigned(out, (unsigned)customer->has_activity | (unsigned)customer->has_support_score << 1);
}

static void facts_load(struct journey_task *task, struct customer *customer, struct unpack *in)
{
    customer->evaluated_at_ms = unpack_signed(in);
    customer->history_count = (uint32_t)unpack_unsigned(in);
    customer->events = unpack_unsigned(in);
    customer->activity.first_ms = unpack_signed(in);
    customer->activity.last_ms = unpack_signed(in);
    customer->first_activity = unpack_moment(in);
    customer->segment_said = unpack_moment(in);
    customer->segment = strings_number_uncapped(&task->dimensions.segments, unpack_text(in));
    for (int i = 0; i < CHANNEL_COUNT; i++)
        customer->channel_minutes[i] = (uint32_t)unpack_unsigned(in);
    customer->stage_since_at_ms = unpack_signed(in);
    customer->sentiment_sum = unpack_signed(in);
    customer->sentiment_count = (uint32_t)unpack_unsigned(in);
    customer->open_ticket_count = (uint16_t)unpack_unsigned(in);
    customer->stage = (uint8_t)unpack_unsigned(in);
    uint64_t flags = unpack_unsigned(in);
    customer->has_activity = flags & 1;
    customer->has_support_score = flags >> 1 & 1;
}

static void recent_save(const struct customer *customer, struct bytes *out)
{
    bytes_append(out, customer->mood_trail, sizeof customer->mood_trail);
    pack_unsigned(out, customer->churn_thousandths);
    bytes_append(out, customer->channel_uses, sizeof customer->channel_uses);
    if (customer->cohort)
        pack_moment(out, &customer->cohort->silent_since);
    pack_unsigned(out, customer->cohort && customer->cohort->is_won_back);
    bytes_append(out, customer->last_scores, sizeof customer->last_scores);
}

static void private_save(const struct journey_task *task, const struct customer *customer, int64_t timer_at_ms, struct bytes *out)
{
    pack_unsigned(out, PERSIST_VERSION);
    pack_signed(out, timer_at_ms);
    facts_save(task, customer, out);
    dedupe_save(&customer->seen, out);
    pack_unsigned(out, customer->ticket_count);
    for (uint32_t i = 0; i < customer->ticket_count; i++)
        ticket_save(task, &customer->tickets[i], out);
    pack_unsigned(out, customer->survey_count);
    for (uint32_t i = 0; i < customer->survey_count; i++)
        survey_save(task, &customer->surveys[i], out);
    pack_unsigned(out, customer->order_count);
    for (uint32_t i = 0; i < customer->order_count; i++)
        order_save(task, &customer->orders[i], out);
    pack_unsigned(out, (unsigned)(customer->cohort != NULL) | (unsigned)(customer->seldom != NULL) << 1 |
                           (unsigned)(customer->care != NULL) << 2);
    if (customer->cohort)
        cohort_save(task, customer->cohort, out);
    if (customer->seldom)
        seldom_save(task, customer->seldom, out);
    if (customer->care)
        care_save(task, customer->care, out);
    recent_save(customer, out);
}

static void recent_load(struct customer *customer, struct unpack *in)
{
    for (size_t i = 0; i < sizeof customer->mood_trail; i++)
        customer->mood_trail[i] = (int8_t)unpack_byte(in);
    customer->churn_thousandths = (uint16_t)unpack_unsigned(in);
    for (size_t i = 0; i < sizeof customer->channel_uses; i++)
        customer->channel_uses[i] = unpack_byte(in);
    if (customer->cohort)
        customer->cohort->silent_since = unpack_moment(in);
    bool is_won_back = unpack_unsigned(in) != 0;
    if (customer->cohort)
        customer->cohort->is_won_back = is_won_back;
    for (size_t i = 0; i < sizeof customer->last_scores; i++)
        customer->last_scores[i] = (int8_t)unpack_byte(in);
}

static void private_load(struct journey_task *task, struct customer *customer, int64_t *timer_at_ms, struct unpack *in)
{
    uint64_t version = unpack_unsigned(in);
    in->has_failed |= version != 1 && version != PERSIST_VERSION;
    *timer_at_ms = unpack_signed(in);
    facts_load(task, customer, in);
    dedupe_load(&customer->seen, in);
    for (uint32_t count = unpack_count(in, 12); count > 0; count--) {
        customer->tickets = customer_array_grow(customer->tickets, customer->ticket_count, sizeof *customer->tickets);
        customer->tickets[customer->ticket_count] = (struct ticket){0};
        ticket_load(task, &customer->tickets[customer->ticket_count++], in);
    }
    for (uint32_t count = unpack_count(in, 12); count > 0; count--) {
        customer->surveys = customer_array_grow(customer->surveys, customer->survey_count, sizeof *customer->surveys);
        customer->surveys[customer->survey_count] = (struct survey){0};
        survey_load(task, &customer->surveys[customer->survey_count++], in);
    }
    for (uint32_t count = unpack_count(in, 9); count > 0; count--) {
        customer->orders = customer_array_grow(customer->orders, customer->order_count, sizeof *customer->orders);
        customer->orders[customer->order_count] = (struct order){0};
        order_load(task, &customer->orders[customer->order_count++], in);
    }
    uint64_t parts = unpack_unsigned(in);
    if (parts & 1)
        cohort_load(task, customer_cohort(customer), in);
    if (parts >> 1 & 1)
        seldom_load(task, customer_seldom(customer), in);
    if (parts >> 2 & 1)
        care_load(task, customer_care(customer), in);
    if (version > 1)
        recent_load(customer, in);
}

/* --- the public record --- */

static void tickets_describe(struct journey_task *task, const struct customer *customer, struct journey *out, struct arena *arena)
{
    out->open_tickets.items = arena_zeroed(arena, (size_t)customer->open_ticket_count + 1, sizeof *out->open_tickets.items);
    for (uint32_t i = 0; i < customer->ticket_count && out->open_tickets.count < customer->open_ticket_count; i++) {
        const struct ticket *ticket = &customer->tickets[i];
        struct ticket_state state;
        if (ticket->id == NULL)
            continue;
        ticket_state_at(task, ticket, INT64_MAX, &state);
        struct view team = strings_text(&task->dimensions.teams, state.team);
        out->open_tickets.items[out->open_tickets.count++] =
            (struct journey_open_ticket){.ticket_id = view_of_text(ticket->id),
                                         .team = team.size ? team : (struct view){NULL, 0},
                                         .has_priority = state.priority != NO_DETAIL,
                                         .priority = state.priority != NO_DETAIL ? (enum priority)state.priority : PRIORITY_LOW,
                                         .opened_at_ms = state.opened_at_ms,
                                         .has_due_at = true,
                                         .due_at_ms = state.resolution_due_ms,
                                         .handoffs = (int32_t)state.handoffs};
    }
}

static void spending_describe(struct journey_task *task, const struct cohort *cohort, struct journey *out, struct arena *arena)
{
    out->orders = (int32_t)cohort->order_count;
    out->spent.items = arena_zeroed(arena, (size_t)cohort->spent_count + 1, sizeof *out->spent.items);
    out->spent.count = cohort->spent_count;
    for (uint32_t i = 0; i < cohort->spent_count; i++)
        out->spent.items[i] =
            (struct journey_spending){.currency = strings_text(&task->dimensions.currencies, cohort->spent[i].currency),
                                      .amount_minor = cohort->spent[i].amount_minor};
}

static void scores_describe(const struct customer *customer, struct journey *out)
{
    int nps = surveys_last_score(customer, SURVEY_KIND_NPS), csat = surveys_last_score(customer, SURVEY_KIND_CSAT);
    int ces = surveys_last_score(customer, SURVEY_KIND_CES);
    out->has_last_nps = nps >= 0;
    out->last_nps = nps;
    out->has_last_csat = csat >= 0;
    out->last_csat = csat;
    out->has_last_ces = ces >= 0;
    out->last_ces = ces;
    out->has_mean_sentiment = customer->sentiment_count > 0;
    if (out->has_mean_sentiment)
        out->mean_sentiment = (double)customer->sentiment_sum / KPI_SENTIMENT_SCALE / customer->sentiment_count;
}

static void cases_describe(const struct customer *customer, struct journey *out, struct arena *arena)
{
    const struct care *care = customer->care;
    out->churn_risk = customer->churn_thousandths / 1000.0;
    if (care == NULL)
        return;
    out->open_cases.items = arena_zeroed(arena, (size_t)care->case_count + 1, sizeof *out->open_cases.items);
    for (uint32_t i = 0; i < care->case_count; i++) {
        char id[UUID_TEXT_SIZE + 1];
        uuid_format(&care->cases[i].id, id);
        if (case_is_live((enum alert_state)care->cases[i].state))
            out->open_cases.items[out->open_cases.count++] = arena_copy(arena, view_of(id, UUID_TEXT_SIZE));
    }
}

static void journey_describe(struct journey_task *task, const struct customer *customer, struct journey *out, struct arena *arena)
{
    out->first_seen_at_ms = customer->first_activity.at_ms;
    out->last_seen_at_ms = customer->activity.last_ms;
    out->stage = (enum stage)customer->stage;
    out->stage_since_at_ms = customer->stage_since_at_ms;
    out->events = (int64_t)customer->events;
    out->loyalty_member = customer->seldom && customer->seldom->is_member;
    int64_t renews_at_ms = subscriptions_renew_at_ms(customer);
    out->has_renews_at = renews_at_ms != NEVER_MS;
    out->renews_at_ms = out->has_renews_at ? renews_at_ms : 0;
    struct view segment = strings_text(&task->dimensions.segments, customer->segment);
    out->segment = segment.size ? segment : (struct view){NULL, 0};
    if (customer->cohort)
        spending_describe(task, customer->cohort, out, arena);
    tickets_describe(task, customer, out, arena);
    out->has_preferred_channel = customer_preferred_channel(customer, &out->preferred_channel);
    scores_describe(customer, out);
    cases_describe(customer, out, arena);
}

void persist_save(struct journey_task *task, const struct entry *entry, struct bytes *value)
{
    static const struct customer nobody; /* an entry whose only record was parked */
    const struct customer *customer = entry->state ? entry->state : &nobody;
    struct arena *arena = &task->save_arena;
    struct bytes *private = &task->save_bytes;
    bytes_clear(private);
    struct journey journey = {.customer_id = entry_key(entry), .applied_offset = entry->applied_offset};
    private_save(task, customer, entry->timer_at_ms, private);
    journey_describe(task, customer, &journey, arena);
    journey.private = bytes_view(private);
    wire_begin(value, task->shared->ids.journey);
    journey_encode(value, &journey);
    arena_reset(arena);
}

struct customer *persist_load(struct journey_task *task, struct entry *entry, struct view value)
{
    uint32_t schema_id;
    struct view avro;
    struct journey journey;
    struct customer *customer = customer_create();
    bool is_read = wire_split(value, &schema_id, &avro) && journey_decode(&journey, avro, &task->save_arena);
    if (is_read) {
        struct unpack in = {(const unsigned char *)journey.private.data,
                            (const unsigned char *)journey.private.data + journey.private.size, false};
        private_load(task, customer, &entry->timer_at_ms, &in);
        entry->applied_offset = journey.applied_offset;
        is_read = !in.has_failed && in.at == in.end;
    }
    arena_reset(&task->save_arena);
    if (is_read)
        return customer;
    customer_destroy(customer);
    return NULL;
}
