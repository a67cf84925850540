#include "sinks/notify/receivers.h"

#include "base/clock.h"
#include "base/signature.h"
#include "base/time_text.h"
#include "schemas/alert_rules.h"
#include "sinks/notify/inhibition.h"
#include "sinks/notify/silences.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct setting notify_setting_rows[] = {
    SETTING_TREE(struct notify_settings, receivers, "notify.receivers",
                 .about = "Who is told about alerts: a list of {name, form: json or slack or pagerduty, url, secret (whsec_ and base64, or any text; pagerduty's is the routing key), severity, rules (a list out of case, kpi.target, sla.first_response.warning, …; docs/CASES.md), after (15m, or {critical: 15m, warning: 2h}: it hears of what nobody has acknowledged for so long), inhibit (false: KPI alerts also while one about the whole or about the data itself is open), group_by (one message for alerts that have these in common, out of rule, kind, severity, kpi, dimension, customer, ticket), group_wait (30s), group_interval (5m), repeat_interval (4h: what was told and is still open, not acknowledged, is told again so often; without it never), daily_max (messages a day, beyond which what is not CRITICAL comes in a digest), digest_at (\"00:00\"), time_zone (UTC), cap_critical (true: CRITICAL, too)}."),
    SETTING_TREE(struct notify_settings, silences, "notify.silences",
                 .about = "For a while nobody is told: a list of {author, reason, from, until, and of rules, customers, kpis, dimensions at least one list of what it is about} (docs/CASES.md)."),
    SETTING_TEXT(struct notify_settings, silences_file, "notify.silences_file", .standard_text = "",
                 .about = "A file with more of them: such a list, alone. Read again when it changes, without a restart; one with a mistake is not taken, and the log names its line (docs/CASES.md)."),
    SETTING_DURATION(struct notify_settings, retry_first_ms, "notify.retry_first", .standard = 500, .least = 10,
                     .most = MINUTES(10), .about = "Pause before the second attempt; it doubles from there."),
    SETTING_DURATION(struct notify_settings, retry_most_ms, "notify.retry_most", .standard = MINUTES(1), .least = 10,
                     .most = HOURS(1), .about = "The longest pause between two attempts."),
    SETTING_DURATION(struct notify_settings, give_up_after_ms, "notify.give_up_after", .standard = HOURS(6), .least = 0,
                     .most = DAYS(30), .about = "After so long a message goes to the topic alerts.undelivered and the next one is tried."),
    SETTING_DURATION(struct notify_settings, max_age_ms, "notify.max_age", .standard = HOURS(24), .least = MINUTES(1),
                     .most = DAYS(365), .about = "An alert that changed longer ago (after an outage, say) is not told any more; that something is over is, to who was told of it."),
    SETTING_TEXT(struct notify_settings, dashboard_url, "notify.dashboard_url", .standard_text = "http://127.0.0.1:8081",
                 .about = "Where links in messages lead."),
    SETTING_END};

static bool complain(struct bytes *error, const struct settings_node *node, const char *what)
{
    bytes_printf(error, "line %d: notify.receivers: %s", node->line, what);
    return false;
}

static const char *scalar_of(const struct settings_node *map, const char *key)
{
    const struct settings_node *node = settings_node_find(map, key);
    return node && node->kind == SETTINGS_SCALAR ? node->scalar : NULL;
}

static bool check_keys(const struct settings_node *map, struct bytes *error)
{
    static const char *const known[] = {"name", "form", "url", "secret", "severity", "rules", "after", "inhibit", "repeat_interval", "group_by", "group_wait", "group_interval",
                                        "daily_max", "digest_at", "time_zone", "cap_critical", NULL};
    for (size_t i = 0; i < map->child_count; i++) {
        bool is_known = false;
        for (const char *const *name = known; *name; name++)
            is_known |= strcmp(map->children[i].key, *name) == 0;
        if (!is_known)
            return settings_unknown_key(&map->children[i], "notify.receivers", known, error);
    }
    return true;
}

static bool read_form(const char *text, enum receiver_form *form)
{
    static const char *const names[] = {"json", "slack", "pagerduty"};
    for (int i = 0; text && i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *form = (enum receiver_form)i;
            return true;
        }
    }
    return text == NULL;
}

static bool read_severity(const char *text, enum severity *least)
{
    char upper[16] = "INFO";
    for (size_t i = 0; text && i < sizeof upper - 1 && (i == 0 || text[i - 1]); i++)
        upper[i] = (char)toupper((unsigned char)text[i]);
    return severity_from_name(view_of_text(upper), least);
}

/* Standard Webhooks: whsec_ and the key in base64, 24 to 64 bytes. A text without the prefix is a key as it stands. */
static bool read_key(struct receiver *receiver)
{
    static const char prefix[] = "whsec_";
    struct bytes key = {0};
    if (receiver->form != RECEIVER_JSON || strncmp(receiver->secret, prefix, sizeof prefix - 1) != 0)
        return true;
    bool is_good = signature_read_base64(&key, view_of_text(receiver->secret + sizeof prefix - 1)) && key.size >= 24 &&
                   key.size <= sizeof receiver->key;
    if (is_good) {
        memcpy(receiver->key, key.data, key.size);
        receiver->key_size = key.size;
    }
    bytes_finish(&key);
    return is_good;
}

/* A rule that is none would be a receiver that never hears a thing. */
static bool check_rules(const struct settings_node *rules, struct bytes *error)
{
    if (rules->kind != SETTINGS_LIST || rules->child_count == 0)
        return complain(error, rules, "rules is a list with something in it, as [" ALERT_RULE_OF_CASES "]; without it all are heard");
    for (size_t i = 0; i < rules->child_count; i++) {
        const struct settings_node *rule = &rules->children[i];
        if (rule->kind == SETTINGS_SCALAR && alert_rule_exists(view_of_text(rule->scalar)))
            continue;
        bytes_printf(error, "line %d: notify.receivers: no rule is called '%s'; there are %s", rule->line,
                     rule->kind == SETTINGS_SCALAR ? rule->scalar : "", ALERT_RULE_OF_CASES);
        for (int known = 0; alert_rules_of_kpis[known]; known++)
            bytes_printf(error, ", %s", alert_rules_of_kpis[known]);
        for (int known = 0; known < RULE_COUNT; known++)
            bytes_printf(error, ", %s", alert_rule_names[known]);
        return false;
    }
    return true;
}

enum { AFTER_MOST_DAYS = 30 };

static bool read_wait(const struct settings_node *node, int64_t *after_ms)
{
    return node->kind == SETTINGS_SCALAR && node->scalar && time_parse_duration(view_of_text(node->scalar), after_ms) && *after_ms >= SECONDS(1) &&
           *after_ms <= DAYS(AFTER_MOST_DAYS);
}

/* One wait for every severity from the receiver's least on, or one each. */
static bool read_after(const struct settings_node *node, struct receiver *receiver, struct bytes *error)
{
    static const char *const known[] = {"critical", "warning", "info", NULL};
    for (int severity = 0; severity <= SEVERITY_CRITICAL; severity++)
        receiver->after_ms[severity] = -1;
    receiver->escalates = node != NULL;
    if (node == NULL)
        return true;
    int64_t after_ms = -1;
    if (node->kind == SETTINGS_MAP ? node->child_count == 0 : !read_wait(node, &after_ms))
        return complain(error, node, "after is a duration from 1s to 30d, as 15m, or one a severity, as {critical: 15m, warning: 2h}");
    for (int severity = receiver->least; node->kind != SETTINGS_MAP && severity <= SEVERITY_CRITICAL; severity++)
        receiver->after_ms[severity] = after_ms;
    for (size_t i = 0; node->kind == SETTINGS_MAP && i < node->child_count; i++) {
        const struct settings_node *child = &node->children[i];
        enum severity severity;
        if (strcmp(child->key, known[0]) != 0 && strcmp(child->key, known[1]) != 0 && strcmp(child->key, known[2]) != 0)
            return settings_unknown_key(child, "notify.receivers.after", known, error);
        if (!read_severity(child->key, &severity) || !read_wait(child, &receiver->after_ms[severity]))
            return complain(error, child, "after is a duration from 1s to 30d for each severity, as {critical: 15m, warning: 2h}");
        if (severity < receiver->least)
            return complain(error, child, "after is for a severity that the receiver's severity leaves out");
    }
    return true;
}

static bool read_inhibit(const struct settings_node *node, bool *inhibits)
{
    const char *text = node && node->kind == SETTINGS_SCALAR && node->scalar ? node->scalar : "";
    *inhibits = node == NULL || strcmp(text, "true") == 0;
    return *inhibits || strcmp(text, "false") == 0;
}

static bool read_repeat(const struct settings_node *node, int64_t *repeat_ms)
{
    *repeat_ms = 0;
    return node == NULL || read_wait(node, repeat_ms);
}

static bool read_one(const struct settings_node *node, struct receiver *receiver, struct bytes *error)
{
    if (node->kind != SETTINGS_MAP)
        return complain(error, node, "each receiver is a mapping with name and url");
    if (!check_keys(node, error))
        return false;
    const char *secret = scalar_of(node, "secret");
    *receiver = (struct receiver){.name = scalar_of(node, "name"),
                                  .url = scalar_of(node, "url"),
                                  .secret = secret ? secret : "",
                                  .rules = settings_node_find(node, "rules")};
    if (receiver->name == NULL || receiver->url == NULL)
        return complain(error, node, "a receiver needs a name and a url");
    if (strncasecmp(receiver->url, "http://", 7) != 0 && strncasecmp(receiver->url, "https://", 8) != 0)
        return complain(error, node, "url must begin with http:// or https://");
    if (!read_form(scalar_of(node, "form"), &receiver->form))
        return complain(error, node, "form is json, slack or pagerduty");
    if (!read_key(receiver))
        return complain(error, node, "behind whsec_ a secret is 24 to 64 bytes in base64");
    if (receiver->form == RECEIVER_PAGERDUTY && receiver->secret[0] == '\0')
        return complain(error, node, "form pagerduty needs a secret: the integration's routing key");
    if (!read_severity(scalar_of(node, "severity"), &receiver->least))
        return complain(error, node, "severity is info, warning or critical");
    if (!read_after(settings_node_find(node, "after"), receiver, error))
        return false;
    if (!read_inhibit(settings_node_find(node, "inhibit"), &receiver->inhibits))
        return complain(error, settings_node_find(node, "inhibit"), "inhibit is true or false");
    if (!read_repeat(settings_node_find(node, "repeat_interval"), &receiver->repeat_ms))
        return complain(error, settings_node_find(node, "repeat_interval"), "repeat_interval is a duration from 1s to 30d, as 4h");
    if (!grouping_read(node, &receiver->grouping, error))
        return false;
    if (receiver->form == RECEIVER_PAGERDUTY && receiver->grouping.is_on)
        return complain(error, node, "form pagerduty takes no group_by: an incident there is one alert, and groups are made on its side");
    if (!digest_read(node, &receiver->digest, error))
        return false;
    if (receiver->form == RECEIVER_PAGERDUTY && receiver->digest.daily_max)
        return complain(error, node, "form pagerduty takes no daily_max: who is on call is not told in a digest; severity, rules and after choose");
    return receiver->rules == NULL || check_rules(receiver->rules, error);
}

bool receivers_read(const struct notify_settings *settings, struct receiver receivers[RECEIVERS_MAX], size_t *count,
                    struct bytes *error)
{
    const struct settings_node *list = settings->receivers;
    *count = 0;
    if (list == NULL)
        return true;
    if (list->kind != SETTINGS_LIST)
        return complain(error, list, "is a list");
    if (list->child_count > RECEIVERS_MAX)
        return complain(error, list, "at most 32 receivers");
    for (size_t i = 0; i < list->child_count; i++) {
        if (!read_one(&list->children[i], &receivers[i], error))
            return false;
        for (size_t other = 0; other < i; other++) { /* one consumer group a name: each would hear half of the alerts */
            if (strcmp(receivers[other].name, receivers[i].name) == 0)
                return complain(error, &list->children[i], "two receivers have the same name");
        }
        ++*count;
    }
    return true;
}

bool receiver_holds_all(const struct receiver *receiver)
{
    return receiver->escalates || receiver->grouping.is_on || receiver->digest.daily_max;
}

bool receiver_holds(const struct receiver *receiver, const struct alert *alert)
{
    return receiver_holds_all(receiver) || (receiver->inhibits && subject_of(alert).is_kpi);
}

bool receiver_sees_all(const struct receiver *receiver)
{
    return receiver->inhibits || receiver->grouping.is_on || receiver->digest.daily_max;
}

bool receiver_wants(const struct receiver *receiver, const struct alert *alert, bool was_told)
{
    if ((alert->severity < receiver->least && !was_told) || alert->historical)
        return false;
    if (receiver->rules == NULL)
        return true;
    for (size_t i = 0; i < receiver->rules->child_count; i++) {
        const struct settings_node *rule = &receiver->rules->children[i];
        if (rule->kind == SETTINGS_SCALAR && view_equal_text(alert->rule, rule->scalar))
            return true;
    }
    return false;
}
