#include "base/time_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    return a % b < 0 ? quotient - 1 : quotient;
}

int64_t time_days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2; /* the year begins in March, so that the leap day is its last */
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void time_civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = floor_divide(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static void put_digits(char *to, int count, int value)
{
    for (char *at = to + count; at > to; value /= 10)
        *--at = (char)('0' + value % 10);
}

void time_text_format(char text[TIME_TEXT_SIZE], int64_t at_ms)
{
    int64_t days = floor_divide(at_ms, 86400000), year;
    int64_t rest = at_ms % 86400000; /* not at_ms − days·86400000, which overflows at the far end of int64 */
    int month, day;
    rest += rest < 0 ? 86400000 : 0;
    time_civil_from_days(days, &year, &month, &day);
    if (year < 0 || year > 9999) {
        snprintf(text, TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)(year % 100000), month, day,
                 (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
        return;
    }
    /* Digit by digit: every record shown has several times, and snprintf would be half the cost of showing it. */
    memcpy(text, "0000-00-00T00:00:00.000Z", sizeof "0000-00-00T00:00:00.000Z");
    put_digits(text, 4, (int)year);
    put_digits(text + 5, 2, month);
    put_digits(text + 8, 2, day);
    put_digits(text + 11, 2, (int)(rest / 3600000));
    put_digits(text + 14, 2, (int)(rest / 60000 % 60));
    put_digits(text + 17, 2, (int)(rest / 1000 % 60));
    put_digits(text + 20, 3, (int)(rest % 1000));
}

/* `count` digits at *at as a number, or −1. */
static int take_digits(struct view text, size_t *at, int count)
{
    int value = 0;
    if (*at + (size_t)count > text.size)
        return -1;
    for (int i = 0; i < count; i++) {
        char c = text.data[*at + (size_t)i];
        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
    }
    *at += (size_t)count;
    return value;
}

static bool take(struct view text, size_t *at, char wanted)
{
    if (*at >= text.size || text.data[*at] != wanted)
        return false;
    ++*at;
    return true;
}

static bool parse_date(struct view text, size_t *at, int64_t *days)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = take_digits(text, at, 4);
    if (year < 0 || !take(text, at, '-'))
        return false;
    int month = take_digits(text, at, 2);
    if (month < 1 || month > 12 || !take(text, at, '-'))
        return false;
    int day = take_digits(text, at, 2);
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day < 1 || day > month_days[month - 1] + (month == 2 && is_leap))
        return false;
    *days = time_days_from_civil(year, month, day);
    return true;
}

static bool parse_fraction(struct view text, size_t *at, int64_t *ms)
{
    if (!take(text, at, '.') && !take(text, at, ','))
        return true;
    int digits = 0;
    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at, digits++) {
        static const int worth[] = {100, 10, 1};
        if (digits < 3)
            *ms += (text.data[*at] - '0') * worth[digits];
    }
    return digits > 0;
}

static bool parse_zone(struct view text, size_t *at, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (*at == text.size || take(text, at, 'Z') || take(text, at, 'z'))
        return true;
    int sign = take(text, at, '+') ? 1 : take(text, at, '-') ? -1 : 0;
    if (sign == 0)
        return false;
    int hours = take_digits(text, at, 2);
    take(text, at, ':');
    int minutes = *at == text.size ? 0 : take_digits(text, at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset_ms = sign * (hours * 60 + minutes) * 60000LL;
    return true;
}

/* hh:mm, with or without seconds and their fraction. */
static bool parse_time_of_day(struct view text, size_t *at, int64_t *ms)
{
    int hour = take_digits(text, at, 2);
    if (hour < 0 || hour > 23 || !take(text, at, ':'))
        return false;
    int minute = take_digits(text, at, 2);
    if (minute < 0 || minute > 59)
        return false;
    *ms = (hour * 60 + minute) * 60000LL;
    if (!take(text, at, ':'))
        return true;
    int second = take_digits(text, at, 2);
    if (second < 0 || second > 60)
        return false;
    *ms += (second == 60 ? 59 : second) * 1000LL;
    return parse_fraction(text, at, ms);
}

bool time_text_parse(struct view text, int64_t *at_ms)
{
    size_t at = 0;
    int64_t days, ms = 0, offset_ms = 0;
    if (!parse_date(text, &at, &days))
        return false;
    if (at < text.size) {
        if (!take(text, &at, 'T') && !take(text, &at, 't') && !take(text, &at, ' '))
            return false;
        if (!parse_time_of_day(text, &at, &ms) || !parse_zone(text, &at, &offset_ms))
            return false;
    }
    if (at != text.size)
        return false;
    *at_ms = days * 86400000 + ms - offset_ms;
    return true;
}

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
             {"days", 86400000}, {"day", 86400000}, {"hours", 3600000}, {"hour", 3600000},
             {"min", 60000}, {"minutes", 60000}, {"minute", 60000}, {"seconds", 1000}, {"second", 1000}};

bool time_parse_duration(struct view text, int64_t *duration_ms)
{
    char room[48];
    if (text.size == 0 || text.size >= sizeof room)
        return false;
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    /* Digits and a point only: strtod alone would take "inf", hexadecimal and, by locale, a comma. */
    size_t digits = strspn(room, "0123456789");
    double fraction = 0, worth = 0.1;
    if (digits == 0)
        return false;
    char *end;
    int64_t whole = strtoll(room, &end, 10);
    if (*end == '.') {
        for (end++; *end >= '0' && *end <= '9'; end++, worth /= 10)
            fraction += (*end - '0') * worth;
    }
    while (*end == ' ')
        end++;
    int64_t unit_ms = *end == '\0' ? 1 : 0;
    for (size_t i = 0; i < sizeof units / sizeof *units && unit_ms == 0; i++) {
        if (strcasecmp(end, units[i].name) == 0)
            unit_ms = units[i].ms;
    }
    if (unit_ms == 0 || whole > INT64_MAX / 2 / unit_ms)
        return false;
    *duration_ms = whole * unit_ms + (int64_t)llround(fraction * (double)unit_ms);
    return true;
}

void time_format_duration(char text[TIME_TEXT_SIZE], int64_t duration_ms)
{
    for (size_t i = 0; i < 5; i++) {
        if (duration_ms % units[i].ms == 0 && (duration_ms != 0 || i == 3)) {
            snprintf(text, TIME_TEXT_SIZE, "%" PRId64 "%s", duration_ms / units[i].ms, units[i].name);
            return;
        }
    }
}
