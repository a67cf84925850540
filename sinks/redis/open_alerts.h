/* What is open now of all alerts that are no cases (those stand in ts:hot): how it lies in Redis, for who writes it and who asks.
 *
 *   ts:alerts:open:KIND     zset: alert ids, the gravest first, of equally grave ones the latest
 *   ts:alerts:open:json     hash: alert id → the alert as `alerts` has it, JSON
 *   ts:alerts:of:CUSTOMER   zset: alert ids of one customer, as above
 *
 * A zset a kind, not one for all: what is most (100,000 orders that did not come) hides nothing else, and how many there are of each kind
 * and severity is a count that Redis knows without reading them. There is no cap: one that let go of an alert could not take it back
 * when others end, and none is open without a customer or a series behind it, who takes more room than the alert. */
#ifndef TS_SINKS_REDIS_OPEN_ALERTS_H
#define TS_SINKS_REDIS_OPEN_ALERTS_H

#include "schemas/records.h"
#include "sinks/redis/redis_link.h"

#define OPEN_ALERTS_JSON "alerts:open:json"
#define OPEN_ALERTS_OF_KIND "alerts:open"
#define OPEN_ALERTS_OF_CUSTOMER "alerts:of"

/* May an alert of this kind be open without being a case? */
bool open_alerts_has_kind(enum alert_kind kind);

/* Rank in the zsets, and the least rank of a severity. */
int64_t open_alert_rank(enum severity severity, int64_t opened_at_ms);
int64_t open_alert_least_rank(enum severity severity);

struct open_alert_counts {
    int64_t of[ALERT_KIND_COUNT][SEVERITY_COUNT];
};

/* Adds the commands that count, so that they travel with others; `answers` are those to them alone. */
void open_alerts_ask_counts(struct resp *commands, const char *prefix);
void open_alerts_read_counts(struct open_alert_counts *counts, const struct redis_answer *answers);

#endif
