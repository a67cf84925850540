/* The two processors made ready with the configuration: for the services (pipeline.c) and for `explain`. */
#ifndef TS_APP_STAGES_H
#define TS_APP_STAGES_H

#include "app/topics.h"

/* false: a setting is wrong (logged). The registry outlives them. */
bool stage_open_journey(struct journey_shared *shared, const struct config *config, struct registry *registry,
                        const struct schema_ids *ids);
void stage_close_journey(struct journey_shared *shared);

bool stage_open_kpi(struct kpi_shared *shared, const struct config *config, struct registry *registry,
                    const struct schema_ids *ids);
void stage_close_kpi(struct kpi_shared *shared);

#endif
