/* What a world said, summed up by key, so that two worlds can be compared. */
#ifndef TS_TESTS_SIM_DIGEST_H
#define TS_TESTS_SIM_DIGEST_H

#include "base/map.h"
#include "tests/sim/world.h"

struct digest {
    uint64_t hash;
    int64_t count;
    int64_t sums[5];
    char name[120];
};

/* The digest named «what key», made when it is not there. */
struct digest *digest_of(struct map *map, const char *what, struct view key);

/* Values in order: the same only if all are the same, one after the other. */
void digest_add(struct digest *digest, struct view value);

/* The last value of every entry in the checkpoint topic, whatever the order of its bytes. */
void digest_entries(struct map *map, struct world *world);

/* Leaves `failure` empty when everything in `wanted` is in `got`, the same. */
void digest_compare(const struct map *wanted, const struct map *got, const char *how, char *failure, size_t failure_size);

#endif
