/* What the journey stage adds to a touchpoint, and the record that carries it. */
#ifndef TS_JOURNEY_ENRICH_H
#define TS_JOURNEY_ENRICH_H

#include "processors/journey/apply.h"

/* Fills all of `out` but touch, hot_score, reasons and churn_risk. */
void enrich_describe(struct journey_task *task, const struct customer *customer, const struct arrival *arrival,
                     struct enriched_touchpoint *out, struct step *step);

/* `raw`: the touchpoint as it came, copied through. */
void enrich_send(struct journey_task *task, const struct enriched_touchpoint *enriched, struct view raw, struct step *step);

#endif
