#include "sinks/notify/delivery.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "schemas/wire.h"
#include "sinks/notify/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { SEND_TIMEOUT_MS = 10000 };

void delivery_init(struct delivery *delivery, const struct notify_config *config, const struct receiver *receiver,
                   struct publisher *undelivered, atomic_bool *stop)
{
    struct bytes labels = {0};
    metrics_label(&labels, "receiver", receiver->name);
    *delivery = (struct delivery){
        .config = config,
        .receiver = receiver,
        .undelivered = undelivered,
        .stop = stop,
        .http = http_client_create(),
        .sent_total = metrics_counter("touchstream_notify_sent_total", bytes_text(&labels), "Alerts a receiver took."),
        .failed_total = metrics_counter("touchstream_notify_failed_total", bytes_text(&labels), "Attempts a receiver did not take."),
        .undelivered_total =
            metrics_counter("touchstream_notify_undelivered_total", bytes_text(&labels), "Alerts put into alerts.undelivered.")};
    bytes_finish(&labels);
}

void delivery_finish(struct delivery *delivery)
{
    http_client_destroy(delivery->http);
}

enum verdict { TAKEN, BUSY, REFUSED };

/* 408, 425, 429 and all 5xx may work later; any other 4xx or a redirect will not. */
static enum verdict verdict_of(long status)
{
    if (status >= 200 && status < 300)
        return TAKEN;
    if (status == 0 || status >= 500 || status == 408 || status == 425 || status == 429)
        return BUSY;
    return REFUSED;
}

/* For people, and for a field of a record that other clients read as text. */
static void tell_why(const struct http_response *response, char *why, size_t why_size)
{
    int begun = response->status ? snprintf(why, why_size, "HTTP %ld: ", response->status) : 0;
    utf8_copy(why + begun, why_size - (size_t)begun, response->status ? bytes_view(&response->body) : view_of_text(response->error));
}

/* What is tried until it is settled. */
struct parcel {
    char id[320];     /* webhook-id */
    struct view key;  /* of the record in alerts.undelivered */
    struct bytes body;
    size_t alerts;
};

static enum verdict send_once(struct delivery *delivery, const struct parcel *parcel, struct http_response *response)
{
    char id_header[340], seconds[24], time_header[64];
    struct bytes signature = {0};
    struct view body = bytes_view(&parcel->body);
    snprintf(id_header, sizeof id_header, "webhook-id: %s", parcel->id);
    snprintf(seconds, sizeof seconds, "%" PRId64, clock_now_ms(delivery->config->clock) / 1000);
    snprintf(time_header, sizeof time_header, "webhook-timestamp: %s", seconds);
    bytes_append_text(&signature, "webhook-signature: ");
    message_sign(&signature, delivery->receiver, parcel->id, seconds, body);

    bool is_signed = delivery->receiver->form == RECEIVER_JSON && delivery->receiver->secret[0];
    const char *headers[] = {"Content-Type: application/json", id_header, time_header,
                             is_signed ? bytes_text(&signature) : NULL, NULL};
    struct http_request request = {.method = "POST", .url = delivery->receiver->url, .headers = headers, .body = body,
                                   .timeout_ms = SEND_TIMEOUT_MS, .stop = delivery->stop};
    http_client_send(delivery->http, &request, response);
    bytes_finish(&signature);
    return verdict_of(response->status);
}

/* The one planned, or what the receiver asks for, and never above the most: it is doubled from there, for hours maybe. */
static int64_t next_pause_ms(int64_t planned_ms, long asked_s, int64_t most_ms)
{
    int64_t pause_ms = asked_s > planned_ms / 1000 ? asked_s > most_ms / 1000 ? most_ms : asked_s * INT64_C(1000) : planned_ms;
    return pause_ms < most_ms ? pause_ms : most_ms;
}

/* Sleeps in small steps so that a stop is noticed. false: stopped. */
static bool pause_for(struct delivery *delivery, int64_t pause_ms)
{
    for (; pause_ms > 0 && !atomic_load(delivery->stop); pause_ms -= 50)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    return !atomic_load(delivery->stop);
}

static void keep_undelivered(struct delivery *delivery, const struct parcel *parcel, const char *why, int attempts)
{
    struct bytes value = {0}, topic = {0}, source = {0};
    bytes_printf(&source, "notify:%s", delivery->receiver->name);
    bytes_printf(&topic, "%salerts.undelivered", delivery->config->kafka->topic_prefix);
    struct rejected rejected = {.received_at_ms = clock_now_ms(delivery->config->clock),
                                .source = bytes_view(&source),
                                .code = VIEW_LITERAL("undelivered"),
                                .path = VIEW_LITERAL(""),
                                .reason = view_of_text(why),
                                .payload = bytes_view(&parcel->body),
                                .attempt = attempts};
    wire_begin(&value, delivery->config->rejected_schema_id);
    rejected_encode(&value, &rejected);
    publisher_send(delivery->undelivered, bytes_text(&topic), -1, parcel->key, bytes_view(&value),
                   rejected.received_at_ms, NULL);
    publisher_flush(delivery->undelivered, 10000);
    metric_add(delivery->undelivered_total, (double)parcel->alerts);
    log_error("could not deliver an alert, kept in alerts.undelivered", "receiver", delivery->receiver->name, "alert",
              parcel->id, "error", why, NULL);
    bytes_finish(&value);
    bytes_finish(&topic);
    bytes_finish(&source);
}

/* false: stopped. */
static bool deliver(struct delivery *delivery, const struct parcel *parcel)
{
    const struct notify_settings *settings = delivery->config->settings;
    int64_t begun_us = clock_monotonic_us(), pause_ms = settings->retry_first_ms;
    for (int attempt = 1;; attempt++) {
        char why[220];
        struct http_response response;
        enum verdict verdict = send_once(delivery, parcel, &response);
        tell_why(&response, why, sizeof why);
        bytes_finish(&response.body);
        bool is_too_late = (clock_monotonic_us() - begun_us) / 1000 >= settings->give_up_after_ms;
        metric_add(verdict == TAKEN ? delivery->sent_total : delivery->failed_total, verdict == TAKEN ? (double)parcel->alerts : 1);
        if (verdict == TAKEN)
            return true;
        if (verdict == REFUSED || is_too_late) {
            keep_undelivered(delivery, parcel, why, attempt);
            return true;
        }
        if (attempt == 1 && !atomic_load(delivery->stop))
            log_warning("a receiver does not take an alert, trying again", "receiver", delivery->receiver->name, "error", why, NULL);
        pause_ms = next_pause_ms(pause_ms, response.retry_after_s, settings->retry_most_ms);
        if (!pause_for(delivery, pause_ms))
            return false;
        pause_ms *= 2;
    }
}

/* Who is told again is to take that for no repeat of the same message. */
static void append_id(struct bytes *out, const struct alert *alert, int64_t told_again_ms)
{
    bytes_printf(out, "%.*s.%" PRId32, VIEW_ARGUMENTS(alert->alert_id), alert->revision);
    if (told_again_ms)
        bytes_printf(out, ".%" PRId64, told_again_ms / 1000);
}

static struct parcel parcel_of(const struct alert *alert, int64_t told_again_ms)
{
    struct parcel parcel = {.key = alert->alert_id, .alerts = 1};
    struct bytes id = {0};
    append_id(&id, alert, told_again_ms);
    snprintf(parcel.id, sizeof parcel.id, "%s", bytes_text(&id));
    bytes_finish(&id);
    return parcel;
}

bool delivery_send(struct delivery *delivery, const struct alert *alert, int64_t waited_ms, int64_t told_again_ms)
{
    struct parcel parcel = parcel_of(alert, told_again_ms);
    message_write(&parcel.body, delivery->receiver, alert, delivery->config->settings->dashboard_url, waited_ms);
    bool is_settled = deliver(delivery, &parcel);
    bytes_finish(&parcel.body);
    return is_settled;
}

/* The same alerts at the same revisions have the same id. */
static void name_group(struct parcel *parcel, const struct group_message *group)
{
    static const struct uuid space = {{0x74, 0x6f, 0x75, 0x63, 0x68, 0x50, 0x40, 0, 0x80, 0, 0x67, 0x72, 0x6f, 0x75, 0x70, 0x73}};
    struct bytes all = {0};
    char text[UUID_TEXT_SIZE + 1];
    for (size_t i = 0; i < group->count; i++) {
        append_id(&all, &group->alerts[i], group->told_again_ms ? group->told_again_ms[i] : 0);
        bytes_append_byte(&all, ' ');
    }
    struct uuid uuid = uuid_version5(&space, bytes_view(&all));
    uuid_format(&uuid, text);
    snprintf(parcel->id, sizeof parcel->id, "group-%s", text);
    bytes_finish(&all);
}

bool delivery_send_group(struct delivery *delivery, const struct group_message *group)
{
    struct parcel parcel = {.key = group->alerts[0].alert_id, .alerts = group->count};
    name_group(&parcel, group);
    message_write_group(&parcel.body, delivery->receiver, group, delivery->config->settings->dashboard_url);
    bool is_settled = deliver(delivery, &parcel);
    bytes_finish(&parcel.body);
    return is_settled;
}

bool delivery_send_once(struct delivery *delivery, const struct alert *alert, struct http_response *response)
{
    const char *dashboard_url = delivery->config->settings->dashboard_url;
    struct parcel parcel = parcel_of(alert, 0);
    struct bytes key = {0};
    int64_t waited_ms = 0;
    const struct grouping *grouping = &delivery->receiver->grouping;
    grouping_append_key(&key, grouping, alert);
    const struct group_message group = {alert, &waited_ms, 1, bytes_view(&key)};
    if (grouping->is_on)
        message_write_group(&parcel.body, delivery->receiver, &group, dashboard_url);
    else
        message_write(&parcel.body, delivery->receiver, alert, dashboard_url, 0);
    bool is_taken = send_once(delivery, &parcel, response) == TAKEN;
    bytes_finish(&parcel.body);
    bytes_finish(&key);
    return is_taken;
}

bool delivery_send_digest(struct delivery *delivery, const struct digest_summary *summary)
{
    struct parcel parcel = {.alerts = summary->count};
    char until[TIME_TEXT_SIZE];
    time_text_format(until, summary->until_ms);
    snprintf(parcel.id, sizeof parcel.id, "digest-%.100s-%s", delivery->receiver->name, until);
    parcel.key = view_of_text(parcel.id);
    digest_write(&parcel.body, delivery->receiver, summary, delivery->config->settings->dashboard_url);
    bool is_settled = deliver(delivery, &parcel);
    bytes_finish(&parcel.body);
    return is_settled;
}
