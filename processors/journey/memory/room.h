/* The memory of one customer who is awake: a run of bytes that is used up from its front and given back all at once, when they rest. What does
 * not fit any more is the C library's. So most customers wake and rest without a call of malloc or free, and lie in one place.
 *
 * Zero-initialised it is a room without a run: everything comes from the C library. A piece that is given back alone is not used again before the
 * room is emptied, unless it came from the C library. Who owns it: struct customer. One thread. */
#ifndef TS_JOURNEY_ROOM_H
#define TS_JOURNEY_ROOM_H

#include "base/poison.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct room {
    char *begin, *at, *end;
    uint32_t outside; /* pieces that are the C library's: to be given back before the room is emptied */
};

void room_init(struct room *room, char *begin, char *end);
void room_empty(struct room *room);

void *room_take_outside(struct room *room, size_t size);

/* Uninitialised, aligned to 8. */
static inline void *room_take(struct room *room, size_t size)
{
    size_t rounded = (size + 7) & ~(size_t)7;
    if (rounded > (size_t)(room->end - room->at))
        return room_take_outside(room, size);
    char *piece = room->at;
    room->at += rounded;
    ASAN_UNPOISON_MEMORY_REGION(piece, size);
    return piece;
}

void room_give(struct room *room, void *piece); /* NULL is fine */
void *room_resize(struct room *room, void *piece, size_t old_size, size_t size);

char *room_text(struct room *room, struct view text); /* NUL-terminated */

/* Room for one more in a plain array, which doubles with every second step. */
void *room_array_grow(struct room *room, void *array, uint32_t count, size_t item_size);
/* Zeroed room for exactly so many, as if they had been added one by one; NULL for none. */
void *room_array_sized(struct room *room, uint32_t count, size_t item_size);
/* 1, 2, 4, 8, 12, 16, 24, 32 …: of long arrays that double a quarter is empty, of these an eighth. */
static inline uint32_t room_capacity_of(uint32_t count)
{
    if (count < 2)
        return count;
    uint32_t power = 1u << (32 - __builtin_clz(count - 1)), between = power / 4 * 3;
    return count <= between && power > 8 ? between : power;
}

/* The same, uninitialised: for one whose items are written whole. */
static inline void *room_array_bare(struct room *room, uint32_t count, size_t item_size)
{
    return count ? room_take(room, room_capacity_of(count) * item_size) : NULL;
}

/* After removing some, so that growing goes on from the right place. */
void *room_array_shrink(struct room *room, void *array, uint32_t count, size_t item_size);

#endif
