#include "base/time_zone.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "base/time_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct transition {
    int64_t at_s;     /* from this instant on … */
    int64_t offset_s; /* … local time is UTC + this */
};

struct time_zone {
    int64_t first_offset_s; /* before the first transition */
    struct transition *transitions;
    size_t count, capacity;
};

enum { LAST_YEAR = 2200, FILE_BYTES_MAX = 1 << 20 };

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void add_transition(struct time_zone *zone, int64_t at_s, int64_t offset_s)
{
    if (zone->count == zone->capacity) {
        zone->capacity = zone->capacity ? zone->capacity * 2 : 64;
        zone->transitions = memory_resize(zone->transitions, zone->capacity * sizeof *zone->transitions);
    }
    zone->transitions[zone->count++] = (struct transition){at_s, offset_s};
}

/* --- the footer: a POSIX TZ string, "CET-1CEST,M3.5.0,M10.5.0/3" --- */

struct day_rule {
    char form; /* 'M': month, week, weekday; 'J': day 1–365 without 29 February; 'n': day 0–365 with it */
    int month, week, weekday, day;
    int64_t time_s; /* after local midnight */
};

struct text_reader {
    const char *at;
};

static int64_t read_number(struct text_reader *reader)
{
    int64_t number = 0;
    while (isdigit((unsigned char)*reader->at) && number < 100000)
        number = number * 10 + (*reader->at++ - '0');
    return number;
}

static bool accept(struct text_reader *reader, char expected)
{
    if (*reader->at != expected)
        return false;
    reader->at++;
    return true;
}

static bool read_name(struct text_reader *reader)
{
    const char *start = reader->at;
    if (accept(reader, '<')) {
        while (*reader->at && *reader->at != '>')
            reader->at++;
        return accept(reader, '>');
    }
    while (isalpha((unsigned char)*reader->at))
        reader->at++;
    return reader->at - start >= 3;
}

static int64_t read_time(struct text_reader *reader) /* [+-]hh[:mm[:ss]] in seconds */
{
    int64_t sign = accept(reader, '-') ? -1 : 1;
    if (sign > 0)
        accept(reader, '+');
    int64_t seconds = read_number(reader) * 3600;
    if (accept(reader, ':'))
        seconds += read_number(reader) * 60;
    if (accept(reader, ':'))
        seconds += read_number(reader);
    return sign * seconds;
}

static bool read_rule(struct text_reader *reader, struct day_rule *rule)
{
    if (!accept(reader, ','))
        return false;
    *rule = (struct day_rule){.form = 'n', .time_s = 7200};
    if (accept(reader, 'M')) {
        rule->form = 'M';
        rule->month = (int)read_number(reader);
        bool is_complete = accept(reader, '.');
        rule->week = (int)read_number(reader);
        is_complete = accept(reader, '.') && is_complete;
        rule->weekday = (int)read_number(reader);
        if (!is_complete || rule->month < 1 || rule->month > 12 || rule->week < 1 || rule->week > 5 || rule->weekday > 6)
            return false;
    } else {
        rule->form = accept(reader, 'J') ? 'J' : 'n';
        rule->day = (int)read_number(reader);
    }
    if (accept(reader, '/'))
        rule->time_s = read_time(reader);
    return true;
}

static int64_t rule_day(const struct day_rule *rule, int64_t year) /* days since the epoch */
{
    int64_t new_year = time_days_from_civil(year, 1, 1);
    bool is_leap = time_days_from_civil(year + 1, 1, 1) - new_year == 366;
    if (rule->form == 'n')
        return new_year + rule->day;
    if (rule->form == 'J')
        return new_year + rule->day - 1 + (is_leap && rule->day >= 60);
    int64_t first = time_days_from_civil(year, rule->month, 1);
    int64_t next_month = rule->month == 12 ? new_year + (is_leap ? 366 : 365) : time_days_from_civil(year, rule->month + 1, 1);
    int64_t weekday_of_first = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; Sunday is 0 */
    int64_t day = first + (rule->weekday - weekday_of_first + 7) % 7 + 7 * (rule->week - 1);
    return day >= next_month ? day - 7 : day; /* week 5: the last one */
}

static bool unroll_footer(struct time_zone *zone, const char *footer)
{
    struct text_reader reader = {footer};
    if (!read_name(&reader))
        return false;
    int64_t standard_s = -read_time(&reader), summer_s = standard_s + 3600;
    int64_t from_s = zone->count ? zone->transitions[zone->count - 1].at_s : INT64_MIN;
    if (!*reader.at) {
        if (!zone->count)
            zone->first_offset_s = standard_s;
        return true;
    }
    if (!read_name(&reader))
        return false;
    if (*reader.at != ',')
        summer_s = -read_time(&reader);
    struct day_rule begin, end;
    if (!read_rule(&reader, &begin) || !read_rule(&reader, &end))
        return false;
    int64_t year = 1970;
    if (zone->count) {
        int month, day;
        time_civil_from_days(floor_divide(from_s, 86400), &year, &month, &day);
    }
    for (; year <= LAST_YEAR; year++) {
        struct transition both[2] = {{rule_day(&begin, year) * 86400 + begin.time_s - standard_s, summer_s},
                                     {rule_day(&end, year) * 86400 + end.time_s - summer_s, standard_s}};
        bool is_southern = both[1].at_s < both[0].at_s;
        for (int i = 0; i < 2; i++) {
            const struct transition *next = &both[is_southern ? 1 - i : i];
            if (next->at_s > from_s)
                add_transition(zone, next->at_s, next->offset_s);
        }
    }
    return true;
}

/* --- the file: a version 1 block that we skip, a version 2 block with 64-bit times, the footer --- */

static int64_t big_endian(const uint8_t *at, int bytes)
{
    uint64_t value = (at[0] & 0x80) ? UINT64_MAX : 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

struct block {
    size_t utc_flags, wall_flags, leaps, times, types, characters;
};

enum { HEADER_BYTES = 44, TYPE_BYTES = 6 };

static bool read_header(const uint8_t *at, const uint8_t *end, struct block *block)
{
    if (end - at < HEADER_BYTES || memcmp(at, "TZif", 4) != 0)
        return false;
    size_t *counts[] = {&block->utc_flags, &block->wall_flags, &block->leaps, &block->times, &block->types, &block->characters};
    for (int i = 0; i < 6; i++) {
        *counts[i] = (size_t)(uint32_t)big_endian(at + 20 + 4 * i, 4);
        if (*counts[i] > FILE_BYTES_MAX)
            return false;
    }
    return true;
}

static size_t block_bytes(const struct block *block, size_t time_bytes)
{
    return block->times * (time_bytes + 1) + block->types * TYPE_BYTES + block->characters + block->leaps * (time_bytes + 4) +
           block->wall_flags + block->utc_flags;
}

static bool read_file(struct time_zone *zone, const uint8_t *at, const uint8_t *end)
{
    struct block block;
    if (!read_header(at, end, &block) || at[4] < '2' || (size_t)(end - at) < HEADER_BYTES + block_bytes(&block, 4))
        return false;
    at += HEADER_BYTES + block_bytes(&block, 4);
    if (!read_header(at, end, &block) || (size_t)(end - at) < HEADER_BYTES + block_bytes(&block, 8) || block.types == 0)
        return false;
    at += HEADER_BYTES;
    const uint8_t *indices = at + block.times * 8, *types = indices + block.times;
    zone->first_offset_s = big_endian(types, 4);
    for (size_t i = 0; i < block.times; i++) {
        if (indices[i] >= block.types)
            return false;
        add_transition(zone, big_endian(at + 8 * i, 8), big_endian(types + TYPE_BYTES * indices[i], 4));
    }
    const char *footer = (const char *)at + block_bytes(&block, 8);
    size_t size = (size_t)((const char *)end - footer);
    if (size < 2 || footer[0] != '\n' || footer[size - 1] != '\n' || size > 256)
        return false;
    char text[256];
    memcpy(text, footer + 1, size - 2);
    text[size - 2] = 0;
    return !*text || unroll_footer(zone, text);
}

static bool load_named(struct time_zone *zone, const char *name, char *error, size_t error_size)
{
    char path[512];
    const char *folder = getenv("TZDIR");
    if (name[0] == '/' || strstr(name, "..")) {
        snprintf(error, error_size, "%s is not the name of a time zone", name);
        return false;
    }
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(error, error_size, "no time zone %s on this machine (%s)", name, path);
        return false;
    }
    uint8_t *content = memory_allocate(FILE_BYTES_MAX);
    size_t size = fread(content, 1, FILE_BYTES_MAX, file);
    fclose(file);
    bool is_read = read_file(zone, content, content + size);
    free(content);
    if (!is_read)
        snprintf(error, error_size, "%s is not a time zone file", path);
    return is_read;
}

static bool read_offset(const char *name, int64_t *offset_s)
{
    struct text_reader reader = {name};
    if ((*name != '+' && *name != '-') || !isdigit((unsigned char)name[1]))
        return false;
    *offset_s = read_time(&reader);
    return !*reader.at && llabs(*offset_s) <= 18 * 3600;
}

struct time_zone *time_zone_create(const char *name, char *error, size_t error_size)
{
    struct time_zone *zone = memory_zeroed(1, sizeof *zone);
    if (strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0 || read_offset(name, &zone->first_offset_s) ||
        load_named(zone, name, error, error_size))
        return zone;
    time_zone_destroy(zone);
    return NULL;
}

void time_zone_destroy(struct time_zone *zone)
{
    if (!zone)
        return;
    free(zone->transitions);
    free(zone);
}

/* --- asking --- */

/* How many transitions lie at or before the instant. */
static size_t transitions_until(const struct time_zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zone->transitions[middle].at_s <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t time_zone_offset_ms(const struct time_zone *zone, int64_t at_ms)
{
    size_t passed = zone->count ? transitions_until(zone, floor_divide(at_ms, 1000)) : 0;
    return 1000 * (passed ? zone->transitions[passed - 1].offset_s : zone->first_offset_s);
}

int64_t time_zone_day(const struct time_zone *zone, int64_t at_ms)
{
    return floor_divide(at_ms + time_zone_offset_ms(zone, at_ms), 86400000);
}

int64_t time_zone_from_local(const struct time_zone *zone, int64_t local_ms)
{
    int64_t before_ms = time_zone_offset_ms(zone, local_ms - 86400000), after_ms = time_zone_offset_ms(zone, local_ms + 86400000);
    int64_t early = local_ms - before_ms, late = local_ms - after_ms;
    bool early_fits = time_zone_offset_ms(zone, early) == before_ms, late_fits = time_zone_offset_ms(zone, late) == after_ms;
    if (early_fits && late_fits)
        return early < late ? early : late;
    if (early_fits || late_fits)
        return early_fits ? early : late;
    size_t passed = transitions_until(zone, floor_divide(early, 1000));
    return passed ? zone->transitions[passed - 1].at_s * 1000 : early;
}

int64_t time_zone_day_start_ms(const struct time_zone *zone, int64_t day)
{
    return time_zone_from_local(zone, day * 86400000);
}
