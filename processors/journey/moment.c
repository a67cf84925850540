#include "processors/journey/moment.h"

static uint64_t identity_stir(uint64_t h)
{
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

static uint64_t identity_continue(uint64_t h, struct view id)
{
    size_t at = 0;
    for (; at + 8 <= id.size; at += 8)
        h = identity_stir(h ^ moment_read_big_endian((const uint8_t *)id.data + at)) + 0x9e3779b97f4a7c15u;
    uint64_t tail = 0;
    for (; at < id.size; at++)
        tail = tail << 8 | (unsigned char)id.data[at];
    return identity_stir(h ^ tail ^ ((uint64_t)id.size << 56));
}

uint64_t identity_of(struct view id)
{
    return identity_continue(0x243f6a8885a308d3u, id);
}

uint64_t identity_of_pair(struct view first, struct view second)
{
    return identity_continue(identity_of(first), second);
}
