/* What was promised to whom: the times within which tickets are answered and resolved, by priority and segment. */
#ifndef TS_JOURNEY_POLICY_H
#define TS_JOURNEY_POLICY_H

#include "processors/journey/tickets/calendar.h"

enum { POLICIES_MAX = 32, CALENDARS_MAX = 16, ANY_PRIORITY = 0xff };

struct policy_settings {
    int64_t first_response_ms, resolution_ms; /* the default policy's */
    char *calendar;                           /* name; empty: around the clock */
    const struct settings_node *calendars, *policies;
};

struct policy {
    uint8_t priority;    /* enum priority, or ANY_PRIORITY */
    const char *segment; /* NULL: any */
    int64_t first_response_ms, resolution_ms;
    const struct calendar *calendar; /* NULL: around the clock */
};

struct policies {
    struct policy items[POLICIES_MAX]; /* the first that fits holds; the last is the default and fits all */
    uint32_t count;
    struct calendar calendars[CALENDARS_MAX];
    uint32_t calendar_count;
};

bool policies_parse(struct policies *policies, const struct policy_settings *settings, struct bytes *error);
void policies_finish(struct policies *policies);

const struct policy *policy_for(const struct policies *policies, uint8_t priority, struct view segment);

#endif
