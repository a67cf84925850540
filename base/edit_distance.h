/* How many letters must change to turn one word into another (Levenshtein 1966): for «did you mean». */
#ifndef TS_BASE_EDIT_DISTANCE_H
#define TS_BASE_EDIT_DISTANCE_H

#include <stddef.h>

size_t edit_distance(const char *a, const char *b);

#endif
