/* How many letters must change to turn one word into another (Levenshtein 1966): for «did you mean». */
#ifndef TS_BASE_EDIT_DISTANCE_H
#define TS_BASE_EDIT_DISTANCE_H

#include <stddef.h>

size_t edit_distance(const char *a, const char *b);

/* The nearest to a word of the names that are offered one by one; of equally near ones the first. */
struct nearest {
    const char *word;
    const char *name;  /* borrowed; NULL: none was near enough */
    size_t distance;   /* of `name`; what is offered must be nearer */
};
struct nearest nearest_to(const char *word);
void nearest_offer(struct nearest *nearest, const char *name);

#endif
