/* Numbers and texts in packed bytes (packing.h): integers as small as they are.
 *
 * How many bytes follow a number's first one is said by that one's lowest bits, so many ones and then a zero; the rest of them are the number,
 * seven bits a byte. So it is written and read at once, by shifts, not byte by byte. After eight ones it follows as it is, in eight bytes. */
#ifndef TS_JOURNEY_PACKED_H
#define TS_JOURNEY_PACKED_H

#include "base/bytes.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");

enum { PACKED_UNSIGNED_MOST = 9 /* bytes */ };

/* By the place of the highest bit: how many bytes follow the first. */
extern const uint8_t packed_bytes_more[64];

/* --- where there is room already; each answers where it ends --- */

/* May write all of PACKED_UNSIGNED_MOST bytes, whatever it comes to take. */
static inline char *packed_put(char *at, uint64_t value)
{
    if (value < 0x80) { /* most are */
        *at = (char)(value << 1);
        return at + 1;
    }
    unsigned more = packed_bytes_more[__builtin_clzll(value) ^ 63];
    if (more >= 8) {
        *at = (char)0xff;
        memcpy(at + 1, &value, sizeof value);
        return at + 1 + sizeof value;
    }
    uint64_t word = ((2 * value + 1) << more) - 1;
    memcpy(at, &word, sizeof word);
    return at + 1 + more;
}

static inline char *packed_put_byte(char *at, unsigned value)
{
    *at = (char)value;
    return at + 1;
}

static inline char *packed_put_word(char *at, uint64_t word)
{
    memcpy(at, &word, sizeof word);
    return at + sizeof word;
}

static inline char *packed_put_bytes(char *at, const void *data, size_t size)
{
    memcpy(at, data, size);
    return at + size;
}

/* --- at the end of bytes that grow --- */

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

static inline char *packed_put_signed(char *at, int64_t value)
{
    return packed_put(at, packed_zigzag(value));
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

/* --- what reads ---
 *
 * One failure makes all that follows zero, so that a loader checks once, at its end. Who reads much copies it (`struct unpack in = packing->in`) and
 * hands only that to the functions here: then it lives in registers. */

struct unpack {
    const unsigned char *at, *end;
    bool has_failed;
};

static inline uint64_t unpack_fail(struct unpack *in)
{
    in->has_failed = true;
    in->at = in->end;
    return 0;
}

static inline bool unpack_has(const struct unpack *in, uint64_t size)
{
    return size <= (size_t)(in->end - in->at);
}

struct unpacked {
    uint64_t value;
    const unsigned char *at; /* behind it; NULL: there is none */
};

/* The same near the end, and numbers of nine bytes. By value: an address that is given away keeps what it is of out of registers. */
struct unpacked unpack_carefully(const unsigned char *at, const unsigned char *end);

extern const uint64_t unpack_masks[8]; /* of so many bytes and one */

static inline uint64_t unpack_unsigned(struct unpack *in)
{
    const unsigned char *at = in->at;
    if (at < in->end && !(*at & 1)) { /* most are */
        in->at = at + 1;
        return *at >> 1;
    }
    uint64_t word;
    if (unpack_has(in, sizeof word)) {
        memcpy(&word, at, sizeof word);
        unsigned more = (unsigned)__builtin_ctzll(~word | 0x100);
        if (more < 8) {
            in->at = at + more + 1;
            return (word & unpack_masks[more]) >> (more + 1);
        }
    }
    struct unpacked unpacked = unpack_carefully(at, in->end);
    if (unpacked.at == NULL)
        return unpack_fail(in);
    in->at = unpacked.at;
    return unpacked.value;
}

static inline int64_t unpack_signed(struct unpack *in)
{
    return packed_unzigzag(unpack_unsigned(in));
}

/* So many bytes as they are. */
static inline struct view unpack_run(struct unpack *in, uint64_t size)
{
    if (!unpack_has(in, size)) {
        unpack_fail(in);
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
    return in->at < in->end ? *in->at++ : (uint8_t)unpack_fail(in);
}

static inline uint64_t unpack_word(struct unpack *in)
{
    uint64_t word = 0;
    if (!unpack_has(in, sizeof word))
        return unpack_fail(in);
    memcpy(&word, in->at, sizeof word);
    in->at += sizeof word;
    return word;
}

static inline uint32_t unpack_half(struct unpack *in)
{
    uint32_t half = 0;
    if (!unpack_has(in, sizeof half))
        return (uint32_t)unpack_fail(in);
    memcpy(&half, in->at, sizeof half);
    in->at += sizeof half;
    return half;
}

/* A count of things of which each takes at least `least_bytes`: bounds what a damaged record may make us allocate. */
static inline uint32_t unpack_count(struct unpack *in, size_t least_bytes)
{
    uint64_t count = unpack_unsigned(in);
    uint64_t left = (uint64_t)(in->end - in->at);
    return count <= left && count * least_bytes <= left ? (uint32_t)count : (uint32_t)unpack_fail(in);
}

#endif
