/* Seeded random numbers (xoshiro256**, Blackman and Vigna 2018; seeded through splitmix64). Never secret, but random_secret.
 * Handed in as an argument wherever chance is needed, so that a seed decides everything. */
#ifndef TS_BASE_RANDOM_H
#define TS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

void random_init(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);

static inline uint32_t random_below(struct random *random, uint32_t bound) /* 0 … bound−1 */
{
    return (uint32_t)(((random_next(random) >> 32) * bound) >> 32);
}

static inline double random_unit(struct random *random) /* [0, 1) */
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

double random_normal(struct random *random); /* mean 0, deviation 1 */

/* Not of those: from the system, for keys and what nobody may guess. At most 256 bytes, which it never falls short of. Any thread. */
void random_secret(void *out, size_t size);

#endif
