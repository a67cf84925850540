#include "sinks/notify/silences.h"

#include "base/log.h"
#include "base/percent_text.h"
#include "base/time_text.h"
#include "schemas/alert_rules.h"
#include "schemas/kpi_names.h"

#include <string.h>

static bool complain(struct bytes *error, const struct settings_node *node, const char *what)
{
    bytes_printf(error, "line %d: notify.silences: %s", node->line, what);
    return false;
}

/* --- reading --- */

static bool check_keys(const struct settings_node *map, struct bytes *error)
{
    static const char *const known[] = {"author", "reason", "from", "until", "rules", "customers", "kpis", "dimensions", NULL};
    for (size_t i = 0; i < map->child_count; i++) {
        bool is_known = false;
        for (const char *const *name = known; *name; name++)
            is_known |= strcmp(map->children[i].key, *name) == 0;
        if (!is_known)
            return settings_unknown_key(&map->children[i], "notify.silences", known, error);
    }
    return true;
}

static const char *text_of(const struct settings_node *map, const char *key)
{
    const struct settings_node *node = settings_node_find(map, key);
    return node && node->kind == SETTINGS_SCALAR && node->scalar && node->scalar[0] ? node->scalar : NULL;
}

static bool kpi_exists(struct view name)
{
    enum kpi_id id;
    return kpi_from_name(name, &id);
}

/* What is empty would be every alert that has none: all those about KPIs are about no customer. */
static bool is_something(struct view name)
{
    return name.size > 0;
}

static bool is_dimension(struct view name)
{
    const char *equals = name.size ? memchr(name.data, '=', name.size) : NULL;
    return view_equal_text(name, "all") || (equals && equals > name.data && equals + 1 < name.data + name.size);
}

/* A name that is none would be a silence in which everything is heard. */
static bool read_list(const struct settings_node *map, const char *key, bool (*exists)(struct view), const struct settings_node **out,
                      struct bytes *error)
{
    const struct settings_node *list = settings_node_find(map, key);
    *out = list;
    if (!list)
        return true;
    if (list->kind != SETTINGS_LIST || list->child_count == 0) {
        bytes_printf(error, "line %d: notify.silences: %s is a list with something in it, as [a, b]", list->line, key);
        return false;
    }
    for (size_t i = 0; i < list->child_count; i++) {
        const struct settings_node *item = &list->children[i];
        const char *name = item->kind == SETTINGS_SCALAR && item->scalar ? item->scalar : "";
        if (exists(view_of_text(name)))
            continue;
        if (exists == is_dimension)
            bytes_printf(error, "line %d: notify.silences: %s: '%s' is neither all nor NAME=VALUE, such as product=kettle", item->line, key, name);
        else
            bytes_printf(error, "line %d: notify.silences: %s: there is no '%s' (docs/CASES.md has the rules, docs/KPIS.md the KPIs)", item->line,
                         key, name);
        return false;
    }
    return true;
}

static bool read_times(const struct settings_node *map, struct silence *silence, struct bytes *error)
{
    const struct settings_node *from = settings_node_find(map, "from");
    const char *until = text_of(map, "until");
    if (!until || !time_text_parse(view_of_text(until), &silence->until_ms))
        return complain(error, map, "a silence needs an end: until: 2026-11-30T06:00:00Z, say");
    silence->from_ms = INT64_MIN;
    if (from && (!text_of(map, "from") || !time_text_parse(view_of_text(text_of(map, "from")), &silence->from_ms)))
        return complain(error, from, "from is a time, as 2026-11-27T18:00:00Z");
    return silence->from_ms < silence->until_ms || complain(error, map, "until is before from");
}

static bool read_one(const struct settings_node *map, struct silence *silence, struct bytes *error)
{
    if (map->kind != SETTINGS_MAP)
        return complain(error, map, "each silence is a mapping with author, reason, until and what it is about");
    if (!check_keys(map, error))
        return false;
    silence->author = text_of(map, "author");
    silence->reason = text_of(map, "reason");
    if (!silence->author || !silence->reason)
        return complain(error, map, "a silence needs an author and a reason: who is to be asked about it, and why");
    if (!read_times(map, silence, error) || !read_list(map, "rules", alert_rule_exists, &silence->rules, error) ||
        !read_list(map, "customers", is_something, &silence->customers, error) || !read_list(map, "kpis", kpi_exists, &silence->kpis, error) ||
        !read_list(map, "dimensions", is_dimension, &silence->dimensions, error))
        return false;
    return silence->rules || silence->customers || silence->kpis || silence->dimensions ||
           complain(error, map, "a silence says what it is about: rules, customers, kpis or dimensions");
}

bool silences_read(const struct settings_node *list, struct silences *silences, struct bytes *error)
{
    *silences = (struct silences){.count = 0};
    return !list || silences_add(list, silences, error);
}

bool silences_add(const struct settings_node *list, struct silences *silences, struct bytes *error)
{
    if (list->kind != SETTINGS_LIST)
        return complain(error, list, "is a list of {author, reason, until, …}, each beginning with a dash");
    if (silences->count + list->child_count > SILENCES_MAX)
        return complain(error, list, "at most 64 silences; take out those that are over");
    for (size_t i = 0; i < list->child_count; i++, silences->count++)
        if (!read_one(&list->children[i], &silences->items[silences->count], error))
            return false;
    return true;
}

/* --- covering --- */

static bool has(const struct settings_node *list, struct view text)
{
    for (size_t i = 0; list && i < list->child_count; i++)
        if (view_equal_text(text, list->children[i].scalar))
            return true;
    return list == NULL;
}

/* Written as in keys or as the value is: who copies it from the catalogue need not know how we encode it. */
static bool has_dimension(const struct settings_node *list, struct view dimension)
{
    if (has(list, dimension))
        return true;
    struct bytes meant = {0};
    percent_decode(&meant, dimension);
    bool is_in = has(list, bytes_view(&meant));
    bytes_finish(&meant);
    return is_in;
}

uint64_t silences_about(const struct silences *silences, const struct alert *alert)
{
    uint64_t which = 0;
    for (size_t i = 0; silences && i < silences->count; i++) {
        const struct silence *silence = &silences->items[i];
        if (has(silence->rules, alert->rule) && has(silence->customers, alert->customer_id) && has(silence->kpis, alert->kpi) &&
            has_dimension(silence->dimensions, alert->dimension))
            which |= UINT64_C(1) << i;
    }
    return which;
}

int64_t silences_end_ms(const struct silences *silences, uint64_t which, int64_t at_ms)
{
    for (bool has_moved = true; has_moved;) { /* one may end within another */
        has_moved = false;
        for (size_t i = 0; silences && i < silences->count; i++) {
            const struct silence *silence = &silences->items[i];
            if (!(which >> i & 1) || at_ms < silence->from_ms || at_ms >= silence->until_ms)
                continue;
            at_ms = silence->until_ms;
            has_moved = true;
        }
    }
    return at_ms;
}

/* --- the log --- */

static void say(const struct silence *silence, const char *what)
{
    char until[TIME_TEXT_SIZE];
    time_text_format(until, silence->until_ms);
    log_info(what, "author", silence->author, "reason", silence->reason, "until", until, NULL);
}

void silences_say(const struct silences *silences, int64_t before_ms, int64_t now_ms)
{
    for (size_t i = 0; i < silences->count; i++) {
        const struct silence *silence = &silences->items[i];
        if (silence->until_ms <= now_ms && silence->until_ms > before_ms)
            say(silence, "a silence is over, take it out of notify.silences");
        else if (silence->until_ms > now_ms && silence->from_ms <= now_ms && (silence->from_ms > before_ms || before_ms == INT64_MIN))
            say(silence, "a silence runs");
    }
}
