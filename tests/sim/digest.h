/* What a world said, summed up by key, so that two worlds can be compared. */
#ifndef TS_TESTS_SIM_DIGEST_H
#define TS_TESTS_SIM_DIGEST_H

#include "base/bytes.h"
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

/* Appends what of an entry's value must be the same in every run. */
typedef void digest_plain(const struct sim_record *record, struct bytes *out);

/* The last value of every entry in the checkpoint topic, whatever the order of its bytes; `plain` NULL: all of it. */
void digest_entries(struct map *map, struct world *world, digest_plain *plain);

/* Leaves `failure` empty when everything in `wanted` is in `got`, the same. */
void digest_compare(const struct map *wanted, const struct map *got, const char *how, char *failure, size_t failure_size);

#endif
