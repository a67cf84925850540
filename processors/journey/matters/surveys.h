/* Surveys: the standing answer of each wave (READINGS 16), completion (17), and the text that came with the answer (19). */
#ifndef TS_JOURNEY_SURVEYS_H
#define TS_JOURNEY_SURVEYS_H

#include "processors/journey/impression.h"
#include "processors/journey/task.h"

uint64_t survey_identity(enum survey_kind kind, struct view survey_id);
struct survey *surveys_find(const struct customer *customer, uint64_t identity);

void surveys_sent(struct customer *customer, const struct survey_sent *sent, const struct moment *moment, uint32_t tuple);
void surveys_answered(struct customer *customer, const struct survey_answered *answered, const struct moment *moment,
                      uint32_t tuple, const struct impression *impression);
void surveys_set_stage(struct customer *customer, uint64_t identity, const struct moment *moment, uint8_t stage);

/* An answer that came when a later one stood already: withdrawn (contributions.h) where it would stand. Nothing for one that stands. */
void surveys_contribute_older(const struct customer *customer, const struct survey_answered *answered, const struct moment *moment,
                              uint32_t tuple, const struct impression *impression, struct tally *tally);

void survey_contribute(const struct survey *survey, struct tally *tally);

/* uplift_excellent_support: the first standing CSAT answer about one of the customer's tickets (READINGS 41). */
void support_contribute(const struct customer *customer, struct tally *tally);

/* The latest standing score of a kind; −1: none. */
static inline int surveys_last_score(const struct customer *customer, enum survey_kind kind)
{
    return customer->last_scores[kind] - 1;
}

#endif
