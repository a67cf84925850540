#include "sinks/notify/digest.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/time_text.h"
#include "base/time_zone.h"
#include "schemas/alert_rules.h"
#include "sinks/notify/message.h"
#include "sinks/notify/receivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- settings --- */

static bool complain(struct bytes *error, const struct settings_node *node, const char *what)
{
    bytes_printf(error, "line %d: notify.receivers: %s", node->line, what);
    return false;
}

static const char *text_of(const struct settings_node *node)
{
    return node && node->kind == SETTINGS_SCALAR && node->scalar ? node->scalar : "";
}

static bool read_count(const char *text, int64_t *count)
{
    char *end;
    *count = strtol(text, &end, 10);
    return *text && !*end && *count >= 1 && *count <= 1000000;
}

/* 08:00, or 08:00:30 */
static bool read_time_of_day(const char *text, int64_t *at_ms)
{
    unsigned hours, minutes, seconds = 0;
    char rest;
    int fields = sscanf(text, "%2u:%2u:%2u%c", &hours, &minutes, &seconds, &rest);
    bool is_good = (fields == 2 && strlen(text) == 5) || (fields == 3 && strlen(text) == 8);
    if (!is_good || hours > 23 || minutes > 59 || seconds > 59)
        return false;
    *at_ms = HOURS((int64_t)hours) + MINUTES((int64_t)minutes) + SECONDS((int64_t)seconds);
    return true;
}

static bool read_zone(const struct settings_node *node, const char **name, struct bytes *error)
{
    char why[200];
    *name = node ? text_of(node) : "UTC";
    struct time_zone *zone = time_zone_create(*name, why, sizeof why);
    if (!zone)
        bytes_printf(error, "line %d: notify.receivers: time_zone: %s", node->line, why);
    time_zone_destroy(zone);
    return zone != NULL;
}

bool digest_read(const struct settings_node *receiver, struct digest_rules *rules, struct bytes *error)
{
    static const char *const only_with[] = {"digest_at", "time_zone", "cap_critical"};
    const struct settings_node *most = settings_node_find(receiver, "daily_max"), *at = settings_node_find(receiver, "digest_at"),
                               *critical = settings_node_find(receiver, "cap_critical");
    *rules = (struct digest_rules){.time_zone = "UTC"};
    for (size_t i = 0; !most && i < sizeof only_with / sizeof *only_with; i++)
        if (settings_node_find(receiver, only_with[i]))
            return complain(error, settings_node_find(receiver, only_with[i]), "digest_at, time_zone and cap_critical need a daily_max, as 50");
    if (!most)
        return true;
    if (!read_count(text_of(most), &rules->daily_max))
        return complain(error, most, "daily_max is a number of messages, 1 to 1000000");
    if (at && !read_time_of_day(text_of(at), &rules->at_ms))
        return complain(error, at, "digest_at is a time of the day in quotes, as \"08:00\"");
    rules->caps_critical = strcmp(text_of(critical), "true") == 0;
    if (critical && !rules->caps_critical && strcmp(text_of(critical), "false") != 0)
        return complain(error, critical, "cap_critical is true or false");
    return read_zone(settings_node_find(receiver, "time_zone"), &rules->time_zone, error);
}

/* --- the cap --- */

void digest_init(struct digest *digest, const struct digest_rules *rules)
{
    char why[200];
    *digest = (struct digest){.rules = rules, .day_ms = INT64_MIN, .next_day_ms = INT64_MIN};
    digest->zone = rules->daily_max ? time_zone_create(rules->time_zone, why, sizeof why) : NULL; /* digest_read has seen it */
}

void digest_finish(struct digest *digest)
{
    time_zone_destroy(digest->zone);
    map_finish(&digest->messages, NULL);
}

void digest_forget(struct digest *digest)
{
    map_finish(&digest->messages, NULL);
    digest->day_ms = digest->next_day_ms = INT64_MIN;
}

static struct view key_of(const int64_t *told_ms)
{
    return view_of(told_ms, sizeof *told_ms);
}

static void drop_old(struct digest *digest)
{
    struct map kept = {0};
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&digest->messages, &at));) {
        int64_t told_ms;
        memcpy(&told_ms, slot->key, sizeof told_ms);
        if (told_ms >= digest->day_ms)
            *map_place(&kept, key_of(&told_ms)) = slot->value;
    }
    map_finish(&digest->messages, NULL);
    digest->messages = kept;
}

int64_t digest_day_ms(struct digest *digest, int64_t now_ms)
{
    if (now_ms < digest->next_day_ms)
        return digest->day_ms;
    const struct time_zone *zone = digest->zone;
    int64_t day = time_zone_day(zone, now_ms - digest->rules->at_ms), begin_ms;
    /* A change of the clocks may lie between midnight and then. */
    for (day++; (begin_ms = time_zone_from_local(zone, DAYS(day) + digest->rules->at_ms)) > now_ms;)
        day--;
    digest->day_ms = begin_ms;
    digest->next_day_ms = time_zone_from_local(zone, DAYS(day + 1) + digest->rules->at_ms);
    drop_old(digest);
    return digest->day_ms;
}

void digest_counts(struct digest *digest, int64_t told_ms)
{
    if (digest->rules->daily_max && told_ms >= digest->day_ms)
        *map_place(&digest->messages, key_of(&told_ms)) = digest;
}

bool digest_is_full(const struct digest *digest)
{
    return digest->rules->daily_max && (int64_t)digest->messages.count >= digest->rules->daily_max;
}

int64_t digest_stamp_ms(const struct digest *digest, int64_t now_ms)
{
    while (map_find(&digest->messages, key_of(&now_ms)))
        now_ms++;
    return now_ms;
}

/* --- what it says --- */

struct counts {
    struct view rule; /* borrowed */
    enum severity severity;
    size_t count, open;
};

void digest_summary_finish(struct digest_summary *summary)
{
    map_finish(&summary->by_rule, free);
}

static bool is_before(const struct alert *one, const struct alert *other)
{
    bool is_open = !alert_is_over(one->state), other_is_open = !alert_is_over(other->state);
    if (one->severity != other->severity)
        return one->severity > other->severity;
    return is_open != other_is_open ? is_open : one->changed_at_ms > other->changed_at_ms;
}

static void keep_gravest(struct digest_summary *summary, const struct alert *alert)
{
    size_t place = summary->gravest_count;
    while (place > 0 && is_before(alert, &summary->gravest[place - 1]))
        place--;
    if (place == DIGEST_GRAVEST_MAX)
        return;
    summary->gravest_count += summary->gravest_count < DIGEST_GRAVEST_MAX;
    for (size_t i = summary->gravest_count - 1; i > place; i--)
        summary->gravest[i] = summary->gravest[i - 1];
    summary->gravest[place] = *alert;
}

void digest_add(struct digest_summary *summary, const struct alert *alert)
{
    struct bytes key = {0};
    bytes_printf(&key, "%.*s %d", VIEW_ARGUMENTS(alert->rule), (int)alert->severity);
    void **place = map_place(&summary->by_rule, bytes_view(&key));
    if (!*place)
        *place = memory_zeroed(1, sizeof(struct counts));
    struct counts *counts = *place;
    counts->rule = alert->rule;
    counts->severity = alert->severity;
    counts->count++;
    counts->open += !alert_is_over(alert->state);
    summary->count++;
    keep_gravest(summary, alert);
    bytes_finish(&key);
}

static int compare_counts(const void *a, const void *b)
{
    const struct counts *one = *(const struct counts *const *)a, *other = *(const struct counts *const *)b;
    if (one->severity != other->severity)
        return one->severity > other->severity ? -1 : 1;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    return view_compare(one->rule, other->rule);
}

static const struct counts **sorted(const struct digest_summary *summary)
{
    const struct counts **rows = memory_allocate((summary->by_rule.count + 1) * sizeof *rows);
    size_t at = 0, count = 0;
    for (const struct map_slot *slot; (slot = map_next(&summary->by_rule, &at));)
        rows[count++] = slot->value;
    qsort(rows, count, sizeof *rows, compare_counts);
    return rows;
}

static void write_json(struct bytes *out, const struct receiver *receiver, const struct digest_summary *summary, const struct counts **rows,
                       const char *dashboard_url)
{
    char at[TIME_TEXT_SIZE];
    time_text_format(at, summary->until_ms);
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "type");
    json_write_text(&json, VIEW_LITERAL("touchstream.digest"));
    json_key(&json, "timestamp");
    json_write_text(&json, view_of_text(at));
    json_key(&json, "url");
    json_write_text(&json, view_of_text(dashboard_url));
    json_key(&json, "count");
    json_write_integer(&json, (int64_t)summary->count);
    json_key(&json, "counts");
    json_open_array(&json);
    for (size_t i = 0; i < summary->by_rule.count; i++) {
        json_open_object(&json);
        json_key(&json, "rule");
        json_write_text(&json, rows[i]->rule);
        json_key(&json, "severity");
        json_write_text(&json, view_of_text(severity_name(rows[i]->severity)));
        json_key(&json, "count");
        json_write_integer(&json, (int64_t)rows[i]->count);
        json_key(&json, "open");
        json_write_integer(&json, (int64_t)rows[i]->open);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_key(&json, "gravest");
    json_open_array(&json);
    for (size_t i = 0; i < summary->gravest_count; i++) {
        struct bytes one = {0};
        message_write(&one, receiver, &summary->gravest[i], dashboard_url, 0);
        json_write_raw(&json, bytes_view(&one));
        bytes_finish(&one);
    }
    json_close_array(&json);
    json_close_object(&json);
}

static void append_text(struct bytes *text, const struct receiver *receiver, const struct digest_summary *summary, const struct counts **rows,
                        const char *dashboard_url)
{
    bytes_printf(text, "Digest: %zu alerts beyond %lld messages a day", summary->count, (long long)receiver->digest.daily_max);
    for (size_t i = 0; i < summary->by_rule.count; i++)
        bytes_printf(text, "\n• %s %.*s: %zu, %zu of them open", severity_name(rows[i]->severity), VIEW_ARGUMENTS(rows[i]->rule), rows[i]->count, rows[i]->open);
    bytes_append_text(text, "\nThe gravest:");
    for (size_t i = 0; i < summary->gravest_count; i++)
        message_append_line(text, &summary->gravest[i], dashboard_url, 0);
    bytes_printf(text, "\n<%s|open>", dashboard_url);
}

void digest_write(struct bytes *out, const struct receiver *receiver, const struct digest_summary *summary, const char *dashboard_url)
{
    const struct counts **rows = sorted(summary);
    if (receiver->form == RECEIVER_JSON) {
        write_json(out, receiver, summary, rows, dashboard_url);
    } else {
        struct bytes text = {0};
        append_text(&text, receiver, summary, rows, dashboard_url);
        message_write_text(out, bytes_view(&text));
        bytes_finish(&text);
    }
    free(rows);
}
