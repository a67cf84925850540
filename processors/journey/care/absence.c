#include "processors/journey/care/absence.h"

#include "base/time_text.h"
#include "processors/journey/care/pending.h"
#include "processors/journey/care/rule_alerts.h"
#include "processors/journey/matters/orders.h"
#include "processors/journey/matters/subscriptions.h"

#include <stdio.h>

static const struct view anything = {NULL, 0};

/* --- watches --- */

/* What would have expired before anybody saw it leaves none: old orders that are read once more make no heap of alerts. */
static void watch(struct turn *turn, enum alert_rule rule, struct view subject, int64_t expected_at_ms, int64_t grace_ms)
{
    int64_t due_at_ms, clock_ms = turn->step->clock_ms;
    bool is_never = __builtin_add_overflow(expected_at_ms, grace_ms, &due_at_ms);
    bool is_over = clock_ms > CLOCK_UNSET && due_at_ms <= clock_ms - turn->settings->expire_after_ms;
    if (is_never || is_over)
        return;
    struct pending pending = {.cause = turn->arrival->moment, .due_at_ms = due_at_ms, .expires_at_ms = expected_at_ms, .rule = rule};
    pending_add(turn, pending, subject, anything);
}

static struct pending *watch_find(const struct turn *turn, enum alert_rule rule, struct view subject)
{
    struct care *care = turn->customer->care;
    uint32_t number = care ? pending_find(care, rule, subject) : 0;
    return care && number < care->pending_count ? &care->pending[number] : NULL;
}

static void unwatch(struct turn *turn, enum alert_rule rule, struct view subject)
{
    struct pending *found = watch_find(turn, rule, subject);
    if (found)
        pending_remove(&turn->customer->room, turn->customer->care, (uint32_t)(found - turn->customer->care->pending));
}

/* --- the end of an alert --- */

/* What had come by the time it was expected was there all along: whoever was alarmed should know. */
static void came(struct turn *turn, struct rule_alert *alert, const char *what, int64_t at_ms)
{
    char text[ALERT_TEXT_MAX + 64], when[TIME_TEXT_SIZE];
    rule_alert_time(when, at_ms);
    snprintf(text, sizeof text, "%s %s%s", what, when, at_ms <= alert->due_at_ms ? ", in time: we heard of it late" : "");
    rule_alert_tell_so(turn, alert, ALERT_STATE_RESOLVED, turn->at_ms, text);
}

static struct rule_alert *live_alert(const struct turn *turn, enum alert_rule rule, uint64_t what)
{
    struct rule_alert *alert = rule_alert_find(turn->customer->care, rule, rule_alert_scope(rule, what, NULL));
    return alert && rule_alert_is_live(alert) ? alert : NULL;
}

static bool has_alerts(const struct turn *turn)
{
    return turn->customer->care && turn->customer->care->alert_count > 0;
}

/* --- deliveries --- */

static bool promise_read(const struct touchpoint *touch, int64_t *promised_at_ms)
{
    for (size_t i = 0; i < touch->attributes.count; i++) {
        if (view_equal_text(touch->attributes.items[i].key, "promised_at"))
            return time_text_parse(touch->attributes.items[i].value, promised_at_ms);
    }
    return false;
}

/* By when it should be here, and how long we wait then. false: nobody can tell. */
static bool delivery_expected(const struct turn *turn, int64_t *expected_at_ms, int64_t *grace_ms)
{
    const struct absence_settings *settings = &turn->settings->absence;
    *grace_ms = settings->delivery_grace_ms;
    if (promise_read(turn->arrival->touch, expected_at_ms))
        return true;
    *grace_ms = 0;
    *expected_at_ms = turn->arrival->moment.at_ms + settings->delivery_after_ms;
    return settings->delivery_after_ms > 0;
}

/* Of an order that is placed again, changed, the latest word holds. */
static void delivery_watch(struct turn *turn, struct view order_id)
{
    int64_t expected_at_ms, grace_ms;
    if (!delivery_expected(turn, &expected_at_ms, &grace_ms))
        return;
    uint64_t scope = rule_alert_scope(RULE_ABSENCE_DELIVERY, identity_of(order_id), NULL);
    const struct pending *before = watch_find(turn, RULE_ABSENCE_DELIVERY, order_id);
    if ((before && moment_is_before(&turn->arrival->moment, &before->cause)) ||
        rule_alert_find(turn->customer->care, RULE_ABSENCE_DELIVERY, scope))
        return;
    unwatch(turn, RULE_ABSENCE_DELIVERY, order_id);
    watch(turn, RULE_ABSENCE_DELIVERY, order_id, expected_at_ms, grace_ms);
}

static void delivery_ends(struct turn *turn, struct view order_id, const char *how)
{
    char what[ALERT_TEXT_MAX];
    unwatch(turn, RULE_ABSENCE_DELIVERY, order_id);
    struct rule_alert *alert = has_alerts(turn) ? live_alert(turn, RULE_ABSENCE_DELIVERY, identity_of(order_id)) : NULL;
    if (alert == NULL)
        return;
    snprintf(what, sizeof what, "Order %.*s was %s on", VIEW_ARGUMENTS(order_id), how);
    came(turn, alert, what, turn->arrival->moment.at_ms);
}

/* --- use: once in a customer's life, from what they began with --- */

static bool is_beginning(const struct turn *turn)
{
    const struct moment *moment = &turn->arrival->moment;
    const struct cohort *cohort = turn->customer->cohort;
    const struct subscription_event *start = subscriptions_first_start(turn->customer);
    bool is_after_order = cohort && cohort->has_first && moment_is_before(&cohort->first, moment);
    return !is_after_order && !(start && moment_is_before(&start->moment, moment));
}

/* `is_over`: they gave back what they began with. Then nothing that came later takes its place, either. */
static void use_watch(struct turn *turn, struct view subject, bool is_over)
{
    const struct cohort *cohort = turn->customer->cohort;
    uint64_t scope = rule_alert_scope(RULE_ABSENCE_USE, 0, NULL);
    if ((cohort && cohort->has_used) || !is_beginning(turn) || rule_alert_find(turn->customer->care, RULE_ABSENCE_USE, scope))
        return;
    unwatch(turn, RULE_ABSENCE_USE, anything); /* they began earlier than we knew */
    if (!is_over)
        watch(turn, RULE_ABSENCE_USE, subject, turn->arrival->moment.at_ms + turn->settings->absence.use_after_ms, 0);
}

static void use_begins(struct turn *turn)
{
    unwatch(turn, RULE_ABSENCE_USE, anything);
    struct rule_alert *alert = live_alert(turn, RULE_ABSENCE_USE, 0);
    if (alert)
        came(turn, alert, "The product is in use since", turn->customer->cohort->first_used.at_ms);
}

/* "order o1", "subscription s1": shops may well give both the same id. */
static void beginning_name(char text[CARE_TEXT_MAX], bool is_order, struct view subject)
{
    snprintf(text, CARE_TEXT_MAX, "%s %.*s", is_order ? "order" : "subscription", VIEW_ARGUMENTS(subject));
}

static bool is_first_order(const struct turn *turn, const struct moment *moment)
{
    const struct cohort *cohort = turn->customer->cohort;
    return cohort && cohort->has_first && moment_compare(&cohort->first, moment) == 0;
}

/* Nobody uses what they gave back. */
static void use_ends(struct turn *turn, bool is_order, struct view subject, const char *how)
{
    char began[CARE_TEXT_MAX], text[ALERT_TEXT_MAX];
    const struct pending *watch = watch_find(turn, RULE_ABSENCE_USE, subject);
    if (watch && is_first_order(turn, &watch->cause) == is_order)
        unwatch(turn, RULE_ABSENCE_USE, subject);
    struct rule_alert *alert = live_alert(turn, RULE_ABSENCE_USE, 0);
    if (alert == NULL)
        return;
    beginning_name(began, is_order, subject);
    if (alert->subject == NULL || strcmp(began, alert->subject) != 0)
        return;
    snprintf(text, sizeof text, "No use is expected any more: %s %s", began, how);
    rule_alert_tell_so(turn, alert, ALERT_STATE_RESOLVED, turn->at_ms, text);
}

/* --- renewals: of each term of a subscription --- */

static uint64_t term_of(struct view subscription_id, int64_t term_ends_at_ms)
{
    return identity_of_pair(subscription_id, view_of(&term_ends_at_ms, sizeof term_ends_at_ms));
}

static void renewal_watch(struct turn *turn, struct view subscription_id, int64_t term_ends_at_ms)
{
    uint64_t scope = rule_alert_scope(RULE_ABSENCE_RENEWAL, term_of(subscription_id, term_ends_at_ms), NULL);
    if (!rule_alert_find(turn->customer->care, RULE_ABSENCE_RENEWAL, scope))
        watch(turn, RULE_ABSENCE_RENEWAL, subscription_id, term_ends_at_ms, turn->settings->absence.renewal_grace_ms);
}

/* The same term told again, by another system, renews nothing. */
static void terms_end(struct turn *turn, const struct subscription_changed *changed)
{
    static const char *const how[] = {[SUBSCRIPTION_ACTION_STARTED] = "began anew", [SUBSCRIPTION_ACTION_RENEWED] = "was renewed",
                                      [SUBSCRIPTION_ACTION_LAPSED] = "lapsed", [SUBSCRIPTION_ACTION_CANCELLED] = "was cancelled"};
    _Static_assert(sizeof how / sizeof *how == SUBSCRIPTION_ACTION_COUNT, "each has its word");
    struct care *care = turn->customer->care;
    unwatch(turn, RULE_ABSENCE_RENEWAL, changed->subscription_id);
    for (uint32_t i = 0; care && i < care->alert_count; i++) {
        struct rule_alert *alert = &care->alerts[i];
        bool is_same_term = changed->has_term_ends_at && changed->term_ends_at_ms == alert->due_at_ms;
        if (alert->rule != RULE_ABSENCE_RENEWAL || !rule_alert_is_live(alert) || is_same_term || alert->subject == NULL ||
            !view_equal_text(changed->subscription_id, alert->subject))
            continue;
        char what[ALERT_TEXT_MAX]; /* more than an id's 256 bytes */
        snprintf(what, sizeof what, "Subscription %s %s on", alert->subject, how[changed->action]);
        came(turn, alert, what, turn->arrival->moment.at_ms);
    }
}

/* --- a touchpoint --- */

static void order_placed(struct turn *turn, struct view order_id)
{
    const struct order *order = turn->customer->order_count ? orders_find(turn->customer, identity_of(order_id)) : NULL;
    bool is_returned = order && order->is_returned, is_delivered = order && order->is_delivered;
    if (turn->settings->absence.delivery && !is_returned && !is_delivered)
        delivery_watch(turn, order_id);
    if (turn->settings->absence.use)
        use_watch(turn, order_id, is_returned);
}

static bool goes_on(uint8_t action)
{
    return action == SUBSCRIPTION_ACTION_STARTED || action == SUBSCRIPTION_ACTION_RENEWED;
}

static void subscription_changed(struct turn *turn, const struct subscription_changed *changed)
{
    const struct subscription_event *latest = subscriptions_latest(turn->customer, identity_of(changed->subscription_id));
    if (latest == NULL)
        return;
    if (turn->settings->absence.use && changed->action == SUBSCRIPTION_ACTION_STARTED)
        use_watch(turn, changed->subscription_id, !goes_on(latest->action));
    if (moment_compare(&latest->moment, &turn->arrival->moment) != 0)
        return; /* what came of this term is known already */
    terms_end(turn, changed);
    if (!goes_on(latest->action))
        use_ends(turn, false, changed->subscription_id, "is over");
    else if (turn->settings->absence.renewal && changed->has_term_ends_at)
        renewal_watch(turn, changed->subscription_id, changed->term_ends_at_ms);
}

/* Rules that are switched off watch nothing new; what they told of is still brought to its end. */
void absence_on_touch(struct turn *turn)
{
    const struct touchpoint *touch = turn->arrival->touch;
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_ORDER_PLACED: order_placed(turn, touch->body.order_placed.order_id); break;
    case TOUCHPOINT_BODY_ORDER_DELIVERED: delivery_ends(turn, touch->body.order_delivered.order_id, "delivered"); break;
    case TOUCHPOINT_BODY_PRODUCT_RETURNED:
        delivery_ends(turn, touch->body.product_returned.order_id, "returned");
        use_ends(turn, true, touch->body.product_returned.order_id, "was returned");
        break;
    case TOUCHPOINT_BODY_PRODUCT_USED: use_begins(turn); break;
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED: subscription_changed(turn, &touch->body.subscription_changed); break;
    default: break;
    }
}

/* --- when its time has come --- */

static bool is_switched_on(const struct absence_settings *settings, uint32_t rule)
{
    return (rule == RULE_ABSENCE_DELIVERY && settings->delivery) || (rule == RULE_ABSENCE_USE && settings->use) ||
           (rule == RULE_ABSENCE_RENEWAL && settings->renewal);
}

static uint64_t what_of(const struct pending *watch, struct view subject)
{
    if (watch->rule == RULE_ABSENCE_USE)
        return 0; /* the customer */
    return watch->rule == RULE_ABSENCE_RENEWAL ? term_of(subject, watch->expires_at_ms) : identity_of(subject);
}

bool absence_settle(struct turn *turn, const struct pending *watch, struct view subject)
{
    if (watch->due_at_ms > turn->step->clock_ms)
        return false;
    if (!is_switched_on(&turn->settings->absence, watch->rule))
        return true;
    enum alert_rule rule = (enum alert_rule)watch->rule;
    char about[CARE_TEXT_MAX];
    if (rule == RULE_ABSENCE_USE)
        beginning_name(about, is_first_order(turn, &watch->cause), subject);
    else
        snprintf(about, sizeof about, "%.*s", VIEW_ARGUMENTS(subject));
    rule_alert_open(turn,
                    (struct rule_alert){.rule = (uint8_t)rule, .scope = rule_alert_scope(rule, what_of(watch, subject), NULL),
                                        .event = moment_event_id(&watch->cause), .due_at_ms = watch->expires_at_ms},
                    about, watch->due_at_ms);
    return true;
}
