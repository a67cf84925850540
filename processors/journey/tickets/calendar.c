#include "processors/journey/tickets/calendar.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/time_text.h"

#include <stdio.h>
#include <stdlib.h>

enum { MINUTES_A_DAY = 1440, DAYS_LOOKED_AHEAD = 3660 };

static bool is_holiday(const struct calendar *calendar, int64_t day)
{
    uint32_t low = 0, high = calendar->holiday_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (calendar->holidays[middle] == day)
            return true;
        if (calendar->holidays[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static int weekday_of(int64_t day) /* 0: Monday; 1970-01-01 was a Thursday */
{
    return (int)(((day + 3) % 7 + 7) % 7);
}

/* The working intervals of one local day, one after the other: false when there is no `number`th. */
static bool interval_of_day(const struct calendar *calendar, int64_t day, uint32_t number, int64_t *from_ms, int64_t *to_ms)
{
    int weekday = weekday_of(day);
    if (number >= calendar->interval_count[weekday] || is_holiday(calendar, day))
        return false;
    const struct calendar_interval *interval = &calendar->week[weekday][number];
    *from_ms = time_zone_from_local(calendar->zone, DAYS(day) + MINUTES(interval->opens_minute));
    *to_ms = time_zone_from_local(calendar->zone, DAYS(day) + MINUTES(interval->closes_minute));
    return true;
}

int64_t calendar_elapsed_ms(const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
    if (to_ms <= from_ms)
        return 0;
    if (calendar == NULL)
        return to_ms - from_ms;
    int64_t total = 0, opens, closes, last = time_zone_day(calendar->zone, to_ms);
    /* An interval may pass midnight: begin the day before. */
    for (int64_t day = time_zone_day(calendar->zone, from_ms) - 1; day <= last; day++) {
        for (uint32_t i = 0; interval_of_day(calendar, day, i, &opens, &closes); i++) {
            int64_t start = opens > from_ms ? opens : from_ms, end = closes < to_ms ? closes : to_ms;
            total += end > start ? end - start : 0;
        }
    }
    return total;
}

int64_t calendar_reach_ms(const struct calendar *calendar, int64_t from_ms, int64_t worked_ms)
{
    if (calendar == NULL)
        return from_ms + worked_ms;
    int64_t opens, closes, first = time_zone_day(calendar->zone, from_ms) - 1;
    for (int64_t day = first; day < first + DAYS_LOOKED_AHEAD; day++) {
        for (uint32_t i = 0; interval_of_day(calendar, day, i, &opens, &closes); i++) {
            int64_t start = opens > from_ms ? opens : from_ms;
            if (closes <= start)
                continue;
            if (closes - start >= worked_ms)
                return start + worked_ms;
            worked_ms -= closes - start;
        }
    }
    return INT64_MAX;
}

/* --- from the configuration --- */

static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static bool complain(struct bytes *error, const struct settings_node *node, const char *what)
{
    bytes_printf(error, "line %d: sla.calendars: %s", node->line, what);
    return false;
}

static bool interval_parse(struct calendar_interval *interval, const char *text)
{
    int from_hour, from_minute, to_hour, to_minute, used = 0;
    if (sscanf(text, "%2d:%2d-%2d:%2d%n", &from_hour, &from_minute, &to_hour, &to_minute, &used) != 4 || text[used] != '\0')
        return false;
    interval->opens_minute = from_hour * 60 + from_minute;
    interval->closes_minute = to_hour * 60 + to_minute;
    return from_hour >= 0 && from_minute >= 0 && to_minute >= 0 && from_minute < 60 && to_minute < 60 &&
           interval->opens_minute < interval->closes_minute && interval->closes_minute <= 2 * MINUTES_A_DAY;
}

static bool weekday_parse(struct calendar *calendar, int weekday, const struct settings_node *node, struct bytes *error)
{
    const struct settings_node *items = node->kind == SETTINGS_SCALAR ? node : node->children;
    size_t count = node->kind == SETTINGS_SCALAR ? 1 : node->child_count;
    for (size_t i = 0; i < count; i++) {
        struct calendar_interval *interval = &calendar->week[weekday][calendar->interval_count[weekday]];
        if (calendar->interval_count[weekday] == CALENDAR_INTERVALS_MAX || items[i].kind != SETTINGS_SCALAR ||
            !interval_parse(interval, items[i].scalar))
            return complain(error, &items[i], "working hours are written \"09:00-17:00\", at most 8 a day");
        if (calendar->interval_count[weekday] > 0 && interval[-1].closes_minute > interval->opens_minute)
            return complain(error, &items[i], "working hours of a day must not overlap, the earlier first");
        calendar->interval_count[weekday]++;
    }
    return true;
}

static int compare_days(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

static bool holidays_parse(struct calendar *calendar, const struct settings_node *node, struct bytes *error)
{
    calendar->holidays = memory_zeroed(node->child_count + 1, sizeof *calendar->holidays);
    for (size_t i = 0; i < node->child_count; i++) {
        const struct settings_node *item = &node->children[i];
        int64_t at_ms;
        if (item->kind != SETTINGS_SCALAR || !time_text_parse(view_of_text(item->scalar), &at_ms))
            return complain(error, item, "a holiday is a date such as 2026-12-25");
        calendar->holidays[calendar->holiday_count++] = at_ms / DAYS(1);
    }
    qsort(calendar->holidays, calendar->holiday_count, sizeof *calendar->holidays, compare_days);
    return true;
}

static bool key_parse(struct calendar *calendar, const struct settings_node *node, struct bytes *error)
{
    for (int weekday = 0; weekday < 7; weekday++) {
        if (strcmp(node->key, weekdays[weekday]) == 0)
            return weekday_parse(calendar, weekday, node, error);
    }
    if (strcmp(node->key, "holidays") == 0 && node->kind == SETTINGS_LIST)
        return holidays_parse(calendar, node, error);
    if (strcmp(node->key, "zone") != 0) {
        static const char *const known[] = {"zone", "holidays", "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
        if (strcmp(node->key, "holidays") == 0)
            return complain(error, node, "holidays are a list of dates");
        return settings_unknown_key(node, "sla.calendars", known, error);
    }
    if (node->kind != SETTINGS_SCALAR)
        return complain(error, node, "a zone is a name such as Europe/Berlin");
    char problem[256];
    time_zone_destroy(calendar->zone);
    calendar->zone = time_zone_create(node->scalar, problem, sizeof problem);
    return calendar->zone != NULL || complain(error, node, problem);
}

/* Hours may pass midnight ("22:00-30:00"), but what two days share would be worked twice. */
static bool nights_end_in_time(const struct calendar *calendar)
{
    for (int day = 0; day < 7; day++) {
        int next = (day + 1) % 7, count = calendar->interval_count[day];
        if (count > 0 && calendar->interval_count[next] > 0 &&
            calendar->week[day][count - 1].closes_minute - MINUTES_A_DAY > calendar->week[next][0].opens_minute)
            return false;
    }
    return true;
}

bool calendar_parse(struct calendar *calendar, const struct settings_node *node, struct bytes *error)
{
    char problem[256];
    *calendar = (struct calendar){.name = node->key, .zone = time_zone_create("UTC", problem, sizeof problem)};
    if (node->kind != SETTINGS_MAP)
        return complain(error, node, "a calendar has zone, mon … sun and a list of holidays");
    for (size_t i = 0; i < node->child_count; i++) {
        if (!key_parse(calendar, &node->children[i], error))
            return false;
    }
    bool has_hours = false;
    for (int weekday = 0; weekday < 7; weekday++)
        has_hours |= calendar->interval_count[weekday] > 0;
    if (!has_hours) /* nothing would ever be due */
        return complain(error, node, "a calendar needs the hours of at least one weekday, such as mon: \"09:00-17:00\"");
    return nights_end_in_time(calendar) ||
           complain(error, node, "working hours that pass midnight must not reach into those of the next day");
}

void calendar_finish(struct calendar *calendar)
{
    time_zone_destroy(calendar->zone);
    free(calendar->holidays);
    *calendar = (struct calendar){0};
}
