#include "processors/journey/packing.h"

#include "base/memory.h"

#include <stdlib.h>

enum { MOMENT_LEAST = 17, ID_LEAST = 2 /* bytes */ };

void packing_finish(struct packing *packing)
{
    bytes_finish(&packing->body);
    free(packing->names);
    free(packing->moments);
}

void packing_begin(struct packing *packing, int64_t base_ms)
{
    bytes_clear(&packing->body);
    packing->base_ms = base_ms;
    packing->name_count = packing->moment_count = 0;
}

/* --- names --- */

static void names_reserve(struct packing *packing, uint32_t count)
{
    if (count <= packing->name_capacity)
        return;
    packing->name_capacity = 2 * count;
    packing->names = memory_resize(packing->names, packing->name_capacity * sizeof *packing->names);
}

void pack_name(struct packing *packing, enum name_kind kind, uint32_t number)
{
    names_reserve(packing, packing->name_count + 1);
    packing->names[packing->name_count++] = (struct packed_name){number, (uint8_t)kind};
}

uint32_t unpack_name(struct packing *packing, enum name_kind kind)
{
    if (packing->name_at < packing->name_count && packing->names[packing->name_at].kind == (uint8_t)kind)
        return packing->names[packing->name_at++].number;
    packing->in.has_failed = true;
    return 0;
}

static void names_write(const struct packing *packing, struct bytes *out)
{
    pack_unsigned(out, packing->name_count);
    for (uint32_t i = 0; i < packing->name_count; i++)
        pack_unsigned(out, (uint64_t)packing->names[i].number << 3 | packing->names[i].kind);
}

void unpacking_names(struct packing *packing, struct unpack *in)
{
    uint32_t count = unpack_count(in, 1);
    names_reserve(packing, count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = unpack_unsigned(in);
        packing->names[i] = (struct packed_name){(uint32_t)(word >> 3), word & 7};
    }
    packing->name_count = count;
    packing->name_at = 0;
}

/* --- moments and ids --- */

static void moments_reserve(struct packing *packing, uint32_t count)
{
    if (count <= packing->moment_capacity)
        return;
    packing->moment_capacity = 2 * count;
    packing->moments = memory_resize(packing->moments, packing->moment_capacity * sizeof *packing->moments);
}

/* Where two moments want the same place of `recent` the older one may be written twice: larger, and right all the same. */
void pack_moment(struct packing *packing, const struct moment *moment)
{
    uint64_t mixed = dedupe_mixed(moment->id_high, moment->id_low);
    uint32_t *recent = &packing->recent[mixed % PACKING_RECENT];
    if (*recent >= packing->moment_count || moment_compare(&packing->moments[*recent].moment, moment) != 0) {
        moments_reserve(packing, packing->moment_count + 1);
        *recent = packing->moment_count;
        packing->moments[packing->moment_count++] = (struct packed_moment){*moment, mixed};
    }
    pack_unsigned(&packing->body, *recent);
}

struct moment unpack_moment(struct packing *packing)
{
    uint64_t place = unpack_unsigned(&packing->in);
    if (place < packing->moment_count)
        return packing->moments[place].moment;
    packing->in.has_failed = true;
    return (struct moment){0};
}

static void moments_write(const struct packing *packing, struct bytes *out)
{
    int64_t before_ms = packing->base_ms;
    pack_unsigned(out, packing->moment_count);
    for (uint32_t i = 0; i < packing->moment_count; i++) {
        const struct moment *moment = &packing->moments[i].moment;
        pack_word(out, __builtin_bswap64(moment->id_high));
        pack_word(out, __builtin_bswap64(moment->id_low));
        pack_signed(out, (int64_t)((uint64_t)moment->at_ms - (uint64_t)before_ms));
        before_ms = moment->at_ms;
    }
}

/* In the order in which dedupe holds them, so that the same customer is the same bytes however often they rested: the place of
 * its moment + 1, or 0 and what dedupe keeps of it; then the second it was received. */
static void ids_write(const struct packing *packing, const struct dedupe *seen, struct bytes *out)
{
    pack_unsigned(out, seen->count);
    for (uint32_t i = 0; i < seen->capacity; i++) {
        uint64_t mixed = seen->ids[i];
        if (mixed == 0)
            continue;
        uint32_t recent = packing->recent[mixed % PACKING_RECENT];
        bool has_moment = recent < packing->moment_count && packing->moments[recent].mixed == mixed;
        pack_unsigned(out, has_moment ? recent + 1 : 0);
        if (!has_moment)
            pack_word(out, mixed);
        pack_signed(out, dedupe_second(seen, i) - (has_moment ? packing->moments[recent].moment.at_ms : packing->base_ms) / 1000);
    }
}

void packing_end(struct packing *packing, const struct dedupe *seen, struct bytes *out)
{
    names_write(packing, out);
    pack_signed(out, packing->base_ms);
    moments_write(packing, out);
    ids_write(packing, seen, out);
    bytes_append_view(out, bytes_view(&packing->body));
}

static void moments_read(struct packing *packing, struct unpack *in)
{
    uint32_t count = unpack_count(in, MOMENT_LEAST);
    int64_t at_ms = packing->base_ms;
    moments_reserve(packing, count);
    for (uint32_t i = 0; i < count; i++) {
        struct moment *moment = &packing->moments[i].moment;
        moment->id_high = __builtin_bswap64(unpack_word(in));
        moment->id_low = __builtin_bswap64(unpack_word(in));
        at_ms = (int64_t)((uint64_t)at_ms + (uint64_t)unpack_signed(in));
        moment->at_ms = at_ms;
    }
    packing->moment_count = count;
}

static void ids_read(struct packing *packing, struct unpack *in, struct dedupe *seen)
{
    uint32_t count = unpack_count(in, ID_LEAST);
    if (count)
        dedupe_reserve(seen, count);
    for (uint32_t i = 0; i < count && !in->has_failed; i++) {
        uint64_t place = unpack_unsigned(in);
        if (place > packing->moment_count) {
            in->has_failed = true;
            return;
        }
        const struct moment *moment = place ? &packing->moments[place - 1].moment : NULL;
        uint64_t mixed = moment ? dedupe_mixed(moment->id_high, moment->id_low) : unpack_word(in);
        int64_t second = unpack_signed(in) + (moment ? moment->at_ms : packing->base_ms) / 1000;
        in->has_failed |= mixed == 0;
        if (!in->has_failed)
            dedupe_put(seen, mixed, (uint32_t)second);
    }
}

void unpacking_begin(struct packing *packing, struct view bytes, struct dedupe *seen)
{
    struct unpack *in = &packing->in;
    *in = (struct unpack){(const unsigned char *)bytes.data, (const unsigned char *)bytes.data + bytes.size, false};
    unpacking_names(packing, in);
    packing->base_ms = unpack_signed(in);
    moments_read(packing, in);
    ids_read(packing, in, seen);
}
