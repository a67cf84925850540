/* Alerts that are no cases, while they are open: into the lists of open_alerts.h, and out when they end. Each record says all of its
 * alert, and a list keeps one entry an alert, so what is applied twice changes nothing, and a Redis that was emptied has them again when
 * the topic has been read.
 *
 * What history says is nobody's concern and enters no list. It takes nothing out either: a report of old that arrives late must not hide
 * an alert that is open. */
#include "sinks/redis/open_alerts.h"
#include "sinks/redis/projection.h"

static const struct view NOTHING = {NULL, 0};

static void list(struct projection *projection, bool is_listed, const char *name, struct view more, double rank, struct view id)
{
    struct resp *commands = &projection->commands;
    resp_command(commands, is_listed ? 4 : 3, is_listed ? "ZADD" : "ZREM");
    resp_key(commands, projection->prefix, name, more);
    if (is_listed)
        resp_decimal(commands, rank);
    resp_view(commands, id);
}

static void keep(struct projection *projection, bool is_listed, const char *name, struct view id, struct view json)
{
    struct resp *commands = &projection->commands;
    resp_command(commands, is_listed ? 4 : 3, is_listed ? "HSET" : "HDEL");
    resp_key(commands, projection->prefix, name, NOTHING);
    resp_view(commands, id);
    if (is_listed)
        resp_view(commands, json);
}

static bool is_off_target(enum alert_kind kind)
{
    return kind == ALERT_KIND_KPI_THRESHOLD || kind == ALERT_KIND_SLA_BURN;
}

/* What misses its target now, or burns what it may miss of it: the gravest first, those of the whole before those of a part. */
static double rank_off_target(const struct alert *alert)
{
    return 1000 * (double)alert->severity + alert->score + (view_equal_text(alert->dimension, "all") ? 200 : 0);
}

void project_open_alert(struct projection *projection, const struct alert *alert, struct view json)
{
    bool is_open = alert->state == ALERT_STATE_OPEN;
    struct view id = alert->alert_id;
    double rank = (double)open_alert_rank(alert->severity, alert->opened_at_ms);
    if (is_open && alert->historical)
        return;
    list(projection, is_open, OPEN_ALERTS_OF_KIND, view_of_text(alert_kind_name(alert->kind)), rank, id);
    if (alert->customer_id.data)
        list(projection, is_open, OPEN_ALERTS_OF_CUSTOMER, alert->customer_id, rank, id);
    keep(projection, is_open, OPEN_ALERTS_JSON, id, json);
    if (is_off_target(alert->kind)) {
        list(projection, is_open, "off_target", NOTHING, rank_off_target(alert), id);
        keep(projection, is_open, "off_target:alerts", id, json);
    }
}
