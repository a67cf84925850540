#include "processors/journey/tickets/policy.h"

#include "base/time_text.h"

#include "schemas/records.h"

static bool complain(struct bytes *error, const struct settings_node *node, const char *key, const char *what)
{
    bytes_printf(error, "line %d: %s: %s", node->line, key, what);
    return false;
}

static const struct calendar *calendar_named(const struct policies *policies, const char *name)
{
    for (uint32_t i = 0; i < policies->calendar_count; i++) {
        if (strcmp(policies->calendars[i].name, name) == 0)
            return &policies->calendars[i];
    }
    return NULL;
}

static bool calendars_parse(struct policies *policies, const struct settings_node *node, struct bytes *error)
{
    if (node->kind != SETTINGS_MAP)
        return complain(error, node, "sla.calendars", "is a map from names to calendars");
    for (size_t i = 0; i < node->child_count; i++) {
        if (policies->calendar_count == CALENDARS_MAX)
            return complain(error, &node->children[i], "sla.calendars", "at most 16 calendars");
        if (!calendar_parse(&policies->calendars[policies->calendar_count++], &node->children[i], error))
            return false;
    }
    return true;
}

static bool policy_key_parse(const struct policies *policies, struct policy *policy, const struct settings_node *node,
                             struct bytes *error)
{
    enum priority priority;
    if (node->kind != SETTINGS_SCALAR)
        return complain(error, node, "sla.policies", "each part of a policy is a single value");
    struct view text = view_of_text(node->scalar);
    if (strcmp(node->key, "priority") == 0) {
        if (!priority_from_name(text, &priority))
            return complain(error, node, "sla.policies.priority", "is LOW, NORMAL, HIGH or URGENT");
        policy->priority = (uint8_t)priority;
    } else if (strcmp(node->key, "segment") == 0) {
        policy->segment = node->scalar;
    } else if (strcmp(node->key, "calendar") == 0) {
        policy->calendar = calendar_named(policies, node->scalar);
        return policy->calendar != NULL || complain(error, node, "sla.policies.calendar", "names none of sla.calendars; write it there first");
    } else if (strcmp(node->key, "first_response") == 0) {
        return (time_parse_duration(text, &policy->first_response_ms) && policy->first_response_ms > 0) ||
               complain(error, node, "sla.policies.first_response", "is a duration such as 2h");
    } else if (strcmp(node->key, "resolution") == 0) {
        return (time_parse_duration(text, &policy->resolution_ms) && policy->resolution_ms > 0) ||
               complain(error, node, "sla.policies.resolution", "is a duration such as 48h");
    } else {
        static const char *const known[] = {"priority", "segment", "calendar", "first_response", "resolution", NULL};
        return settings_unknown_key(node, "sla.policies", known, error);
    }
    return true;
}

static bool items_parse(struct policies *policies, const struct settings_node *node, const struct policy *standard,
                        struct bytes *error)
{
    if (node->kind != SETTINGS_LIST)
        return complain(error, node, "sla.policies", "is a list of policies");
    for (size_t i = 0; i < node->child_count; i++) {
        const struct settings_node *item = &node->children[i];
        if (policies->count == POLICIES_MAX - 1 || item->kind != SETTINGS_MAP)
            return complain(error, item, "sla.policies", "is a list of at most 31 maps");
        struct policy *policy = &policies->items[policies->count++];
        *policy = *standard;
        for (size_t j = 0; j < item->child_count; j++) {
            if (!policy_key_parse(policies, policy, &item->children[j], error))
                return false;
        }
    }
    return true;
}

bool policies_parse(struct policies *policies, const struct policy_settings *settings, struct bytes *error)
{
    *policies = (struct policies){0};
    struct policy standard = {.priority = ANY_PRIORITY, .first_response_ms = settings->first_response_ms,
                              .resolution_ms = settings->resolution_ms};
    if (settings->calendars && !calendars_parse(policies, settings->calendars, error))
        return false;
    if (settings->calendar && settings->calendar[0]) {
        standard.calendar = calendar_named(policies, settings->calendar);
        if (standard.calendar == NULL) {
            bytes_printf(error, "sla.calendar: '%s' is none of sla.calendars", settings->calendar);
            return false;
        }
    }
    if (settings->policies && !items_parse(policies, settings->policies, &standard, error))
        return false;
    policies->items[policies->count++] = standard;
    return true;
}

void policies_finish(struct policies *policies)
{
    for (uint32_t i = 0; i < policies->calendar_count; i++)
        calendar_finish(&policies->calendars[i]);
}

const struct policy *policy_for(const struct policies *policies, uint8_t priority, struct view segment)
{
    const struct policy *policy = policies->items;
    for (uint32_t i = 0; i + 1 < policies->count; i++, policy++) {
        bool has_priority = policy->priority == ANY_PRIORITY || policy->priority == priority;
        if (has_priority && (policy->segment == NULL || view_equal_text(segment, policy->segment)))
            return policy;
    }
    return &policies->items[policies->count - 1];
}
