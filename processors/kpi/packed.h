/* Numbers in few bytes, for checkpoints: zigzag varints, as Avro has them.
 *
 * What is read may be damaged, and is added up and compared like anything else then. So it is read as what it is: a bucket of time, or a place in a list, that cannot be is damage;
 * instants and sums are kept so far from the ends of 64 bits that none of what is done with them overflows. What kpi.deltas may say (kpi.c) is
 * well within that, or what was written could not be read again. */
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

enum { PACKED_INDEX_MOST = INT32_MAX / 2 }; /* the year 4010, in minutes */
#define PACKED_INSTANT_MOST ((int64_t)PACKED_INDEX_MOST * 60000)
#define PACKED_POSITION_MOST ((int64_t)1 << 60)
#define PACKED_SUM_MOST ((int64_t)1 << 44)

static inline int64_t unpack_within(struct unpacker *in, int64_t least, int64_t most)
{
    int64_t value = unpack(in);
    if (value >= least && value <= most)
        return value;
    in->is_broken = true;
    return 0;
}

static inline int32_t unpack_int32(struct unpacker *in)
{
    return (int32_t)unpack_within(in, INT32_MIN, INT32_MAX);
}

static inline int64_t packed_clamp(int64_t value, int64_t most)
{
    return value < -most ? -most : value > most ? most : value;
}

/* In ms. Kept within bounds, not refused: the date of a record is whoever's who sent it. */
static inline int64_t unpack_instant(struct unpacker *in)
{
    return packed_clamp(unpack(in), PACKED_INSTANT_MOST);
}

/* The same, but `none` stands for none. */
static inline int64_t unpack_instant_or(struct unpacker *in, int64_t none)
{
    int64_t value = unpack(in);
    return value == none ? none : packed_clamp(value, PACKED_INSTANT_MOST);
}

/* Of a bucket of time. */
static inline int32_t unpack_index(struct unpacker *in)
{
    return (int32_t)unpack_within(in, -PACKED_INDEX_MOST, PACKED_INDEX_MOST);
}

static inline int32_t unpack_index_or(struct unpacker *in, int32_t none)
{
    struct unpacker before = *in;
    if (unpack(in) == none)
        return none;
    *in = before;
    return unpack_index(in);
}

/* Of an alert: it goes on counting. */
static inline int32_t unpack_revision(struct unpacker *in)
{
    return (int32_t)unpack_within(in, 0, PACKED_INDEX_MOST);
}

/* An offset, or how many there were so far. */
static inline int64_t unpack_position(struct unpacker *in)
{
    return unpack_within(in, -PACKED_POSITION_MOST, PACKED_POSITION_MOST);
}

static inline int64_t unpack_sum(struct unpacker *in)
{
    return packed_clamp(unpack(in), PACKED_SUM_MOST);
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
