#include "processors/journey/memory/customer_pack.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>

/* One walk for both directions would be shorter and harder to read: packing and unpacking stand side by side instead. */

/* --- tickets --- */

enum { ACTION_BITS = 5, HAS_AGENT = 1 << 5, HAS_TOPICS = 1 << 6, HAS_TEAM = 1 << 7, NO_PRIORITY = 15 };

_Static_assert(TICKET_ACTION_COUNT <= 1 << ACTION_BITS && PRIORITY_COUNT < NO_PRIORITY && STAGE_COUNT < 15, "they fit their bits");

static void ticket_event_pack(struct packing *packing, const struct ticket_event *event)
{
    pack_moment(packing, &event->moment);
    pack_name(packing, NAME_TUPLE, event->tuple);
    bytes_append_byte(&packing->body, (unsigned char)(event->action | (event->has_agent ? HAS_AGENT : 0) |
                                                      (event->topic_set ? HAS_TOPICS : 0) | (event->team ? HAS_TEAM : 0)));
    unsigned priority = event->priority == NO_DETAIL ? NO_PRIORITY : event->priority;
    bytes_append_byte(&packing->body, (unsigned char)(priority | packed_stage(event->stage) << 4));
    if (event->topic_set)
        pack_name(packing, NAME_TOPIC_SET, event->topic_set);
    if (event->team)
        pack_name(packing, NAME_TEAM, event->team);
}

static void ticket_event_unpack(struct packing *packing, struct ticket_event *event)
{
    event->moment = unpack_moment(packing);
    event->tuple = unpack_name(packing, NAME_TUPLE);
    uint8_t what = unpack_byte(&packing->in), marks = unpack_byte(&packing->in);
    event->action = what & ((1 << ACTION_BITS) - 1);
    event->has_agent = what & HAS_AGENT;
    event->priority = (marks & 15) == NO_PRIORITY ? NO_DETAIL : marks & 15;
    event->stage = unpacked_stage(marks >> 4);
    event->topic_set = what & HAS_TOPICS ? unpack_name(packing, NAME_TOPIC_SET) : 0;
    event->team = what & HAS_TEAM ? unpack_name(packing, NAME_TEAM) : 0;
    packing->in.has_failed |= event->action >= TICKET_ACTION_COUNT;
}

static void ticket_pack(struct packing *packing, const struct ticket *ticket)
{
    pack_word(&packing->body, ticket->identity);
    pack_time(packing, ticket->next_at_ms);
    pack_number(packing, (uint64_t)ticket->count << 1 | (ticket->id != NULL));
    if (ticket->id)
        pack_text(&packing->body, view_of_text(ticket->id));
    for (uint32_t i = 0; i < ticket->count; i++)
        ticket_event_pack(packing, &ticket->events[i]);
}

/* How many of `count` things may really follow, each of at least so many bytes: what a damaged run may make us allocate. */
static uint32_t count_checked(struct packing *packing, uint64_t count, size_t least_bytes)
{
    if (count <= (uint64_t)(packing->in.end - packing->in.at) / least_bytes)
        return (uint32_t)count;
    packing->in.has_failed = true;
    return 0;
}

static void ticket_unpack(struct packing *packing, struct ticket *ticket)
{
    ticket->identity = unpack_word(&packing->in);
    ticket->next_at_ms = unpack_time(packing);
    uint64_t word = unpack_number(packing);
    if (word & 1)
        ticket->id = room_text(packing->room, unpack_text(&packing->in));
    ticket->count = count_checked(packing, word >> 1, 3);
    ticket->events = room_array_sized(packing->room, ticket->count, sizeof *ticket->events);
    for (uint32_t i = 0; i < ticket->count; i++)
        ticket_event_unpack(packing, &ticket->events[i]);
}

/* --- surveys --- */

enum { SURVEY_KIND_BITS = 3, IS_SENT = 1 << 3, IS_ANSWERED = 1 << 4, HAS_SENTIMENT = 1 << 5, HAS_OTHERS = 1 << 6, HAS_ABOUT = 1 << 7 };

_Static_assert(SURVEY_KIND_COUNT <= 1 << SURVEY_KIND_BITS, "they fit their bits");

static void survey_pack(struct packing *packing, const struct survey *survey)
{
    pack_word(&packing->body, survey->identity);
    bytes_append_byte(&packing->body, (unsigned char)(survey->kind | (survey->is_sent ? IS_SENT : 0) | (survey->is_answered ? IS_ANSWERED : 0) |
                                                      (survey->has_sentiment ? HAS_SENTIMENT : 0) |
                                                      (survey->other_answer_count ? HAS_OTHERS : 0) | (survey->about ? HAS_ABOUT : 0)));
    bytes_append_byte(&packing->body, (unsigned char)(packed_stage(survey->sent_stage) | packed_stage(survey->answered_stage) << 4));
    if (survey->is_sent) {
        pack_moment(packing, &survey->sent);
        pack_name(packing, NAME_TUPLE, survey->sent_tuple);
    }
    if (survey->is_answered) {
        pack_moment(packing, &survey->answered);
        pack_name(packing, NAME_TUPLE, survey->answered_tuple);
        bytes_append_byte(&packing->body, (unsigned char)survey->score);
    }
    if (survey->has_sentiment) {
        pack_signed(&packing->body, survey->sentiment);
        bytes_append_byte(&packing->body, survey->label);
    }
    if (survey->about)
        pack_word(&packing->body, survey->about);
    if (survey->other_answer_count)
        pack_number(packing, survey->other_answer_count);
    for (uint32_t i = 0; i < survey->other_answer_count; i++)
        pack_time(packing, survey->other_answers_ms[i]);
    pack_time(packing, survey->next_at_ms);
}

static void survey_unpack(struct packing *packing, struct survey *survey)
{
    struct unpack *in = &packing->in;
    *survey = (struct survey){.identity = unpack_word(in)};
    uint8_t what = unpack_byte(in), stages = unpack_byte(in);
    survey->kind = what & ((1 << SURVEY_KIND_BITS) - 1);
    in->has_failed |= survey->kind >= SURVEY_KIND_COUNT;
    survey->is_sent = what & IS_SENT;
    survey->is_answered = what & IS_ANSWERED;
    survey->has_sentiment = what & HAS_SENTIMENT;
    survey->sent_stage = unpacked_stage(stages);
    survey->answered_stage = unpacked_stage(stages >> 4);
    if (survey->is_sent) {
        survey->sent = unpack_moment(packing);
        survey->sent_tuple = unpack_name(packing, NAME_TUPLE);
    }
    if (survey->is_answered) {
        survey->answered = unpack_moment(packing);
        survey->answered_tuple = unpack_name(packing, NAME_TUPLE);
        survey->score = (int8_t)unpack_byte(in);
    }
    if (survey->has_sentiment) {
        survey->sentiment = (int32_t)unpack_signed(in);
        survey->label = unpack_byte(in);
    }
    survey->about = what & HAS_ABOUT ? unpack_word(in) : 0;
    survey->other_answer_count = what & HAS_OTHERS ? count_checked(packing, unpack_number(packing), 1) : 0;
    survey->other_answers_ms = room_array_sized(packing->room, survey->other_answer_count, sizeof *survey->other_answers_ms);
    for (uint32_t i = 0; i < survey->other_answer_count; i++)
        survey->other_answers_ms[i] = unpack_time(packing);
    survey->next_at_ms = unpack_time(packing);
}

/* --- orders --- */

enum { IS_DELIVERED = 1, HAS_PROMISE = 2, IS_RETURNED = 4 };

static void order_pack(struct packing *packing, const struct order *order)
{
    pack_word(&packing->body, order->identity);
    bytes_append_byte(&packing->body, (unsigned char)((order->is_delivered ? IS_DELIVERED : 0) | (order->has_promise ? HAS_PROMISE : 0) |
                                                      (order->is_returned ? IS_RETURNED : 0) | packed_stage(order->stage) << 4));
    if (!order->is_delivered)
        return;
    pack_moment(packing, &order->delivered);
    pack_name(packing, NAME_TUPLE, order->tuple);
    if (order->has_promise)
        pack_time(packing, order->promised_at_ms);
}

static void order_unpack(struct packing *packing, struct order *order)
{
    *order = (struct order){.identity = unpack_word(&packing->in)};
    uint8_t what = unpack_byte(&packing->in);
    order->is_delivered = what & IS_DELIVERED;
    order->has_promise = what & HAS_PROMISE;
    order->is_returned = what & IS_RETURNED;
    order->stage = unpacked_stage(what >> 4);
    if (!order->is_delivered)
        return;
    order->delivered = unpack_moment(packing);
    order->tuple = unpack_name(packing, NAME_TUPLE);
    if (order->has_promise)
        order->promised_at_ms = unpack_time(packing);
}

enum {
    HAS_FIRST = 1,
    HAS_SECOND = 2,
    HAS_USED = 4,
    HAS_ONBOARDING = 8,
    IS_SILENT = 16,
    IS_WON_BACK = 32,
    HAS_USES = 64,
    HAS_SPENT = 128
};

static bool moment_is_set(const struct moment *moment)
{
    return moment->at_ms || moment->id_high || moment->id_low;
}

static void cohort_pack(struct packing *packing, const struct cohort *cohort)
{
    bool is_silent = moment_is_set(&cohort->silent_since);
    bytes_append_byte(&packing->body, (unsigned char)((cohort->has_first ? HAS_FIRST : 0) | (cohort->has_second ? HAS_SECOND : 0) |
                                                      (cohort->has_used ? HAS_USED : 0) | (cohort->has_onboarding ? HAS_ONBOARDING : 0) |
                                                      (is_silent ? IS_SILENT : 0) | (cohort->is_won_back ? IS_WON_BACK : 0) |
                                                      (cohort->used_count ? HAS_USES : 0) | (cohort->spent_count ? HAS_SPENT : 0)));
    if (cohort->has_first) {
        pack_moment(packing, &cohort->first);
        pack_name(packing, NAME_TUPLE, cohort->tuple);
        bytes_append_byte(&packing->body, cohort->stage);
    }
    if (cohort->has_second)
        pack_moment(packing, &cohort->second);
    if (cohort->has_used)
        pack_moment(packing, &cohort->first_used);
    if (cohort->has_onboarding)
        pack_time(packing, cohort->onboarding_opened_at_ms);
    if (is_silent)
        pack_moment(packing, &cohort->silent_since);
    pack_number(packing, cohort->order_count);
    if (cohort->used_count)
        pack_number(packing, cohort->used_count);
    for (uint32_t i = 0; i < cohort->used_count; i++)
        pack_time(packing, cohort->used_at_ms[i]);
    if (cohort->spent_count)
        pack_number(packing, cohort->spent_count);
    for (uint32_t i = 0; i < cohort->spent_count; i++) {
        pack_name(packing, NAME_CURRENCY, cohort->spent[i].currency);
        pack_signed(&packing->body, cohort->spent[i].amount_minor);
    }
}

static void cohort_unpack(struct packing *packing, struct cohort *cohort)
{
    uint8_t what = unpack_byte(&packing->in);
    cohort->has_first = what & HAS_FIRST;
    cohort->has_second = what & HAS_SECOND;
    cohort->has_used = what & HAS_USED;
    cohort->has_onboarding = what & HAS_ONBOARDING;
    cohort->is_won_back = what & IS_WON_BACK;
    if (cohort->has_first) {
        cohort->first = unpack_moment(packing);
        cohort->tuple = unpack_name(packing, NAME_TUPLE);
        cohort->stage = unpack_byte(&packing->in);
    }
    if (cohort->has_second)
        cohort->second = unpack_moment(packing);
    if (cohort->has_used)
        cohort->first_used = unpack_moment(packing);
    if (cohort->has_onboarding)
        cohort->onboarding_opened_at_ms = unpack_time(packing);
    if (what & IS_SILENT)
        cohort->silent_since = unpack_moment(packing);
    cohort->order_count = (uint32_t)unpack_number(packing);
    cohort->used_count = what & HAS_USES ? count_checked(packing, unpack_number(packing), 1) : 0;
    cohort->used_at_ms = room_array_sized(packing->room, cohort->used_count, sizeof *cohort->used_at_ms);
    for (uint32_t i = 0; i < cohort->used_count; i++)
        cohort->used_at_ms[i] = unpack_time(packing);
    cohort->spent_count = what & HAS_SPENT ? count_checked(packing, unpack_number(packing), 1) : 0;
    cohort->spent = room_array_sized(packing->room, cohort->spent_count, sizeof *cohort->spent);
    for (uint32_t i = 0; i < cohort->spent_count; i++) {
        cohort->spent[i].currency = unpack_name(packing, NAME_CURRENCY);
        cohort->spent[i].amount_minor = unpack_signed(&packing->in);
    }
}

/* --- the customer's own facts --- */

/* Pairs of a mask and what is not zero: most of a few small numbers are. */
static unsigned mask_of(const uint8_t *bytes, size_t count)
{
    unsigned mask = 0;
    for (size_t i = 0; i < count; i++)
        mask |= (unsigned)(bytes[i] != 0) << i;
    return mask;
}

static void few_pack(struct packing *packing, const void *few, size_t count)
{
    const uint8_t *bytes = few;
    unsigned mask = mask_of(bytes, count);
    pack_number(packing, mask);
    for (unsigned left = mask; left; left &= left - 1)
        bytes_append_byte(&packing->body, bytes[__builtin_ctz(left)]);
}

static void few_unpack(struct packing *packing, void *few, size_t count)
{
    uint8_t *bytes = few;
    for (uint64_t left = unpack_number(packing) & ((1u << count) - 1); left; left &= left - 1)
        bytes[__builtin_ctzll(left)] = unpack_byte(&packing->in);
}

static void channels_pack(struct packing *packing, const struct customer *customer)
{
    int64_t base = packing->base_ms / MINUTES(1);
    unsigned mask = 0;
    for (int i = 0; i < CHANNEL_COUNT; i++)
        mask |= (unsigned)(customer->channel_minutes[i] != 0) << i;
    pack_number(packing, mask);
    for (unsigned left = mask; left; left &= left - 1)
        pack_signed(&packing->body, customer->channel_minutes[__builtin_ctz(left)] - base);
    few_pack(packing, customer->channel_uses, CHANNEL_COUNT);
}

static void channels_unpack(struct packing *packing, struct customer *customer)
{
    int64_t base = packing->base_ms / MINUTES(1);
    for (uint64_t left = unpack_number(packing) & ((1u << CHANNEL_COUNT) - 1); left; left &= left - 1)
        customer->channel_minutes[__builtin_ctzll(left)] = (uint32_t)(unpack_signed(&packing->in) + base);
    few_unpack(packing, customer->channel_uses, CHANNEL_COUNT);
}

enum {
    HAS_ACTIVITY = 1,
    HAS_SUPPORT_SCORE = 2,
    HAS_COHORT = 4,
    HAS_SELDOM = 8,
    HAS_CARE = 16,
    HAS_TEXTS = 32,
    HAS_SURVEYS = 64, /* or latest scores */
    HAS_TICKETS = 128
};

static unsigned parts_of(const struct customer *customer)
{
    bool has_texts = customer->sentiment_count || mask_of((const uint8_t *)customer->mood_trail, sizeof customer->mood_trail);
    bool has_surveys = customer->survey_count || mask_of((const uint8_t *)customer->last_scores, sizeof customer->last_scores);
    return (customer->has_activity ? HAS_ACTIVITY : 0) | (customer->has_support_score ? HAS_SUPPORT_SCORE : 0) |
           (customer->cohort ? HAS_COHORT : 0) | (customer->seldom ? HAS_SELDOM : 0) | (customer->care ? HAS_CARE : 0) |
           (has_texts ? HAS_TEXTS : 0) | (has_surveys ? HAS_SURVEYS : 0) |
           (customer->ticket_count || customer->open_ticket_count ? HAS_TICKETS : 0);
}

static void facts_pack(struct packing *packing, const struct customer *customer, unsigned parts)
{
    bytes_append_byte(&packing->body, (unsigned char)parts);
    bytes_append_byte(&packing->body, customer->stage);
    pack_time(packing, customer->evaluated_at_ms);
    pack_number(packing, customer->history_count);
    pack_number(packing, customer->events);
    pack_time(packing, customer->stage_since_at_ms);
    pack_number(packing, customer->churn_thousandths);
    if (parts & HAS_ACTIVITY) {
        pack_time(packing, customer->activity.first_ms);
        pack_time(packing, customer->activity.last_ms);
        pack_moment(packing, &customer->first_activity);
        channels_pack(packing, customer);
    }
    pack_name(packing, NAME_SEGMENT, customer->segment);
    if (customer->segment)
        pack_moment(packing, &customer->segment_said);
    if (parts & HAS_TEXTS) {
        pack_number(packing, customer->sentiment_count);
        pack_signed(&packing->body, customer->sentiment_sum);
        few_pack(packing, customer->mood_trail, sizeof customer->mood_trail);
    }
}

static void facts_unpack(struct packing *packing, struct customer *customer, unsigned parts)
{
    customer->has_activity = parts & HAS_ACTIVITY;
    customer->has_support_score = parts & HAS_SUPPORT_SCORE;
    customer->stage = unpack_byte(&packing->in);
    customer->evaluated_at_ms = unpack_time(packing);
    customer->history_count = (uint32_t)unpack_number(packing);
    customer->events = unpack_number(packing);
    customer->stage_since_at_ms = unpack_time(packing);
    customer->churn_thousandths = (uint16_t)unpack_number(packing);
    if (parts & HAS_ACTIVITY) {
        customer->activity.first_ms = unpack_time(packing);
        customer->activity.last_ms = unpack_time(packing);
        customer->first_activity = unpack_moment(packing);
        channels_unpack(packing, customer);
    }
    customer->segment = unpack_name(packing, NAME_SEGMENT);
    if (customer->segment)
        customer->segment_said = unpack_moment(packing);
    if (parts & HAS_TEXTS) {
        customer->sentiment_count = (uint32_t)unpack_number(packing);
        customer->sentiment_sum = unpack_signed(&packing->in);
        few_unpack(packing, customer->mood_trail, sizeof customer->mood_trail);
    }
}

/* --- all together --- */

void customer_pack(struct packing *packing, const struct customer *customer, struct bytes *out)
{
    unsigned parts = parts_of(customer);
    packing_begin(packing, customer->has_activity ? customer->activity.last_ms : 0);
    facts_pack(packing, customer, parts);
    if (parts & HAS_TICKETS) {
        pack_number(packing, customer->open_ticket_count);
        pack_number(packing, customer->ticket_count);
    }
    for (uint32_t i = 0; i < customer->ticket_count; i++)
        ticket_pack(packing, &customer->tickets[i]);
    if (parts & HAS_SURVEYS) {
        pack_number(packing, customer->survey_count);
        few_pack(packing, customer->last_scores, sizeof customer->last_scores);
    }
    for (uint32_t i = 0; i < customer->survey_count; i++)
        survey_pack(packing, &customer->surveys[i]);
    pack_number(packing, customer->order_count);
    for (uint32_t i = 0; i < customer->order_count; i++)
        order_pack(packing, &customer->orders[i]);
    if (customer->cohort)
        cohort_pack(packing, customer->cohort);
    if (customer->seldom)
        seldom_pack(packing, customer->seldom);
    if (customer->care)
        care_pack(packing, customer->care);
    packing_end(packing, &customer->seen, out);
}

static void matters_unpack(struct packing *packing, struct customer *customer, unsigned parts)
{
    if (parts & HAS_TICKETS) {
        customer->open_ticket_count = (uint16_t)unpack_number(packing);
        customer->ticket_count = count_checked(packing, unpack_number(packing), 10);
    }
    customer->tickets = room_array_sized(packing->room, customer->ticket_count, sizeof *customer->tickets);
    for (uint32_t i = 0; i < customer->ticket_count; i++)
        ticket_unpack(packing, &customer->tickets[i]);
    if (parts & HAS_SURVEYS) {
        customer->survey_count = count_checked(packing, unpack_number(packing), 10);
        few_unpack(packing, customer->last_scores, sizeof customer->last_scores);
    }
    customer->surveys = room_array_sized(packing->room, customer->survey_count, sizeof *customer->surveys);
    for (uint32_t i = 0; i < customer->survey_count; i++)
        survey_unpack(packing, &customer->surveys[i]);
    customer->order_count = count_checked(packing, unpack_number(packing), 9);
    customer->orders = room_array_sized(packing->room, customer->order_count, sizeof *customer->orders);
    for (uint32_t i = 0; i < customer->order_count; i++)
        order_unpack(packing, &customer->orders[i]);
}

bool customer_unpack(struct packing *packing, struct view bytes, struct customer *customer)
{
    customer_room_for(customer, bytes.size);
    unpacking_begin(packing, bytes, &customer->room, &customer->seen);
    unsigned parts = unpack_byte(&packing->in);
    facts_unpack(packing, customer, parts);
    matters_unpack(packing, customer, parts);
    if (parts & HAS_COHORT)
        cohort_unpack(packing, customer_cohort(customer));
    if (parts & HAS_SELDOM)
        seldom_unpack(packing, customer_seldom(customer));
    if (parts & HAS_CARE)
        care_unpack(packing, customer_care(customer));
    return !packing->in.has_failed && packing->in.at == packing->in.end;
}
