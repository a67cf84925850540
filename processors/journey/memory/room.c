#include "processors/journey/memory/room.h"

#include "base/memory.h"

#include <stdlib.h>

static bool is_inside(const struct room *room, const void *piece)
{
    return (uintptr_t)piece - (uintptr_t)room->begin < (uintptr_t)(room->end - room->begin);
}

void room_init(struct room *room, char *begin, char *end)
{
    *room = (struct room){.begin = begin, .at = begin, .end = end};
    room_empty(room);
}

void room_empty(struct room *room)
{
    room->at = room->begin;
    ASAN_POISON_MEMORY_REGION(room->begin, (size_t)(room->end - room->begin));
}

void *room_take_outside(struct room *room, size_t size)
{
    room->outside++;
    return memory_allocate(size);
}

void room_give(struct room *room, void *piece)
{
    if (piece == NULL || is_inside(room, piece))
        return;
    room->outside--;
    free(piece);
}

/* The last piece grows where it is. */
void *room_resize(struct room *room, void *piece, size_t old_size, size_t size)
{
    if (piece == NULL)
        return room_take(room, size);
    if (!is_inside(room, piece))
        return memory_resize(piece, size);
    if (size <= old_size)
        return piece;
    if ((char *)piece + ((old_size + 7) & ~(size_t)7) == room->at) {
        room->at = piece;
        void *same = room_take(room, size);
        return same == piece ? same : memcpy(same, piece, old_size);
    }
    return memcpy(room_take(room, size), piece, old_size);
}

char *room_text(struct room *room, struct view text)
{
    char *copy = room_take(room, text.size + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    return copy;
}

/* --- arrays --- */

/* The capacity is a function of the count, so that it need not be kept: it is reached exactly when one more must fit. */
void *room_array_grow(struct room *room, void *array, uint32_t count, size_t item_size)
{
    if (room_capacity_of(count) != count)
        return array;
    return room_resize(room, array, count * item_size, room_capacity_of(count + 1) * item_size);
}

void *room_array_sized(struct room *room, uint32_t count, size_t item_size)
{
    return count ? memset(room_array_bare(room, count, item_size), 0, count * item_size) : NULL;
}

void *room_array_shrink(struct room *room, void *array, uint32_t count, size_t item_size)
{
    if (count > 0)
        return is_inside(room, array) ? array : memory_resize(array, room_capacity_of(count) * item_size);
    room_give(room, array);
    return NULL;
}
