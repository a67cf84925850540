#include "schemas/alert_rules.h"

#include "base/clock.h"

const char *const alert_rule_names[RULE_COUNT] = {
    [RULE_FIRST_RESPONSE_WARNING] = "sla.first_response.warning",
    [RULE_FIRST_RESPONSE_BREACH] = "sla.first_response.breach",
    [RULE_RESOLUTION_WARNING] = "sla.resolution.warning",
    [RULE_RESOLUTION_BREACH] = "sla.resolution.breach",
    [RULE_DEVICE_CRITICAL] = "device.critical",
    [RULE_CHURN_RISK] = "churn.risk",
    [RULE_ABSENCE_DELIVERY] = "absence.delivery",
    [RULE_ABSENCE_USE] = "absence.use",
    [RULE_ABSENCE_RENEWAL] = "absence.renewal",
};

const char *const alert_rules_of_kpis[] = {ALERT_RULE_OF_TARGETS, ALERT_RULE_OF_SHIFTS, ALERT_RULE_OF_BURN, ALERT_RULE_OF_SOURCES, ALERT_RULE_OF_REFUSALS, ALERT_RULE_OF_LAG, NULL};

bool alert_rule_exists(struct view name)
{
    bool is_there = view_equal_text(name, ALERT_RULE_OF_CASES);
    for (int i = 0; alert_rules_of_kpis[i]; i++)
        is_there |= view_equal_text(name, alert_rules_of_kpis[i]);
    for (int rule = 0; rule < RULE_COUNT; rule++)
        is_there |= view_equal_text(name, alert_rule_names[rule]);
    return is_there;
}

bool alert_is_over(enum alert_state state)
{
    return state == ALERT_STATE_RESOLVED || state == ALERT_STATE_VERIFIED || state == ALERT_STATE_EXPIRED;
}

int64_t shift_usual_after_ms(enum resolution resolution)
{
    return resolution == RESOLUTION_DAY ? DAYS(30) : DAYS(7);
}
