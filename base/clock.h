/* Time is an argument: whoever needs «now» is handed a clock. Below app/, only this file asks the system.
 *
 * There are two. The wall clock says what date it is, and somebody may set it, an hour back even: it is for what bears a date (events,
 * records, what people read). The monotonic one says how long something takes and knows no date: it is for whatever waits, paces,
 * gives up or measures. An instant of one is never compared with one of the other. */
#ifndef TS_BASE_CLOCK_H
#define TS_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*now_ms)(struct clock *clock);       /* ms since the Unix epoch, UTC */
    int64_t (*monotonic_ms)(struct clock *clock); /* ms since some moment before this process began */
};

/* The system's. Any thread. */
extern struct clock clock_system;

static inline int64_t clock_now_ms(struct clock *clock)
{
    return clock->now_ms(clock);
}

static inline int64_t clock_monotonic_ms(struct clock *clock)
{
    return clock->monotonic_ms(clock);
}

/* A clock that stands still until told: for tests and the simulation. Time passes by at_ms; set_by_ms is what the wall clock was set
 * ahead by since (negative: back), and changes nothing else. */
struct clock_manual {
    struct clock clock;
    int64_t at_ms, set_by_ms;
};

void clock_manual_init(struct clock_manual *manual, int64_t at_ms);

/* The system's monotonic clock, where nothing depends on it but how long something takes. Any thread. */
int64_t clock_monotonic_us(void);

#define SECONDS(n) ((int64_t)(n) * 1000)
#define MINUTES(n) ((int64_t)(n) * 60000)
#define HOURS(n) ((int64_t)(n) * 3600000)
#define DAYS(n) ((int64_t)(n) * 86400000)

#endif
