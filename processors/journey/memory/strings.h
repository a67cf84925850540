/* Texts by number: products, teams, campaigns … of one task. The hot path and the customers' histories know only numbers.
 *
 * Number 0 is null. A table has a cap: a value that comes once it is reached is `_other`, and counted (READINGS, KPIS:
 * a cap per dimension). One that is called so itself is kept under a text that nobody can send, for it is not UTF-8. What a checkpoint names is taken in beyond the cap, since it was added up under its own name.
 *
 * A value that was taken in must be known again after a crash, or another would have its place: keeping.h has somebody remember each. */
#ifndef TS_JOURNEY_STRINGS_H
#define TS_JOURNEY_STRINGS_H

#include "base/arena.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct strings {
    struct arena texts;
    struct view *items;      /* items[0] is null */
    uint32_t count, capacity;
    uint32_t *table;         /* open addressing; 0: empty */
    uint32_t table_capacity; /* a power of two */
    uint32_t cap;
    uint64_t over_cap;       /* how often `_other` was answered */
    uint32_t other;          /* the number of `_other`, which takes no place; 0: not there */
    bool *is_kept;           /* by number: somebody remembers it, or is asked to */
    struct values *unkept;   /* where a value goes that is named and not kept; NULL: nobody need remember these */
};

struct value {
    struct strings *strings;
    uint32_t number;
};

struct values {
    struct value *items;
    uint32_t count, capacity;
};

void values_add(struct values *values, struct strings *strings, uint32_t number);

void strings_init(struct strings *strings, uint32_t cap);
void strings_finish(struct strings *strings);

#define STRINGS_OTHER VIEW_LITERAL("_other")
#define STRINGS_CALLED_OTHER VIEW_LITERAL("_other\xff")

/* Null and empty texts are 0 (READINGS 12). */
uint32_t strings_number(struct strings *strings, struct view text);
/* A text as strings_text gave it. */
uint32_t strings_number_uncapped(struct strings *strings, struct view text);

static inline struct view strings_text(const struct strings *strings, uint32_t number)
{
    return strings->items[number];
}

/* As it was sent, for who is told of it. */
static inline struct view strings_sent_text(const struct strings *strings, uint32_t number)
{
    struct view text = strings_text(strings, number);
    return view_equal(text, STRINGS_CALLED_OTHER) ? STRINGS_OTHER : text;
}

#endif
