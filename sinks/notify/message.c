#include "sinks/notify/message.h"

#include "base/json_writer.h"
#include "base/signature.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "schemas/json_form.h"
#include "schemas/kpi_text.h"

static void append_link(struct bytes *out, const struct alert *alert, const char *dashboard_url)
{
    bytes_append_text(out, dashboard_url);
    if (alert->case_id.data) {
        bytes_append_text(out, "/#/cases/");
        bytes_append_view(out, alert->case_id);
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
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "text");
    json_write_text(&json, bytes_view(&text));
    json_close_object(&json);
    bytes_finish(&summary);
    bytes_finish(&text);
}

static const char *pagerduty_action(enum alert_state state)
{
    if (state == ALERT_STATE_RESOLVED || state == ALERT_STATE_VERIFIED || state == ALERT_STATE_EXPIRED)
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
