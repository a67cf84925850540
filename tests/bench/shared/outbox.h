/* In the engine's place, for benches that call the journey stage themselves: an outbox that keeps nothing but what it has seen of each
 * topic. Not beside tests/stage/driver.h, which has one of its own. */
#ifndef TS_TESTS_BENCH_OUTBOX_H
#define TS_TESTS_BENCH_OUTBOX_H

#include "processors/journey/journey.h"

enum { BENCH_TOPICS = JOURNEY_OUTPUT_REJECTED + 1 };

struct outbox {
    int32_t partitions; /* of every topic */
    bool is_hashing;
    struct bytes value;
    int topic;
    size_t records[BENCH_TOPICS];
    uint64_t hashes[BENCH_TOPICS]; /* of the set of values: order is not the stage's to keep between customers */
    struct bytes deltas; /* of this batch, each behind its size: looked at apart from what is measured */
};

/* What each minute of each series was told in this batch, whatever the order of minutes and of histograms' bins. */
void bench_outbox_hash_deltas(struct outbox *outbox, struct arena *arena);

size_t bench_outbox_total(const struct outbox *outbox);

#endif
