#include "processors/journey/memory/strings.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

void strings_init(struct strings *strings, uint32_t cap)
{
    *strings = (struct strings){.cap = cap, .count = 1, .capacity = 16, .table_capacity = 64};
    arena_init(&strings->texts);
    strings->items = memory_zeroed(strings->capacity, sizeof *strings->items);
    strings->table = memory_zeroed(strings->table_capacity, sizeof *strings->table);
    strings->is_kept = memory_zeroed(strings->capacity, sizeof *strings->is_kept);
}

void strings_finish(struct strings *strings)
{
    arena_finish(&strings->texts);
    free(strings->items);
    free(strings->table);
    free(strings->is_kept);
}

void values_add(struct values *values, struct strings *strings, uint32_t number)
{
    values->items = GROWN(values->items, values->count, values->capacity);
    values->items[values->count++] = (struct value){strings, number};
}

static uint32_t *place_of(struct strings *strings, struct view text)
{
    uint32_t mask = strings->table_capacity - 1, place = (uint32_t)hash_bytes(text) & mask;
    while (strings->table[place] != 0 && !view_equal(strings->items[strings->table[place]], text))
        place = (place + 1) & mask;
    return &strings->table[place];
}

static void grow(struct strings *strings)
{
    free(strings->table);
    strings->table_capacity *= 2;
    strings->table = memory_zeroed(strings->table_capacity, sizeof *strings->table);
    for (uint32_t i = 1; i < strings->count; i++)
        *place_of(strings, strings->items[i]) = i;
}

static uint32_t add(struct strings *strings, struct view text)
{
    if (strings->count == strings->capacity) {
        strings->capacity *= 2;
        strings->items = memory_resize(strings->items, strings->capacity * sizeof *strings->items);
        strings->is_kept = memory_resize(strings->is_kept, strings->capacity * sizeof *strings->is_kept);
    }
    uint32_t number = strings->count++;
    strings->is_kept[number] = false;
    if (view_equal(text, STRINGS_OTHER))
        strings->other = number;
    strings->items[number] = arena_copy(&strings->texts, text);
    if (strings->count > strings->table_capacity / 2)
        grow(strings);
    else
        *place_of(strings, text) = number;
    return number;
}

uint32_t strings_number_uncapped(struct strings *strings, struct view text)
{
    if (text.size == 0)
        return 0;
    uint32_t number = *place_of(strings, text);
    return number ? number : add(strings, text);
}

static bool is_full(const struct strings *strings)
{
    return strings->count - (strings->other != 0) > strings->cap;
}

__attribute__((noinline)) static void keep(struct strings *strings, uint32_t number)
{
    strings->is_kept[number] = true;
    if (strings->unkept)
        values_add(strings->unkept, strings, number);
}

uint32_t strings_number(struct strings *strings, struct view text)
{
    if (text.size == 0)
        return 0;
    if (view_equal(text, STRINGS_OTHER))
        text = STRINGS_CALLED_OTHER;
    uint32_t number = *place_of(strings, text);
    if (number == 0 && is_full(strings)) {
        strings->over_cap++;
        return strings_number_uncapped(strings, STRINGS_OTHER);
    }
    if (number == 0)
        number = add(strings, text);
    if (!strings->is_kept[number])
        keep(strings, number);
    return number;
}
