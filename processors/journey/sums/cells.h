/* Contributions of a batch, added up place by place: the hot half of totals.c.
 *
 * Most cells are met once or twice until sums leave; more of them than are kept (totals.c) are rolled up before. Those of one customer are
 * asked for together before the first is added to. */
#ifndef TS_JOURNEY_CELLS_H
#define TS_JOURNEY_CELLS_H

#include "processors/journey/matters/contributions.h"
#include "processors/journey/sums/bins.h"

/* One cache line. What one batch adds to one place fits the narrow numbers. */
struct cell {
    struct place place;
    int32_t first_bin; /* −1: none */
    int32_t n, num, immature;
    uint32_t hash;     /* of its expansion_key(); for who rolls up */
    int64_t sum;
    kpi_wide sum_squares;
};
_Static_assert(sizeof(struct cell) == 64, "a cell is a cache line");

enum { CHANGES_MAX = 64 };

/* A contribution that comes or goes, borrowed from a tally until the next call returns. */
struct cell_change {
    const struct contribution *what;
    uint32_t hash;
    int32_t times;
};

struct cells {
    struct number_table table;
    struct cell *items;
    size_t capacity;
    struct bins bins;
    struct cell_change changes[CHANGES_MAX]; /* only within a call */
    uint32_t change_count;
};

void cells_init(struct cells *cells);
void cells_finish(struct cells *cells);
void cells_clear(struct cells *cells);

void cells_add(struct cells *cells, const struct contribution *contribution, int times);
/* after − before. */
void cells_add_difference(struct cells *cells, const struct tally *before, const struct tally *after);

/* --- places as keys --- */

/* A place as three words: hashed and compared for every addition. */
struct place_words {
    uint64_t first, second;
    uint32_t third;
};
_Static_assert(sizeof(struct place) == 20, "two words of eight bytes and one of four");

static inline struct place_words place_words_of(const struct place *place)
{
    struct place_words words;
    memcpy(&words.first, place, 8);
    memcpy(&words.second, (const char *)place + 8, 8);
    memcpy(&words.third, (const char *)place + 16, 4);
    return words;
}

static inline uint32_t place_hash(const struct place *place)
{
    struct place_words words = place_words_of(place);
    uint64_t mixed = words.first * 0x9e3779b97f4a7c15u ^ (words.second + words.third) * 0xff51afd7ed558ccdu;
    return (uint32_t)((mixed ^ mixed >> 32) * 0x94d049bb133111ebu >> 32);
}

static inline bool place_is_same(const struct place *place, const struct place *other)
{
    struct place_words mine = place_words_of(place), theirs = place_words_of(other);
    return mine.first == theirs.first && mine.second == theirs.second && mine.third == theirs.third;
}

#endif
