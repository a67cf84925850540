#include "base/edit_distance.h"

#include <stdint.h>
#include <string.h>

size_t edit_distance(const char *a, const char *b)
{
    size_t row[96], a_size = strlen(a), b_size = strlen(b);
    /* Longer words than the room are no typing mistakes of each other. */
    if (b_size >= sizeof row / sizeof *row)
        return b_size;
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = replaced < best ? replaced : best;
        }
    }
    return row[b_size];
}

struct nearest nearest_to(const char *word)
{
    return (struct nearest){.word = word, .distance = SIZE_MAX};
}

void nearest_offer(struct nearest *nearest, const char *name)
{
    size_t distance = edit_distance(nearest->word, name);
    if (distance >= nearest->distance)
        return;
    nearest->name = name;
    nearest->distance = distance;
}
