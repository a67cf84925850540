/* Rings by time: which place a minute, an hour or a day has in one. */
#ifndef TS_BASE_RING_H
#define TS_BASE_RING_H

#include <stddef.h>
#include <stdint.h>

/* Those before 1970 have places, too: a clock may stand at its first minute, with others to look back at. */
static inline size_t ring_place(int64_t index, int size)
{
    return (size_t)((index % size + size) % size);
}

#endif
