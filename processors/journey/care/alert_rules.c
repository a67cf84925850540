/* Alerts about one customer besides the case: broken and endangered promises, devices in trouble, a risk of churn.
 *
 * A rule and what it is about make a fingerprint: the same one updates its alert, and never makes a second. Deadlines pass by the
 * partition's clock, so an alert is about the very instant of its deadline, whenever that was noticed. */
#include "base/memory.h"
#include "processors/journey/care/turn.h"
#include "processors/journey/tickets/sla.h"

#include <stdio.h>
#include <stdlib.h>

struct rule {
    enum alert_kind kind;
    enum severity severity;
    const char *text; /* with the subject */
};

static const struct rule rules[RULE_COUNT] = {
    [RULE_FIRST_RESPONSE_WARNING] = {ALERT_KIND_SLA_WARNING, SEVERITY_WARNING, "The first response to ticket %s is due soon"},
    [RULE_FIRST_RESPONSE_BREACH] = {ALERT_KIND_SLA_BREACH, SEVERITY_CRITICAL, "Ticket %s was not answered in time"},
    [RULE_RESOLUTION_WARNING] = {ALERT_KIND_SLA_WARNING, SEVERITY_WARNING, "The resolution of ticket %s is due soon"},
    [RULE_RESOLUTION_BREACH] = {ALERT_KIND_SLA_BREACH, SEVERITY_CRITICAL, "Ticket %s was not resolved in time"},
    [RULE_DEVICE_CRITICAL] = {ALERT_KIND_DEVICE, SEVERITY_CRITICAL, "Device %s reports a critical state"},
    [RULE_CHURN_RISK] = {ALERT_KIND_CHURN_RISK, SEVERITY_WARNING, "The customer may be about to leave%s"},
};

static bool alert_is_live(const struct rule_alert *alert)
{
    return alert->state == ALERT_STATE_OPEN;
}

static uint64_t scope_of(enum alert_rule rule, uint64_t what, const struct moment *episode)
{
    uint64_t scope = what * 0x9e3779b97f4a7c15u + (uint64_t)rule + 1;
    return episode ? scope ^ (episode->id_low * 0xff51afd7ed558ccdu) ^ episode->id_high : scope;
}

static struct rule_alert *alert_find(struct care *care, enum alert_rule rule, uint64_t scope)
{
    for (uint32_t i = 0; care && i < care->alert_count; i++) {
        if (care->alerts[i].rule == rule && care->alerts[i].scope == scope)
            return &care->alerts[i];
    }
    return NULL;
}

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

static void alert_tell(struct turn *turn, struct rule_alert *alert, enum alert_state state, int64_t at_ms)
{
    const struct rule *rule = &rules[alert->rule];
    char id[UUID_TEXT_SIZE + 1], case_id[UUID_TEXT_SIZE + 1], text[400];
    uuid_format(&alert->id, id);
    uuid_format(&alert->case_id, case_id);
    int size = snprintf(text, sizeof text, rule->text, alert->subject ? alert->subject : "");
    bool has_event = alert->ticket != 0 || alert->rule == RULE_DEVICE_CRITICAL;
    alert->state = (uint8_t)state;
    alert->changed_at_ms = at_ms;
    alert->revision++;
    struct alert_reason reason = {.code = view_of_text(alert_rule_names[alert->rule]), .has_event_id = has_event, .event_id = alert->event,
                                  .text = view_of(text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1)};
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
        if (!alert_is_live(&care->alerts[i])) {
            number = i;
            break;
        }
    }
    struct rule_alert *alert = &care->alerts[number];
    if (alert_is_live(alert))
        alert_tell(turn, alert, ALERT_STATE_EXPIRED, turn->at_ms);
    if (alert->ticket && alert->opened_at_ms > care->promises_from_ms)
        care->promises_from_ms = alert->opened_at_ms;
    alert_remove(&turn->customer->room, care, number);
}

static void alert_open(struct turn *turn, struct rule_alert alert, const char *subject, int64_t at_ms)
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
    alert_tell(turn, &care->alerts[care->alert_count++], ALERT_STATE_OPEN, at_ms);
}

/* --- promises --- */

static const enum alert_rule warnings[PROMISE_COUNT] = {RULE_FIRST_RESPONSE_WARNING, RULE_RESOLUTION_WARNING};
static const enum alert_rule breaches[PROMISE_COUNT] = {RULE_FIRST_RESPONSE_BREACH, RULE_RESOLUTION_BREACH};

/* Which alert about this promise comes next, and when; NEVER_MS: none. */
static int64_t promise_next(struct care *care, const struct ticket *ticket, const struct sla_reading *sla, int kind,
                            int64_t clock_ms, enum alert_rule *rule)
{
    const struct promise *promise = &sla->promises[kind];
    *rule = breaches[kind];
    if (!promise->is_running || alert_find(care, breaches[kind], scope_of(breaches[kind], ticket->identity, &sla->start)))
        return NEVER_MS;
    bool is_warned = alert_find(care, warnings[kind], scope_of(warnings[kind], ticket->identity, &sla->start));
    /* Broken before anybody could be warned: then there is nothing to warn of. */
    if (!is_warned && promise->due_at_ms > clock_ms)
        *rule = warnings[kind];
    int64_t at_ms = *rule == breaches[kind] ? promise->due_at_ms : promise->warn_at_ms;
    return care && at_ms <= care->promises_from_ms ? NEVER_MS : at_ms;
}

static void promises_review(struct turn *turn, struct ticket *ticket)
{
    struct sla_reading sla;
    int64_t clock_ms = turn->step->clock_ms;
    sla_read(turn->task, &turn->customer->room, ticket, clock_ms, &sla);
    for (int kind = 0; sla.is_open && kind < PROMISE_COUNT; kind++) {
        enum alert_rule rule;
        int64_t at_ms = promise_next(turn->customer->care, ticket, &sla, kind, clock_ms, &rule);
        if (at_ms > clock_ms) {
            turn->promises_next_ms = at_ms < turn->promises_next_ms ? at_ms : turn->promises_next_ms;
            continue;
        }
        alert_open(turn,
                   (struct rule_alert){.rule = (uint8_t)rule, .scope = scope_of(rule, ticket->identity, &sla.start),
                                       .ticket = ticket->identity, .event = moment_event_id(&sla.start),
                                       .due_at_ms = sla.promises[kind].due_at_ms},
                   ticket->id, at_ms);
    }
}

/* Does the promise that an alert is about still wait to be kept? A warning ends with the breach, too. */
static bool promise_stands(struct turn *turn, const struct rule_alert *alert)
{
    struct ticket *ticket = tickets_find(turn->customer, alert->ticket);
    struct sla_reading sla = {0};
    if (ticket)
        sla_read(turn->task, &turn->customer->room, ticket, turn->at_ms, &sla);
    int kind = alert->rule == RULE_FIRST_RESPONSE_WARNING || alert->rule == RULE_FIRST_RESPONSE_BREACH
                   ? PROMISE_FIRST_RESPONSE
                   : PROMISE_RESOLUTION;
    bool is_same = sla.is_open && sla.promises[kind].is_running && scope_of(alert->rule, alert->ticket, &sla.start) == alert->scope;
    if (!is_same || alert->rule == breaches[kind])
        return is_same;
    return !alert_find(turn->customer->care, breaches[kind], scope_of(breaches[kind], alert->ticket, &sla.start));
}

/* --- devices --- */

static void device_review(struct turn *turn)
{
    const struct device_reported *report = &turn->arrival->touch->body.device_reported;
    struct care *care = turn->customer->care;
    uint64_t what = identity_of_pair(report->device_id, report->code);
    uint64_t scope = scope_of(RULE_DEVICE_CRITICAL, what, NULL);
    int64_t at_ms = turn->arrival->moment.at_ms;
    struct rule_alert *alert = alert_find(care, RULE_DEVICE_CRITICAL, scope);
    if (alert && at_ms < alert->changed_at_ms)
        return; /* old news of it */
    if (report->severity == SEVERITY_CRITICAL && alert) {
        alert->event = turn->arrival->touch->event_id;
        alert->is_historical = turn_is_historical(turn, at_ms);
        alert_tell(turn, alert, ALERT_STATE_OPEN, at_ms);
    } else if (report->severity == SEVERITY_CRITICAL) {
        char subject[CARE_TEXT_MAX];
        snprintf(subject, sizeof subject, "%.*s (%.*s)", (int)(report->device_id.size < 120 ? report->device_id.size : 120),
                 report->device_id.data, (int)(report->code.size < 120 ? report->code.size : 120), report->code.data);
        alert_open(turn, (struct rule_alert){.rule = RULE_DEVICE_CRITICAL, .scope = scope, .event = turn->arrival->touch->event_id,
                                             .due_at_ms = NEVER_MS},
                   subject, at_ms);
    } else if (report->severity == SEVERITY_INFO && alert && alert_is_live(alert)) {
        alert_tell(turn, alert, ALERT_STATE_RESOLVED, at_ms); /* it is well again */
    }
}

/* --- churn --- */

static void churn_review(struct turn *turn)
{
    uint64_t scope = scope_of(RULE_CHURN_RISK, 0, NULL);
    struct rule_alert *alert = alert_find(turn->customer->care, RULE_CHURN_RISK, scope);
    bool is_open = alert && alert_is_live(alert);
    double risk = turn->churn_risk;
    if (is_open && risk < turn->settings->churn_alert_until) {
        alert->score = risk * 100;
        alert_tell(turn, alert, ALERT_STATE_RESOLVED, turn->at_ms);
    } else if (!is_open && turn->settings->churn_alert_from < 1 && risk >= turn->settings->churn_alert_from) {
        if (alert == NULL) {
            alert_open(turn, (struct rule_alert){.rule = RULE_CHURN_RISK, .scope = scope, .due_at_ms = NEVER_MS, .score = risk * 100},
                       "", turn->at_ms);
            return;
        }
        alert->score = risk * 100;
        alert->is_historical = turn_is_historical(turn, turn->at_ms);
        alert_tell(turn, alert, ALERT_STATE_OPEN, turn->at_ms);
    }
}

/* --- a turn --- */

/* What is over for as long as anything may expire is forgotten; what is open for so long expires. */
static void alerts_age(struct turn *turn)
{
    struct care *care = turn->customer->care;
    for (uint32_t i = care ? care->alert_count : 0; i > 0; i--) {
        struct rule_alert *alert = &care->alerts[i - 1];
        bool is_old = turn->at_ms - alert->changed_at_ms >= turn->settings->expire_after_ms;
        bool is_held = alert->ticket && tickets_find(turn->customer, alert->ticket) &&
                       tickets_find(turn->customer, alert->ticket)->id; /* it would come again */
        if (!is_old || is_held)
            continue;
        if (alert_is_live(alert))
            alert_tell(turn, alert, ALERT_STATE_EXPIRED, turn->at_ms);
        alert_remove(&turn->customer->room, care, i - 1);
        turn->promises_are_stale = true;
    }
}

void alert_rules_review(struct turn *turn)
{
    struct customer *customer = turn->customer;
    turn->promises_next_ms = NEVER_MS;
    turn->promises_are_stale = false;
    for (uint32_t i = 0; customer->open_ticket_count > 0 && i < customer->ticket_count; i++) {
        if (customer->tickets[i].id)
            promises_review(turn, &customer->tickets[i]);
    }
    for (uint32_t i = 0; customer->care && i < customer->care->alert_count; i++) {
        struct rule_alert *alert = &customer->care->alerts[i];
        if (alert->ticket && alert_is_live(alert) && !promise_stands(turn, alert))
            alert_tell(turn, alert, ALERT_STATE_RESOLVED, turn->at_ms);
    }
    if (turn->arrival && turn->arrival->touch->body_kind == TOUCHPOINT_BODY_DEVICE_REPORTED)
        device_review(turn);
    churn_review(turn);
    alerts_age(turn);
}

static int64_t promises_next_ms(struct turn *turn)
{
    const struct customer *customer = turn->customer;
    int64_t next_at_ms = NEVER_MS;
    for (uint32_t i = 0; customer->open_ticket_count > 0 && i < customer->ticket_count; i++) {
        struct ticket *ticket = &customer->tickets[i];
        struct sla_reading sla;
        if (ticket->id == NULL)
            continue;
        sla_read(turn->task, &turn->customer->room, ticket, turn->step->clock_ms, &sla);
        for (int kind = 0; sla.is_open && kind < PROMISE_COUNT; kind++) {
            enum alert_rule rule;
            int64_t at_ms = promise_next(customer->care, ticket, &sla, kind, turn->step->clock_ms, &rule);
            if (at_ms < next_at_ms)
                next_at_ms = at_ms;
        }
    }
    return next_at_ms;
}

/* Nearly always the review has seen what comes next. */
int64_t alert_rules_next_ms(struct turn *turn)
{
    const struct customer *customer = turn->customer;
    int64_t next_at_ms = turn->promises_are_stale ? promises_next_ms(turn) : turn->promises_next_ms;
    for (uint32_t i = 0; customer->care && i < customer->care->alert_count; i++) {
        const struct rule_alert *alert = &customer->care->alerts[i];
        int64_t at_ms = alert->changed_at_ms + turn->settings->expire_after_ms;
        if (alert->ticket == 0 && at_ms < next_at_ms)
            next_at_ms = at_ms;
    }
    return next_at_ms;
}

void alert_rules_forget(struct turn *turn)
{
    struct care *care = turn->customer->care;
    turn->customer_id = (struct view){NULL, 0};
    for (uint32_t i = 0; care && i < care->alert_count; i++) {
        struct rule_alert *alert = &care->alerts[i];
        room_give(&turn->customer->room, alert->subject);
        alert->subject = NULL;
        if (alert_is_live(alert))
            alert_tell(turn, alert, ALERT_STATE_EXPIRED, turn->at_ms);
    }
}
