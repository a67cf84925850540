#include "sinks/redis/open_alerts.h"

/* Instants of this millennium have fewer digits than a step, and all ranks are whole numbers that a double holds. */
static const int64_t SEVERITY_STEP = INT64_C(10000000000000);

bool open_alerts_has_kind(enum alert_kind kind)
{
    return kind != ALERT_KIND_HOT_TICKET && kind != ALERT_KIND_NEGATIVE_FEEDBACK;
}

int64_t open_alert_least_rank(enum severity severity)
{
    return (int64_t)severity * SEVERITY_STEP;
}

int64_t open_alert_rank(enum severity severity, int64_t opened_at_ms)
{
    int64_t within = opened_at_ms < 0 ? 0 : opened_at_ms < SEVERITY_STEP ? opened_at_ms : SEVERITY_STEP - 1;
    return open_alert_least_rank(severity) + within;
}

void open_alerts_ask_counts(struct resp *commands, const char *prefix)
{
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        for (int severity = 0; severity < SEVERITY_COUNT; severity++) {
            resp_command(commands, 4, "ZCOUNT");
            resp_key(commands, prefix, OPEN_ALERTS_OF_KIND, view_of_text(alert_kind_name((enum alert_kind)kind)));
            resp_integer(commands, open_alert_least_rank((enum severity)severity));
            resp_integer(commands, open_alert_rank((enum severity)severity, INT64_MAX));
        }
    }
}

void open_alerts_read_counts(struct open_alert_counts *counts, const struct redis_answer *answers)
{
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        for (int severity = 0; severity < SEVERITY_COUNT; severity++)
            counts->of[kind][severity] = (answers++)->integer;
    }
}
