#include "engine/kafka/rivalry.h"

#include "base/clock.h"
#include "base/log.h"

enum { MINUTE_US = 60000000, TELL_AGAIN_AFTER_US = 10 * MINUTE_US, FENCED_OFTEN = 2 };

void rivalry_note(struct rivalry *rivalry, const char *worker, const char *name)
{
    int64_t now_us = clock_monotonic_us();
    if (rivalry->unheard_at_us && now_us - rivalry->unheard_at_us < MINUTE_US)
        return;
    if (rivalry->fenced_count && now_us - rivalry->fenced_at_us > MINUTE_US)
        rivalry->fenced_count = 0;
    rivalry->fenced_at_us = now_us;
    rivalry->fenced_count++;
    bool is_told = rivalry->told_at_us && now_us - rivalry->told_at_us < TELL_AGAIN_AFTER_US;
    if (rivalry->fenced_count < FENCED_OFTEN || is_told)
        return;
    rivalry->told_at_us = now_us;
    log_error("another process works under this one's name, and the two fence each other", "worker", worker, "name", name, "cause", "probably two processes of one group with the same engine.instance", "engine.instance",
              rivalry->instance ? rivalry->instance : "", "remedy",
              "end one of them, or give each its own engine.instance (TOUCHSTREAM_ENGINE_INSTANCE)", "then",
              "beginning anew, ever more seldom", NULL);
}

void rivalry_excuse(struct rivalry *rivalry, int64_t unheard_at_us)
{
    if (unheard_at_us > rivalry->unheard_at_us)
        rivalry->unheard_at_us = unheard_at_us;
}

bool rivalry_is_on(const struct rivalry *rivalry)
{
    return rivalry->fenced_count >= FENCED_OFTEN && clock_monotonic_us() - rivalry->fenced_at_us <= MINUTE_US;
}
