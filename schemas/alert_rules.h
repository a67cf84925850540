/* The rules that make alerts, by the names that `alerts` carries them under: the stages tell alerts by them, receivers choose. And which of an alert's
 * states are its end. */
#ifndef TS_SCHEMAS_ALERT_RULES_H
#define TS_SCHEMAS_ALERT_RULES_H

#include "base/view.h"
#include "schemas/records.h"

/* Of one customer. Their numbers stand in checkpoints: new ones go before RULE_COUNT. */
enum alert_rule {
    RULE_FIRST_RESPONSE_WARNING,
    RULE_FIRST_RESPONSE_BREACH,
    RULE_RESOLUTION_WARNING,
    RULE_RESOLUTION_BREACH,
    RULE_DEVICE_CRITICAL,
    RULE_CHURN_RISK,
    RULE_ABSENCE_DELIVERY,
    RULE_ABSENCE_USE,
    RULE_ABSENCE_RENEWAL,
    RULE_COUNT
};

#define ALERT_RULE_OF_CASES "case"
#define ALERT_RULE_OF_TARGETS "kpi.target"
#define ALERT_RULE_OF_SHIFTS "trend.shift"
#define ALERT_RULE_OF_BURN "sla.burn"
#define ALERT_RULE_OF_SOURCES "data.source_silent"
#define ALERT_RULE_OF_REFUSALS "data.rejected"
#define ALERT_RULE_OF_LAG "data.lag"

extern const char *const alert_rule_names[RULE_COUNT];
extern const char *const alert_rules_of_kpis[]; /* no customer's; NULL is behind the last */

/* Is there such a rule, those of cases and of KPIs among them? */
bool alert_rule_exists(struct view name);

/* What a shift has led to is usual after so long. */
int64_t shift_usual_after_ms(enum resolution resolution);

/* Nobody need act on it any more, nor will. */
bool alert_is_over(enum alert_state state);

#endif
