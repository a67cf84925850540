/* The weights of the hot score, and what cases, alerts and churn risk go by. docs/CASES.md has the words behind them. */
#ifndef TS_JOURNEY_CASE_SETTINGS_H
#define TS_JOURNEY_CASE_SETTINGS_H

#include "base/settings.h"

/* Everything that gives points: enumerator, code in reasons and settings, points, meaning. Up to PUBLIC_REACH they come from one
 * touchpoint each and are remembered as facts (care.h); the rest is read off the customer's tickets, orders and terms. */
#define HOT_LIST(X)                                                                                                    \
    X(NPS_LOW, nps_0_3, 35, "an NPS answer of 0 to 3")                                                                 \
    X(NPS_MIDDLE, nps_4_6, 25, "an NPS answer of 4 to 6")                                                              \
    X(CSAT_LOW, csat_1, 35, "a CSAT answer of 1")                                                                      \
    X(CSAT_MIDDLE, csat_2, 25, "a CSAT answer of 2")                                                                   \
    X(CES_LOW, ces_1_2, 20, "a CES answer of 1 or 2")                                                                  \
    X(STARS_LOW, stars_1, 30, "a review with 1 star")                                                                  \
    X(STARS_MIDDLE, stars_2, 20, "a review with 2 stars")                                                              \
    X(NEGATIVE_WORDS, negative_words, 10, "clearly negative words")                                                    \
    X(LEAVING_WORDS, leaving_words, 15, "words of leaving")                                                            \
    X(LAW_WORDS, law_words, 15, "words of law; always hot")                                                            \
    X(SAFETY_WORDS, safety_words, 15, "words of safety; always hot")                                                   \
    X(PUBLIC_REACH, public_reach, 10, "negative words on a public channel with reach")                                 \
    X(DEADLINE_NEAR, deadline_near, 20, "a deadline about to pass, rising from 0 at half of it")                       \
    X(DEADLINE_BREACHED, deadline_breached, 25, "a deadline passed")                                                   \
    X(REOPENED, reopened, 10, "each reopening of a ticket, two at most")                                               \
    X(REPEAT_CONTACT, repeat_contact, 10, "a new ticket within 7 days of another")                                     \
    X(HANDOFFS, handoffs, 5, "each hand-off of a ticket after the first, three at most")                               \
    X(CUSTOMER_VALUE, customer_value, 10, "a customer of full value (hot.value_full); less in proportion")             \
    X(RENEWAL_NEAR, renewal_near, 10, "a term that ends within 90 days")                                               \
    X(FALLING_MOOD, falling_mood, 10, "three texts, each worse than the one before, the last one negative")

enum hot_code {
#define HOT_CODE(id, code, points, about) HOT_##id,
    HOT_LIST(HOT_CODE)
#undef HOT_CODE
    HOT_CODE_COUNT
};

const char *hot_code_name(enum hot_code code);

/* Which rules about what did not come are at work, and when it is missed. */
struct absence_settings {
    bool delivery, use, renewal;
    int64_t delivery_grace_ms, delivery_after_ms, use_after_ms, renewal_grace_ms;
};

struct case_settings {
    double weights[HOT_CODE_COUNT];
    char *weights_version;
    double hot_from, hot_until; /* hot from … on, no longer below … */
    int64_t half_life_ms, value_full_minor, reach_from;
    int64_t contact_within_ms, snooze_ms, expire_after_ms, verify_within_ms;
    int64_t historical_after_ms, refresh_ms, alerts_max;
    int64_t followups_max;
    double churn_alert_from, churn_alert_until;
    struct absence_settings absence;
    const struct settings_node *followup_rules;
};

extern const struct setting case_setting_rows[];

#endif
