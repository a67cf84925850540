/* Numbers and texts in a checkpoint's private bytes: variable-length integers, as small as they are. */
#ifndef TS_JOURNEY_PACKED_H
#define TS_JOURNEY_PACKED_H

#include "base/bytes.h"
#include "base/view.h"
#include "processors/journey/moment.h"

#include <stdbool.h>
#include <stdint.h>

static inline void pack_unsigned(struct bytes *out, uint64_t value)
{
    bytes_reserve(out, 10);
    while (value >= 0x80) {
        out->data[out->size++] = (char)(value | 0x80);
        value >>= 7;
    }
    out->data[out->size++] = (char)value;
}

static inline void pack_signed(struct bytes *out, int64_t value)
{
    pack_unsigned(out, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static inline void pack_text(struct bytes *out, struct view text)
{
    pack_unsigned(out, text.size);
    bytes_append_view(out, text);
}

static inline void pack_word(struct bytes *out, uint64_t word)
{
    bytes_append(out, &word, sizeof word);
}

static inline void pack_moment(struct bytes *out, const struct moment *moment)
{
    pack_signed(out, moment->at_ms);
    pack_word(out, moment->id_high);
    pack_word(out, moment->id_low);
}

/* What reads: one failure makes all that follows zero, so that a loader checks once, at its end. */
struct unpack {
    const unsigned char *at, *end;
    bool has_failed;
};

static inline uint64_t unpack_unsigned(struct unpack *in)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        unsigned char byte = *in->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    in->has_failed = true;
    in->at = in->end;
    return 0;
}

static inline int64_t unpack_signed(struct unpack *in)
{
    uint64_t value = unpack_unsigned(in);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline struct view unpack_text(struct unpack *in)
{
    uint64_t size = unpack_unsigned(in);
    if (size > (size_t)(in->end - in->at)) {
        in->has_failed = true;
        in->at = in->end;
        return view_of("", 0);
    }
    struct view text = view_of(in->at, size);
    in->at += size;
    return text;
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

static inline struct moment unpack_moment(struct unpack *in)
{
    struct moment moment;
    moment.at_ms = unpack_signed(in);
    moment.id_high = unpack_word(in);
    moment.id_low = unpack_word(in);
    return moment;
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
