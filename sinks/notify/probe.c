#include "sinks/notify/probe.h"

#include "base/http_client.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "sinks/notify/delivery.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- a message --------------------------------------------------------------------------------------------------- */

/* No less grave than what the receiver is told, or what stands behind it might keep it to itself. */
static struct alert test_alert(const struct receiver *receiver, const char *id, const char *text, int64_t now_ms)
{
    return (struct alert){.alert_id = view_of_text(id),
                          .revision = 1,
                          .rule = VIEW_LITERAL("test"),
                          .kind = ALERT_KIND_DATA_QUALITY,
                          .severity = receiver->least,
                          .state = ALERT_STATE_OPEN,
                          .text = view_of_text(text),
                          .opened_at_ms = now_ms,
                          .changed_at_ms = now_ms};
}

/* The answer's first line is enough to know what it is. */
static void tell_answer(const struct http_response *response, bool is_good, int64_t took_ms, struct probe *probe)
{
    char body[200];
    utf8_copy(body, sizeof body, bytes_view(&response->body));
    body[strcspn(body, "\r\n")] = '\0';
    probe->is_good = is_good;
    if (response->status == 0)
        snprintf(probe->text, sizeof probe->text, "no answer in %" PRId64 " ms: %s", took_ms, response->error);
    else
        snprintf(probe->text, sizeof probe->text, "HTTP %ld in %" PRId64 " ms%s%s", response->status, took_ms, is_good || !body[0] ? "" : ": ",
                 is_good ? "" : body);
}

/* An incident that stays open would call the next in line, for a test. */
static void end_incident(struct delivery *delivery, struct alert *alert, struct probe *probe)
{
    struct http_response response;
    struct probe end;
    int64_t begun_us = clock_monotonic_us();
    alert->revision++;
    alert->state = ALERT_STATE_RESOLVED;
    alert->changed_at_ms = clock_now_ms(delivery->config->clock);
    bool is_good = delivery_send_once(delivery, alert, &response);
    tell_answer(&response, is_good, (clock_monotonic_us() - begun_us) / 1000, &end);
    size_t used = strlen(probe->text);
    snprintf(probe->text + used, sizeof probe->text - used, is_good ? ", resolved by a second message: %.300s" : "; the incident stays open, resolve it by hand: %.300s",
             end.text);
    probe->is_good &= is_good;
    bytes_finish(&response.body);
}

void probe_send(const struct notify_settings *settings, const struct receiver *receiver, struct clock *clock, struct probe *probe)
{
    const struct notify_config config = {.settings = settings, .clock = clock};
    atomic_bool stop = false;
    struct delivery delivery;
    struct http_response response;
    char id[48], host[128] = "", text[320];
    int64_t now_ms = clock_now_ms(clock), begun_us = clock_monotonic_us();
    gethostname(host, sizeof host - 1);
    snprintf(id, sizeof id, "test-%" PRId64, now_ms);
    snprintf(text, sizeof text, "TEST, nobody need act: touchstream on %s reaches the receiver '%.100s'", host, receiver->name);
    struct alert alert = test_alert(receiver, id, text, now_ms);
    delivery_init(&delivery, &config, receiver, NULL, &stop);
    bool is_good = delivery_send_once(&delivery, &alert, &response);
    tell_answer(&response, is_good, (clock_monotonic_us() - begun_us) / 1000, probe);
    bytes_finish(&response.body);
    if (is_good && receiver->form == RECEIVER_PAGERDUTY)
        end_incident(&delivery, &alert, probe);
    delivery_finish(&delivery);
}

/* --- a connection ------------------------------------------------------------------------------------------------ */

struct attempt {
    const struct receiver *receiver;
    struct probe *probe;
    pthread_t thread;
    bool has_thread;
};

static void *connect_one(void *context)
{
    struct attempt *attempt = context;
    char error[256];
    struct bytes shown = {0};
    struct http_client *client = http_client_create();
    http_url_show(&shown, attempt->receiver->url, false); /* what follows the host may be a secret */
    attempt->probe->is_good = http_client_connect(client, attempt->receiver->url, PROBE_CONNECT_MS, error, sizeof error);
    if (attempt->probe->is_good)
        snprintf(attempt->probe->text, sizeof attempt->probe->text, "receiver %s is reached at %s", attempt->receiver->name, bytes_text(&shown));
    else
        snprintf(attempt->probe->text, sizeof attempt->probe->text, "receiver %s is not reached at %s: %s; is its url right, and may this machine go there?", attempt->receiver->name,
                 bytes_text(&shown), error);
    bytes_finish(&shown);
    http_client_destroy(client);
    return NULL;
}

void probe_connect(const struct receiver *receivers, size_t count, struct probe *probes)
{
    struct attempt attempts[RECEIVERS_MAX];
    for (size_t i = 0; i < count; i++) {
        attempts[i] = (struct attempt){.receiver = &receivers[i], .probe = &probes[i]};
        attempts[i].has_thread = thread_create(&attempts[i].thread, connect_one, &attempts[i]) == 0;
        if (!attempts[i].has_thread)
            connect_one(&attempts[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (attempts[i].has_thread)
            pthread_join(attempts[i].thread, NULL);
}
