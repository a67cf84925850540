#include "sinks/notify/grouping.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/time_text.h"

#include <stdlib.h>
#include <string.h>

enum { LABELS = 7, SWEEP_LEAST = 1000 };

static const char *const label_names[LABELS] = {"rule", "kind", "severity", "kpi", "dimension", "customer", "ticket"};

static struct view value_of(const struct alert *alert, int label)
{
    const struct view values[LABELS] = {alert->rule, view_of_text(alert_kind_name(alert->kind)), view_of_text(severity_name(alert->severity)),
                                        alert->kpi,  alert->dimension, alert->customer_id, alert->ticket_id};
    return values[label];
}

/* --- settings --- */

static bool complain(struct bytes *error, const struct settings_node *node, const char *what)
{
    bytes_printf(error, "line %d: notify.receivers: %s", node->line, what);
    return false;
}

static bool read_label(const struct settings_node *node, unsigned *labels, struct bytes *error)
{
    const char *name = node->kind == SETTINGS_SCALAR && node->scalar ? node->scalar : "";
    for (int label = 0; label < LABELS; label++) {
        if (strcmp(name, label_names[label]) != 0)
            continue;
        *labels |= 1U << label;
        return true;
    }
    bytes_printf(error, "line %d: notify.receivers: group_by: an alert has no '%s'; it has", node->line, name);
    for (int label = 0; label < LABELS; label++)
        bytes_printf(error, "%s %s", label ? "," : "", label_names[label]);
    return false;
}

static bool read_time(const struct settings_node *map, const char *key, int64_t standard_ms, int64_t *out_ms, struct bytes *error)
{
    const struct settings_node *node = settings_node_find(map, key);
    *out_ms = standard_ms;
    if (!node)
        return true;
    if (node->kind == SETTINGS_SCALAR && node->scalar && time_parse_duration(view_of_text(node->scalar), out_ms) && *out_ms >= 0 && *out_ms <= DAYS(1))
        return true;
    bytes_printf(error, "line %d: notify.receivers: %s is a duration from 0s to 1d, as 30s", node->line, key);
    return false;
}

bool grouping_read(const struct settings_node *receiver, struct grouping *grouping, struct bytes *error)
{
    const struct settings_node *list = settings_node_find(receiver, "group_by"), *wait = settings_node_find(receiver, "group_wait"),
                               *interval = settings_node_find(receiver, "group_interval");
    *grouping = (struct grouping){.is_on = list != NULL};
    if (!list && (wait || interval))
        return complain(error, wait ? wait : interval, "group_wait and group_interval need group_by: [rule], say; [] puts all into one group");
    if (list && list->kind != SETTINGS_LIST)
        return complain(error, list, "group_by is a list, as [rule, kpi]; [] puts all into one group");
    for (size_t i = 0; list && i < list->child_count; i++)
        if (!read_label(&list->children[i], &grouping->labels, error))
            return false;
    return read_time(receiver, "group_wait", SECONDS(30), &grouping->wait_ms, error) &&
           read_time(receiver, "group_interval", MINUTES(5), &grouping->interval_ms, error);
}

/* --- what they have in common --- */

void grouping_append_key(struct bytes *out, const struct grouping *grouping, const struct alert *alert)
{
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    for (int label = 0; label < LABELS; label++) {
        if (!(grouping->labels >> label & 1))
            continue;
        json_key(&json, label_names[label]);
        json_write_text(&json, value_of(alert, label));
    }
    json_close_object(&json);
}

void grouping_append_words(struct bytes *out, const struct grouping *grouping, const struct alert *alert)
{
    for (int label = 0; label < LABELS; label++) {
        struct view value = value_of(alert, label);
        if (!(grouping->labels >> label & 1) || value.size == 0)
            continue;
        bytes_append_text(out, " · ");
        bytes_append_view(out, value);
    }
}

/* --- the groups there are --- */

static void group_free(void *value)
{
    struct group *group = value;
    free(group->key);
    free(group);
}

void groups_finish(struct groups *groups)
{
    map_finish(&groups->by_key, group_free);
}

void groups_leave(struct group *group)
{
    if (group)
        group->members--;
}

struct group *groups_move(struct groups *groups, const struct grouping *grouping, struct group *old, const struct alert *alert)
{
    struct bytes key = {0};
    grouping_append_key(&key, grouping, alert);
    void **place = map_place(&groups->by_key, bytes_view(&key));
    if (!*place) {
        struct group *made = *place = memory_zeroed(1, sizeof *made);
        made->key = memory_copy_text(bytes_text(&key));
        made->told_ms = INT64_MIN;
    }
    struct group *group = *place;
    group->members++;
    groups_leave(old);
    bytes_finish(&key);
    return group;
}

void groups_sweep(struct groups *groups, const struct grouping *grouping, int64_t now_ms)
{
    struct map kept = {0};
    size_t at = 0;
    if (groups->by_key.count <= groups->sweep_at)
        return;
    for (struct map_slot *slot; (slot = map_next(&groups->by_key, &at));) {
        struct group *group = slot->value;
        if (group->members == 0 && (group->told_ms == INT64_MIN || group->told_ms + grouping->interval_ms <= now_ms))
            group_free(group);
        else
            *map_place(&kept, view_of(slot->key, slot->key_size)) = group;
    }
    map_finish(&groups->by_key, NULL);
    groups->by_key = kept;
    groups->sweep_at = SWEEP_LEAST + 2 * kept.count;
}
