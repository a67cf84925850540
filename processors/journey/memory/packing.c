#include "processors/journey/memory/packing.h"

#include "base/memory.h"

#include <stdlib.h>

enum { MOMENT_LEAST = 17, MOMENT_MOST = 16 + PACKED_UNSIGNED_MOST, ID_LEAST = 2, ID_MOST = PACKED_UNSIGNED_MOST + 8 /* bytes */ };

void packing_finish(struct packing *packing)
{
    bytes_finish(&packing->body);
    free(packing->names);
    free(packing->moments);
    free(packing->mixed);
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
    packing->mixed = memory_resize(packing->mixed, packing->moment_capacity * sizeof *packing->mixed);
}

static uint64_t moment_mixed(const struct moment *moment)
{
    return dedupe_mixed(moment->id_high, moment->id_low);
}

/* Where two moments want the same place of `recent` the older one may be written twice: larger, and right all the same. */
void pack_moment(struct packing *packing, const struct moment *moment)
{
    uint64_t mixed = moment_mixed(moment);
    uint32_t *recent = &packing->recent[mixed % PACKING_RECENT];
    if (*recent >= packing->moment_count || moment_compare(&packing->moments[*recent], moment) != 0) {
        moments_reserve(packing, packing->moment_count + 1);
        *recent = packing->moment_count++;
        packing->moments[*recent] = *moment;
        packing->mixed[*recent] = mixed;
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
    bytes_reserve(out, PACKED_UNSIGNED_MOST + (size_t)packing->moment_count * MOMENT_MOST);
    char *at = packed_put(out->data + out->size, packing->moment_count);
    for (uint32_t i = 0; i < packing->moment_count; i++) {
        const struct moment *moment = &packing->moments[i];
        uint64_t id[2] = {__builtin_bswap64(moment->id_high), __builtin_bswap64(moment->id_low)};
        memcpy(at, id, sizeof id);
        at = packed_put(at + sizeof id, packed_zigzag((int64_t)((uint64_t)moment->at_ms - (uint64_t)before_ms)));
        before_ms = moment->at_ms;
    }
    out->size = (size_t)(at - out->data);
}

/* --- ids: the second of receipt, and the id's moment or its 64 bits --- */

enum { IS_OF_MOMENT = 1 };

/* A moment is nearly always received in the second in which it happens, others shortly after the one before. */
static char *id_put(const struct packing *packing, uint64_t mixed, int64_t second, int64_t before, char *at)
{
    uint32_t place = packing->recent[mixed % PACKING_RECENT];
    if (place < packing->moment_count && packing->mixed[place] == mixed) {
        at = packed_put(at, packed_zigzag(second - packing->moments[place].at_ms / 1000) << 1 | IS_OF_MOMENT);
        return packed_put(at, place);
    }
    at = packed_put(at, packed_zigzag(second - before) << 1);
    memcpy(at, &mixed, sizeof mixed);
    return at + sizeof mixed;
}

/* As dedupe holds them, in its order: the same customer is the same bytes however often they rested. */
static void ids_write(const struct packing *packing, const struct dedupe *seen, struct bytes *out)
{
    int64_t before = packing->base_ms / 1000;
    uint32_t end = seen->capacity <= DEDUPE_SCANNED_MAX ? seen->count : seen->capacity;
    bytes_reserve(out, PACKED_UNSIGNED_MOST + (size_t)seen->count * ID_MOST);
    char *at = packed_put(out->data + out->size, seen->count);
    for (uint32_t i = 0; i < end; i++) {
        if (seen->ids[i] == 0)
            continue;
        int64_t second = dedupe_seconds(seen)[i];
        at = id_put(packing, seen->ids[i], second, before, at);
        before = second;
    }
    out->size = (size_t)(at - out->data);
}

void packing_end(struct packing *packing, const struct dedupe *seen, struct bytes *out)
{
    packing_names_write(packing, out);
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

/* 0: damaged. */
static uint64_t id_read(const struct packing *packing, struct unpack *in, int64_t *second)
{
    uint64_t word = unpack_unsigned(in), mixed;
    if (word & IS_OF_MOMENT) {
        uint64_t place = unpack_unsigned(in);
        if (place >= packing->moment_count)
            return 0;
        mixed = moment_mixed(&packing->moments[place]);
        *second = packing->moments[place].at_ms / 1000;
    } else {
        mixed = unpack_word(in);
    }
    *second += packed_unzigzag(word >> 1);
    return mixed;
}

static void ids_read(const struct packing *packing, struct unpack *in, struct dedupe *seen)
{
    uint32_t count = unpack_count(in, ID_LEAST);
    if (count == 0)
        return;
    dedupe_reserve(packing->room, seen, count);
    int64_t second = packing->base_ms / 1000;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t mixed = id_read(packing, in, &second);
        in->has_failed |= mixed == 0;
        if (in->has_failed)
            return;
        dedupe_put(seen, mixed, (uint32_t)second);
    }
}

void unpacking_begin(struct packing *packing, struct view bytes, struct room *room, struct dedupe *seen)
{
    packing->room = room;
    struct unpack *in = &packing->in;
    *in = (struct unpack){(const unsigned char *)bytes.data, (const unsigned char *)bytes.data + bytes.size, false};
    unpacking_names(packing, in);
    packing->base_ms = unpack_signed(in);
    moments_read(packing, in);
    ids_read(packing, in, seen);
}
