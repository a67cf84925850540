/* Time is an argument: whoever needs «now» is handed a clock. Below app/, only this file asks the system. */
#ifndef TS_BASE_CLOCK_H
#define TS_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*now_ms)(struct clock *clock); /* ms since the Unix epoch, UTC */
};

/* The system's wall clock. Any thread. */
extern struct clock clock_system;

static inline int64_t clock_now_ms(struct clock *clock)
{
    return clock->now_ms(clock);
}

/* A clock that stands still until told: for tests and the simulation. */
struct clock_manual {
    struct clock clock;
    int64_t at_ms;
};

void clock_manual_init(struct clock_manual *manual, int64_t at_ms);

/* Monotonic, for measuring lengths of time within this process. Any thread. */
int64_t clock_monotonic_us(void);

#define SECONDS(n) ((int64_t)(n) * 1000)
#define MINUTES(n) ((int64_t)(n) * 60000)
#define HOURS(n) ((int64_t)(n) * 3600000)
#define DAYS(n) ((int64_t)(n) * 86400000)

#endif
