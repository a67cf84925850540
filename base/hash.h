/* Hashes that are part of a format or of a table. None of them resists an adversary but `hash_bytes` with a random seed. */
#ifndef TS_BASE_HASH_H
#define TS_BASE_HASH_H

#include "base/view.h"

#include <stdint.h>

/* Kafka's default partitioner: murmur2 (seed 0x9747b28c) of the key, as Java clients compute it. */
uint32_t hash_murmur2(struct view key);

static inline int32_t hash_kafka_partition(struct view key, int32_t partition_count)
{
    return (int32_t)(hash_murmur2(key) & 0x7fffffff) % partition_count;
}

/* For tables: fast, well mixed, 64 bit (wyhash-like folded multiply over 8-byte words). Stable within a process only. */
uint64_t hash_bytes(struct view key);

static inline uint64_t hash_mix(uint64_t x) /* splitmix64's finaliser */
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

#endif
