#include "base/clock.h"
#include "processors/journey/matters/activity.h"
#include "processors/journey/matters/surveys.h"
#include "processors/journey/tickets/tickets.h"

/* Whose first CSAT about a ticket of theirs was a 5, and are they still with us 90 days later? (READINGS 41) */
void support_contribute(const struct customer *customer, struct tally *tally)
{
    const struct survey *first = NULL;
    for (uint32_t i = 0; customer->has_support_score && i < customer->survey_count; i++) {
        const struct survey *survey = &customer->surveys[i];
        bool is_candidate = survey->kind == SURVEY_KIND_CSAT && survey->is_answered && survey->about != 0 &&
                            (first == NULL || moment_is_before(&survey->answered, &first->answered));
        if (is_candidate && tickets_find(customer, survey->about))
            first = survey;
    }
    if (first == NULL)
        return;
    int64_t outcome_ms = first->answered.at_ms + DAYS(90);
    if (tally_is_due(tally, outcome_ms))
        tally_add_uplift(tally, place_at(KPI_UPLIFT_EXCELLENT_SUPPORT, 0, NO_STAGE, outcome_ms), first->score == 5,
                         life_is_alive_at(customer, outcome_ms));
}
