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

/* For small tables, where a call and a walk along the key would cost more than the rest: its first and last eight bytes. */
static inline uint64_t hash_ends(struct view key)
{
    const unsigned char *bytes = (const unsigned char *)key.data;
    uint64_t first = 0, last = 0;
    if (key.size >= 8) {
        memcpy(&first, bytes, 8);
        memcpy(&last, bytes + key.size - 8, 8);
    } else if (key.size >= 4) {
        memcpy(&first, bytes, 4);
        memcpy(&last, bytes + key.size - 4, 4);
    } else if (key.size > 0) {
        first = bytes[0] | (uint64_t)bytes[key.size / 2] << 8 | (uint64_t)bytes[key.size - 1] << 16;
    }
    return (first ^ last * 0x9e3779b97f4a7c15u ^ key.size) * 0xff51afd7ed558ccdu;
}

static inline uint64_t hash_mix(uint64_t x) /* splitmix64's finaliser */
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

#endif
