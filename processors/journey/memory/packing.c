#include "processors/journey/memory/packing.h"

#include "base/memory.h"

#include <stdlib.h>

enum { MOMENT_LEAST = 17, ID_SIZE = 12 /* bytes */ };

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

/* Words of two bytes, or of eight where a number is too large for that: fixed ones are read where they stand. */
enum { NAME_KIND_BITS = 3 };

void packing_names_write(const struct packing *packing, struct bytes *out)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < packing->name_count; i++)
        all |= packing->names[i];
    bool is_wide = all > UINT16_MAX;
    pack_unsigned(out, (uint64_t)packing->name_count << 1 | is_wide);
    if (is_wide) {
        bytes_append(out, packing->names, packing->name_count * sizeof *packing->names);
        return;
    }
    bytes_reserve(out, packing->name_count * sizeof(uint16_t));
    char *at = out->data + out->size;
    for (uint32_t i = 0; i < packing->name_count; i++, at += sizeof(uint16_t)) {
        uint16_t word = (uint16_t)packing->names[i];
        memcpy(at, &word, sizeof word);
    }
    out->size += packing->name_count * sizeof(uint16_t);
}

void pack_name(struct packing *packing, enum name_kind kind, uint32_t number)
{
    if (packing->name_count == packing->name_capacity) {
        packing->name_capacity = packing->name_capacity ? 2 * packing->name_capacity : 64;
        packing->names = memory_resize(packing->names, packing->name_capacity * sizeof *packing->names);
    }
    packing->names[packing->name_count++] = (uint64_t)number << NAME_KIND_BITS | kind;
}

void unpacking_names(struct packing *packing, struct unpack *in)
{
    uint64_t word = unpack_unsigned(in);
    uint64_t count = word >> 1;
    packing->names_are_wide = word & 1;
    size_t size = packing->names_are_wide ? 8 : 2;
    if (count > (uint64_t)(in->end - in->at) / size) {
        in->has_failed = true;
        count = 0;
    }
    packing->name_count = (uint32_t)count;
    packing->name_at = in->at;
    packing->name_end = in->at += count * size;
}

bool unpacking_name_next(struct packing *packing, struct packed_name *out)
{
    uint64_t word = 0;
    if (packing->name_at == packing->name_end)
        return false;
    if (packing->names_are_wide) {
        memcpy(&word, packing->name_at, 8);
        packing->name_at += 8;
    } else {
        uint16_t narrow;
        memcpy(&narrow, packing->name_at, 2);
        packing->name_at += 2;
        word = narrow;
    }
    *out = (struct packed_name){(uint32_t)(word >> NAME_KIND_BITS), word & ((1 << NAME_KIND_BITS) - 1)};
    return true;
}

uint32_t unpack_name(struct packing *packing, enum name_kind kind)
{
    struct packed_name name;
    if (unpacking_name_next(packing, &name) && name.kind == (uint8_t)kind)
        return name.number;
    packing->in.has_failed = true;
    return 0;
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
    uint32_t *recent = &packing->recent[(moment->id_low ^ moment->id_low >> 32) % PACKING_RECENT];
    if (*recent >= packing->moment_count || moment_compare(&packing->moments[*recent], moment) != 0) {
        moments_reserve(packing, packing->moment_count + 1);
        *recent = packing->moment_count;
        packing->moments[packing->moment_count++] = *moment;
    }
    pack_unsigned(&packing->body, *recent);
}

struct moment unpack_moment(struct packing *packing)
{
    uint64_t place = unpack_unsigned(&packing->in);
    if (place < packing->moment_count)
        return packing->moments[place];
    packing->in.has_failed = true;
    return (struct moment){0};
}

static void moments_write(const struct packing *packing, struct bytes *out)
{
    int64_t before_ms = packing->base_ms;
    pack_unsigned(out, packing->moment_count);
    for (uint32_t i = 0; i < packing->moment_count; i++) {
        const struct moment *moment = &packing->moments[i];
        uint64_t id[2] = {__builtin_bswap64(moment->id_high), __builtin_bswap64(moment->id_low)};
        bytes_reserve(out, sizeof id);
        memcpy(out->data + out->size, id, sizeof id);
        out->size += sizeof id;
        pack_signed(out, (int64_t)((uint64_t)moment->at_ms - (uint64_t)before_ms));
        before_ms = moment->at_ms;
    }
}

/* As dedupe holds them, in its order: the same customer is the same bytes however often they rested. */
static void ids_write(const struct dedupe *seen, struct bytes *out)
{
    pack_unsigned(out, seen->count);
    if (seen->count == 0)
        return;
    if (seen->capacity <= DEDUPE_SCANNED_MAX) {
        bytes_append(out, seen->ids, seen->count * sizeof *seen->ids);
        bytes_append(out, seen->ids + seen->capacity, seen->count * sizeof(uint32_t));
        return;
    }
    for (uint32_t i = 0; i < seen->capacity; i++) {
        if (seen->ids[i] == 0)
            continue;
        pack_word(out, seen->ids[i]);
        uint32_t second = dedupe_second(seen, i);
        bytes_append(out, &second, sizeof second);
    }
}

void packing_end(struct packing *packing, const struct dedupe *seen, struct bytes *out)
{
    packing_names_write(packing, out);
    pack_signed(out, packing->base_ms);
    moments_write(packing, out);
    ids_write(seen, out);
    bytes_append_view(out, bytes_view(&packing->body));
}

static void moments_read(struct packing *packing, struct unpack *in)
{
    uint32_t count = unpack_count(in, MOMENT_LEAST);
    int64_t at_ms = packing->base_ms;
    moments_reserve(packing, count);
    for (uint32_t i = 0; i < count; i++) {
        struct moment *moment = &packing->moments[i];
        uint64_t id[2] = {0, 0};
        if (in->end - in->at >= (ptrdiff_t)sizeof id) /* else the number behind it fails */
            memcpy(id, in->at, sizeof id);
        in->at = in->end - in->at >= (ptrdiff_t)sizeof id ? in->at + sizeof id : in->end;
        moment->id_high = __builtin_bswap64(id[0]);
        moment->id_low = __builtin_bswap64(id[1]);
        at_ms = (int64_t)((uint64_t)at_ms + (uint64_t)unpack_signed(in));
        moment->at_ms = at_ms;
    }
    packing->moment_count = count;
}

static void ids_read(struct unpack *in, struct dedupe *seen)
{
    uint32_t count = unpack_count(in, ID_SIZE);
    if (count == 0)
        return;
    dedupe_reserve(seen, count);
    if (seen->capacity <= DEDUPE_SCANNED_MAX) {
        memcpy(seen->ids, in->at, count * sizeof *seen->ids);
        memcpy(seen->ids + seen->capacity, in->at + count * sizeof *seen->ids, count * sizeof(uint32_t));
        seen->count = count;
        in->at += count * ID_SIZE;
        return;
    }
    for (uint32_t i = 0; i < count; i++, in->at += ID_SIZE) {
        uint64_t mixed;
        uint32_t second;
        memcpy(&mixed, in->at, sizeof mixed);
        memcpy(&second, in->at + sizeof mixed, sizeof second);
        if (mixed)
            dedupe_put(seen, mixed, second);
    }
}

void unpacking_begin(struct packing *packing, struct view bytes, struct dedupe *seen)
{
    struct unpack *in = &packing->in;
    *in = (struct unpack){(const unsigned char *)bytes.data, (const unsigned char *)bytes.data + bytes.size, false};
    unpacking_names(packing, in);
    packing->base_ms = unpack_signed(in);
    moments_read(packing, in);
    ids_read(in, seen);
}
