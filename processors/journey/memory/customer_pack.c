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
    char *at = pack_moment(packing, packing_open(packing), &event->moment);
    pack_name(packing, NAME_TUPLE, event->tuple);
    at = packed_put_byte(at, event->action | (event->has_agent ? HAS_AGENT : 0u) | (event->topic_set ? HAS_TOPICS : 0u) |
                                 (event->team ? HAS_TEAM : 0u));
    unsigned priority = event->priority == NO_DETAIL ? NO_PRIORITY : event->priority;
    at = packed_put_byte(at, priority | packed_stage(event->stage) << 4);
    if (event->topic_set)
        pack_name(packing, NAME_TOPIC_SET, event->topic_set);
    if (event->team)
        pack_name(packing, NAME_TEAM, event->team);
    packing_close(packing, at);
}

static bool ticket_event_unpack(struct packing *packing, struct unpack *in, struct ticket_event *event)
{
    event->moment = unpack_moment(packing, in);
    event->tuple = unpack_name(packing, NAME_TUPLE);
    uint8_t what = unpack_byte(in), marks = unpack_byte(in);
    event->action = what & ((1 << ACTION_BITS) - 1);
    event->has_agent = what & HAS_AGENT;
    event->priority = (marks & 15) == NO_PRIORITY ? NO_DETAIL : marks & 15;
    event->stage = unpacked_stage(marks >> 4);
    event->topic_set = what & HAS_TOPICS ? unpack_name(packing, NAME_TOPIC_SET) : 0;
    event->team = what & HAS_TEAM ? unpack_name(packing, NAME_TEAM) : 0;
    return event->action < TICKET_ACTION_COUNT;
}

static void ticket_pack(struct packing *packing, const struct ticket *ticket)
{
    char *at = packed_put_word(packing_open(packing), ticket->identity);
    at = pack_time(packing, at, ticket->next_at_ms);
    at = packed_put(at, (uint64_t)ticket->count << 1 | (ticket->id != NULL));
    if (ticket->id)
        at = pack_long_text(packing, at, view_of_text(ticket->id));
    packing_close(packing, at);
    for (uint32_t i = 0; i < ticket->count; i++)
        ticket_event_pack(packing, &ticket->events[i]);
}

/* How many of `count` things may really follow, each of at least so many bytes: what a damaged run may make us allocate. */
static uint32_t count_checked(struct unpack *in, uint64_t count, size_t least_bytes)
{
    uint64_t left = (uint64_t)(in->end - in->at);
    return count <= left && count * least_bytes <= left ? (uint32_t)count : (uint32_t)unpack_fail(in);
}

static void ticket_unpack(struct packing *packing, struct ticket *ticket)
{
    struct unpack in = packing->in;
    ticket->identity = unpack_word(&in);
    ticket->next_at_ms = unpack_time(packing, &in);
    uint64_t word = unpack_unsigned(&in);
    if (word & 1)
        ticket->id = room_text(packing->room, unpack_text(&in));
    ticket->count = count_checked(&in, word >> 1, 3);
    ticket->events = room_array_bare(packing->room, ticket->count, sizeof *ticket->events);
    for (uint32_t i = 0; i < ticket->count; i++)
        in.has_failed |= !ticket_event_unpack(packing, &in, &ticket->events[i]);
    packing->in = in;
}

/* --- surveys --- */

enum {
    SURVEY_KIND_BITS = 3,
    IS_SENT = 1 << 3,
    IS_ANSWERED = 1 << 4,
    HAS_SENTIMENT = 1 << 5,
    HAS_OTHERS = 1 << 6,
    HAS_ABOUT = 1 << 7
};

_Static_assert(SURVEY_KIND_COUNT <= 1 << SURVEY_KIND_BITS, "they fit their bits");

static void survey_pack(struct packing *packing, const struct survey *survey)
{
    char *at = packed_put_word(packing_open(packing), survey->identity);
    at = packed_put_byte(at, survey->kind | (survey->is_sent ? IS_SENT : 0u) | (survey->is_answered ? IS_ANSWERED : 0u) |
                                 (survey->has_sentiment ? HAS_SENTIMENT : 0u) | (survey->other_answer_count ? HAS_OTHERS : 0u) |
                                 (survey->about ? HAS_ABOUT : 0u));
    at = packed_put_byte(at, packed_stage(survey->sent_stage) | packed_stage(survey->answered_stage) << 4);
    if (survey->is_sent) {
        at = pack_moment(packing, at, &survey->sent);
        pack_name(packing, NAME_TUPLE, survey->sent_tuple);
    }
    if (survey->is_answered) {
        at = pack_moment(packing, at, &survey->answered);
        pack_name(packing, NAME_TUPLE, survey->answered_tuple);
        at = packed_put_byte(at, (uint8_t)survey->score);
    }
    if (survey->has_sentiment) {
        at = packed_put_signed(at, survey->sentiment);
        at = packed_put_byte(at, survey->label);
    }
    if (survey->about)
        at = packed_put_word(at, survey->about);
    at = pack_time(packing, at, survey->next_at_ms);
    packing_close(packing, at);
    if (survey->other_answer_count)
        pack_times(packing, survey->other_answers_ms, survey->other_answer_count);
}

static void survey_unpack(struct packing *packing, struct survey *survey)
{
    struct unpack in = packing->in;
    *survey = (struct survey){.identity = unpack_word(&in)};
    uint8_t what = unpack_byte(&in), stages = unpack_byte(&in);
    survey->kind = what & ((1 << SURVEY_KIND_BITS) - 1);
    in.has_failed |= survey->kind >= SURVEY_KIND_COUNT;
    survey->is_sent = what & IS_SENT;
    survey->is_answered = what & IS_ANSWERED;
    survey->has_sentiment = what & HAS_SENTIMENT;
    survey->sent_stage = unpacked_stage(stages);
    survey->answered_stage = unpacked_stage(stages >> 4);
    if (survey->is_sent) {
        survey->sent = unpack_moment(packing, &in);
        survey->sent_tuple = unpack_name(packing, NAME_TUPLE);
    }
    if (survey->is_answered) {
        survey->answered = unpack_moment(packing, &in);
        survey->answered_tuple = unpack_name(packing, NAME_TUPLE);
        survey->score = (int8_t)unpack_byte(&in);
    }
    if (survey->has_sentiment) {
        survey->sentiment = (int32_t)unpack_signed(&in);
        survey->label = unpack_byte(&in);
    }
    survey->about = what & HAS_ABOUT ? unpack_word(&in) : 0;
    survey->next_at_ms = unpack_time(packing, &in);
    packing->in = in;
    if (what & HAS_OTHERS)
        survey->other_answers_ms = unpack_times(packing, &survey->other_answer_count);
}

/* --- the customer's own facts --- */

/* A mask and what is not zero: most of a few small numbers are. */
static inline unsigned mask_of(const void *bytes, size_t count) /* up to eight */
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t word = 0;
    memcpy(&word, bytes, count);
    word = (((word & low) + low) | word) & ~low;                      /* the highest bit of each that is not zero */
    return (unsigned)((word >> 7) * 0x0102040810204080 >> 56) & 0xff; /* one beside the other */
}

static inline char *few_pack(char *at, const void *few, size_t count)
{
    const uint8_t *bytes = few;
    unsigned mask = mask_of(bytes, count);
    at = packed_put_byte(at, mask);
    for (unsigned left = mask; left; left &= left - 1)
        at = packed_put_byte(at, bytes[__builtin_ctz(left)]);
    return at;
}

static inline void few_unpack(struct unpack *in, void *few, size_t count)
{
    uint8_t *bytes = few;
    for (unsigned left = unpack_byte(in) & ((1u << count) - 1); left; left &= left - 1)
        bytes[__builtin_ctz(left)] = unpack_byte(in);
}

/* Of the channels that were used the minute and how often. */
static char *channels_pack(const struct packing *packing, char *at, const struct customer *customer)
{
    int64_t base = packing->base_ms / MINUTES(1);
    unsigned mask = mask_of(customer->channel_uses, 8) | mask_of(customer->channel_uses + 8, CHANNEL_COUNT - 8) << 8;
#pragma GCC unroll 16
    for (unsigned i = 0; i < CHANNEL_COUNT; i++)
        mask |= (unsigned)(customer->channel_minutes[i] != 0) << i;
    at = packed_put(at, mask);
    for (unsigned left = mask; left; left &= left - 1) {
        at = packed_put_byte(at, customer->channel_uses[__builtin_ctz(left)]);
        at = packed_put_signed(at, customer->channel_minutes[__builtin_ctz(left)] - base);
    }
    return at;
}

static void channels_unpack(const struct packing *packing, struct unpack *in, struct customer *customer)
{
    int64_t base = packing->base_ms / MINUTES(1);
    for (unsigned left = (unsigned)unpack_unsigned(in) & ((1u << CHANNEL_COUNT) - 1); left; left &= left - 1) {
        customer->channel_uses[__builtin_ctz(left)] = unpack_byte(in);
        customer->channel_minutes[__builtin_ctz(left)] = (uint32_t)(unpack_signed(in) + base);
    }
}

_Static_assert(CHANNEL_COUNT > 8 && CHANNEL_COUNT <= 16, "two words of a byte each");
_Static_assert(CHANNEL_COUNT *(1 + PACKED_UNSIGNED_MOST) + 12 * PACKED_UNSIGNED_MOST <= PACKED_ITEM_MOST,
               "a customer's facts are one item");

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

_Static_assert(SURVEY_KIND_COUNT == sizeof(uint32_t), "the scores are one word");

static unsigned parts_of(const struct customer *customer)
{
    uint32_t scores;
    memcpy(&scores, customer->last_scores, sizeof scores);
    bool has_texts = customer->sentiment_count || customer->mood_trail[0] || customer->mood_trail[1] || customer->mood_trail[2];
    bool has_surveys = customer->survey_count || scores;
    return (customer->has_activity ? HAS_ACTIVITY : 0) | (customer->has_support_score ? HAS_SUPPORT_SCORE : 0) |
           (customer->cohort ? HAS_COHORT : 0) | (customer->seldom ? HAS_SELDOM : 0) | (customer->care ? HAS_CARE : 0) |
           (has_texts ? HAS_TEXTS : 0) | (has_surveys ? HAS_SURVEYS : 0) |
           (customer->ticket_count || customer->open_ticket_count ? HAS_TICKETS : 0);
}

static void facts_pack(struct packing *packing, const struct customer *customer, unsigned parts)
{
    char *at = packed_put_byte(packing_open(packing), parts);
    at = packed_put_byte(at, customer->stage);
    at = pack_time(packing, at, customer->evaluated_at_ms);
    at = packed_put(at, customer->history_count);
    at = packed_put(at, customer->events);
    at = pack_time(packing, at, customer->stage_since_at_ms);
    at = packed_put(at, customer->churn_thousandths);
    if (parts & HAS_ACTIVITY) { /* of the latest stretch the end is the base */
        at = pack_time(packing, at, customer->activity.first_ms);
        at = pack_moment(packing, at, &customer->first_activity);
        at = channels_pack(packing, at, customer);
    }
    pack_name(packing, NAME_SEGMENT, customer->segment);
    if (customer->segment)
        at = pack_moment(packing, at, &customer->segment_said);
    packing_close(packing, at);
}

static void facts_unpack(struct packing *packing, struct unpack *in, struct customer *customer, unsigned parts)
{
    customer->has_activity = parts & HAS_ACTIVITY;
    customer->has_support_score = parts & HAS_SUPPORT_SCORE;
    customer->stage = unpack_byte(in);
    customer->evaluated_at_ms = unpack_time(packing, in);
    customer->history_count = (uint32_t)unpack_unsigned(in);
    customer->events = unpack_unsigned(in);
    customer->stage_since_at_ms = unpack_time(packing, in);
    customer->churn_thousandths = (uint16_t)unpack_unsigned(in);
    if (parts & HAS_ACTIVITY) {
        customer->activity = (struct activity_span){unpack_time(packing, in), packing->base_ms};
        customer->first_activity = unpack_moment(packing, in);
        channels_unpack(packing, in, customer);
    }
    customer->segment = unpack_name(packing, NAME_SEGMENT);
    if (customer->segment)
        customer->segment_said = unpack_moment(packing, in);
}

/* --- all together --- */

/* Numbers of what follows, and what texts and answers come to. */
static void counts_pack(struct packing *packing, const struct customer *customer, unsigned parts)
{
    char *at = packing_open(packing);
    if (parts & HAS_TEXTS) {
        at = packed_put(at, customer->sentiment_count);
        at = packed_put_signed(at, customer->sentiment_sum);
        at = few_pack(at, customer->mood_trail, sizeof customer->mood_trail);
    }
    if (parts & HAS_TICKETS) {
        at = packed_put(at, customer->open_ticket_count);
        at = packed_put(at, customer->ticket_count);
    }
    if (parts & HAS_SURVEYS) {
        at = packed_put(at, customer->survey_count);
        at = few_pack(at, customer->last_scores, sizeof customer->last_scores);
    }
    at = packed_put(at, customer->order_count);
    packing_close(packing, at);
}

static void counts_unpack(struct unpack *in, struct customer *customer, unsigned parts)
{
    if (parts & HAS_TEXTS) {
        customer->sentiment_count = (uint32_t)unpack_unsigned(in);
        customer->sentiment_sum = unpack_signed(in);
        few_unpack(in, customer->mood_trail, sizeof customer->mood_trail);
    }
    if (parts & HAS_TICKETS) {
        customer->open_ticket_count = (uint16_t)unpack_unsigned(in);
        customer->ticket_count = unpack_count(in, 10);
    }
    if (parts & HAS_SURVEYS) {
        customer->survey_count = unpack_count(in, 10);
        few_unpack(in, customer->last_scores, sizeof customer->last_scores);
    }
    customer->order_count = unpack_count(in, 9);
}

static void kept_pack(struct packing *packing, const struct customer *customer)
{
    pack_name(packing, NAME_KEPT_BEGIN.kind, NAME_KEPT_BEGIN.number);
    for (uint32_t i = 0; i < customer->kept_count; i++)
        pack_name(packing, (enum name_kind)customer->kept[i].kind, customer->kept[i].number);
}

static void kept_unpack(struct packing *packing, struct customer *customer)
{
    packing->names_have_failed |= unpack_name(packing, NAME_KEPT_BEGIN.kind) != NAME_KEPT_BEGIN.number;
    customer->kept = room_array_bare(packing->room, unpacking_names_left(packing), sizeof *customer->kept);
    while (unpacking_names_left(packing))
        unpacking_name_next(packing, &customer->kept[customer->kept_count++]);
}

void customer_pack(struct packing *packing, const struct customer *customer, struct bytes *out)
{
    unsigned parts = parts_of(customer);
    packing_begin(packing, customer->has_activity ? customer->activity.last_ms : 0, &customer->seen);
    facts_pack(packing, customer, parts);
    counts_pack(packing, customer, parts);
    for (uint32_t i = 0; i < customer->ticket_count; i++)
        ticket_pack(packing, &customer->tickets[i]);
    for (uint32_t i = 0; i < customer->survey_count; i++)
        survey_pack(packing, &customer->surveys[i]);
    orders_pack(packing, customer);
    if (customer->seldom)
        seldom_pack(packing, customer->seldom);
    if (customer->care)
        care_pack(packing, customer->care);
    if (customer->kept_count)
        kept_pack(packing, customer);
    packing_end(packing, out);
}

static void matters_unpack(struct packing *packing, struct customer *customer)
{
    customer->tickets = room_array_sized(packing->room, customer->ticket_count, sizeof *customer->tickets);
    for (uint32_t i = 0; i < customer->ticket_count; i++)
        ticket_unpack(packing, &customer->tickets[i]);
    customer->surveys = room_array_bare(packing->room, customer->survey_count, sizeof *customer->surveys);
    for (uint32_t i = 0; i < customer->survey_count; i++)
        survey_unpack(packing, &customer->surveys[i]);
}

bool customer_unpack(struct packing *packing, struct view bytes, struct customer *customer)
{
    customer_room_for(customer, bytes.size);
    unpacking_begin(packing, bytes, &customer->room, &customer->seen);
    struct unpack in = packing->in;
    unsigned parts = unpack_byte(&in);
    facts_unpack(packing, &in, customer, parts);
    counts_unpack(&in, customer, parts);
    packing->in = in;
    matters_unpack(packing, customer);
    orders_unpack(packing, customer, parts & HAS_COHORT);
    if (parts & HAS_SELDOM)
        seldom_unpack(packing, customer_seldom(customer));
    if (parts & HAS_CARE)
        care_unpack(packing, customer_care(customer));
    if (packing->name_at != packing->name_end)
        kept_unpack(packing, customer);
    return unpacking_end(packing);
}
