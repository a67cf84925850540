/* Could we have written this? For states read back from outside: what is damaged is refused before anything is reckoned with it. */
#ifndef TS_KPI_TREND_SOUND_H
#define TS_KPI_TREND_SOUND_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOUND_COUNT_MOST (INT32_MAX / 2)         /* rows: of minutes, two thousand years */
#define SOUND_INSTANT_MOST ((int64_t)1 << 47)    /* in ms, either way */

static inline bool sound_is_flag(const bool *flag) /* any other byte must not even be read as one */
{
    return *(const unsigned char *)flag <= 1;
}

static inline bool sound_is_count(int64_t count)
{
    return count >= 0 && count <= SOUND_COUNT_MOST;
}

static inline bool sound_is_instant(int64_t at_ms)
{
    return at_ms >= -SOUND_INSTANT_MOST && at_ms <= SOUND_INSTANT_MOST;
}

static inline bool sound_are_numbers(const double *numbers, size_t count)
{
    bool are = true;
    for (size_t i = 0; i < count; i++)
        are &= isfinite(numbers[i]) != 0;
    return are;
}

static inline bool sound_are_floats(const float *numbers, size_t count)
{
    bool are = true;
    for (size_t i = 0; i < count; i++)
        are &= isfinite(numbers[i]) != 0;
    return are;
}

#endif
