#include "app/stages.h"

#include "base/log.h"
#include "processors/journey/sentiment/sentiment.h"

static bool complain(struct bytes *error)
{
    log_error("wrong configuration", "error", bytes_text(error), NULL);
    bytes_finish(error);
    return false;
}

bool stage_open_journey(struct journey_shared *shared, const struct config *config, struct registry *registry,
                        const struct schema_ids *ids)
{
    struct bytes error = {0};
    *shared = (struct journey_shared){.settings = &config->journey,
                                      .time_zone = config->kpi.time_zone,
                                      .touchpoints = record_reader_create(&touchpoint_shape, registry),
                                      .ids = {.enriched = schema_id_of(ids, "touchpoints.enriched"),
                                              .journey = schema_id_of(ids, "journeys"),
                                              .alert = schema_id_of(ids, "alerts"),
                                              .follow_up = schema_id_of(ids, "followups"),
                                              .kpi_delta = schema_id_of(ids, "kpi.deltas"),
                                              .rejected = schema_id_of(ids, "touchpoints.rejected")}};
    if (journey_shared_init(shared, &error))
        return true;
    record_reader_destroy(shared->touchpoints);
    return complain(&error);
}

void stage_close_journey(struct journey_shared *shared)
{
    journey_shared_finish(shared);
    record_reader_destroy(shared->touchpoints);
}

bool stage_open_kpi(struct kpi_shared *shared, const struct config *config, struct registry *registry,
                    const struct schema_ids *ids)
{
    struct bytes error = {0};
    *shared = (struct kpi_shared){.settings = &config->kpi,
                                  .historical_after_ms = config->journey.cases.historical_after_ms,
                                  .behind_ms = config->engine.allowed_disorder_ms + config->engine.tick_after_ms,
                                  .sentiment_version = sentiment_version(),
                                  .deltas = record_reader_create(&kpi_delta_shape, registry),
                                  .ids = {.kpi = schema_id_of(ids, "kpis"),
                                          .trend_shift = schema_id_of(ids, "trend.shifts"),
                                          .kpi_state = schema_id_of(ids, "kpi.state"),
                                          .alert = schema_id_of(ids, "alerts"),
                                          .rejected = schema_id_of(ids, "touchpoints.rejected"),
                                          .kpi_delta = schema_id_of(ids, "kpi.deltas")}};
    record_reader_learn(shared->deltas, schema_id_of(ids, "kpi.deltas"));
    if (kpi_shared_init(shared, &error))
        return true;
    record_reader_destroy(shared->deltas);
    return complain(&error);
}

void stage_close_kpi(struct kpi_shared *shared)
{
    kpi_shared_finish(shared);
    record_reader_destroy(shared->deltas);
}
