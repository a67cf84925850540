/* A KPI as it stands in Redis, project_kpis.c writes it: flat JSON without blanks, of which who shows it wants a number here and there. */
#ifndef TS_SINKS_REDIS_STORED_KPI_H
#define TS_SINKS_REDIS_STORED_KPI_H

#include "base/view.h"

/* The number under that key: "value", "low", "n" … false: it is null, or not there. Any thread. */
bool stored_kpi_number(struct view json, const char *key, double *value);

#endif
