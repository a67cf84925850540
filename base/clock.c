#include "base/clock.h"

#include <time.h>

static int64_t system_now_ms(struct clock *clock)
{
    (void)clock;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_monotonic_ms(struct clock *clock)
{
    (void)clock;
    return clock_monotonic_us() / 1000;
}

struct clock clock_system = {system_now_ms, system_monotonic_ms};

static int64_t manual_now_ms(struct clock *clock)
{
    const struct clock_manual *manual = (const struct clock_manual *)clock;
    return manual->at_ms + manual->set_by_ms;
}

static int64_t manual_monotonic_ms(struct clock *clock)
{
    return ((struct clock_manual *)clock)->at_ms;
}

void clock_manual_init(struct clock_manual *manual, int64_t at_ms)
{
    *manual = (struct clock_manual){.clock = {manual_now_ms, manual_monotonic_ms}, .at_ms = at_ms};
}

int64_t clock_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
