#include "processors/journey/sentiment/vocabulary.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 2048, WAYS = 2 };

struct vocabulary {
    uint32_t turn;
    struct word words[PLACES];
};

struct vocabulary *vocabulary_create(void)
{
    return memory_zeroed(1, sizeof(struct vocabulary));
}

void vocabulary_destroy(struct vocabulary *vocabulary)
{
    free(vocabulary);
}

void vocabulary_turn(struct vocabulary *vocabulary)
{
    vocabulary->turn++;
}

/* The first of the places that a word may have. */
static struct word *places_of(struct vocabulary *vocabulary, const unsigned char *bytes, size_t size)
{
    uint64_t head = 0, tail = 0;
    memcpy(&head, bytes, size < 8 ? size : 8);
    if (size > 8)
        memcpy(&tail, bytes + size - 8, 8);
    uint64_t hash = (head ^ (tail * 3) ^ size) * 0x9e3779b97f4a7c15u;
    return &vocabulary->words[(hash >> 40) % (PLACES / WAYS) * WAYS];
}

const struct word *vocabulary_find(struct vocabulary *vocabulary, const unsigned char *bytes, size_t size)
{
    struct word *words = places_of(vocabulary, bytes, size);
    for (int way = 0; way < WAYS; way++) {
        if (words[way].size != size || memcmp(words[way].bytes, bytes, size) != 0)
            continue;
        words[way].read_in = vocabulary->turn;
        return &words[way];
    }
    return NULL;
}

struct word *vocabulary_add(struct vocabulary *vocabulary, const unsigned char *bytes, size_t size)
{
    struct word *words = places_of(vocabulary, bytes, size), *oldest = NULL;
    for (int way = 0; way < WAYS; way++) {
        uint32_t age = vocabulary->turn - words[way].read_in;
        if (words[way].size == 0)
            age = UINT32_MAX;
        if (age > 0 && (oldest == NULL || age > vocabulary->turn - oldest->read_in))
            oldest = &words[way];
    }
    if (oldest == NULL)
        return NULL;
    *oldest = (struct word){.size = (uint8_t)size, .read_in = vocabulary->turn};
    memcpy(oldest->bytes, bytes, size);
    return oldest;
}
