/* Times as text: ISO 8601 / RFC 3339, to ms since the epoch and back. Leap seconds count as the second before. */
#ifndef TS_BASE_TIME_TEXT_H
#define TS_BASE_TIME_TEXT_H

#include "base/view.h"

#include <stdint.h>

enum { TIME_TEXT_SIZE = 32 };

/* "2026-11-22T10:00:00.000Z" and a NUL. */
void time_text_format(char text[TIME_TEXT_SIZE], int64_t at_ms);

/* Date "T" or blank time, with or without seconds and a fraction of them (digits beyond ms are cut off), and an optional zone (Z, ±hh:mm,
 * ±hhmm; none: UTC). A bare date is its midnight. Calendar rules are checked. false: not a time. */
bool time_text_parse(struct view text, int64_t *at_ms);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back (Howard Hinnant, «chrono-compatible low-level date algorithms»). */
int64_t time_days_from_civil(int64_t year, int month, int day);
void time_civil_from_days(int64_t days, int64_t *year, int *month, int *day);

/* "400d", "48h", "30m", "10s", "50ms", "1.5h", "2000 days"; a bare number is ms. false: not a duration. */
bool time_parse_duration(struct view text, int64_t *duration_ms);
/* The shortest exact form in the units above. */
void time_format_duration(char text[TIME_TEXT_SIZE], int64_t duration_ms);

#endif
