/* What each topic becomes in Redis: one function a record type, each only adding commands to a batch.
 * No I/O here: redis_batch.c makes one MULTI of them, with the positions, and redis_sink.c sends it. */
#ifndef TS_SINKS_REDIS_PROJECTION_H
#define TS_SINKS_REDIS_PROJECTION_H

#include "base/arena.h"
#include "base/clock.h"
#include "engine/record.h"
#include "schemas/records.h"
#include "sinks/redis/resp.h"
#include "sinks/redis/series_hours.h"

enum {
    ALERTS_ENTRIES_MAX = 10000, /* ts:alerts and ts:shifts */
};

#define FOLLOWUPS_KEPT_MS DAYS(30) /* after they were due */
#define FORGOTTEN_WHEN "forgotten" /* zset: who was forgotten when (forgotten.c) */

/* A KPI's values of one window that a batch sets, in the order in which they came; in the batch's arena. */
struct kpi_place {
    struct kpi_place *next;
    struct view name; /* "KPI:WINDOW" */
    struct kpi_value *first, **last;
    size_t count;
};

struct kpi_value {
    struct kpi_value *next;
    struct view dimension; /* the record's own: gone when the batch is sent */
    struct view json;      /* as it is published: it names its place */
    size_t named_bytes;    /* of them, which what is stored leaves out */
};

struct kpi_places {
    struct map by_name; /* → struct kpi_place * */
    struct kpi_place *first, **last;
};

struct projection {
    struct resp commands;
    const char *prefix;   /* of every key: the settings' */
    const struct redis_settings *settings;
    struct arena *arena;  /* the batch's */
    struct bytes scratch; /* JSON being written */
    struct series_hours hours;
    int64_t now_ms;       /* when the newest record of the batch was written to Kafka */
    struct resp followups; /* of the batch, arguments for followups_trim: ids and customers */
    size_t followup_count;
    struct kpi_places kpis;
    struct resp forgotten;  /* arguments for forgotten_write, none of them a command */
    size_t forgotten_count; /* threes of them */
    bool is_superseded; /* a later record of this batch has the same topic and key: only what adds up is still wanted of this one */
};

/* kpis: noted in projection->kpis, and closed hours in projection->hours, for the batch's end */
void project_kpi(struct projection *projection, const struct kpi *kpi);
/* What was noted → ts:kpi:KPI:WINDOW, one command each. Returns what kpis_publish wants; it forgets the rest. */
const struct kpi_place *kpis_write(struct projection *projection);
void kpis_forget(struct projection *projection);
/* → ts:live:kpis */
void kpis_publish(const struct kpi_place *places, const char *prefix, struct resp *commands);
/* A tombstone in kpis, key KPI|WINDOW|DIMENSION: the window has been empty for a whole length; its field goes, with the longest one ts:series as well. */
void project_kpi_gone(struct projection *projection, struct view key, int64_t at_ms);

/* alerts → ts:alerts, ts:live:alerts; the alert that is a case (alert_id = case_id) also → ts:case:ID, ts:hot, any other as below */
void project_alert(struct projection *projection, const struct alert *alert);
/* alerts that are no cases, while they are open → what open_alerts.h has; one of a missed or burning target also → ts:off_target,
 * ts:off_target:alerts.
 * `json`: the alert's. */
void project_open_alert(struct projection *projection, const struct alert *alert, struct view json);

/* touchpoints.enriched → ts:journey:ID and the fast-moving fields of ts:customer:ID. CustomerForgotten: all that goes, and what forgotten_write makes go. */
void project_enriched(struct projection *projection, const struct enriched_touchpoint *enriched);

/* journeys → the other fields of ts:customer:ID. A tombstone, of when it was written: the customer is forgotten, and what the other topic told of them up to
 * then goes as well. */
void project_journey(struct projection *projection, const struct journey *journey);
void project_journey_gone(struct projection *projection, struct view customer_id, int64_t at_ms);

/* followups → ts:followups, ts:followups:CUSTOMER, ts:followup:ID; trim, once a batch, makes those leave that were due 30 days ago, and of the batch's
 * those of who was forgotten since they were due. */
void project_followup(struct projection *projection, const struct follow_up *followup);
void followups_trim(struct projection *projection);
void followups_clear(struct projection *projection);

/* Whom and what the batch makes Redis forget beyond the keys of their own: noted, and written at the batch's end. */
void forgotten_note_customer(struct projection *projection, struct view customer_id, int64_t at_ms);
void forgotten_note_alert(struct projection *projection, struct view alert_id);
void forgotten_write(struct projection *projection);
void forgotten_clear(struct projection *projection);

void project_shift(struct projection *projection, const struct trend_shift *shift);

#endif
