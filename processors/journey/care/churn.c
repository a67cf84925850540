/* The risk that a customer leaves, 0 to 1: a logistic function of a few things anybody can check.
 *
 * risk = 1 / (1 + e^−z), z = constant + Σ coefficient × feature. Every feature is between 0 and 1. The coefficients are a
 * judgement, to be replaced by a fit on outcomes of one's own (`touchstream backtest churn` says how good they are). */
#include "base/clock.h"
#include "processors/journey/care/turn.h"
#include "processors/journey/matters/subscriptions.h"
#include "processors/journey/matters/surveys.h"

#include <math.h>

static const struct {
    double constant;
    double silence;    /* how far the present silence is beyond the customer's rhythm: 0 up to twice it, 1 from six times on */
    double mood;       /* mean sentiment of their texts below 0 */
    double falling;    /* each of the last three texts worse than the one before */
    double score;      /* how bad the last NPS, CSAT or CES was */
    double trouble;    /* open tickets and cases: 1 from three on */
    double leaving;    /* they said so */
    double term;       /* a term that ends within 30 days */
    double usage;      /* used it once, and not for 30 days */
    double loyal;      /* a member, or a second order */
} coefficients = {-2.6, 2.2, 1.2, 0.8, 1.8, 1.0, 2.0, 0.7, 0.8, -0.7};

static double clamp(double share)
{
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static double silence_of(const struct turn *turn)
{
    const struct customer *customer = turn->customer;
    if (!customer->has_activity || customer->events < 3)
        return 0;
    double span_ms = (double)(customer->activity.last_ms - customer->first_activity.at_ms);
    double rhythm_ms = fmax(span_ms / (double)(customer->events - 1), (double)DAYS(1));
    return clamp(((double)(turn->at_ms - customer->activity.last_ms) / rhythm_ms - 2) / 4);
}

/* 0: the best answer of its scale, or none; 1: the worst. The worst of the latest ones stands. */
static double score_of(const struct customer *customer)
{
    int nps = surveys_last_score(customer, SURVEY_KIND_NPS), csat = surveys_last_score(customer, SURVEY_KIND_CSAT);
    int ces = surveys_last_score(customer, SURVEY_KIND_CES);
    double worst = nps >= 0 ? (8 - nps) / 8.0 : 0;
    worst = csat >= 0 ? fmax(worst, (4 - csat) / 3.0) : worst;
    worst = ces >= 0 ? fmax(worst, (5 - ces) / 4.0) : worst;
    return clamp(worst);
}

static double trouble_of(const struct turn *turn)
{
    const struct case_story *last = turn->cases.count ? &turn->cases.stories[turn->cases.count - 1] : NULL;
    return clamp((turn->customer->open_ticket_count + (last && case_is_live(last->state) ? 1 : 0)) / 3.0);
}

static bool speaks_of_leaving(const struct turn *turn)
{
    const char *leaving = hot_code_name(HOT_LEAVING_WORDS); /* every reason's code is one of these texts itself */
    for (uint32_t i = 0; i < turn->hot.count; i++) {
        if (turn->hot.reasons[i].code == leaving)
            return true;
    }
    return false;
}

static bool has_stopped_using(const struct turn *turn)
{
    const struct cohort *cohort = turn->customer->cohort;
    if (cohort == NULL || !cohort->has_used)
        return false;
    int64_t last_ms = cohort->used_count ? cohort->used_at_ms[cohort->used_count - 1] : cohort->first_used.at_ms;
    return turn->at_ms - last_ms > DAYS(30);
}

double churn_risk_of(const struct turn *turn)
{
    const struct customer *customer = turn->customer;
    double mood = customer->sentiment_count ? (double)customer->sentiment_sum / KPI_SENTIMENT_SCALE / customer->sentiment_count : 0;
    int64_t renews_at_ms = customer->seldom ? subscriptions_renew_at_ms(customer) : NEVER_MS;
    bool term_ends = renews_at_ms != NEVER_MS && renews_at_ms > turn->at_ms && renews_at_ms - turn->at_ms <= DAYS(30);
    bool is_loyal = (customer->seldom && customer->seldom->is_member) || (customer->cohort && customer->cohort->has_second);
    double z = coefficients.constant + coefficients.silence * silence_of(turn) + coefficients.mood * clamp(-mood) +
               coefficients.falling * mood_falls(customer) +
               coefficients.score * (customer->survey_count ? score_of(customer) : 0) +
               coefficients.trouble * trouble_of(turn) + coefficients.leaving * speaks_of_leaving(turn) +
               coefficients.term * term_ends + coefficients.usage * has_stopped_using(turn) + coefficients.loyal * is_loyal;
    return round(1000 / (1 + exp(-z))) / 1000;
}
