#include "processors/journey/matters/surveys.h"

#include "base/clock.h"

#define COMPLETION_MS DAYS(14)

uint64_t survey_identity(enum survey_kind kind, struct view survey_id)
{
    return identity_of_pair(view_of_text(survey_kind_name(kind)), survey_id);
}

struct survey *surveys_find(const struct customer *customer, uint64_t identity)
{
    for (uint32_t i = customer->survey_count; i > 0; i--) {
        if (customer->surveys[i - 1].identity == identity)
            return &customer->surveys[i - 1];
    }
    return NULL;
}

static struct survey *survey_open(struct customer *customer, enum survey_kind kind, struct view survey_id)
{
    uint64_t identity = survey_identity(kind, survey_id);
    struct survey *survey = surveys_find(customer, identity);
    if (survey)
        return survey;
    customer->surveys = room_array_grow(&customer->room, customer->surveys, customer->survey_count, sizeof *customer->surveys);
    survey = &customer->surveys[customer->survey_count++];
    *survey = (struct survey){.identity = identity, .kind = (uint8_t)kind, .next_at_ms = NEVER_MS};
    customer->history_count++;
    return survey;
}

void surveys_sent(struct customer *customer, const struct survey_sent *sent, const struct moment *moment, uint32_t tuple)
{
    struct survey *survey = survey_open(customer, sent->kind, sent->survey_id);
    if (survey->is_sent && !moment_is_before(moment, &survey->sent))
        return;
    survey->is_sent = true;
    survey->sent = *moment;
    survey->sent_tuple = tuple;
}

static void other_answer_add(struct customer *customer, struct survey *survey, int64_t at_ms)
{
    survey->other_answers_ms =
        room_array_grow(&customer->room, survey->other_answers_ms, survey->other_answer_count, sizeof *survey->other_answers_ms);
    survey->other_answers_ms[survey->other_answer_count++] = at_ms;
    customer->history_count++;
}

static int last_score(const struct customer *customer, uint8_t kind)
{
    const struct survey *latest = NULL;
    for (uint32_t i = 0; i < customer->survey_count; i++) {
        const struct survey *survey = &customer->surveys[i];
        if (survey->kind == kind && survey->is_answered &&
            (latest == NULL || moment_is_before(&latest->answered, &survey->answered)))
            latest = survey;
    }
    return latest ? latest->score : -1;
}

static void answer_stand(struct survey *survey, const struct survey_answered *answered, const struct moment *moment, uint32_t tuple,
                         const struct impression *impression)
{
    survey->is_answered = true;
    survey->answered = *moment;
    survey->answered_tuple = tuple;
    survey->score = (int8_t)answered->score;
    survey->has_sentiment = impression->has_sentiment;
    survey->sentiment = impression->scaled;
    survey->label = (uint8_t)impression->sentiment.label;
    survey->about = answered->about.size ? identity_of(answered->about) : 0;
}

void surveys_answered(struct customer *customer, const struct survey_answered *answered, const struct moment *moment,
                      uint32_t tuple, const struct impression *impression)
{
    struct survey *survey = survey_open(customer, answered->kind, answered->survey_id);
    if (survey->is_answered && moment_is_before(moment, &survey->answered)) {
        other_answer_add(customer, survey, moment->at_ms);
        return;
    }
    if (survey->is_answered)
        other_answer_add(customer, survey, survey->answered.at_ms);
    answer_stand(survey, answered, moment, tuple, impression);
    customer->has_support_score |= survey->kind == SURVEY_KIND_CSAT && survey->about != 0;
    customer->last_scores[survey->kind] = (int8_t)(last_score(customer, survey->kind) + 1);
}

void surveys_set_stage(struct customer *customer, uint64_t identity, const struct moment *moment, uint8_t stage)
{
    struct survey *survey = surveys_find(customer, identity);
    if (survey && survey->is_sent && moment_compare(&survey->sent, moment) == 0)
        survey->sent_stage = stage;
    if (survey && survey->is_answered && moment_compare(&survey->answered, moment) == 0)
        survey->answered_stage = stage;
}

static void score_contribute(const struct survey *survey, struct tally *tally)
{
    int64_t at_ms = survey->answered.at_ms;
    uint32_t tuple = survey->answered_tuple;
    uint8_t stage = survey->answered_stage;
    switch ((enum survey_kind)survey->kind) {
    case SURVEY_KIND_NPS:
        tally_add_nps(tally, place_at(KPI_NPS, tuple, stage, at_ms), survey->score);
        break;
    case SURVEY_KIND_BRAND:
        tally_add_nps(tally, place_at(KPI_BRAND_NPS, tuple, stage, at_ms), survey->score);
        break;
    case SURVEY_KIND_CSAT:
        tally_add_mean(tally, place_at(KPI_CSAT, tuple, stage, at_ms), survey->score);
        tally_add_rate(tally, place_at(KPI_CSAT_TOP2, tuple, stage, at_ms), survey->score >= 4, false);
        break;
    case SURVEY_KIND_CES:
        tally_add_mean(tally, place_at(KPI_CES, tuple, stage, at_ms), survey->score);
        tally_add_rate(tally, place_at(KPI_CES_EASY, tuple, stage, at_ms), survey->score >= 5, false);
        break;
    }
}

static bool is_completed(const struct survey *survey)
{
    int64_t from_ms = survey->sent.at_ms, to_ms = from_ms + COMPLETION_MS;
    if (survey->is_answered && survey->answered.at_ms >= from_ms && survey->answered.at_ms <= to_ms)
        return true;
    for (uint32_t i = 0; i < survey->other_answer_count; i++) {
        if (survey->other_answers_ms[i] >= from_ms && survey->other_answers_ms[i] <= to_ms)
            return true;
    }
    return false;
}

void survey_contribute(const struct survey *survey, struct tally *tally)
{
    if (survey->is_answered) {
        score_contribute(survey, tally);
        if (survey->has_sentiment) {
            struct impression impression = {.has_sentiment = true, .scaled = survey->sentiment,
                                .sentiment.label = (enum sentiment_label)survey->label};
            impression_contribute(&impression, survey->answered_tuple, survey->answered_stage, survey->answered.at_ms, tally);
        }
    }
    if (!survey->is_sent)
        return;
    bool is_hit = is_completed(survey);
    /* At the last instant an answer may still come: it can no longer from the next millisecond on. */
    bool is_open = !is_hit && !tally_is_due(tally, survey->sent.at_ms + COMPLETION_MS + 1);
    tally_add_rate(tally, place_at(KPI_SURVEY_COMPLETION, survey->sent_tuple, survey->sent_stage, survey->sent.at_ms), is_hit,
                   is_open);
}

void surveys_contribute_older(const struct customer *customer, const struct survey_answered *answered, const struct moment *moment,
                              uint32_t tuple, const struct impression *impression, struct tally *tally)
{
    const struct survey *standing = surveys_find(customer, survey_identity(answered->kind, answered->survey_id));
    if (standing == NULL || moment_compare(&standing->answered, moment) == 0)
        return;
    struct survey older = {.kind = (uint8_t)answered->kind, .answered_stage = customer->stage};
    answer_stand(&older, answered, moment, tuple, impression);
    size_t since = tally->count;
    survey_contribute(&older, tally);
    tally_withdraw(tally, since);
}
