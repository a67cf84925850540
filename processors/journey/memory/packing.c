#include "processors/journey/memory/packing.h"

#include "base/memory.h"

#include <stdlib.h>

enum { ID_BYTES = 2 * sizeof(uint64_t) };

_Static_assert(offsetof(struct moment, id_low) == offsetof(struct moment, id_high) + sizeof(uint64_t), "an id is one piece");

enum { MOMENT_LEAST = ID_BYTES + 1, MOMENT_MOST = ID_BYTES + 2 * PACKED_UNSIGNED_MOST, SEEN_LEAST = 1 + sizeof(uint64_t) };

void packing_finish(struct packing *packing)
{
    bytes_finish(&packing->body);
    free(packing->names);
    free(packing->narrow_names);
    free(packing->moments);
    free((void *)packing->said);
    free(packing->mixed);
    free(packing->seconds);
}

/* --- names --- */

void packing_names_begin(struct packing *packing)
{
    packing->name_count = 0;
    packing->names_together = 0;
}

void packing_names_write(const struct packing *packing, struct bytes *out)
{
    bool is_wide = packing->names_together > UINT16_MAX;
    const void *names = is_wide ? (const void *)packing->names : packing->narrow_names;
    pack_unsigned(out, (uint64_t)packing->name_count << 1 | is_wide);
    bytes_append(out, names, packing->name_count * (is_wide ? sizeof *packing->names : sizeof *packing->narrow_names));
}

void packing_names_grow(struct packing *packing)
{
    packing->name_capacity = packing->name_capacity ? 2 * packing->name_capacity : 64;
    packing->names = memory_resize(packing->names, packing->name_capacity * sizeof *packing->names);
    packing->narrow_names = memory_resize(packing->narrow_names, packing->name_capacity * sizeof *packing->narrow_names);
}

void unpacking_names(struct packing *packing, struct unpack *in)
{
    uint64_t word = unpack_unsigned(in);
    uint64_t count = word >> 1;
    packing->names_are_wide = word & 1;
    size_t size = packing->names_are_wide ? 8 : 2;
    if (count > (uint64_t)(in->end - in->at) / size) {
        unpack_fail(in);
        count = 0;
    }
    packing->name_count = (uint32_t)count;
    packing->names_have_failed = false;
    packing->name_at = in->at;
    packing->name_end = in->at += count * size;
}

/* --- ids seen, and moments --- */

static void moments_reserve(struct packing *packing, uint32_t count)
{
    if (count <= packing->moment_capacity)
        return;
    packing->moment_capacity = count + count / 2;
    packing->moments = memory_resize(packing->moments, packing->moment_capacity * sizeof *packing->moments);
}

static void places_reserve(struct packing *packing, uint32_t count)
{
    if (count <= packing->place_capacity)
        return;
    uint32_t capacity = packing->place_capacity = count + count / 2;
    packing->said = memory_resize((void *)packing->said, capacity * sizeof *packing->said);
    packing->mixed = memory_resize(packing->mixed, capacity * sizeof *packing->mixed);
    packing->seconds = memory_resize(packing->seconds, capacity * sizeof *packing->seconds);
}

static inline uint32_t *recent_of(struct packing *packing, uint64_t mixed)
{
    return &packing->recent[mixed % PACKING_RECENT];
}

/* A table has empty places, in no order: a branch at each would be foretold wrongly half of the time, and then costs more than all else. */
static void seen_begin(struct packing *packing, const struct dedupe *seen)
{
    uint32_t end = dedupe_end(seen), place = 0;
    places_reserve(packing, end + 1);
    for (uint32_t i = 0; i < end; i++) {
        packing->mixed[place] = seen->ids[i];
        packing->seconds[place] = dedupe_seconds(seen)[i];
        place += seen->ids[i] != 0;
    }
    for (uint32_t i = 0; i < place; i++) {
        packing->said[i] = NULL;
        *recent_of(packing, packing->mixed[i]) = i;
    }
    packing->moment_count = packing->seen_count = place;
}

static bool moment_is_same(const struct moment *a, const struct moment *b)
{
    return ((uint64_t)(a->at_ms ^ b->at_ms) | (a->id_high ^ b->id_high) | (a->id_low ^ b->id_low)) == 0;
}

__attribute__((noinline)) static uint32_t place_add(struct packing *packing, const struct moment *moment, uint64_t mixed)
{
    uint32_t place = packing->moment_count;
    places_reserve(packing, place + 1);
    packing->mixed[place] = mixed;
    packing->said[place] = moment;
    packing->moment_count++;
    return *recent_of(packing, mixed) = place;
}

/* Where two ids want the same place of `recent` a moment may be written twice: larger, and right all the same. */
uint32_t packing_place(struct packing *packing, const struct moment *moment)
{
    uint64_t mixed = dedupe_mixed(moment->id_high, moment->id_low);
    uint32_t place = *recent_of(packing, mixed);
    if (place >= packing->moment_count || packing->mixed[place] != mixed)
        return place_add(packing, moment, mixed);
    if (packing->said[place] == NULL)
        packing->said[place] = moment;
    else if (!moment_is_same(packing->said[place], moment))
        return place_add(packing, moment, mixed);
    return place;
}

enum { IS_OF_MOMENT = 1, IS_OTHER_SECOND = 2, OTHER_SHIFT = 1, MOMENT_SHIFT = 2 };

static inline uint64_t time_apart(int64_t at_ms, int64_t before_ms)
{
    return packed_zigzag((int64_t)((uint64_t)at_ms - (uint64_t)before_ms));
}

/* An event is nearly always received in the second in which it happens. */
static inline char *seen_moment_put(char *at, const struct moment *moment, int64_t before_ms, uint32_t second)
{
    bool is_other = (uint64_t)moment->at_ms - (uint64_t)second * 1000 >= 1000;
    at = packed_put(at, time_apart(moment->at_ms, before_ms) << MOMENT_SHIFT | (is_other ? IS_OTHER_SECOND : 0u) | IS_OF_MOMENT);
    if (is_other)
        at = packed_put_signed(at, (int64_t)(second - (uint64_t)moment->at_ms / 1000));
    return packed_put_bytes(at, &moment->id_high, ID_BYTES);
}

/* As dedupe holds them, in its order: the same customer is the same bytes however often they rested. */
static void seen_write(const struct packing *packing, struct bytes *out)
{
    int64_t before_ms = packing->base_ms;
    bytes_reserve(out, PACKED_UNSIGNED_MOST + (size_t)packing->seen_count * MOMENT_MOST);
    char *at = packed_put(out->data + out->size, packing->seen_count);
    for (uint32_t i = 0; i < packing->seen_count; i++) {
        const struct moment *moment = packing->said[i];
        if (moment) {
            at = seen_moment_put(at, moment, before_ms, packing->seconds[i]);
            before_ms = moment->at_ms;
        } else {
            at = packed_put(at, time_apart(packing->seconds[i], before_ms / 1000) << OTHER_SHIFT);
            at = packed_put_word(at, packing->mixed[i]);
            before_ms = (int64_t)packing->seconds[i] * 1000;
        }
    }
    out->size = (size_t)(at - out->data);
}

static void others_write(const struct packing *packing, struct bytes *out)
{
    uint32_t from = packing->seen_count, count = packing->moment_count - from;
    int64_t before_ms = packing->base_ms;
    bytes_reserve(out, PACKED_UNSIGNED_MOST + (size_t)count * MOMENT_MOST);
    char *at = packed_put(out->data + out->size, count);
    for (uint32_t i = from; i < packing->moment_count; i++) {
        at = packed_put(at, time_apart(packing->said[i]->at_ms, before_ms));
        at = packed_put_bytes(at, &packing->said[i]->id_high, ID_BYTES);
        before_ms = packing->said[i]->at_ms;
    }
    out->size = (size_t)(at - out->data);
}

static inline void moment_read(struct unpack *in, struct moment *moment, int64_t at_ms)
{
    *moment = (struct moment){.at_ms = at_ms};
    struct view id = unpack_run(in, ID_BYTES);
    if (id.size == ID_BYTES)
        memcpy(&moment->id_high, id.data, ID_BYTES);
}

static inline int64_t time_later(int64_t before_ms, uint64_t apart)
{
    return (int64_t)((uint64_t)before_ms + (uint64_t)packed_unzigzag(apart));
}

/* Answers what dedupe keeps of it. */
static inline uint64_t seen_read_one(struct unpack *in, struct moment *moment, int64_t *before_ms, uint32_t *second)
{
    uint64_t word = unpack_unsigned(in);
    if (word & IS_OF_MOMENT) {
        *before_ms = time_later(*before_ms, word >> MOMENT_SHIFT);
        *second = (uint32_t)((uint64_t)*before_ms / 1000);
        if (word & IS_OTHER_SECOND)
            *second += (uint32_t)unpack_signed(in);
        moment_read(in, moment, *before_ms);
        return dedupe_mixed(moment->id_high, moment->id_low);
    }
    *moment = (struct moment){0};
    *second = (uint32_t)time_later(*before_ms / 1000, word >> OTHER_SHIFT);
    *before_ms = (int64_t)*second * 1000;
    return unpack_word(in);
}

static void seen_read(struct packing *packing, struct unpack *from, struct dedupe *seen)
{
    struct unpack in = *from;
    uint32_t count = unpack_count(&in, SEEN_LEAST), second;
    int64_t before_ms = packing->base_ms;
    moments_reserve(packing, count);
    packing->moment_count = count;
    if (count)
        dedupe_reserve(packing->room, seen, count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t mixed = seen_read_one(&in, &packing->moments[i], &before_ms, &second);
        if (mixed == 0)
            unpack_fail(&in);
        else
            dedupe_put(seen, mixed, second);
    }
    *from = in;
}

static void others_read(struct packing *packing, struct unpack *from)
{
    struct unpack in = *from;
    uint32_t count = unpack_count(&in, MOMENT_LEAST);
    int64_t at_ms = packing->base_ms;
    moments_reserve(packing, packing->moment_count + count);
    for (; count > 0; count--) {
        at_ms = time_later(at_ms, unpack_unsigned(&in));
        moment_read(&in, &packing->moments[packing->moment_count++], at_ms);
    }
    *from = in;
}

/* --- texts and times --- */

char *pack_long_text(struct packing *packing, char *at, struct view text)
{
    packing_close(packing, packed_put(at, text.size));
    bytes_append_view(&packing->body, text);
    return packing_open(packing);
}

void pack_times(struct packing *packing, const int64_t *times_ms, uint32_t count)
{
    char *at = packed_put(packing_open(packing), count);
    for (uint32_t i = 0; i < count; i++)
        at = packing_more(packing, pack_time(packing, at, times_ms[i]));
    packing_close(packing, at);
}

int64_t *unpack_times(struct packing *packing, uint32_t *count)
{
    struct unpack in = packing->in;
    *count = unpack_count(&in, 1);
    int64_t *times_ms = room_array_bare(packing->room, *count, sizeof *times_ms);
    for (uint32_t i = 0; i < *count; i++)
        times_ms[i] = unpack_time(packing, &in);
    packing->in = in;
    return times_ms;
}

/* --- all together --- */

void packing_begin(struct packing *packing, int64_t base_ms, const struct dedupe *seen)
{
    bytes_clear(&packing->body);
    packing->base_ms = base_ms;
    packing_names_begin(packing);
    seen_begin(packing, seen);
}

void packing_end(struct packing *packing, struct bytes *out)
{
    packing_names_write(packing, out);
    pack_signed(out, packing->base_ms);
    seen_write(packing, out);
    others_write(packing, out);
    bytes_append_view(out, bytes_view(&packing->body));
}

void unpacking_begin(struct packing *packing, struct view bytes, struct room *room, struct dedupe *seen)
{
    packing->room = room;
    struct unpack *in = &packing->in;
    *in = (struct unpack){(const unsigned char *)bytes.data, (const unsigned char *)bytes.data + bytes.size, false};
    unpacking_names(packing, in);
    packing->base_ms = unpack_signed(in);
    seen_read(packing, in, seen);
    others_read(packing, in);
}

bool unpacking_end(const struct packing *packing)
{
    return !packing->in.has_failed && !packing->names_have_failed && packing->in.at == packing->in.end;
}

#define SEVEN(n) n, n, n, n, n, n, n
const uint8_t packed_bytes_more[64] = {SEVEN(0), SEVEN(1), SEVEN(2), SEVEN(3), SEVEN(4), SEVEN(5), SEVEN(6), SEVEN(7), SEVEN(8), 9};
#undef SEVEN

#define MASK(bytes) (UINT64_MAX >> (64 - 8 * (bytes)))
const uint64_t unpack_masks[8] = {MASK(1), MASK(2), MASK(3), MASK(4), MASK(5), MASK(6), MASK(7), MASK(8)};
#undef MASK

struct unpacked unpack_carefully(const unsigned char *at, const unsigned char *end)
{
    const struct unpacked none = {0, NULL};
    size_t size = (size_t)(end - at);
    uint64_t word = 0;
    memcpy(&word, at, size < sizeof word ? size : sizeof word);
    unsigned more = (unsigned)__builtin_ctzll(~word | 0x100);
    if (more + 1 > size)
        return none;
    if (more < 8)
        return (struct unpacked){(word & unpack_masks[more]) >> (more + 1), at + more + 1};
    memcpy(&word, at + 1, sizeof word);
    return (struct unpacked){word, at + PACKED_UNSIGNED_MOST};
}
