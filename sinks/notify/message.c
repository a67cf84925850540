#include "sinks/notify/message.h"

#include "base/json_writer.h"
#include "base/percent_text.h"
#include "base/signature.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "schemas/alert_rules.h"
#include "schemas/json_form.h"
#include "schemas/kpi_text.h"

/* Where the page has most about it: the case, the customer, the KPI's course (by the first of its dimensions), else what is open. */
static void append_link(struct bytes *out, const struct alert *alert, const char *dashboard_url)
{
    bytes_append_text(out, dashboard_url);
    if (alert->case_id.data) {
        bytes_append_text(out, "/#/cases/");
        percent_append(out, alert->case_id);
    } else if (alert->customer_id.data) {
        bytes_append_text(out, "/#/customers/");
        percent_append(out, alert->customer_id);
    } else if (alert->kpi.data) {
        const char *equals = alert->dimension.data ? memchr(alert->dimension.data, '=', alert->dimension.size) : NULL;
        bytes_append_text(out, "/#/trends/");
        percent_append(out, alert->kpi);
        if (equals)
            bytes_append_byte(out, '/');
        percent_append(out, view_of(alert->dimension.data, equals ? (size_t)(equals - alert->dimension.data) : 0));
    } else {
        bytes_append_text(out, "/#/alerts");
    }
}

static void write_json(struct bytes *out, const struct alert *alert, const char *dashboard_url, int64_t waited_ms)
{
    struct bytes data = {0}, link = {0};
    char at[TIME_TEXT_SIZE];
    record_to_json(&data, &alert_shape, alert);
    append_link(&link, alert, dashboard_url);
    time_text_format(at, alert->changed_at_ms);
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "type");
    json_write_text(&json, VIEW_LITERAL("touchstream.alert"));
    json_key(&json, "timestamp");
    json_write_text(&json, view_of_text(at));
    json_key(&json, "url");
    json_write_text(&json, bytes_view(&link));
    if (waited_ms > 0) {
        json_key(&json, "unacknowledged_ms");
        json_write_integer(&json, waited_ms);
    }
    json_key(&json, "data");
    json_write_raw(&json, bytes_view(&data));
    json_close_object(&json);
    bytes_finish(&data);
    bytes_finish(&link);
}

/* Slack's three control characters. */
static void append_escaped(struct bytes *out, struct view text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bytes_append_text(out, c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : (char[]){c, '\0'});
    }
}

static void append_summary(struct bytes *out, const struct alert *alert, int64_t waited_ms)
{
    char waited[KPI_TEXT_SIZE];
    kpi_text_duration(waited, (double)waited_ms);
    if (waited_ms > 0)
        bytes_printf(out, "Nobody has acknowledged it for %s: ", waited);
    bytes_printf(out, "%s %s", severity_name(alert->severity), alert_state_name(alert->state));
    if (alert->customer_id.data) {
        bytes_append_text(out, " · customer ");
        bytes_append_view(out, alert->customer_id);
    }
    if (alert->ticket_id.data) {
        bytes_append_text(out, " · ticket ");
        bytes_append_view(out, alert->ticket_id);
    }
    bytes_append_text(out, ": ");
    bytes_append_view(out, alert->text.size ? alert->text : alert->rule);
}

void message_write_text(struct bytes *out, struct view text)
{
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "text");
    json_write_text(&json, text);
    json_close_object(&json);
}

static void write_slack(struct bytes *out, const struct alert *alert, const char *dashboard_url, int64_t waited_ms)
{
    struct bytes summary = {0}, text = {0};
    append_summary(&summary, alert, waited_ms);
    append_escaped(&text, bytes_view(&summary));
    for (size_t i = 0; i < alert->reasons.count; i++) {
        bytes_append_text(&text, "\n• ");
        append_escaped(&text, alert->reasons.items[i].text);
    }
    bytes_append_text(&text, "\n<");
    append_link(&text, alert, dashboard_url);
    bytes_append_text(&text, "|open>");
    message_write_text(out, bytes_view(&text));
    bytes_finish(&summary);
    bytes_finish(&text);
}

static const char *pagerduty_action(enum alert_state state)
{
    if (alert_is_over(state))
        return "resolve";
    return state == ALERT_STATE_OPEN ? "trigger" : "acknowledge";
}

/* Events v2 refuses a longer one. */
enum { PAGERDUTY_SUMMARY_MAX = 1024 };

static void write_pagerduty(struct bytes *out, const struct receiver *receiver, const struct alert *alert, const char *dashboard_url,
                            int64_t waited_ms)
{
    static const char *const severities[] = {"info", "warning", "critical"};
    struct bytes summary = {0}, details = {0}, link = {0};
    append_summary(&summary, alert, waited_ms);
    append_link(&link, alert, dashboard_url);
    record_to_json(&details, &alert_shape, alert);
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "routing_key");
    json_write_text(&json, view_of_text(receiver->secret));
    json_key(&json, "event_action");
    json_write_text(&json, view_of_text(pagerduty_action(alert->state)));
    json_key(&json, "dedup_key");
    json_write_text(&json, alert->alert_id);
    json_key(&json, "client");
    json_write_text(&json, VIEW_LITERAL("touchstream"));
    json_key(&json, "client_url");
    json_write_text(&json, bytes_view(&link));
    json_key(&json, "payload");
    json_open_object(&json);
    json_key(&json, "summary");
    json_write_text(&json, utf8_prefix(bytes_view(&summary), PAGERDUTY_SUMMARY_MAX));
    json_key(&json, "source");
    json_write_text(&json, VIEW_LITERAL("touchstream"));
    json_key(&json, "severity");
    json_write_text(&json, view_of_text(severities[alert->severity]));
    json_key(&json, "custom_details");
    json_write_raw(&json, bytes_view(&details));
    json_close_object(&json);
    json_close_object(&json);
    bytes_finish(&summary);
    bytes_finish(&details);
    bytes_finish(&link);
}

void message_write(struct bytes *out, const struct receiver *receiver, const struct alert *alert,
                   const char *dashboard_url, int64_t waited_ms)
{
    if (receiver->form == RECEIVER_SLACK)
        write_slack(out, alert, dashboard_url, waited_ms);
    else if (receiver->form == RECEIVER_PAGERDUTY)
        write_pagerduty(out, receiver, alert, dashboard_url, waited_ms);
    else
        write_json(out, alert, dashboard_url, waited_ms);
}

/* --- several --- */

static void write_json_group(struct bytes *out, const struct group_message *group, const char *dashboard_url)
{
    char at[TIME_TEXT_SIZE];
    int64_t newest_ms = INT64_MIN;
    for (size_t i = 0; i < group->count; i++)
        newest_ms = group->alerts[i].changed_at_ms > newest_ms ? group->alerts[i].changed_at_ms : newest_ms;
    time_text_format(at, newest_ms);
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "type");
    json_write_text(&json, VIEW_LITERAL("touchstream.alerts"));
    json_key(&json, "timestamp");
    json_write_text(&json, view_of_text(at));
    json_key(&json, "url");
    json_write_text(&json, view_of_text(dashboard_url));
    json_key(&json, "group");
    json_write_raw(&json, group->key);
    if (group->parts > 1) {
        json_key(&json, "part");
        json_write_integer(&json, (int64_t)group->part);
        json_key(&json, "parts");
        json_write_integer(&json, (int64_t)group->parts);
    }
    json_key(&json, "alerts");
    json_open_array(&json);
    for (size_t i = 0; i < group->count; i++) {
        struct bytes one = {0};
        write_json(&one, &group->alerts[i], dashboard_url, group->waited_ms[i]);
        json_write_raw(&json, bytes_view(&one));
        bytes_finish(&one);
    }
    json_close_array(&json);
    json_close_object(&json);
}

void message_append_line(struct bytes *text, const struct alert *alert, const char *dashboard_url, int64_t waited_ms)
{
    struct bytes words = {0};
    append_summary(&words, alert, waited_ms);
    bytes_append_text(text, "\n• ");
    append_escaped(text, bytes_view(&words));
    bytes_append_text(text, " <");
    append_link(text, alert, dashboard_url);
    bytes_append_text(text, "|open>");
    bytes_finish(&words);
}

enum { SLACK_LINES_MAX = 20 };

/* «12 alerts, 9 of them open · kpi.target · csat», and a line each. */
static void append_slack_list(struct bytes *text, const struct receiver *receiver, const struct group_message *group, const char *dashboard_url)
{
    struct bytes words = {0};
    size_t open = 0;
    for (size_t i = 0; i < group->count; i++)
        open += !alert_is_over(group->alerts[i].state);
    bytes_printf(&words, "%zu alerts, %zu of them open", group->count, open);
    grouping_append_words(&words, &receiver->grouping, &group->alerts[0]);
    append_escaped(text, bytes_view(&words));
    for (size_t i = 0; i < group->count && i < SLACK_LINES_MAX; i++)
        message_append_line(text, &group->alerts[i], dashboard_url, group->waited_ms[i]);
    if (group->count > SLACK_LINES_MAX)
        bytes_printf(text, "\nand %zu more <%s|open>", group->count - SLACK_LINES_MAX, dashboard_url);
    bytes_finish(&words);
}

void message_write_group(struct bytes *out, const struct receiver *receiver, const struct group_message *group, const char *dashboard_url)
{
    if (receiver->form == RECEIVER_JSON) {
        write_json_group(out, group, dashboard_url);
        return;
    }
    if (group->count == 1) {
        message_write(out, receiver, &group->alerts[0], dashboard_url, group->waited_ms[0]);
        return;
    }
    struct bytes text = {0};
    append_slack_list(&text, receiver, group, dashboard_url);
    message_write_text(out, bytes_view(&text));
    bytes_finish(&text);
}

void message_sign(struct bytes *out, const struct receiver *receiver, const char *id, const char *seconds, struct view body)
{
    struct bytes signed_text = {0};
    unsigned char raw[SIGNATURE_SIZE];
    struct view key = receiver->key_size ? view_of((const char *)receiver->key, receiver->key_size) : view_of_text(receiver->secret);
    bytes_printf(&signed_text, "%s.%s.", id, seconds);
    bytes_append_view(&signed_text, body);
    signature_hmac_sha256(raw, key, bytes_view(&signed_text));
    bytes_append_text(out, "v1,");
    signature_append_base64(out, view_of((const char *)raw, sizeof raw));
    bytes_finish(&signed_text);
}
