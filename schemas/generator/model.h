/* The schemas as the generator sees them: parsed, with every named type known once. */
#ifndef TS_SCHEMAS_GENERATOR_MODEL_H
#define TS_SCHEMAS_GENERATOR_MODEL_H

#include "schemas/shape.h"
#include <stdio.h>

struct named;

struct type {
    enum shape_kind kind;
    bool nullable;
    struct named *named;     /* enums and records */
    struct named **branches; /* unions */
    size_t branch_count;
    struct type *item; /* arrays */
};

struct field {
    const char *name;   /* in the schema */
    const char *c_name; /* in the struct: times end in _ms */
    struct type type;
    bool empty_default; /* "default": [] or {} */
};

enum named_kind { NAMED_ENUM, NAMED_RECORD, NAMED_FIXED };

struct named {
    enum named_kind kind;
    const char *name;         /* OrderPlaced */
    const char *snake;        /* order_placed */
    const char *upper;        /* ORDER_PLACED */
    const char *definition;   /* canonical text, to see that all files agree on it */
    size_t count;             /* of symbols or fields */
    const char **symbols;
    struct field *fields;
    const char *schema_json;  /* of a record with a file of its own, else NULL */
    const struct named *base; /* a record whose fields stand first in this one, as `touch` */
};

struct model {
    struct named **all; /* each after those it is made of */
    size_t count;
};

/* Read one schema file into the model; a file the generator cannot express ends the program and says why. */
void model_read(struct model *model, const char *path);

/* The least number of bytes that a value takes in Avro: what bounds a claimed array length. */
size_t type_bytes_min(const struct type *type);
/* The name of the C type of a value that is not null, as in «int64_t» or «struct view». */
const char *type_c_name(const struct type *type);
/* "TOUCHPOINT_BODY" of the union `body` in Touchpoint, and "touchpoint_body". */
const char *union_upper(const struct named *record, const struct field *field);
const char *union_snake(const struct named *record, const struct field *field);
const char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

void emit_header(FILE *out, const struct model *model);
void emit_codec(FILE *out, const struct model *model);
void emit_shapes(FILE *out, const struct model *model);

#endif
