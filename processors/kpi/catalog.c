#include "processors/kpi/catalog.h"

#include "base/clock.h"
#include "schemas/kpi_sums.h"

const struct window windows[WINDOW_COUNT] = {
    [WINDOW_5M] = {"5m", GRID_MINUTE, 5, MINUTES(5)},       [WINDOW_1H] = {"1h", GRID_MINUTE, 60, HOURS(1)},
    [WINDOW_24H] = {"24h", GRID_MINUTE, 1440, HOURS(24)},   [WINDOW_7D] = {"7d", GRID_HOUR, 168, DAYS(7)},
    [WINDOW_30D] = {"30d", GRID_HOUR, 720, DAYS(30)},       [WINDOW_90D] = {"90d", GRID_DAY, 90, DAYS(90)},
};

#define SLOW (1u << WINDOW_24H | 1u << WINDOW_7D | 1u << WINDOW_30D | 1u << WINDOW_90D)
#define FAST (SLOW | 1u << WINDOW_5M | 1u << WINDOW_1H) /* READINGS 51 */

#define ROW_SCALED(id, name, windows_, better_, divisor_, ...)                                                         \
    [KPI_##id] = {.windows = windows_, .better = BETTER_##better_, .divisor = divisor_, .definition = #name "/1", ##__VA_ARGS__}
#define ROW(id, name, windows_, better_, ...) ROW_SCALED(id, name, windows_, better_, 1, ##__VA_ARGS__)
#define TARGET(value) .has_target = true, .target = value
#define SCALE(least_, most_) .least = least_, .most = most_
#define SETTLES(days) .settles_ms = DAYS(days)
#define OPEN_IS_GOOD .open_is_good = true
#define HELD(window) .has_held = true, .held = window

static const struct catalog_row rows[KPI_COUNT_OF_ALL] = {
    ROW(NPS, nps, FAST, HIGHER),
    ROW(BRAND_NPS, brand_nps, SLOW, HIGHER),
    ROW(CSAT, csat, FAST, HIGHER, TARGET(4.5), SCALE(1, 5)),
    ROW(CSAT_TOP2, csat_top2, FAST, HIGHER),
    ROW(CES, ces, SLOW, HIGHER, SCALE(1, 7)),
    ROW(CES_EASY, ces_easy, SLOW, HIGHER),
    ROW(REVIEW_STARS, review_stars, SLOW, HIGHER, SCALE(1, 5)),
    ROW(REVIEW_LOW, review_low, SLOW, LOWER),
    ROW(REVIEW_COUNT, review_count, FAST, NEITHER),
    ROW_SCALED(SENTIMENT, sentiment, FAST, HIGHER, KPI_SENTIMENT_SCALE, SCALE(-1, 1)),
    ROW(NEGATIVE_SHARE, negative_share, FAST, LOWER),
    ROW(SURVEY_COMPLETION, survey_completion, SLOW, HIGHER, TARGET(0.6), SETTLES(14), HELD(WINDOW_90D)), /* of a day, or a week, nothing is known yet */
    ROW(RESPONSE_24H, response_24h, SLOW, HIGHER),
    ROW(FIRST_RESPONSE_TIME, first_response_time, FAST, LOWER, TARGET(HOURS(2))),
    ROW(FIRST_RESPONSE_CALENDAR, first_response_calendar, FAST, LOWER, TARGET(HOURS(2)), HELD(NO_WINDOW)), /* the team's clock is the promise */
    ROW(NEXT_RESPONSE_TIME, next_response_time, FAST, LOWER),
    ROW(RESOLUTION_TIME, resolution_time, FAST, LOWER, TARGET(HOURS(48))),
    ROW(FULL_RESOLUTION_TIME, full_resolution_time, FAST, LOWER),
    ROW(RESOLVED_72H, resolved_72h, FAST, HIGHER),
    ROW(HANDOFF_WAIT, handoff_wait, FAST, LOWER),
    ROW(HANDOFFS_PER_TICKET, handoffs_per_ticket, FAST, LOWER),
    ROW(HANDOFF_OVER_48H, handoff_over_48h, FAST, LOWER),
    ROW(SLA_FIRST_RESPONSE, sla_first_response, FAST, HIGHER),
    ROW(SLA_RESOLUTION, sla_resolution, FAST, HIGHER),
    ROW(FCR, fcr, FAST, HIGHER, SETTLES(7), OPEN_IS_GOOD),
    ROW(REOPEN_RATE, reopen_rate, FAST, LOWER, SETTLES(7)),
    ROW(BACKLOG, backlog, FAST, LOWER),
    ROW(BACKLOG_INFLOW, backlog_inflow, FAST, LOWER),
    ROW(BACKLOG_OUTFLOW, backlog_outflow, FAST, HIGHER),
    ROW(RECURRING, recurring, FAST, LOWER),
    ROW(FIRST_TIME_FIX, first_time_fix, FAST, HIGHER, SETTLES(30), OPEN_IS_GOOD),
    ROW(ON_TIME_DELIVERY, on_time_delivery, SLOW, HIGHER),
    ROW(RETURN_RATE, return_rate, SLOW, LOWER, SETTLES(30)),
    ROW(ACTIVATION, activation, SLOW, HIGHER),
    ROW(ACTIVE_CUSTOMERS, active_customers, SLOW, HIGHER),
    ROW_SCALED(USAGE_MINUTES, usage_minutes, SLOW, HIGHER, 60),
    ROW(STAGE_CUSTOMERS, stage_customers, SLOW, NEITHER),
    ROW(STAGE_DWELL, stage_dwell, SLOW, NEITHER),
    ROW(STAGE_MOVES, stage_moves, FAST, NEITHER),
    ROW(REPEAT_PURCHASE_180D, repeat_purchase_180d, SLOW, HIGHER, TARGET(0.6), HELD(WINDOW_30D)),
    ROW(REPEAT_PURCHASE_365D, repeat_purchase_365d, SLOW, HIGHER, TARGET(0.3), HELD(WINDOW_30D)),
    ROW(RENEWAL_RATE, renewal_rate, SLOW, HIGHER, SETTLES(30)),
    ROW(CHURN_RATE, churn_rate, SLOW, LOWER),
    ROW(RETENTION, retention, SLOW, HIGHER),
    ROW(LOYALTY_SHARE, loyalty_share, SLOW, HIGHER),
    ROW(REFERRAL_RATE, referral_rate, 1u << WINDOW_90D, HIGHER),
    ROW(UPSELL_REVENUE, upsell_revenue, SLOW, HIGHER),
    ROW(ENGAGEMENT_OPEN, engagement_open, SLOW, HIGHER, SETTLES(3)),
    ROW(ENGAGEMENT_CLICK, engagement_click, SLOW, HIGHER, SETTLES(3)),
    ROW(UPLIFT_ONBOARDING, uplift_onboarding, SLOW, HIGHER),
    ROW(UPLIFT_EXCELLENT_SUPPORT, uplift_excellent_support, SLOW, HIGHER),
    ROW(HOT_OPEN, hot_open, SLOW, LOWER),
    ROW(LOOP_CONTACT_24H, loop_contact_24h, SLOW, HIGHER),
    ROW(LOOP_CLOSE_TIME, loop_close_time, SLOW, LOWER),
    ROW(LOOP_RECOVERED, loop_recovered, SLOW, HIGHER),
};

const struct catalog_row *catalog_find(enum kpi_id id)
{
    return &rows[id];
}

bool catalog_is_moving(enum kpi_kind kind)
{
    return kind == KPI_KIND_DISTINCT || kind == KPI_KIND_SHARE || kind == KPI_KIND_CHURN;
}

bool catalog_is_gauge(enum kpi_kind kind)
{
    return kind == KPI_KIND_GAUGE;
}
