/* Random but valid records of any shape, from a seed: by the reflection tables, so that a new schema is covered the
 * day it is written. */
#ifndef TS_TESTS_UNIT_SCHEMAS_RANDOM_RECORD_H
#define TS_TESTS_UNIT_SCHEMAS_RANDOM_RECORD_H

#include "base/random.h"
#include "schemas/records.h"

static inline void random_fill(struct random *random, struct arena *arena, const struct record_shape *shape, char *record);

static inline int64_t random_integer(struct random *random, unsigned bits)
{
    uint64_t value = random_next(random) >> random_below(random, 64);
    if (random_below(random, 2))
        value = ~value;
    return bits == 32 ? (int32_t)value : (int64_t)value;
}

static inline struct view random_text(struct random *random, struct arena *arena)
{
    static const char *const pieces[] = {"a", "Z", " ", "\"", "\\", "\n", "\x01", "ä", "届", "🙂", "0123456789"};
    struct bytes text = {0};
    for (uint32_t left = random_below(random, 12); left > 0; left--)
        bytes_append_text(&text, pieces[random_below(random, sizeof pieces / sizeof pieces[0])]);
    struct view copy = arena_copy(arena, bytes_view(&text));
    bytes_finish(&text);
    return copy;
}

static inline void random_value(struct random *random, struct arena *arena, const struct field_shape *field,
                                enum shape_kind kind, char *place)
{
    unsigned symbol;
    switch (kind) {
    case SHAPE_BOOLEAN:
        *(bool *)place = random_below(random, 2);
        break;
    case SHAPE_INT:
        *(int32_t *)place = (int32_t)random_integer(random, 32);
        break;
    case SHAPE_LONG:
        *(int64_t *)place = random_integer(random, 64);
        break;
    case SHAPE_TIME: /* 1970 to 9999: what has a text */
        *(int64_t *)place = (int64_t)(random_next(random) % 253402300800000u);
        break;
    case SHAPE_DOUBLE:
        *(double *)place = random_normal(random) * (random_below(random, 4) ? 1 : 1e18);
        break;
    case SHAPE_STRING:
    case SHAPE_BYTES:
        *(struct view *)place = random_text(random, arena);
        break;
    case SHAPE_UUID:
        for (int i = 0; i < 16; i++)
            ((struct uuid *)place)->bytes[i] = (uint8_t)random_next(random);
        break;
    case SHAPE_ENUM:
        symbol = random_below(random, (uint32_t)field->enumeration->count);
        memcpy(place, &symbol, sizeof symbol);
        break;
    case SHAPE_RECORD:
        random_fill(random, arena, field->record, place);
        break;
    default:
        break;
    }
}

static inline void random_items(struct random *random, struct arena *arena, const struct field_shape *field, char *place)
{
    struct shape_items items = {NULL, random_below(random, 3) ? random_below(random, 4) : random_below(random, 100)};
    if (items.count)
        items.items = arena_zeroed(arena, items.count, field->item_size);
    for (size_t i = 0; i < items.count; i++)
        random_value(random, arena, field, field->item_kind, (char *)items.items + i * field->item_size);
    memcpy(place, &items, sizeof items);
}

/* Keys differ: what a writer makes of two equal ones is its own affair. */
static inline void random_map(struct random *random, struct arena *arena, char *place)
{
    struct shape_items items = {NULL, random_below(random, 4)};
    struct attribute *entries = items.count ? arena_alloc(arena, items.count * sizeof *entries) : NULL;
    for (size_t i = 0; i < items.count; i++) {
        char *key = arena_alloc(arena, 2);
        key[0] = (char)('a' + i);
        entries[i] = (struct attribute){view_of(key, 1), random_text(random, arena)};
    }
    items.items = entries;
    memcpy(place, &items, sizeof items);
}

static inline void random_field(struct random *random, struct arena *arena, const struct field_shape *field, char *record)
{
    bool is_view = field->kind == SHAPE_STRING || field->kind == SHAPE_BYTES;
    bool is_null = field->nullable && random_below(random, 2);
    if (field->nullable && !is_view)
        *(bool *)(record + field->has_offset) = !is_null;
    if (is_null)
        return;
    if (field->kind == SHAPE_ARRAY) {
        random_items(random, arena, field, record + field->offset);
    } else if (field->kind == SHAPE_MAP) {
        random_map(random, arena, record + field->offset);
    } else if (field->kind == SHAPE_UNION) {
        unsigned kind = random_below(random, (uint32_t)field->enumeration->count);
        memcpy(record + field->has_offset, &kind, sizeof kind);
        random_fill(random, arena, field->branches[kind], record + field->offset);
    } else {
        random_value(random, arena, field, field->kind, record + field->offset);
    }
}

static inline void random_fill(struct random *random, struct arena *arena, const struct record_shape *shape, char *record)
{
    memset(record, 0, shape->size);
    for (size_t i = 0; i < shape->field_count; i++)
        random_field(random, arena, &shape->fields[i], record);
}

#endif
