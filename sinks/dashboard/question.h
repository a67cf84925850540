/* What may be asked under /api/ by GET: which paths there are, which values their parameters take, and who answers. */
#ifndef TS_SINKS_DASHBOARD_QUESTION_H
#define TS_SINKS_DASHBOARD_QUESTION_H

#include "base/http_server.h"
#include "sinks/dashboard/api.h"

/* Is there such a path? `what` is what follows /api/. */
bool question_exists(struct view what);

/* false: a parameter has a value that it cannot have, and that has been answered (400). */
bool question_check(struct http_exchange *exchange, struct view what);

/* Of what exists and has been checked: as api.h has it. */
enum outcome question_ask(struct api *api, const struct http_exchange *exchange, struct view what, struct bytes *body);

#define QUESTION_PATHS "kpis, series, hot, alerts, alerts/open, off_target, shifts, scorecard, health, customers/ID and stream"

#endif
