/* What each topic becomes in Redis (CONTRACT §4): one function a record type, each only adding commands to a batch.
 * No I/O here: redis_sink.c sends the batch, in one MULTI with the positions. */
#ifndef TS_SINKS_REDIS_PROJECTION_H
#define TS_SINKS_REDIS_PROJECTION_H

#include "base/arena.h"
#include "engine/record.h"
#include "schemas/records.h"
#include "sinks/redis/resp.h"
#include "sinks/redis/series_hours.h"

enum {
    ALERTS_ENTRIES_MAX = 10000, /* ts:alerts and ts:shifts */
    JOURNEY_ENTRIES_MAX = 100,  /* ts:journey:ID */
};

struct projection {
    struct resp commands;
    const char *prefix;   /* of every key */
    struct arena *arena;  /* the batch's */
    struct bytes scratch; /* JSON being written */
    struct series_hours hours;
    int64_t now_ms;       /* when the newest record of the batch was written to Kafka */
    size_t followup_count; /* of the batch */
    struct resp forgotten;  /* arguments for forgotten_write, none of them a command */
    size_t forgotten_count; /* pairs of them */
    bool is_superseded; /* a later record of this batch has the same topic and key: only what adds up is still wanted of this one */
};

/* kpis → ts:kpi:KPI:WINDOW, ts:live:kpis; closed hours are noted in projection->hours for the batch's end */
void project_kpi(struct projection *projection, const struct kpi *kpi);
/* A tombstone in kpis, key KPI|WINDOW|DIMENSION: the window has been empty for a whole length; its field goes. */
void project_kpi_gone(struct projection *projection, struct view key);

/* alerts → ts:alerts, ts:live:alerts; the alert that is a case (alert_id = case_id) also → ts:case:ID, ts:hot */
void project_alert(struct projection *projection, const struct alert *alert);

/* touchpoints.enriched → ts:journey:ID and the fast-moving fields of ts:customer:ID */
void project_enriched(struct projection *projection, const struct enriched_touchpoint *enriched);

/* journeys → the other fields of ts:customer:ID. A tombstone: the customer is forgotten. */
void project_journey(struct projection *projection, const struct journey *journey);
void project_journey_gone(struct projection *projection, struct view customer_id);

/* followups → ts:followups, ts:followups:CUSTOMER, ts:followup:ID; trim, once a batch, makes those leave that were due 30 days ago. */
void project_followup(struct projection *projection, const struct follow_up *followup);
void followups_trim(struct projection *projection);

/* Whom and what the batch makes Redis forget beyond the keys of their own: noted, and written at the batch's end. */
void forgotten_note_customer(struct projection *projection, struct view customer_id);
void forgotten_note_alert(struct projection *projection, struct view alert_id);
void forgotten_write(struct projection *projection);
void forgotten_clear(struct projection *projection);

void project_shift(struct projection *projection, const struct trend_shift *shift);

#endif
