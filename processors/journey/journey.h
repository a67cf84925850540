/* The journey stage: touchpoints become enriched events, journeys, alerts, follow-ups and KPI deltas.
 * What app/ needs to run it: its settings, what its tasks share, and the processor itself (journey.c: START HERE). */
#ifndef TS_JOURNEY_JOURNEY_H
#define TS_JOURNEY_JOURNEY_H

#include "base/settings.h"
#include "engine/processor.h"
#include "processors/journey/care/case_settings.h"
#include "processors/journey/care/followup_rules.h"
#include "processors/journey/sums/dimensions.h"
#include "processors/journey/tickets/policy.h"
#include "schemas/reader.h"

#include <stdatomic.h>

struct journey_settings {
    int64_t revision_horizon_ms;
    int64_t dedupe_kept_ms, dedupe_max;
    int64_t history_max;
    int64_t awake_max;
    int64_t kept_ms; /* 0: for good */
    struct text_list rollups;
    int64_t rollup_values_max;
    struct policy_settings sla;
    struct case_settings cases;
};

extern const struct setting journey_setting_rows[]; /* into a struct journey_settings; case_setting_rows into its `cases` */

/* Our own schemas' ids in this installation's registry. */
struct journey_schema_ids {
    uint32_t enriched, journey, alert, follow_up, kpi_delta, rejected;
};

struct libraries; /* reading.h */

/* What all tasks share, read-only once made but for the last two: hand it to the runner as `shared`. */
struct journey_shared {
    const struct journey_settings *settings;
    const char *time_zone; /* of order days */
    struct record_reader *touchpoints;
    struct journey_schema_ids ids;
    struct rollup_plan plan;
    struct policies policies;
    struct followup_rules followups;
    struct time_zone *zone;
    struct libraries *libraries; /* texts and words met before */
    atomic_int task_count;       /* they share journey.awake_max */
};

/* settings, time_zone, touchpoints and ids are set by the caller and outlive it. false: `error` says which setting is wrong. */
bool journey_shared_init(struct journey_shared *shared, struct bytes *error);
void journey_shared_finish(struct journey_shared *shared);

extern const struct processor journey_processor;

/* Indexes into journey_processor.outputs. */
enum journey_output {
    JOURNEY_OUTPUT_ENRICHED,
    JOURNEY_OUTPUT_ALERTS,
    JOURNEY_OUTPUT_FOLLOWUPS,
    JOURNEY_OUTPUT_DELTAS,
    JOURNEY_OUTPUT_REJECTED,
};

#endif
