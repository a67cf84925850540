/* An alert as the body of a webhook, in the form the receiver takes. */
#ifndef TS_SINKS_NOTIFY_MESSAGE_H
#define TS_SINKS_NOTIFY_MESSAGE_H

#include "sinks/notify/receivers.h"

/* `waited_ms`: so long nobody has acknowledged it, that is why the receiver is told; 0: as it happens. JSON:
 * {"type": "touchstream.alert", "timestamp": …, "data": the alert's JSON form, "url": …, "unacknowledged_ms" if so} (Standard Webhooks).
 * SLACK: {"text": …} as incoming webhooks take it, &, < and > escaped. PAGERDUTY: Events API v2, one incident an alert:
 * trigger while open, acknowledge, resolve; the receiver's secret is the routing key. */
void message_write(struct bytes *out, const struct receiver *receiver, const struct alert *alert,
                   const char *dashboard_url, int64_t waited_ms);

/* Several alerts, the gravest first, and what they have in common. */
struct group_message {
    const struct alert *alerts;
    const int64_t *waited_ms; /* of each */
    size_t count;             /* one at least */
    struct view key;          /* JSON (grouping.h) */
    const int64_t *told_again_ms; /* of each: told before, then; 0: not; for the message's id. NULL: none is */
    size_t part, parts;       /* of a group that is too large for one message: 2 of 3; 0 of 0 and 1 of 1: it is not */
};

enum { GROUP_PART_MOST = 200 };

/* JSON: {"type": "touchstream.alerts", "timestamp": …, "url": the dashboard, "group": the key, "part", "parts" of several, "alerts": each as its message by itself would be}, of
 * one alert, too. SLACK: a list, its head with the number and what they have in common; what is beyond twenty is counted only («and 37 more»); one alert is as by itself. */
void message_write_group(struct bytes *out, const struct receiver *receiver, const struct group_message *group, const char *dashboard_url);

/* What they are made of: a line «• CRITICAL OPEN …» of Slack's text, and {"text": …}. */
void message_append_line(struct bytes *text, const struct alert *alert, const char *dashboard_url, int64_t waited_ms);
void message_write_text(struct bytes *out, struct view text);

/* Appends the value of webhook-signature, as Standard Webhooks 1.0 has it: v1, and base64 of HMAC-SHA256 over "id.seconds.body". */
void message_sign(struct bytes *out, const struct receiver *receiver, const char *id, const char *seconds, struct view body);

#endif
