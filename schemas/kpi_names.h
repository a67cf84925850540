/* The names of all KPIs and the meaning of the numbers that travel for them between the two stages.
 *
 * The journey stage makes additions, the kpi stage adds them up: both must read a delta in the same way, so its meaning is
 * written down here, once. What the KPIs *are* is in docs/KPIS.md; windows, targets and intervals are the kpi stage's own
 * (processors/kpi/catalog.h).
 *
 * A series is KPI × dimension. Its deltas have the Kafka key `KPI|DIMENSION` ("nps|channel=EMAIL"), so that everything of
 * one series meets in one partition. A partition's clock travels as kind CLOCK under the key KPI_CLOCK_KEY to *every*
 * partition of kpi.deltas, about once a second, with `source_partition` and `clock_at`.
 *
 * Records of `kpis` have the key `KPI|WINDOW|DIMENSION`; a tombstone says that the window has been empty for a whole window
 * length. No KPI and no window has a '|' in its name. */
#ifndef TS_SCHEMAS_KPI_NAMES_H
#define TS_SCHEMAS_KPI_NAMES_H

#include "base/bytes.h"

#include <stdint.h>

#define KPI_CLOCK_KEY "\001clock" /* keys of what is no series begin alike */
#define KPI_SOURCE_KEY "\001heard|" /* and the dimension, "source=shop": a record of kind HEARD */
#define KPI_REFUSED_KEY "\001refused|" /* and the dimension: of kind HEARD too, by a collector; `n` records of that minute taken, `num` refused, `kpi` the last one's code */
#define KPI_SHIFT_KEY "\001shift|" /* and the id of a shift: records of kinds ASKED and TOLD */

/* Each partition of kpi.deltas has its seconds begin at another moment: it hears the clocks then, and publishes. All at once, what
 * is published would leave in one burst a second, and whoever writes it down be late for most of it. */
enum { KPI_PHASES = 8 };

static inline int64_t kpi_phase_ms(int32_t partition)
{
    return partition % KPI_PHASES * (1000 / KPI_PHASES);
}

/* How a number is made of additions. What the fields of struct kpi_sums mean for it, per bucket:
 *
 *   kind      n                  num               sum                     sum_squares   immature      histogram
 *   RATE      denominator items  of these, hits    0                       0             of n, open ¹  none
 *   NPS       answers            promoters         detractors              0             0             none
 *   MEAN      items              0                 Σ score ²               Σ score²  ²   0             none
 *   DURATION  items              0                 Σ ms                    Σ ms²         0             kpi_duration_bin
 *   COUNT     items              0                 0                       0             0             none
 *   SUM       items              0                 Σ amount ³              0             0             none
 *   GAUGE     +1 in, −1 out ⁴    0                 0                       0             0             none
 *   DISTINCT  ±1 moved ⁵         0                 0                       0             0             none
 *   SHARE     ±1 moved ⁵         of these, ±1 ⁶    0                       0             0             none
 *   CHURN     +1 alive, −1 not ⁷ ended spans ⁷     0                       0             0             none
 *   UPLIFT    both sides         exposed hits      other hits              0             of n, exposed none
 *
 * 1  what can still change; when it no longer can, the journey stage sends −1 immature to the same bucket.
 * 2  scores as they are; for `sentiment` round(score × KPI_SENTIMENT_SCALE), so that sums are exact in any order.
 * 3  usage_minutes: seconds; upsell_revenue: minor units of the currency.
 * 4  in the minute of the change; the gauge at an instant is the sum of all that went before.
 * 5  +1 in the minute of the customer's last activity (in that dimension); it moves: −1 in the old minute, +1 in the new.
 * 6  loyalty_share: who is a member now, in the same minute as its n, and moved with it. referral_rate: n as 5, and num
 *    in the minute of the customer's latest referral that counts.
 * 7  n: flows as for a gauge, in the minute a span of being alive begins (+1) and ends (−1). num: +1 in the minute in
 *    which the last span ended, of those who are not alive now (coming back: −1 there). `retention` is made of
 *    churn_rate's additions: nothing is sent for it. */
enum kpi_kind {
    KPI_KIND_RATE,
    KPI_KIND_NPS,
    KPI_KIND_MEAN,
    KPI_KIND_DURATION,
    KPI_KIND_COUNT,
    KPI_KIND_SUM,
    KPI_KIND_GAUGE,
    KPI_KIND_DISTINCT,
    KPI_KIND_SHARE,
    KPI_KIND_CHURN,
    KPI_KIND_UPLIFT
};
enum { KPI_KINDS = KPI_KIND_UPLIFT + 1 };

/* Which dimensions a KPI has (READINGS 11–15). */
enum kpi_rollups {
    KPI_ROLLUPS_CONFIGURED, /* all, channel, product, segment, stage, product×channel … as configured; no team */
    KPI_ROLLUPS_TICKET,     /* the same, and team */
    KPI_ROLLUPS_BACKLOG,    /* as tickets, and age */
    KPI_ROLLUPS_CUSTOMER,   /* all, segment */
    KPI_ROLLUPS_ACTIVE,     /* all, segment, channel */
    KPI_ROLLUPS_STAGE,      /* all, stage */
    KPI_ROLLUPS_MOVES,      /* all, from=A,to=B */
    KPI_ROLLUPS_CURRENCY,   /* currency alone, not even all */
    KPI_ROLLUPS_CAMPAIGN,   /* all, channel, campaign, kind */
    KPI_ROLLUPS_ALL         /* all alone */
};

#define KPI_LIST(X)                                                                                                    \
    X(NPS, nps, NPS, CONFIGURED)                                                                                       \
    X(BRAND_NPS, brand_nps, NPS, CONFIGURED)                                                                           \
    X(CSAT, csat, MEAN, CONFIGURED)                                                                                    \
    X(CSAT_TOP2, csat_top2, RATE, CONFIGURED)                                                                          \
    X(CES, ces, MEAN, CONFIGURED)                                                                                      \
    X(CES_EASY, ces_easy, RATE, CONFIGURED)                                                                            \
    X(REVIEW_STARS, review_stars, MEAN, CONFIGURED)                                                                    \
    X(REVIEW_LOW, review_low, RATE, CONFIGURED)                                                                        \
    X(REVIEW_COUNT, review_count, COUNT, CONFIGURED)                                                                   \
    X(SENTIMENT, sentiment, MEAN, CONFIGURED)                                                                          \
    X(NEGATIVE_SHARE, negative_share, RATE, CONFIGURED)                                                                \
    X(SURVEY_COMPLETION, survey_completion, RATE, CONFIGURED)                                                          \
    X(RESPONSE_24H, response_24h, RATE, TICKET)                                                                        \
    X(FIRST_RESPONSE_TIME, first_response_time, DURATION, TICKET)                                                      \
    X(FIRST_RESPONSE_CALENDAR, first_response_calendar, DURATION, TICKET)                                              \
    X(NEXT_RESPONSE_TIME, next_response_time, DURATION, TICKET)                                                        \
    X(RESOLUTION_TIME, resolution_time, DURATION, TICKET)                                                              \
    X(FULL_RESOLUTION_TIME, full_resolution_time, DURATION, TICKET)                                                    \
    X(RESOLVED_72H, resolved_72h, RATE, TICKET)                                                                        \
    X(HANDOFF_WAIT, handoff_wait, DURATION, TICKET)                                                                    \
    X(HANDOFFS_PER_TICKET, handoffs_per_ticket, MEAN, TICKET)                                                          \
    X(HANDOFF_OVER_48H, handoff_over_48h, RATE, TICKET)                                                                \
    X(SLA_FIRST_RESPONSE, sla_first_response, RATE, TICKET)                                                            \
    X(SLA_RESOLUTION, sla_resolution, RATE, TICKET)                                                                    \
    X(FCR, fcr, RATE, TICKET)                                                                                          \
    X(REOPEN_RATE, reopen_rate, RATE, TICKET)                                                                          \
    X(BACKLOG, backlog, GAUGE, BACKLOG)                                                                                \
    X(BACKLOG_INFLOW, backlog_inflow, COUNT, TICKET)                                                                   \
    X(BACKLOG_OUTFLOW, backlog_outflow, COUNT, TICKET)                                                                 \
    X(RECURRING, recurring, RATE, TICKET)                                                                              \
    X(FIRST_TIME_FIX, first_time_fix, RATE, CONFIGURED)                                                                \
    X(ON_TIME_DELIVERY, on_time_delivery, RATE, CONFIGURED)                                                            \
    X(RETURN_RATE, return_rate, RATE, CONFIGURED)                                                                      \
    X(ACTIVATION, activation, RATE, CONFIGURED)                                                                        \
    X(ACTIVE_CUSTOMERS, active_customers, DISTINCT, ACTIVE)                                                            \
    X(USAGE_MINUTES, usage_minutes, SUM, CONFIGURED)                                                                   \
    X(STAGE_CUSTOMERS, stage_customers, GAUGE, STAGE)                                                                  \
    X(STAGE_DWELL, stage_dwell, DURATION, STAGE)                                                                       \
    X(STAGE_MOVES, stage_moves, COUNT, MOVES)                                                                          \
    X(REPEAT_PURCHASE_180D, repeat_purchase_180d, RATE, CONFIGURED)                                                    \
    X(REPEAT_PURCHASE_365D, repeat_purchase_365d, RATE, CONFIGURED)                                                    \
    X(RENEWAL_RATE, renewal_rate, RATE, CONFIGURED)                                                                    \
    X(CHURN_RATE, churn_rate, CHURN, CUSTOMER)                                                                         \
    X(RETENTION, retention, CHURN, CUSTOMER)                                                                           \
    X(LOYALTY_SHARE, loyalty_share, SHARE, CUSTOMER)                                                                   \
    X(REFERRAL_RATE, referral_rate, SHARE, CUSTOMER)                                                                   \
    X(UPSELL_REVENUE, upsell_revenue, SUM, CURRENCY)                                                                   \
    X(ENGAGEMENT_OPEN, engagement_open, RATE, CAMPAIGN)                                                                \
    X(ENGAGEMENT_CLICK, engagement_click, RATE, CAMPAIGN)                                                              \
    X(UPLIFT_ONBOARDING, uplift_onboarding, UPLIFT, ALL)                                                               \
    X(UPLIFT_EXCELLENT_SUPPORT, uplift_excellent_support, UPLIFT, ALL)                                                 \
    X(HOT_OPEN, hot_open, GAUGE, CONFIGURED)                                                                           \
    X(LOOP_CONTACT_24H, loop_contact_24h, RATE, CONFIGURED)                                                            \
    X(LOOP_CLOSE_TIME, loop_close_time, DURATION, CONFIGURED)                                                          \
    X(LOOP_RECOVERED, loop_recovered, RATE, CONFIGURED)

enum kpi_id {
#define KPI_ID(id, name, kind, rollups) KPI_##id,
    KPI_LIST(KPI_ID)
#undef KPI_ID
    KPI_COUNT_OF_ALL
};

struct kpi_names {
    const char *name;
    enum kpi_kind kind;
    enum kpi_rollups rollups;
};

extern const struct kpi_names kpi_names[KPI_COUNT_OF_ALL];

bool kpi_from_name(struct view name, enum kpi_id *out);

/* The value of a dimension ("shop" of "source=shop"), with what would be read as another dimension's beginning percent-encoded. */
void kpi_dimension_append_value(struct bytes *out, struct view value);

/* The same of one that somebody sent: if it is called `_other`, it is not taken for what is over a cap. Decoded it is what was sent. */
void kpi_dimension_append_sent_value(struct bytes *out, struct view value);

#endif
