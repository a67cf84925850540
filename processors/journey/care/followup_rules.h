/* When to get in touch with a customer: the rule table of follow-ups, shipped and configured.
 *
 *     followups:
 *       rules:
 *         delivery_check_in: {delay: 5d}            # another delay for a shipped rule
 *         win_back: {enabled: false}
 *         thanks_for_the_order: {trigger: order_placed, kind: THANK_YOU, delay: 2h, expires: 2d, conditions: [no_open_ticket]} */
#ifndef TS_JOURNEY_FOLLOWUP_RULES_H
#define TS_JOURNEY_FOLLOWUP_RULES_H

#include "base/settings.h"
#include "schemas/records.h"

enum { FOLLOWUP_RULES_MAX = 48, FOLLOWUP_NAME_MAX = 48 };

/* enumerator, name in the configuration, name of the variable that holds what it is about */
#define FOLLOWUP_TRIGGERS(X)                                                                                           \
    X(ORDER_PLACED, order_placed, "order_id")                                                                          \
    X(FIRST_ORDER, first_order, "order_id")                                                                            \
    X(REPEAT_ORDER, repeat_order, "order_id")                                                                          \
    X(ORDER_DELIVERED, order_delivered, "order_id")                                                                    \
    X(TICKET_RESOLVED, ticket_resolved, "ticket_id")                                                                   \
    X(PROMOTER, promoter, "survey_id")               /* NPS 9 or 10, CSAT 5, five stars */                             \
    X(DEVICE_CRITICAL, device_critical, "device_id")                                                                   \
    X(SERVICED, serviced, "visit_id")                /* installed or maintained */                                     \
    X(TERM_ENDS, term_ends, "subscription_id")       /* `delay` before the end of a term */                            \
    X(RENEWED, renewed, "subscription_id")                                                                             \
    X(REFERRED, referred, "referred")                                                                                  \
    X(SILENCE, silence, "")                          /* `delay` after the last activity of somebody with an order or use */ \
    X(CASE_CLOSED, case_closed, "case_id")

enum followup_trigger {
#define FOLLOWUP_TRIGGER(id, name, variable) TRIGGER_##id,
    FOLLOWUP_TRIGGERS(FOLLOWUP_TRIGGER)
#undef FOLLOWUP_TRIGGER
    TRIGGER_COUNT
};

const char *followup_trigger_variable(enum followup_trigger trigger);

/* What must hold when its time has come. */
#define FOLLOWUP_CONDITIONS(X)                                                                                         \
    X(UNUSED, unused)                 /* the product was not used since */                                             \
    X(UNSURVEYED, unsurveyed)         /* no survey was sent or answered since */                                       \
    X(UNRENEWED, unrenewed)           /* the subscription did not change since */                                      \
    X(KEPT, kept)                     /* the order was not returned */                                                 \
    X(NO_OPEN_TICKET, no_open_ticket)                                                                                  \
    X(LOYAL, loyal)                   /* a second order, or a member */                                                \
    X(HAPPY, happy)                   /* still: no bad rating came since, the latest NPS is 9 or 10, CSAT 4 or 5 */                                              \
    X(LATEST, latest)                 /* a newer one of this rule takes its place */                                   \
    X(DURING_CASES, during_cases)     /* also while a case is open */

enum {
#define FOLLOWUP_CONDITION_BIT(id, name) CONDITION_BIT_##id,
    FOLLOWUP_CONDITIONS(FOLLOWUP_CONDITION_BIT)
#undef FOLLOWUP_CONDITION_BIT
    CONDITION_COUNT
};

enum followup_condition {
#define FOLLOWUP_CONDITION(id, name) CONDITION_##id = 1 << CONDITION_BIT_##id,
    FOLLOWUP_CONDITIONS(FOLLOWUP_CONDITION)
#undef FOLLOWUP_CONDITION
};

struct followup_rule {
    char name[FOLLOWUP_NAME_MAX];
    uint32_t number; /* a hash of the name: what checkpoints remember */
    enum followup_trigger trigger;
    enum follow_up_kind kind;
    int64_t delay_ms, expires_ms; /* expires: after it was due */
    unsigned conditions;
    bool is_enabled;
};

struct followup_rules {
    struct followup_rule items[FOLLOWUP_RULES_MAX];
    uint32_t count;
    uint32_t silence; /* number of the first that is enabled and waits for silence; count: none */
};

/* The shipped rules, changed by the configured tree (NULL: none). false: `error` says line and what is wrong. */
bool followup_rules_parse(struct followup_rules *rules, const struct settings_node *tree, struct bytes *error);

const struct followup_rule *followup_rule_find(const struct followup_rules *rules, uint32_t number);

#endif
