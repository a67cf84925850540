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

struct spelling {
    uint64_t words[WORD_BYTES_MAX / 8];
};

/* The bytes as three numbers, which with the size say all of them: the first eight, the last eight, and of more than sixteen those in
 * between, or some of them twice. Comparing by calls of memcmp took as long as all else that is asked of a word. */
static inline struct spelling spelling_of(const unsigned char *bytes, size_t size)
{
    struct spelling out = {{0}};
    if (size >= 8) {
        memcpy(&out.words[0], bytes, 8);
        memcpy(&out.words[1], bytes + size - 8, 8);
        if (size > 16)
            memcpy(&out.words[2], bytes + 8, 8);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, bytes, 4);
        memcpy(&last, bytes + size - 4, 4);
        out.words[0] = (uint64_t)first << 32 | last;
    } else if (size > 0) {
        out.words[0] = bytes[0] | (uint64_t)bytes[size / 2] << 8 | (uint64_t)bytes[size - 1] << 16;
    }
    return out;
}

/* The first of the places that a word may have. */
static inline struct word *places_of(struct vocabulary *vocabulary, const struct spelling *spelling, size_t size)
{
    uint64_t hash = (spelling->words[0] ^ spelling->words[1] * 3 ^ size) * 0x9e3779b97f4a7c15u;
    return &vocabulary->words[(hash >> 40) % (PLACES / WAYS) * WAYS];
}

static inline bool is_spelt(const struct word *word, const struct spelling *spelling, size_t size)
{
    return word->size == size && word->spelling[0] == spelling->words[0] && word->spelling[1] == spelling->words[1] &&
           word->spelling[2] == spelling->words[2];
}

const struct word *vocabulary_find(struct vocabulary *vocabulary, const unsigned char *bytes, size_t size)
{
    struct spelling spelling = spelling_of(bytes, size);
    struct word *words = places_of(vocabulary, &spelling, size);
    for (int way = 0; way < WAYS; way++) {
        if (!is_spelt(&words[way], &spelling, size))
            continue;
        words[way].read_in = vocabulary->turn;
        return &words[way];
    }
    return NULL;
}

struct word *vocabulary_add(struct vocabulary *vocabulary, const unsigned char *bytes, size_t size)
{
    struct spelling spelling = spelling_of(bytes, size);
    struct word *words = places_of(vocabulary, &spelling, size), *oldest = NULL;
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
    memcpy(oldest->spelling, spelling.words, sizeof oldest->spelling);
    return oldest;
}
