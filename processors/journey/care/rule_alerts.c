#include "processors/journey/care/rule_alerts.h"

#include "base/memory.h"
#include "processors/journey/tickets/tickets.h"

#include <stdio.h>
#include <stdlib.h>

struct rule {
    enum alert_kind kind;
    enum severity severity;
    const char *text; /* with the subject, and when it was due */
};

static const struct rule rules[RULE_COUNT] = {
    [RULE_FIRST_RESPONSE_WARNING] = {ALERT_KIND_SLA_WARNING, SEVERITY_WARNING, "The first response to ticket %s is due soon"},
    [RULE_FIRST_RESPONSE_BREACH] = {ALERT_KIND_SLA_BREACH, SEVERITY_CRITICAL, "Ticket %s was not answered in time"},
    [RULE_RESOLUTION_WARNING] = {ALERT_KIND_SLA_WARNING, SEVERITY_WARNING, "The resolution of ticket %s is due soon"},
    [RULE_RESOLUTION_BREACH] = {ALERT_KIND_SLA_BREACH, SEVERITY_CRITICAL, "Ticket %s was not resolved in time"},
    [RULE_DEVICE_CRITICAL] = {ALERT_KIND_DEVICE, SEVERITY_CRITICAL, "Device %s reports a critical state"},
    [RULE_CHURN_RISK] = {ALERT_KIND_CHURN_RISK, SEVERITY_WARNING, "The customer may be about to leave%s"},
    [RULE_ABSENCE_DELIVERY] = {ALERT_KIND_ABSENCE, SEVERITY_WARNING, "Order %s has not been delivered; it was due by %s"},
    [RULE_ABSENCE_USE] = {ALERT_KIND_ABSENCE, SEVERITY_INFO, "The product has not been used since %s; first use was expected by %s"},
    [RULE_ABSENCE_RENEWAL] = {ALERT_KIND_ABSENCE, SEVERITY_WARNING, "Subscription %s was neither renewed nor ended; its term was over on %s"},
};

/* With the instant it opened: the same trouble, long after its alert is forgotten, is another alert, and not again revision 1 of the
 * old one, which receivers would take for a repetition. */
static struct uuid alert_id_of(const struct turn *turn, enum alert_rule rule, uint64_t scope, int64_t opened_at_ms)
{
    static const struct uuid space = {{0x74, 0x6f, 0x75, 0x63, 0x68, 0x50, 0x40, 0, 0x80, 0, 0x61, 0x6c, 0x65, 0x72, 0x74, 0x73}};
    char name[96];
    int size = snprintf(name, sizeof name, "%s %016llx %lld", alert_rule_names[rule], (unsigned long long)scope, (long long)opened_at_ms);
    struct uuid customer = uuid_version5(&space, turn->customer_id);
    return uuid_version5(&customer, view_of(name, (size_t)size));
}

/* --- telling --- */

void rule_alert_tell_so(struct turn *turn, struct rule_alert *alert, enum alert_state state, int64_t at_ms, const char *text)
{
    const struct rule *rule = &rules[alert->rule];
    char id[UUID_TEXT_SIZE + 1], case_id[UUID_TEXT_SIZE + 1];
    uuid_format(&alert->id, id);
    uuid_format(&alert->case_id, case_id);
    bool has_event = alert->rule != RULE_CHURN_RISK;
    alert->state = (uint8_t)state;
    alert->changed_at_ms = at_ms;
    alert->revision++;
    struct alert_reason reason = {.code = view_of_text(alert_rule_names[alert->rule]), .has_event_id = has_event, .event_id = alert->event,
                                  .text = view_of_text(text)};
    struct alert record = {.alert_id = view_of(id, UUID_TEXT_SIZE),
                           .revision = alert->revision,
                           .case_id = alert->has_case ? view_of(case_id, UUID_TEXT_SIZE) : (struct view){NULL, 0},
                           .rule = reason.code,
                           .kind = rule->kind,
                           .severity = (enum severity)alert->severity,
                           .state = state,
                           .customer_id = turn->customer_id,
                           .ticket_id = alert->ticket && alert->subject ? view_of_text(alert->subject) : (struct view){NULL, 0},
                           .score = alert->score,
                           .reasons = {&reason, 1},
                           .text = reason.text,
                           .opened_at_ms = alert->opened_at_ms,
                           .has_due_at = alert->due_at_ms != NEVER_MS,
                           .due_at_ms = alert->due_at_ms != NEVER_MS ? alert->due_at_ms : 0,
                           .changed_at_ms = at_ms,
                           .historical = alert->is_historical};
    turn_send_alert(turn, &record);
}

void rule_alert_time(char text[TIME_TEXT_SIZE], int64_t at_ms)
{
    time_text_format(text, at_ms);
    text[10] = ' ';
    memcpy(text + 16, " UTC", 5);
}

void rule_alert_tell(struct turn *turn, struct rule_alert *alert, enum alert_state state, int64_t at_ms)
{
    char text[ALERT_TEXT_MAX], due[TIME_TEXT_SIZE] = "";
    if (alert->due_at_ms != NEVER_MS)
        rule_alert_time(due, alert->due_at_ms);
    snprintf(text, sizeof text, rules[alert->rule].text, alert->subject ? alert->subject : "", due);
    rule_alert_tell_so(turn, alert, state, at_ms, text);
}

static void alert_remove(struct room *room, struct care *care, uint32_t number)
{
    room_give(room, care->alerts[number].subject);
    memmove(care->alerts + number, care->alerts + number + 1, (care->alert_count - number - 1) * sizeof *care->alerts);
    care->alerts = room_array_shrink(room, care->alerts, --care->alert_count, sizeof *care->alerts);
}

/* The oldest that is over leaves, else the oldest of all expires. A deadline whose alert left has none any more. */
static void alerts_make_room(struct turn *turn, struct care *care)
{
    if (care->alert_count < turn->settings->alerts_max)
        return;
    uint32_t number = 0;
    for (uint32_t i = 0; i < care->alert_count; i++) {
        if (!rule_alert_is_live(&care->alerts[i])) {
            number = i;
            break;
        }
    }
    struct rule_alert *alert = &care->alerts[number];
    if (rule_alert_is_live(alert))
        rule_alert_tell(turn, alert, ALERT_STATE_EXPIRED, turn->at_ms);
    if (alert->ticket && alert->opened_at_ms > care->promises_from_ms)
        care->promises_from_ms = alert->opened_at_ms;
    alert_remove(&turn->customer->room, care, number);
}

void rule_alert_open(struct turn *turn, struct rule_alert alert, const char *subject, int64_t at_ms)
{
    struct care *care = customer_care(turn->customer);
    turn->promises_are_stale = true;
    alerts_make_room(turn, care);
    alert.id = alert_id_of(turn, alert.rule, alert.scope, at_ms);
    alert.severity = (uint8_t)rules[alert.rule].severity;
    alert.opened_at_ms = at_ms;
    alert.has_case = case_alerts_live_id(turn, &alert.case_id);
    alert.subject = care_text_copy(&turn->customer->room, view_of_text(subject), CARE_TEXT_MAX);
    alert.is_historical = turn_is_historical(turn, at_ms);
    care->alerts = room_array_grow(&turn->customer->room, care->alerts, care->alert_count, sizeof *care->alerts);
    care->alerts[care->alert_count] = alert;
    rule_alert_tell(turn, &care->alerts[care->alert_count++], ALERT_STATE_OPEN, at_ms);
}

/* --- their end --- */

/* What is over for as long as anything may expire is forgotten; what is open for so long expires. */
void rule_alerts_age(struct turn *turn)
{
    struct care *care = turn->customer->care;
    for (uint32_t i = care ? care->alert_count : 0; i > 0; i--) {
        struct rule_alert *alert = &care->alerts[i - 1];
        bool is_old = turn->at_ms - alert->changed_at_ms >= turn->settings->expire_after_ms;
        bool is_held = alert->ticket && tickets_find(turn->customer, alert->ticket) &&
                       tickets_find(turn->customer, alert->ticket)->id; /* it would come again */
        if (!is_old || is_held)
            continue;
        if (rule_alert_is_live(alert))
            rule_alert_tell(turn, alert, ALERT_STATE_EXPIRED, turn->at_ms);
        alert_remove(&turn->customer->room, care, i - 1);
        turn->promises_are_stale = true;
    }
}

void rule_alerts_forget(struct turn *turn)
{
    struct care *care = turn->customer->care;
    turn->customer_id = (struct view){NULL, 0};
    for (uint32_t i = 0; care && i < care->alert_count; i++) {
        struct rule_alert *alert = &care->alerts[i];
        room_give(&turn->customer->room, alert->subject);
        alert->subject = NULL;
        if (rule_alert_is_live(alert))
            rule_alert_tell(turn, alert, ALERT_STATE_EXPIRED, turn->at_ms);
    }
}
