#include "processors/journey/care/care.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "processors/journey/care/cases.h"
#include "processors/journey/matters/activity.h"
#include "processors/journey/sentiment/words.h" /* enum alarm_kind */

#include <stdlib.h>

static void fact_finish(struct room *room, struct case_fact *fact)
{
    room_give(room, fact->actor);
    room_give(room, fact->note);
}

void care_finish(struct room *room, struct care *care)
{
    if (care == NULL)
        return;
    for (uint32_t i = 0; i < care->fact_count; i++)
        fact_finish(room, &care->facts[i]);
    for (uint32_t i = 0; i < care->case_count; i++)
        room_give(room, care->cases[i].owner);
    for (uint32_t i = 0; i < care->alert_count; i++)
        room_give(room, care->alerts[i].subject);
    room_give(room, care->facts);
    room_give(room, care->cases);
    room_give(room, care->alerts);
    room_give(room, care->pending);
    room_give(room, care->pending_texts);
    room_give(room, care->text);
}

char *care_text_copy(struct room *room, struct view text, size_t most)
{
    if (text.size == 0)
        return NULL;
    struct view kept = utf8_prefix(text, most);
    return room_text(room, kept);
}

void care_text_set(struct room *room, char **place, struct view text, size_t most)
{
    char *copy = care_text_copy(room, text, most);
    room_give(room, *place);
    *place = copy;
}

/* --- ids --- */

struct uuid moment_event_id(const struct moment *moment)
{
    struct uuid id;
    uint64_t high = __builtin_bswap64(moment->id_high), low = __builtin_bswap64(moment->id_low);
    memcpy(id.bytes, &high, sizeof high);
    memcpy(id.bytes + 8, &low, sizeof low);
    return id;
}

struct uuid case_id_of(struct view customer_id, const struct moment *opener)
{
    struct uuid event = moment_event_id(opener);
    struct uuid space = uuid_version5(&event, VIEW_LITERAL("touchstream.case"));
    return uuid_version5(&space, customer_id);
}

uint64_t case_identity_of(const struct uuid *case_id)
{
    char text[UUID_TEXT_SIZE + 1];
    uuid_format(case_id, text);
    return identity_of(view_of(text, UUID_TEXT_SIZE));
}

/* --- facts --- */

static int fact_compare(const struct case_fact *a, const struct case_fact *b)
{
    int order = moment_compare(&a->moment, &b->moment);
    return order ? order : (int)a->code - (int)b->code;
}

bool care_fact_add(struct customer *customer, const struct case_fact *fact)
{
    struct care *care = customer_care(customer);
    if (fact->moment.at_ms <= care->sealed_at_ms)
        return false;
    uint32_t place = care->fact_count;
    while (place > 0 && fact_compare(fact, &care->facts[place - 1]) < 0)
        place--;
    if (place > 0 && fact_compare(fact, &care->facts[place - 1]) == 0)
        return false;
    care->facts = room_array_grow(&customer->room, care->facts, care->fact_count, sizeof *care->facts);
    memmove(care->facts + place + 1, care->facts + place, (care->fact_count - place) * sizeof *care->facts);
    care->facts[place] = *fact;
    care->fact_count++;
    care->fact_codes |= 1u << fact->code;
    care->fact_ratings |= 1u << fact->rating;
    return true;
}

void care_facts_list(struct care *care)
{
    care->fact_codes = care->fact_ratings = 0;
    for (uint32_t i = 0; i < care->fact_count; i++) {
        care->fact_codes |= 1u << care->facts[i].code;
        care->fact_ratings |= 1u << care->facts[i].rating;
    }
}

/* --- what a touchpoint says --- */

struct verdict {
    uint8_t rating, code;
};

static struct verdict verdict_of_survey(enum survey_kind kind, int32_t score)
{
    switch (kind) {
    case SURVEY_KIND_NPS:
        return (struct verdict){RATING_NPS, score <= 3 ? HOT_NPS_LOW : score <= 6 ? HOT_NPS_MIDDLE : FACT_GOOD_SCORE};
    case SURVEY_KIND_CSAT:
        return (struct verdict){RATING_CSAT, score <= 1 ? HOT_CSAT_LOW : score <= 2 ? HOT_CSAT_MIDDLE : FACT_GOOD_SCORE};
    case SURVEY_KIND_CES: return (struct verdict){RATING_CES, score <= 2 ? HOT_CES_LOW : FACT_GOOD_SCORE};
    default: return (struct verdict){RATING_NONE, FACT_GOOD_SCORE}; /* what people think of the brand is no trouble of theirs */
    }
}

static struct verdict verdict_of_stars(int32_t stars)
{
    return (struct verdict){RATING_STARS, stars <= 1 ? HOT_STARS_LOW : stars <= 2 ? HOT_STARS_MIDDLE : FACT_GOOD_SCORE};
}

static void fact_note(struct customer *customer, const struct arrival *arrival, struct case_fact fact)
{
    fact.moment = arrival->moment;
    fact.tuple = arrival->tuple;
    fact.stage = customer->stage;
    if (fact_is_opener(&fact)) {
        struct uuid id = case_id_of(arrival->touch->customer_id, &fact.moment);
        fact.case_identity = case_identity_of(&id);
    }
    if (!care_fact_add(customer, &fact))
        fact_finish(&customer->room, &fact);
}

/* Good scores are not remembered while there is no trouble: the first trouble looks them up among the surveys, lest a case
 * that was opened and closed before a score, but heard of after it, never be verified. */
static void good_scores_note(struct customer *customer)
{
    for (uint32_t i = 0; i < customer->survey_count; i++) {
        const struct survey *survey = &customer->surveys[i];
        if (!survey->is_answered)
            continue;
        struct verdict verdict = verdict_of_survey(survey->kind, survey->score);
        struct case_fact fact = {.moment = survey->answered, .tuple = survey->answered_tuple, .score = survey->score,
                                 .code = verdict.code, .rating = verdict.rating, .stage = survey->answered_stage};
        if (verdict.rating != RATING_NONE && verdict.code == FACT_GOOD_SCORE)
            care_fact_add(customer, &fact);
    }
}

static bool is_calm(const struct customer *customer)
{
    return customer->care == NULL || customer->care->fact_count == 0;
}

static void rating_note(struct customer *customer, const struct arrival *arrival, struct verdict verdict, int32_t score)
{
    bool is_needless = verdict.rating == RATING_NONE || (verdict.code == FACT_GOOD_SCORE && is_calm(customer));
    if (!is_needless)
        fact_note(customer, arrival, (struct case_fact){.code = verdict.code, .rating = verdict.rating, .score = score});
}

/* Who praises us may well mention a lawyer or a hospital. But few words without a judgement in them («The battery exploded in my
 * hand.») are often taken for faintly positive: danger and law are passed over in a clearly positive text only. */
static bool is_praise(const struct sentiment_reading *sentiment, enum alarm_kind kind)
{
    static const double clearly = 0.8;
    return sentiment->label == SENTIMENT_LABEL_POSITIVE && (kind == ALARM_LEAVING || sentiment->confidence >= clearly);
}

/* What an agent writes to a ticket («our legal department will look into this terrible mistake») is no trouble of the customer's. */
static bool are_our_words(const struct touchpoint *touch)
{
    static const unsigned ours = 1u << TICKET_ACTION_AGENT_REPLIED | 1u << TICKET_ACTION_ASSIGNED | 1u << TICKET_ACTION_HANDED_OFF |
                                 1u << TICKET_ACTION_PENDING | 1u << TICKET_ACTION_RESOLVED | 1u << TICKET_ACTION_CLOSED;
    return touch->body_kind == TOUCHPOINT_BODY_TICKET_CHANGED && (ours >> touch->body.ticket_changed.action & 1);
}

/* The facts that a text makes, a bit of enum hot_code each. */
static unsigned facts_of_words(const struct arrival *arrival)
{
    const struct impression *impression = arrival->impression;
    if (!impression->has_sentiment || are_our_words(arrival->touch))
        return 0;
    static const uint8_t codes[ALARM_COUNT] = {HOT_LEAVING_WORDS, HOT_LAW_WORDS, HOT_SAFETY_WORDS};
    bool is_negative = impression->sentiment.label == SENTIMENT_LABEL_NEGATIVE;
    unsigned facts = 0;
    if (is_negative && impression->sentiment.confidence >= 0.6)
        facts |= 1u << HOT_NEGATIVE_WORDS;
    if (is_negative && arrival->touch->body_kind == TOUCHPOINT_BODY_SOCIAL_MENTION)
        facts |= 1u << HOT_PUBLIC_REACH;
    for (int kind = 0; kind < ALARM_COUNT; kind++) {
        if ((impression->alarms >> kind & 1) && !is_praise(&impression->sentiment, (enum alarm_kind)kind))
            facts |= 1u << codes[kind];
    }
    return facts;
}

static void words_note(struct customer *customer, const struct arrival *arrival)
{
    if (!arrival->impression->has_sentiment)
        return;
    memmove(customer->mood_trail, customer->mood_trail + 1, sizeof customer->mood_trail - 1);
    customer->mood_trail[sizeof customer->mood_trail - 1] = (int8_t)(arrival->impression->sentiment.score * 100);
    unsigned facts = facts_of_words(arrival);
    for (uint8_t code = 0; facts >> code; code++) {
        int32_t reach = code == HOT_PUBLIC_REACH ? arrival->touch->body.social_mention.reach : 0;
        if (facts >> code & 1)
            fact_note(customer, arrival, (struct case_fact){.code = code, .score = reach});
    }
}

bool care_may_note(const struct arrival *arrival)
{
    enum touchpoint_body_kind kind = arrival->touch->body_kind;
    return kind == TOUCHPOINT_BODY_SURVEY_ANSWERED || kind == TOUCHPOINT_BODY_REVIEW_POSTED || kind == TOUCHPOINT_BODY_CASE_ACTED ||
           facts_of_words(arrival) != 0;
}

static void act_note(struct customer *customer, const struct arrival *arrival)
{
    const struct case_acted *acted = &arrival->touch->body.case_acted;
    fact_note(customer, arrival,
              (struct case_fact){.code = FACT_ACT,
                                 .action = (uint8_t)acted->action,
                                 .case_identity = identity_of(acted->case_id),
                                 .actor = care_text_copy(&customer->room, acted->actor, CARE_TEXT_MAX),
                                 .note = care_text_copy(&customer->room, acted->note, CARE_TEXT_MAX)});
}

static void channel_note(struct customer *customer, enum channel channel)
{
    for (int i = 0; customer->channel_uses[channel] == UINT8_MAX && i < CHANNEL_COUNT; i++)
        customer->channel_uses[i] /= 2;
    customer->channel_uses[channel]++;
}

bool customer_preferred_channel(const struct customer *customer, enum channel *out)
{
    int best = -1;
    for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
        /* No message reaches anybody in the store, or through a device. */
        if (channel == CHANNEL_STORE || channel == CHANNEL_DEVICE || customer->channel_uses[channel] == 0)
            continue;
        bool is_better = best < 0 || customer->channel_uses[channel] > customer->channel_uses[best] ||
                         (customer->channel_uses[channel] == customer->channel_uses[best] &&
                          customer->channel_minutes[channel] > customer->channel_minutes[best]);
        best = is_better ? channel : best;
    }
    if (best >= 0)
        *out = (enum channel)best;
    return best >= 0;
}

void care_remember(struct journey_task *task, struct customer *customer, const struct arrival *arrival)
{
    (void)task;
    const struct touchpoint *touch = arrival->touch;
    bool was_calm = is_calm(customer);
    if (activity_is_one(touch))
        channel_note(customer, touch->channel);
    if (touch->body_kind == TOUCHPOINT_BODY_SURVEY_ANSWERED)
        rating_note(customer, arrival, verdict_of_survey(touch->body.survey_answered.kind, touch->body.survey_answered.score),
                    touch->body.survey_answered.score);
    else if (touch->body_kind == TOUCHPOINT_BODY_REVIEW_POSTED)
        rating_note(customer, arrival, verdict_of_stars(touch->body.review_posted.stars), touch->body.review_posted.stars);
    else if (touch->body_kind == TOUCHPOINT_BODY_CASE_ACTED)
        act_note(customer, arrival);
    words_note(customer, arrival);
    if (was_calm && !is_calm(customer))
        good_scores_note(customer);
    if (!is_calm(customer) && arrival->impression->text.size && !are_our_words(touch))
        care_text_set(&customer->room, &customer->care->text, arrival->impression->text, CARE_TEXT_MAX);
}

/* --- bounds --- */

static void facts_drop(struct room *room, struct care *care, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++)
        fact_finish(room, &care->facts[i]);
    memmove(care->facts + from, care->facts + from + count, (care->fact_count - from - count) * sizeof *care->facts);
    care->fact_count -= count;
    care->facts = room_array_shrink(room, care->facts, care->fact_count, sizeof *care->facts);
    care_facts_list(care);
}

static void published_drop(struct room *room, struct care *care, int64_t until_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < care->case_count; i++) {
        if (care->cases[i].opened_at_ms > until_ms)
            care->cases[kept++] = care->cases[i];
        else
            room_give(room, care->cases[i].owner);
    }
    care->case_count = kept;
    care->cases = room_array_shrink(room, care->cases, kept, sizeof *care->cases);
}

static void facts_seal(const struct journey_task *task, struct room *room, struct care *care, int64_t clock_ms)
{
    struct case_reading reading;
    cases_read(care, &task->shared->settings->cases, clock_ms, NULL, &reading);
    uint32_t dropped = 0;
    for (uint32_t i = 0; i < reading.count && reading.stories[i].is_final && dropped < FACTS_MAX / 8; i++)
        dropped = reading.stories[i].fact_end;
    if (dropped > 0) {
        care->sealed_at_ms = care->facts[dropped - 1].moment.at_ms;
        facts_drop(room, care, 0, dropped);
        published_drop(room, care, care->sealed_at_ms);
        return;
    }
    /* One endless case: what somebody did about it stays, and its beginning; the oldest of the rest goes. */
    uint32_t at = reading.count > 0 ? reading.stories[0].fact_begin + 1 : 0;
    while (at < care->fact_count - 1 && care->facts[at].code == FACT_ACT)
        at++;
    facts_drop(room, care, at, 1);
}

static bool has_opener(const struct care *care, uint64_t identity)
{
    for (uint32_t i = 0; i < care->fact_count; i++) {
        if (care->facts[i].case_identity == identity)
            return true;
    }
    return false;
}

/* Of what was told, cases that are over and that no fact leads to any more: two cases that turned out to be one leave such
 * behind, and the other case may live long. */
static void published_drop_orphans(struct room *room, struct care *care)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < care->case_count; i++) {
        struct case_published *published = &care->cases[i];
        if (case_is_live((enum alert_state)published->state) || has_opener(care, published->identity))
            care->cases[kept++] = *published;
        else
            room_give(room, published->owner);
    }
    care->case_count = kept;
    care->cases = room_array_shrink(room, care->cases, kept, sizeof *care->cases);
}

void care_tidy(const struct journey_task *task, struct customer *customer, int64_t clock_ms)
{
    struct care *care = customer->care;
    if (care->fact_count > FACTS_MAX)
        facts_seal(task, &customer->room, care, clock_ms);
    if (care->case_count > FACTS_MAX)
        published_drop_orphans(&customer->room, care);
    bool is_empty = care->fact_count + care->case_count + care->alert_count + care->pending_count == 0 && !care->is_hot &&
                    care->sealed_at_ms == INT64_MIN;
    if (!is_empty)
        return;
    care_finish(&customer->room, care);
    customer->care = NULL;
}
