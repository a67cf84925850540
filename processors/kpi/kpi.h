/* The kpi stage: additions from the journey stage become rolling KPIs, trend shifts, and alerts that no customer is the cause of.
 * What app/ needs to run it: its settings, what its tasks share, and the processor itself (kpi.c: START HERE). */
#ifndef TS_KPI_KPI_H
#define TS_KPI_KPI_H

#include "base/settings.h"
#include "base/time_zone.h"
#include "engine/processor.h"
#include "processors/kpi/catalog.h"
#include "processors/kpi/trend/trend.h"
#include "schemas/reader.h"

struct kpi_settings {
    char *time_zone;                  /* whose calendar days the 90d window and day buckets follow */
    int64_t publish_interval_ms;
    int64_t publish_rounds_behind;    /* see sources.h */
    int64_t lead_ms;
    struct settings_node *targets;    /* kpi: value; durations as "2h" */
    bool trend_enabled;
    double trend_false_alarms_per_month;
    double trend_series;              /* how many series share that budget */
    int64_t trend_news_ms;            /* a shift found in older buckets than this is no news */
    int64_t trend_warm_up_ms;         /* from a series' first record to its being watched */
    char *trend_dimensions;           /* all | single | every */
    struct text_list shift_dimensions; /* whose bad shifts alert: sets as in kpi.rollups, and all */
    struct text_list shift_kinds;     /* level, trend, spike */
    double shift_least_confidence;
    struct text_list alert_dimensions; /* sets as in kpi.rollups, and all */
    char *alert_window;
    struct settings_node *alert_windows; /* kpi: window, or none */
    int64_t alert_least_n;
    double alert_critical_from;
    double burn_objective;            /* 0: no alerts about it */
    int64_t burn_least_n;
    double rejected_share;            /* of a source's records; 0: refused ones alert nobody */
    int64_t lag_after_ms;             /* 0: touchpoints read late alert nobody */
    int64_t silence_after_ms;         /* 0: silent sources alert nobody */
};

extern const struct setting kpi_setting_rows[];

/* Our own schemas' ids in this installation's registry. */
struct kpi_schema_ids {
    uint32_t kpi, trend_shift, kpi_state, rejected, alert, kpi_delta;
};

/* What all tasks share, read-only once made: hand it to the runner as `shared`. */
struct kpi_shared {
    const struct kpi_settings *settings;
    struct record_reader *deltas; /* of kpi_delta_shape */
    struct kpi_schema_ids ids;
    int64_t historical_after_ms;   /* alerts.historical_after: what is older than its record by so much is recorded, nobody is notified */
    int64_t behind_ms;             /* engine.allowed_disorder and engine.tick_after: by so much the journey stage's clocks are behind where all is well */
    const char *sentiment_version; /* of the model that gave the labels: part of its KPIs' definition; NULL: not said */
    struct time_zone *zone;
    bool has_target[KPI_COUNT_OF_ALL];
    double targets[KPI_COUNT_OF_ALL];
    uint8_t held[KPI_COUNT_OF_ALL]; /* enum window_id: which window alerts when it misses the target; NO_WINDOW: none does */
    struct trend_config (*trends)[GRID_COUNT]; /* one a KPI and grid */
};

/* What stands before `zone` is set by the caller and outlives it. false: `error` says which setting is wrong. */
bool kpi_shared_init(struct kpi_shared *shared, struct bytes *error);
void kpi_shared_finish(struct kpi_shared *shared);

extern const struct processor kpi_processor;

/* Indexes into kpi_processor.outputs. */
enum kpi_output { KPI_OUTPUT_KPIS, KPI_OUTPUT_SHIFTS, KPI_OUTPUT_REJECTED, KPI_OUTPUT_ALERTS, KPI_OUTPUT_DELTAS };

#endif
