#include "schemas/alert_rules.h"

const char *const alert_rule_names[RULE_COUNT] = {
    [RULE_FIRST_RESPONSE_WARNING] = "sla.first_response.warning",
    [RULE_FIRST_RESPONSE_BREACH] = "sla.first_response.breach",
    [RULE_RESOLUTION_WARNING] = "sla.resolution.warning",
    [RULE_RESOLUTION_BREACH] = "sla.resolution.breach",
    [RULE_DEVICE_CRITICAL] = "device.critical",
    [RULE_CHURN_RISK] = "churn.risk",
};

bool alert_rule_exists(struct view name)
{
    bool is_there = view_equal_text(name, ALERT_RULE_OF_CASES) || view_equal_text(name, ALERT_RULE_OF_TARGETS);
    for (int rule = 0; rule < RULE_COUNT; rule++)
        is_there |= view_equal_text(name, alert_rule_names[rule]);
    return is_there;
}
