/* Alerts about one customer besides the case: broken and endangered promises, devices in trouble, a risk of churn, and what did not come
 * (absence.c).
 *
 * Deadlines pass by the partition's clock, so an alert is about the very instant of its deadline, whenever that was noticed. */
#include "base/utf8.h"
#include "processors/journey/care/absence.h"
#include "processors/journey/care/rule_alerts.h"
#include "processors/journey/tickets/sla.h"

#include <stdio.h>

/* --- promises --- */

static const enum alert_rule warnings[PROMISE_COUNT] = {RULE_FIRST_RESPONSE_WARNING, RULE_RESOLUTION_WARNING};
static const enum alert_rule breaches[PROMISE_COUNT] = {RULE_FIRST_RESPONSE_BREACH, RULE_RESOLUTION_BREACH};

/* Which alert about this promise comes next, and when; NEVER_MS: none. */
static int64_t promise_next(struct care *care, const struct ticket *ticket, const struct sla_reading *sla, int kind,
                            int64_t clock_ms, enum alert_rule *rule)
{
    const struct promise *promise = &sla->promises[kind];
    *rule = breaches[kind];
    if (!promise->is_running || rule_alert_find(care, breaches[kind], rule_alert_scope(breaches[kind], ticket->identity, &sla->start)))
        return NEVER_MS;
    bool is_warned = rule_alert_find(care, warnings[kind], rule_alert_scope(warnings[kind], ticket->identity, &sla->start));
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
        rule_alert_open(turn,
                   (struct rule_alert){.rule = (uint8_t)rule, .scope = rule_alert_scope(rule, ticket->identity, &sla.start),
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
    bool is_same = sla.is_open && sla.promises[kind].is_running && rule_alert_scope(alert->rule, alert->ticket, &sla.start) == alert->scope;
    if (!is_same || alert->rule == breaches[kind])
        return is_same;
    return !rule_alert_find(turn->customer->care, breaches[kind], rule_alert_scope(breaches[kind], alert->ticket, &sla.start));
}

/* --- devices --- */

enum { DEVICE_TEXT_MAX = 120 /* bytes of its id, and of its code: ids may have 256 each */ };

static void device_review(struct turn *turn)
{
    const struct device_reported *report = &turn->arrival->touch->body.device_reported;
    struct care *care = turn->customer->care;
    uint64_t what = identity_of_pair(report->device_id, report->code);
    uint64_t scope = rule_alert_scope(RULE_DEVICE_CRITICAL, what, NULL);
    int64_t at_ms = turn->arrival->moment.at_ms;
    struct rule_alert *alert = rule_alert_find(care, RULE_DEVICE_CRITICAL, scope);
    if (alert && at_ms < alert->changed_at_ms)
        return; /* old news of it */
    if (report->severity == SEVERITY_CRITICAL && alert) {
        alert->event = turn->arrival->touch->event_id;
        alert->is_historical = turn_is_historical(turn, at_ms);
        rule_alert_tell(turn, alert, ALERT_STATE_OPEN, at_ms);
    } else if (report->severity == SEVERITY_CRITICAL) {
        char subject[CARE_TEXT_MAX];
        struct view device = utf8_prefix(report->device_id, DEVICE_TEXT_MAX), code = utf8_prefix(report->code, DEVICE_TEXT_MAX);
        snprintf(subject, sizeof subject, "%.*s (%.*s)", VIEW_ARGUMENTS(device), VIEW_ARGUMENTS(code));
        rule_alert_open(turn, (struct rule_alert){.rule = RULE_DEVICE_CRITICAL, .scope = scope, .event = turn->arrival->touch->event_id,
                                             .due_at_ms = NEVER_MS},
                   subject, at_ms);
    } else if (report->severity == SEVERITY_INFO && alert && rule_alert_is_live(alert)) {
        rule_alert_tell(turn, alert, ALERT_STATE_RESOLVED, at_ms); /* it is well again */
    }
}

/* --- churn --- */

static void churn_review(struct turn *turn)
{
    uint64_t scope = rule_alert_scope(RULE_CHURN_RISK, 0, NULL);
    struct rule_alert *alert = rule_alert_find(turn->customer->care, RULE_CHURN_RISK, scope);
    bool is_open = alert && rule_alert_is_live(alert);
    double risk = turn->churn_risk;
    if (is_open && risk < turn->settings->churn_alert_until) {
        alert->score = risk * 100;
        rule_alert_tell(turn, alert, ALERT_STATE_RESOLVED, turn->at_ms);
    } else if (!is_open && turn->settings->churn_alert_from < 1 && risk >= turn->settings->churn_alert_from) {
        if (alert == NULL) {
            rule_alert_open(turn, (struct rule_alert){.rule = RULE_CHURN_RISK, .scope = scope, .due_at_ms = NEVER_MS, .score = risk * 100},
                       "", turn->at_ms);
            return;
        }
        alert->score = risk * 100;
        alert->is_historical = turn_is_historical(turn, turn->at_ms);
        rule_alert_tell(turn, alert, ALERT_STATE_OPEN, turn->at_ms);
    }
}

/* --- a turn --- */

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
        if (alert->ticket && rule_alert_is_live(alert) && !promise_stands(turn, alert))
            rule_alert_tell(turn, alert, ALERT_STATE_RESOLVED, turn->at_ms);
    }
    if (turn->arrival && turn->arrival->touch->body_kind == TOUCHPOINT_BODY_DEVICE_REPORTED)
        device_review(turn);
    if (turn->arrival)
        absence_on_touch(turn);
    churn_review(turn);
    rule_alerts_age(turn);
}

/* When something comes of a promise, by what is asked; NEVER_MS: nothing does. */
typedef int64_t (*promise_instant)(const struct customer *customer, const struct ticket *ticket, const struct sla_reading *sla, int kind, int64_t after_ms);

static int64_t promises_soonest(struct turn *turn, promise_instant instant, int64_t after_ms)
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
            int64_t at_ms = instant(customer, ticket, &sla, kind, after_ms);
            next_at_ms = at_ms < next_at_ms ? at_ms : next_at_ms;
        }
    }
    return next_at_ms;
}

static int64_t alerted_at_ms(const struct customer *customer, const struct ticket *ticket, const struct sla_reading *sla, int kind, int64_t clock_ms)
{
    enum alert_rule rule;
    return promise_next(customer->care, ticket, sla, kind, clock_ms, &rule);
}

static int64_t endangered_at_ms(const struct customer *customer, const struct ticket *ticket, const struct sla_reading *sla, int kind, int64_t after_ms)
{
    (void)customer;
    (void)ticket;
    const struct promise *promise = &sla->promises[kind];
    int64_t at_ms = promise->warn_at_ms > after_ms ? promise->warn_at_ms : promise->due_at_ms;
    return promise->is_running && at_ms > after_ms ? at_ms : NEVER_MS;
}

int64_t alert_rules_promise_after(struct turn *turn, int64_t after_ms)
{
    return promises_soonest(turn, endangered_at_ms, after_ms);
}

/* Nearly always the review has seen what comes next. */
int64_t alert_rules_next_ms(struct turn *turn)
{
    const struct customer *customer = turn->customer;
    int64_t next_at_ms = turn->promises_are_stale ? promises_soonest(turn, alerted_at_ms, turn->step->clock_ms) : turn->promises_next_ms;
    for (uint32_t i = 0; customer->care && i < customer->care->alert_count; i++) {
        const struct rule_alert *alert = &customer->care->alerts[i];
        int64_t at_ms = alert->changed_at_ms + turn->settings->expire_after_ms;
        if (alert->ticket == 0 && at_ms < next_at_ms)
            next_at_ms = at_ms;
    }
    return next_at_ms;
}
