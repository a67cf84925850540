/* Draws numbers 0 … n−1 where the k-th has weight (k+1)^−s: some customers are heard of often, most seldom.
 * By alias tables (Vose 1991): one random number and one look a draw, 8 bytes a number. */
#ifndef TS_INGEST_GENERATE_ZIPF_H
#define TS_INGEST_GENERATE_ZIPF_H

#include "base/random.h"

struct zipf {
    uint32_t count;
    float *keep;     /* chance of a column's own number */
    uint32_t *other; /* else this one */
};

void zipf_init(struct zipf *zipf, uint32_t count, double exponent);
void zipf_finish(struct zipf *zipf);

static inline uint32_t zipf_draw(const struct zipf *zipf, struct random *random)
{
    uint64_t bits = random_next(random);
    uint32_t column = (uint32_t)(((bits >> 32) * zipf->count) >> 32);
    return (float)(bits & 0xffffff) * 0x1p-24f < zipf->keep[column] ? column : zipf->other[column];
}

#endif
