/* What a record looks like, as data: the tables beside the generated structs (schemas/records.h).
 *
 * Whoever treats every record alike (JSON out, JSON in, inspect, property tests) walks these tables instead of being
 * generated once more. All of it is constant and may be read by any thread. */
#ifndef TS_SCHEMAS_SHAPE_H
#define TS_SCHEMAS_SHAPE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/uuid.h"
#include "base/view.h"
#include <stdint.h>

/* One entry of a map of strings. */
struct attribute {
    struct view key, value;
};

enum shape_kind {
    SHAPE_BOOLEAN, /* bool */
    SHAPE_INT,     /* int32_t */
    SHAPE_LONG,    /* int64_t */
    SHAPE_TIME,    /* int64_t, ms since the epoch; the C field ends in _ms */
    SHAPE_DOUBLE,  /* double */
    SHAPE_STRING,  /* struct view */
    SHAPE_BYTES,   /* struct view */
    SHAPE_UUID,    /* struct uuid */
    SHAPE_ENUM,    /* a C enum, 4 bytes */
    SHAPE_RECORD,  /* the record's struct, inline */
    SHAPE_ARRAY,   /* struct shape_items */
    SHAPE_MAP,     /* struct shape_items of struct attribute */
    SHAPE_UNION    /* a C union of records; its kind is the enum at has_offset */
};

/* How arrays and maps lie in the structs (there with typed items). */
struct shape_items {
    void *items;
    size_t count;
};

struct enum_shape {
    const char *name; /* of the Avro type; of a union: the field's */
    size_t count;
    const struct view *symbols; /* each also ends in NUL */
};

struct record_shape;

struct field_shape {
    struct view name; /* in the schema */
    enum shape_kind kind;
    bool nullable;       /* null is data == NULL for strings and bytes, else the bool at has_offset */
    bool empty_default;  /* arrays and maps: a writer that does not have the field means an empty one */
    uint32_t offset;     /* of the value within the record's struct */
    uint32_t has_offset; /* of the bool of a nullable value, or of a union's kind */
    uint32_t item_size;  /* arrays: of one item */
    const struct enum_shape *enumeration;
    const struct record_shape *record;          /* SHAPE_RECORD, and arrays of records */
    const struct record_shape *const *branches; /* SHAPE_UNION, in the order of the kind */
    enum shape_kind item_kind;                  /* SHAPE_ARRAY */
};

struct record_shape {
    const char *name; /* as in the schema, without namespace */
    size_t size;      /* of the struct */
    size_t field_count;
    const struct field_shape *fields;
    /* The rest for records with a file of their own; NULL for those that occur only within others. */
    const char *schema_json;
    bool (*decode)(void *out, struct view avro, struct arena *arena);
    void (*encode)(struct bytes *out, const void *record);
};

#endif
