#include "processors/journey/care/followup_rules.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/time_text.h"

#include <stdio.h>

static const struct {
    const char *name;
    enum followup_trigger trigger;
    enum follow_up_kind kind;
    int64_t delay_ms, expires_ms;
    unsigned conditions;
} shipped[] = {
    {"order_confirmation", TRIGGER_ORDER_PLACED, FOLLOW_UP_KIND_ORDER_CONFIRMATION, 0, DAYS(1), 0},
    {"onboarding_tip", TRIGGER_FIRST_ORDER, FOLLOW_UP_KIND_ONBOARDING_TIP, DAYS(3), DAYS(11), CONDITION_UNUSED},
    {"thank_you_order", TRIGGER_ORDER_DELIVERED, FOLLOW_UP_KIND_THANK_YOU, DAYS(1), DAYS(4), CONDITION_KEPT},
    {"delivery_check_in", TRIGGER_ORDER_DELIVERED, FOLLOW_UP_KIND_DELIVERY_CHECK_IN, DAYS(3), DAYS(7), CONDITION_KEPT},
    {"survey_delivery", TRIGGER_ORDER_DELIVERED, FOLLOW_UP_KIND_SURVEY_INVITATION, DAYS(7), DAYS(14), CONDITION_UNSURVEYED},
    {"survey_support", TRIGGER_TICKET_RESOLVED, FOLLOW_UP_KIND_SURVEY_INVITATION, HOURS(1), DAYS(7),
     CONDITION_UNSURVEYED | CONDITION_NO_OPEN_TICKET},
    {"thank_you_rating", TRIGGER_PROMOTER, FOLLOW_UP_KIND_THANK_YOU, HOURS(1), DAYS(3), CONDITION_HAPPY},
    {"referral_invite", TRIGGER_PROMOTER, FOLLOW_UP_KIND_REFERRAL_INVITE, DAYS(1), DAYS(14),
     CONDITION_HAPPY | CONDITION_NO_OPEN_TICKET},
    {"upsell", TRIGGER_PROMOTER, FOLLOW_UP_KIND_UPSELL, DAYS(3), DAYS(14),
     CONDITION_HAPPY | CONDITION_LOYAL | CONDITION_NO_OPEN_TICKET},
    {"service_alert", TRIGGER_DEVICE_CRITICAL, FOLLOW_UP_KIND_SERVICE_ALERT, 0, DAYS(1), CONDITION_DURING_CASES},
    {"maintenance_reminder", TRIGGER_SERVICED, FOLLOW_UP_KIND_MAINTENANCE_REMINDER, DAYS(335), DAYS(60), CONDITION_LATEST},
    {"renewal_reminder", TRIGGER_TERM_ENDS, FOLLOW_UP_KIND_RENEWAL_REMINDER, DAYS(30), DAYS(30), CONDITION_UNRENEWED},
    {"thank_you_renewal", TRIGGER_RENEWED, FOLLOW_UP_KIND_THANK_YOU, HOURS(1), DAYS(3), 0},
    {"thank_you_referral", TRIGGER_REFERRED, FOLLOW_UP_KIND_THANK_YOU, HOURS(1), DAYS(3), 0},
    {"win_back", TRIGGER_SILENCE, FOLLOW_UP_KIND_WIN_BACK, DAYS(60), DAYS(14), 0},
    {"feedback_response", TRIGGER_CASE_CLOSED, FOLLOW_UP_KIND_FEEDBACK_RESPONSE, 0, DAYS(7), CONDITION_DURING_CASES},
};

static const char *const trigger_names[] = {
#define FOLLOWUP_TRIGGER_NAME(id, name, variable) #name,
    FOLLOWUP_TRIGGERS(FOLLOWUP_TRIGGER_NAME)
#undef FOLLOWUP_TRIGGER_NAME
};

static const char *const condition_names[] = {
#define FOLLOWUP_CONDITION_NAME(id, name) #name,
    FOLLOWUP_CONDITIONS(FOLLOWUP_CONDITION_NAME)
#undef FOLLOWUP_CONDITION_NAME
};

const char *followup_trigger_variable(enum followup_trigger trigger)
{
    static const char *const variables[] = {
#define FOLLOWUP_TRIGGER_VARIABLE(id, name, variable) variable,
        FOLLOWUP_TRIGGERS(FOLLOWUP_TRIGGER_VARIABLE)
#undef FOLLOWUP_TRIGGER_VARIABLE
    };
    return variables[trigger];
}

const struct followup_rule *followup_rule_find(const struct followup_rules *rules, uint32_t number)
{
    for (uint32_t i = 0; i < rules->count; i++) {
        if (rules->items[i].number == number)
            return &rules->items[i];
    }
    return NULL;
}

static struct followup_rule *rule_add(struct followup_rules *rules, const char *name)
{
    struct followup_rule *rule = &rules->items[rules->count++];
    *rule = (struct followup_rule){.number = hash_murmur2(view_of_text(name)), .trigger = TRIGGER_COUNT,
                                   .kind = FOLLOW_UP_KIND_COUNT, .expires_ms = DAYS(7), .is_enabled = true};
    snprintf(rule->name, sizeof rule->name, "%s", name);
    return rule;
}

/* --- the configured ones --- */

static bool complain(struct bytes *error, const struct settings_node *node, const char *what)
{
    if (node->key)
        bytes_printf(error, "line %d: followups.rules.%s: %s", node->line, node->key, what);
    else
        bytes_printf(error, "line %d: followups.rules: '%.60s': %s", node->line, node->scalar ? node->scalar : "", what);
    return false;
}

static int index_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

static bool conditions_parse(struct followup_rule *rule, const struct settings_node *node, struct bytes *error)
{
    rule->conditions = 0;
    if (node->kind != SETTINGS_LIST)
        return complain(error, node, "is a list of conditions");
    for (size_t i = 0; i < node->child_count; i++) {
        const struct settings_node *item = &node->children[i];
        int bit = item->kind == SETTINGS_SCALAR ? index_of(condition_names, CONDITION_COUNT, item->scalar) : -1;
        if (bit < 0)
            return complain(error, item, "a condition is unused, unsurveyed, unrenewed, kept, no_open_ticket, loyal, happy, latest or "
                                         "during_cases");
        rule->conditions |= 1u << bit;
    }
    return true;
}

static bool key_parse(struct followup_rule *rule, const struct settings_node *node, struct bytes *error)
{
    if (strcmp(node->key, "conditions") == 0)
        return conditions_parse(rule, node, error);
    if (node->kind != SETTINGS_SCALAR)
        return complain(error, node, "is a single value");
    struct view text = view_of_text(node->scalar);
    if (strcmp(node->key, "trigger") == 0) {
        int trigger = index_of(trigger_names, TRIGGER_COUNT, node->scalar);
        rule->trigger = (enum followup_trigger)trigger;
        return trigger >= 0 || complain(error, node, "is no trigger, such as order_delivered or ticket_resolved");
    }
    if (strcmp(node->key, "kind") == 0)
        return follow_up_kind_from_name(text, &rule->kind) || complain(error, node, "is no kind, such as THANK_YOU");
    if (strcmp(node->key, "delay") == 0)
        return (time_parse_duration(text, &rule->delay_ms) && rule->delay_ms >= 0) || complain(error, node, "is a duration such as 3d");
    if (strcmp(node->key, "expires") == 0)
        return (time_parse_duration(text, &rule->expires_ms) && rule->expires_ms > 0) ||
               complain(error, node, "is a duration such as 7d");
    if (strcmp(node->key, "enabled") == 0) {
        rule->is_enabled = strcmp(node->scalar, "true") == 0;
        return rule->is_enabled || strcmp(node->scalar, "false") == 0 || complain(error, node, "is true or false");
    }
    static const char *const known[] = {"trigger", "kind", "delay", "expires", "conditions", "enabled", NULL};
    return settings_unknown_key(node, "followups.rules", known, error);
}

static bool rule_parse(struct followup_rules *rules, const struct settings_node *node, struct bytes *error)
{
    if (node->kind != SETTINGS_MAP)
        return complain(error, node, "a rule is a map: {delay: 3d}");
    if (strlen(node->key) >= FOLLOWUP_NAME_MAX)
        return complain(error, node, "a rule's name has at most 47 bytes");
    uint32_t number = hash_murmur2(view_of_text(node->key));
    struct followup_rule *rule = (struct followup_rule *)followup_rule_find(rules, number);
    if (rule == NULL && rules->count == FOLLOWUP_RULES_MAX)
        return complain(error, node, "at most 48 rules");
    if (rule == NULL)
        rule = rule_add(rules, node->key);
    for (size_t i = 0; i < node->child_count; i++) {
        if (!key_parse(rule, &node->children[i], error))
            return false;
    }
    bool is_complete = rule->trigger != TRIGGER_COUNT && rule->kind != FOLLOW_UP_KIND_COUNT;
    return is_complete || complain(error, node, "a rule of your own needs a trigger and a kind");
}

static bool rules_take(struct followup_rules *rules, const struct settings_node *tree, struct bytes *error)
{
    rules->count = 0;
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
        struct followup_rule *rule = rule_add(rules, shipped[i].name);
        rule->trigger = shipped[i].trigger;
        rule->kind = shipped[i].kind;
        rule->delay_ms = shipped[i].delay_ms;
        rule->expires_ms = shipped[i].expires_ms;
        rule->conditions = shipped[i].conditions;
    }
    if (tree == NULL)
        return true;
    if (tree->kind != SETTINGS_MAP) {
        bytes_printf(error, "line %d: followups.rules: is a map from names to rules, as {thank_you: {delay: 3d}}", tree->line);
        return false;
    }
    for (size_t i = 0; i < tree->child_count; i++) {
        if (!rule_parse(rules, &tree->children[i], error))
            return false;
    }
    return true;
}

bool followup_rules_parse(struct followup_rules *rules, const struct settings_node *tree, struct bytes *error)
{
    if (!rules_take(rules, tree, error))
        return false;
    rules->silence = 0;
    while (rules->silence < rules->count &&
           !(rules->items[rules->silence].trigger == TRIGGER_SILENCE && rules->items[rules->silence].is_enabled))
        rules->silence++;
    return true;
}
