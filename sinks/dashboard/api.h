/* The read API: questions to Redis, answers as JSON. Each call asks Redis in one or two round trips on a link that it is
 * lent, so any number of server threads may call. */
#ifndef TS_SINKS_DASHBOARD_API_H
#define TS_SINKS_DASHBOARD_API_H

#include "base/json_writer.h"
#include "schemas/records.h"
#include "sinks/redis/redis_link.h"

struct api {
    struct redis_link *link;
    const char *prefix;
    struct arena *arena;
};

/* "5m" … "90d" */
bool api_is_window(struct view name);

/* Each writes one JSON object. RETRY: Redis is away. PARK: there is no such thing (404). */

/* {"kpis": [{"kpi", "window", "dimension", value …}]}: `kpi`, `window` and `dimension` narrow the answer; null: every KPI,
 * every window, dimension "all". */
enum outcome api_kpis(struct api *api, struct view kpi, struct view window, struct view dimension, struct bytes *out);

/* {"kpi", "by", "series": [{"dimension", "now": {value …}, "points": [[end_ms, value, n], …]}]}: `by` null: "all" alone;
 * else every value of that dimension ("channel") that the 30 d window knows, most n first, 50 at most. */
enum outcome api_series(struct api *api, struct view kpi, struct view by, struct view window, struct bytes *out);

/* {"cases": [{"case_id", "priority", and the fields of ts:case:ID}]}, most urgent first */
enum outcome api_hot(struct api *api, int64_t limit, struct bytes *out);

/* {"off_target": […]}: what misses its target now, the gravest first */
enum outcome api_off_target(struct api *api, int64_t limit, struct bytes *out);

struct alerts_wish {
    bool kinds[ALERT_KIND_COUNT];
    enum severity least;
    struct view customer_id; /* null: anybody's, and those of KPIs */
    int64_t limit;
};

/* {"open": {KIND: {"CRITICAL": n, "WARNING": n, "INFO": n}}, "alerts": […], "matching": n}: what is open now and no case, the gravest first, of
 * equally grave ones the latest. `open` counts whatever is open, the kinds of which nothing is left out; `matching` what was asked for, of
 * which `alerts` has at most `limit`. */
enum outcome api_alerts_open(struct api *api, const struct alerts_wish *wish, struct bytes *out);

/* {"alerts": […]}, {"shifts": […]}: the records' JSON form, newest first */
enum outcome api_stream_newest(struct api *api, const char *stream, int64_t limit, struct bytes *out);

/* {"customer": {fields}, "journey": [newest first]} */
enum outcome api_customer(struct api *api, struct view customer_id, struct bytes *out);

/* {"groups": [{"name": "customer", "kpis": [{"kpi", "30d": {value …}, "90d": {…}}]}]}: every KPI with a target, as a balanced
 * scorecard; "is_change": the difference to the window before is more than noise (the intervals do not touch). */
enum outcome api_scorecard(struct api *api, struct bytes *out);

/* {"services": {name: {…}}} */
enum outcome api_health(struct api *api, struct bytes *out);

/* The customer of a case; null view: no such case. */
enum outcome api_case_customer(struct api *api, struct view case_id, struct view *customer_id);

#endif
