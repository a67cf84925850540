/* Time zones: what the clocks on the wall say somewhere, and when a calendar day begins there.
 *
 * A zone is "UTC", an offset ("+05:30", "-03:00") or a name of the tz database ("Europe/Berlin"), read from the system's
 * zoneinfo files (RFC 9636) once, without touching TZ or the C library's global state. Rules without an end are
 * unrolled until 2200. Immutable after creation: any thread. */
#ifndef TS_BASE_TIME_ZONE_H
#define TS_BASE_TIME_ZONE_H

#include <stddef.h>
#include <stdint.h>

struct time_zone;

/* NULL: `error` says what is wrong with the name or its file. */
struct time_zone *time_zone_create(const char *name, char *error, size_t error_size);
void time_zone_destroy(struct time_zone *zone);

/* Local time = UTC + this. */
int64_t time_zone_offset_ms(const struct time_zone *zone, int64_t at_ms);

/* The calendar day there, as days since 1970-01-01 (time_civil_from_days takes it apart). */
int64_t time_zone_day(const struct time_zone *zone, int64_t at_ms);

/* The first instant of that calendar day. */
int64_t time_zone_day_start_ms(const struct time_zone *zone, int64_t day);

/* The instant at which clocks there show `local_ms` (ms since 1970-01-01T00:00 on those clocks). Shown twice: the first;
 * never shown: the instant at which the clocks jumped over it. */
int64_t time_zone_from_local(const struct time_zone *zone, int64_t local_ms);

#endif
