#include "base/hash.h"

static uint32_t little_endian_32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t hash_murmur2(struct view key)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *bytes = (const unsigned char *)key.data;
    uint32_t h = 0x9747b28c ^ (uint32_t)key.size;
    size_t at = 0;
    for (; at + 4 <= key.size; at += 4) {
        uint32_t k = little_endian_32(bytes + at) * m;
        k ^= k >> 24;
        h = (h * m) ^ (k * m);
    }
    size_t rest = key.size - at;
    if (rest >= 3)
        h ^= (uint32_t)bytes[at + 2] << 16;
    if (rest >= 2)
        h ^= (uint32_t)bytes[at + 1] << 8;
    if (rest >= 1)
        h = (h ^ bytes[at]) * m;
    h = (h ^ (h >> 13)) * m;
    return h ^ (h >> 15);
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The last bytes, less than eight, as a little-endian number: by loads of fixed sizes that overlap, since a copy of an unknown size is
 * a call that costs more than all the rest. */
static uint64_t tail_of(struct view key, size_t at)
{
    const unsigned char *bytes = (const unsigned char *)key.data + at;
    size_t rest = key.size - at;
    if (rest == 0)
        return 0;
    if (key.size >= 8) {
        uint64_t last;
        memcpy(&last, key.data + key.size - 8, 8);
        return last >> (64 - 8 * rest);
    }
    if (rest >= 4)
        return little_endian_32(bytes) | (uint64_t)little_endian_32(bytes + rest - 4) << (8 * (rest - 4));
    return bytes[0] | (uint64_t)bytes[rest / 2] << (8 * (rest / 2)) | (uint64_t)bytes[rest - 1] << (8 * (rest - 1));
}

uint64_t hash_bytes(struct view key)
{
    const uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu;
    uint64_t h = k0 ^ key.size;
    size_t at = 0;
    for (; at + 8 <= key.size; at += 8) {
        uint64_t word;
        memcpy(&word, key.data + at, 8);
        h = fold(h ^ word, k1);
    }
    return fold(h ^ tail_of(key, at) ^ k1, k0 ^ key.size);
}
