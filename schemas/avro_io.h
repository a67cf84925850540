/* Records written under another schema than ours: read with Avro C by the writer's own schema, and carried over into
 * our encoding field by field, as Avro's schema resolution has it.
 *
 * By name: fields we do not know are dropped; ours that the writer does not have are null, or the record cannot be read;
 * int → long → double, string ↔ bytes; enum symbols and union branches by name. Not Avro C's own resolution: 1.11 has no
 * default values, so the commonest change of all, an added optional field, would fail in it.
 * This is the only user of Avro C at run time. It is slow (some µs a record) and made to be rare. */
#ifndef TS_SCHEMAS_AVRO_IO_H
#define TS_SCHEMAS_AVRO_IO_H

#include "schemas/shape.h"

struct avro_foreign;

/* What has no place in our schema. */
struct avro_fault {
    const char *code; /* wrong_type unknown_symbol unknown_type missing_field; static */
    char path[160];   /* "body.score"; empty: the record as a whole */
    char text[200];
};

/* NULL: no valid Avro schema; `error` says why. */
struct avro_foreign *avro_foreign_create(struct view writer_json, char *error, size_t error_size);
void avro_foreign_destroy(struct avro_foreign *foreign);

/* Append the record to `out` as our own schema would encode it. false: the bytes do not follow the writer's schema, or
 * something in them has no place in ours; `out` is then as before and `fault` says what. Thread-safe. */
bool avro_foreign_convert(struct avro_foreign *foreign, const struct record_shape *ours, struct view writer_avro,
                          struct bytes *out, struct avro_fault *fault);

/* Avro C's own encoding of `avro` under `schema_json` read and written again: what the property tests hold the
 * generated codecs against. false: Avro C does not read it. */
bool avro_io_round_trip(const char *schema_json, struct view avro, struct bytes *out);

#endif
