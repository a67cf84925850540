/* Business hours: how much of a stretch of time a team works, and when it will have worked so long.
 *
 * A calendar is a zone, intervals for each weekday in minutes of the local day (several a day; beyond 24:00 is the next day)
 * and holidays. NULL stands for around the clock. Read-only once built; any thread. */
#ifndef TS_JOURNEY_CALENDAR_H
#define TS_JOURNEY_CALENDAR_H

#include "base/bytes.h"
#include "base/settings.h"
#include "base/time_zone.h"

#include <stdint.h>

struct calendar_interval {
    int32_t opens_minute, closes_minute; /* of the local day */
};

enum { CALENDAR_INTERVALS_MAX = 8 };

struct calendar {
    const char *name;
    struct time_zone *zone;
    struct calendar_interval week[7][CALENDAR_INTERVALS_MAX]; /* 0: Monday; sorted */
    uint8_t interval_count[7];
    int64_t *holidays; /* days since 1970-01-01, sorted */
    uint32_t holiday_count;
};

/* Working time within [from, to); 0 if to ≤ from. */
int64_t calendar_elapsed_ms(const struct calendar *calendar, int64_t from_ms, int64_t to_ms);

/* The first instant at which `worked_ms` > 0 have been worked since `from`; INT64_MAX: not within ten years. */
int64_t calendar_reach_ms(const struct calendar *calendar, int64_t from_ms, int64_t worked_ms);

/* One calendar from its YAML: {zone: Europe/Berlin, mon: ["09:00-12:00", "13:00-17:00"], …, holidays: [2026-12-25]}.
 * false: `error` says line and what is wrong. */
bool calendar_parse(struct calendar *calendar, const struct settings_node *node, struct bytes *error);
void calendar_finish(struct calendar *calendar);

#endif
