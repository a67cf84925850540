/* Avro's binary encoding, primitive by primitive: what the generated codecs are made of.
 *
 * Reading is strict: it never passes the end, and a number in more bytes than it needs or can have, a negative length,
 * a boolean other than 0 and 1, an index outside its enum or union are all «false». Numbers must be minimal because
 * raw touchpoints are copied through into enriched ones: what we pass on should be what any writer would write.
 * Strings borrow from the input and are not checked for UTF-8 here (ingest does, and JSON output replaces).
 * Writing goes to memory that the caller has reserved by the generated bound. */
#ifndef TS_SCHEMAS_AVRO_BINARY_H
#define TS_SCHEMAS_AVRO_BINARY_H

#include "schemas/shape.h"
#include <assert.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Avro's doubles are copied as they lie in memory");

enum { AVRO_LONG_BYTES_MAX = 10 };

struct avro_cursor {
    const uint8_t *at, *end;
};

/* --- reading --- */

static inline int64_t avro_unzigzag(uint64_t bits)
{
    return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
}

/* A number of two to eight bytes, such as any instant in ms, from eight bytes at once. False: it is longer, or not minimal. */
static inline bool avro_read_long_word(struct avro_cursor *cursor, int64_t *out)
{
    uint64_t word;
    memcpy(&word, cursor->at, sizeof word);
    uint64_t ends = ~word & 0x8080808080808080u;
    if (ends == 0)
        return false;
    unsigned bits = (unsigned)__builtin_ctzll(ends) + 1; /* with all of its last byte */
    word &= ~(uint64_t)0 >> (64 - bits);
    if (word >> (bits - 8) == 0)
        return false;
    word &= 0x7f7f7f7f7f7f7f7fu; /* seven bits of each byte move together: in pairs, in fours, in eights */
    word = (word & 0x007f007f007f007fu) | (word & 0x7f007f007f007f00u) >> 1;
    word = (word & 0x00003fff00003fffu) | (word & 0x3fff00003fff0000u) >> 2;
    word = (word & 0x000000000fffffffu) | (word & 0x0fffffff00000000u) >> 4;
    cursor->at += bits / 8;
    *out = avro_unzigzag(word);
    return true;
}

/* Never inlined, so that what most numbers need (one byte) always is. */
__attribute__((noinline, unused)) static bool avro_read_long_slow(struct avro_cursor *cursor, int64_t *out)
{
    if (cursor->end - cursor->at >= (ptrdiff_t)sizeof(uint64_t) && avro_read_long_word(cursor, out))
        return true;
    uint64_t bits = 0;
    const uint8_t *at = cursor->at;
    for (unsigned shift = 0; at < cursor->end; shift += 7) {
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            return false; /* more than 64 bits, or an eleventh byte to come */
        bits |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (byte == 0 && shift > 0)
            return false; /* longer than it need be */
        cursor->at = at;
        *out = avro_unzigzag(bits);
        return true;
    }
    return false;
}

static inline bool avro_read_long(struct avro_cursor *cursor, int64_t *out)
{
    if (cursor->at < cursor->end && *cursor->at < 0x80) {
        *out = avro_unzigzag(*cursor->at++);
        return true;
    }
    return avro_read_long_slow(cursor, out);
}

static inline bool avro_read_int(struct avro_cursor *cursor, int32_t *out)
{
    int64_t wide = 0; /* gcc does not see that it is set whenever it is used */
    if (!avro_read_long(cursor, &wide) || wide < INT32_MIN || wide > INT32_MAX)
        return false;
    *out = (int32_t)wide;
    return true;
}

static inline bool avro_read_boolean(struct avro_cursor *cursor, bool *out)
{
    if (cursor->at == cursor->end || *cursor->at > 1)
        return false;
    *out = *cursor->at++;
    return true;
}

static inline bool avro_read_double(struct avro_cursor *cursor, double *out)
{
    if (cursor->end - cursor->at < (ptrdiff_t)sizeof *out)
        return false;
    memcpy(out, cursor->at, sizeof *out);
    cursor->at += sizeof *out;
    return true;
}

static inline bool avro_read_uuid(struct avro_cursor *cursor, struct uuid *out)
{
    if (cursor->end - cursor->at < (ptrdiff_t)sizeof *out)
        return false;
    memcpy(out, cursor->at, sizeof *out);
    cursor->at += sizeof *out;
    return true;
}

/* Strings and bytes. */
static inline bool avro_read_view(struct avro_cursor *cursor, struct view *out)
{
    int64_t size = 0;
    if (!avro_read_long(cursor, &size) || size < 0 || size > cursor->end - cursor->at)
        return false;
    *out = view_of(cursor->at, (size_t)size);
    cursor->at += size;
    return true;
}

/* The index into an enum's symbols or a union's branches. */
static inline bool avro_read_index(struct avro_cursor *cursor, unsigned count, unsigned *out)
{
    int64_t index = 0;
    if (!avro_read_long(cursor, &index) || index < 0 || index >= (int64_t)count)
        return false;
    *out = (unsigned)index;
    return true;
}

static inline bool avro_read_present(struct avro_cursor *cursor, bool *out)
{
    if (cursor->at == cursor->end || (*cursor->at & ~2) != 0)
        return false;
    *out = *cursor->at++ == 2;
    return true;
}

static inline bool avro_read_optional_view(struct avro_cursor *cursor, struct view *out)
{
    bool present;
    *out = (struct view){NULL, 0};
    return avro_read_present(cursor, &present) && (!present || avro_read_view(cursor, out));
}

/* The head of an array's or map's next block. `*count` 0 ends it. An item takes `item_bytes_min` at least, so a count
 * that the rest of the input cannot hold is refused before anything is allocated for it.
 * `*block_end` is NULL unless the writer stated the block's size. */
static inline bool avro_read_block(struct avro_cursor *cursor, size_t item_bytes_min, size_t *count,
                                   const uint8_t **block_end)
{
    int64_t items = 0, size = 0;
    *block_end = NULL;
    if (!avro_read_long(cursor, &items) || items == INT64_MIN)
        return false;
    if (items < 0) {
        if (!avro_read_long(cursor, &size) || size < 0 || size > cursor->end - cursor->at)
            return false;
        *block_end = cursor->at + size;
        items = -items;
    }
    *count = (size_t)items;
    return *count <= (size_t)(cursor->end - cursor->at) / item_bytes_min;
}

/* Room for `more` items after the `count` there are; doubling, so that a writer of many tiny blocks costs no more. */
static inline void *avro_grow(struct arena *arena, void *items, size_t item_size, size_t count, size_t *capacity,
                              size_t more)
{
    if (count + more <= *capacity)
        return items;
    *capacity = count + more > 2 * *capacity ? count + more : 2 * *capacity;
    void *grown = arena_alloc(arena, *capacity * item_size);
    if (count)
        memcpy(grown, items, count * item_size);
    return grown;
}

/* --- writing --- */

static inline char *avro_write_long(char *at, int64_t value)
{
    uint64_t bits = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    while (bits >= 0x80) {
        *at++ = (char)(bits | 0x80);
        bits >>= 7;
    }
    *at++ = (char)bits;
    return at;
}

static inline char *avro_write_boolean(char *at, bool value)
{
    *at++ = (char)value;
    return at;
}

static inline char *avro_write_double(char *at, double value)
{
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline char *avro_write_uuid(char *at, struct uuid value)
{
    memcpy(at, value.bytes, sizeof value.bytes);
    return at + sizeof value.bytes;
}

static inline char *avro_write_index(char *at, unsigned index, unsigned count)
{
    assert(index < count);
    (void)count;
    return avro_write_long(at, index);
}

static inline char *avro_write_present(char *at, bool present)
{
    *at++ = present ? 2 : 0;
    return at;
}

/* A null view is written as the empty string: the field is not optional. */
static inline char *avro_write_view(char *at, struct view value)
{
    at = avro_write_long(at, (int64_t)value.size);
    if (value.size)
        memcpy(at, value.data, value.size);
    return at + value.size;
}

static inline char *avro_write_optional_view(char *at, struct view value)
{
    at = avro_write_present(at, value.data != NULL);
    return value.data ? avro_write_view(at, value) : at;
}

/* --- maps of strings --- */

static inline bool avro_read_map(struct avro_cursor *cursor, struct attribute **items, size_t *count,
                                 struct arena *arena)
{
    size_t capacity = 0, more;
    const uint8_t *block_end;
    *items = NULL;
    *count = 0;
    for (;;) {
        if (!avro_read_block(cursor, 2, &more, &block_end))
            return false;
        if (more == 0)
            return block_end == NULL || cursor->at == block_end;
        *items = avro_grow(arena, *items, sizeof **items, *count, &capacity, more);
        for (; more > 0; more--, ++*count) {
            struct attribute *entry = &(*items)[*count];
            if (!avro_read_view(cursor, &entry->key) || !avro_read_view(cursor, &entry->value))
                return false;
        }
        if (block_end && cursor->at != block_end)
            return false;
    }
}

static inline size_t avro_bound_map(const struct attribute *items, size_t count)
{
    size_t bound = 2 * AVRO_LONG_BYTES_MAX;
    for (size_t i = 0; i < count; i++)
        bound += 2 * AVRO_LONG_BYTES_MAX + items[i].key.size + items[i].value.size;
    return bound;
}

static inline char *avro_write_map(char *at, const struct attribute *items, size_t count)
{
    if (count)
        at = avro_write_long(at, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        at = avro_write_view(avro_write_view(at, items[i].key), items[i].value);
    return avro_write_long(at, 0);
}

#endif
