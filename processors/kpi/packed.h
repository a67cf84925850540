/* Numbers in few bytes, for checkpoints: zigzag varints, as Avro has them. */
#ifndef TS_KPI_PACKED_H
#define TS_KPI_PACKED_H

#include "base/bytes.h"

static inline void pack(struct bytes *out, int64_t value)
{
    bytes_reserve(out, 10);
    uint64_t bits = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    for (; bits >= 0x80; bits >>= 7)
        out->data[out->size++] = (char)(bits | 0x80);
    out->data[out->size++] = (char)bits;
}

static inline void pack_view(struct bytes *out, struct view view)
{
    pack(out, (int64_t)view.size);
    bytes_append_view(out, view);
}

struct unpacker {
    const char *at, *end;
    bool is_broken; /* once true, every further number is 0 */
};

static inline int64_t unpack(struct unpacker *in)
{
    uint64_t bits = 0;
    for (unsigned shift = 0; in->at < in->end && shift < 64; shift += 7) {
        uint8_t byte = (uint8_t)*in->at++;
        bits |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
    }
    in->is_broken = true;
    in->at = in->end;
    return 0;
}

/* A number that counts things still to come, of which each takes a byte at least. */
static inline size_t unpack_count(struct unpacker *in)
{
    int64_t count = unpack(in);
    if (count < 0 || count > in->end - in->at) {
        in->is_broken = true;
        return 0;
    }
    return (size_t)count;
}

static inline struct view unpack_view(struct unpacker *in)
{
    size_t size = unpack_count(in);
    struct view view = view_of(in->at, size);
    in->at += size;
    return view;
}

static inline void pack_double(struct bytes *out, double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    pack(out, bits);
}

static inline double unpack_double(struct unpacker *in)
{
    int64_t bits = unpack(in);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
