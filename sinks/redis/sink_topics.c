#include "sinks/redis/sink_topics.h"

static void do_kpi(struct projection *projection, const void *record)
{
    project_kpi(projection, record);
}

static void do_alert(struct projection *projection, const void *record)
{
    project_alert(projection, record);
}

static void do_enriched(struct projection *projection, const void *record)
{
    project_enriched(projection, record);
}

static void do_journey(struct projection *projection, const void *record)
{
    project_journey(projection, record);
}

static void do_followup(struct projection *projection, const void *record)
{
    project_followup(projection, record);
}

static void do_shift(struct projection *projection, const void *record)
{
    project_shift(projection, record);
}

const struct sink_topic sink_topics[SINK_TOPICS] = {
    {"kpis", &kpi_shape, do_kpi, project_kpi_gone, false, LANE_BULK},
    {"alerts", &alert_shape, do_alert, NULL, false, LANE_NEWS},
    {"touchpoints.enriched", &enriched_touchpoint_shape, do_enriched, NULL, false, LANE_BULK},
    {"journeys", &journey_shape, do_journey, project_journey_gone, true, LANE_BULK},
    {"followups", &follow_up_shape, do_followup, NULL, false, LANE_NEWS},
    {"trend.shifts", &trend_shift_shape, do_shift, NULL, false, LANE_NEWS},
};
