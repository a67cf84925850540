/* Numbers and texts in packed bytes (packing.h): variable-length integers, as small as they are. */
#ifndef TS_JOURNEY_PACKED_H
#define TS_JOURNEY_PACKED_H

#include "base/bytes.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

enum { PACKED_UNSIGNED_MOST = 10 /* bytes */ };

/* Where there is room already; answers where it ends. */
static inline char *packed_put(char *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (char)(value | 0x80);
    *at++ = (char)value;
    return at;
}

static inline void pack_unsigned(struct bytes *out, uint64_t value)
{
    bytes_reserve(out, PACKED_UNSIGNED_MOST);
    out->size = (size_t)(packed_put(out->data + out->size, value) - out->data);
}

static inline uint64_t packed_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t packed_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline void pack_signed(struct bytes *out, int64_t value)
{
    pack_unsigned(out, packed_zigzag(value));
}

static inline void pack_text(struct bytes *out, struct view text)
{
    pack_unsigned(out, text.size);
    bytes_append_view(out, text);
}

static inline void pack_word(struct bytes *out, uint64_t word)
{
    bytes_reserve(out, sizeof word);
    memcpy(out->data + out->size, &word, sizeof word);
    out->size += sizeof word;
}

/* What reads: one failure makes all that follows zero, so that a loader checks once, at its end. */
struct unpack {
    const unsigned char *at, *end;
    bool has_failed;
};

static inline uint64_t unpack_unsigned(struct unpack *in)
{
    const unsigned char *at = in->at, *end = in->end;
    uint64_t value = 0;
    if (at < end && *at < 0x80) { /* most are */
        in->at = at + 1;
        return *at;
    }
    for (int shift = 0; shift < 64 && at < end; shift += 7) {
        unsigned char byte = *at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            in->at = at;
            return value;
        }
    }
    in->has_failed = true;
    in->at = in->end;
    return 0;
}

static inline int64_t unpack_signed(struct unpack *in)
{
    return packed_unzigzag(unpack_unsigned(in));
}

/* So many bytes as they are. */
static inline struct view unpack_run(struct unpack *in, uint64_t size)
{
    if (size > (size_t)(in->end - in->at)) {
        in->has_failed = true;
        in->at = in->end;
        return view_of("", 0);
    }
    struct view run = view_of(in->at, size);
    in->at += size;
    return run;
}

static inline struct view unpack_text(struct unpack *in)
{
    return unpack_run(in, unpack_unsigned(in));
}

static inline uint8_t unpack_byte(struct unpack *in)
{
    if (in->at == in->end) {
        in->has_failed = true;
        return 0;
    }
    return *in->at++;
}

static inline uint64_t unpack_word(struct unpack *in)
{
    uint64_t word = 0;
    if (in->end - in->at < (ptrdiff_t)sizeof word) {
        in->has_failed = true;
        in->at = in->end;
        return 0;
    }
    memcpy(&word, in->at, sizeof word);
    in->at += sizeof word;
    return word;
}

static inline uint32_t unpack_half(struct unpack *in)
{
    uint32_t half = 0;
    if (in->end - in->at < (ptrdiff_t)sizeof half) {
        in->has_failed = true;
        in->at = in->end;
        return 0;
    }
    memcpy(&half, in->at, sizeof half);
    in->at += sizeof half;
    return half;
}

/* A count of things of which each takes at least `least_bytes`: bounds what a damaged record may make us allocate. */
static inline uint32_t unpack_count(struct unpack *in, size_t least_bytes)
{
    uint64_t count = unpack_unsigned(in);
    if (count > (uint64_t)(in->end - in->at) / least_bytes) {
        in->has_failed = true;
        in->at = in->end;
        return 0;
    }
    return (uint32_t)count;
}

#endif
