/* The Confluent wire format: byte 0, the schema's id as 4 bytes big-endian, then Avro binary. */
#ifndef TS_SCHEMAS_WIRE_H
#define TS_SCHEMAS_WIRE_H

#include "base/bytes.h"

enum { WIRE_HEADER_BYTES = 5 };

/* `*avro` borrows from `value`. false: too short, or no byte 0 in front. */
static inline bool wire_split(struct view value, uint32_t *schema_id, struct view *avro)
{
    const unsigned char *at = (const unsigned char *)value.data;
    if (value.size < WIRE_HEADER_BYTES || at[0] != 0)
        return false;
    *schema_id = (uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4];
    *avro = view_of(value.data + WIRE_HEADER_BYTES, value.size - WIRE_HEADER_BYTES);
    return true;
}

/* The Avro bytes are appended next by the record's own encode. */
static inline void wire_begin(struct bytes *out, uint32_t schema_id)
{
    const unsigned char header[WIRE_HEADER_BYTES] = {0, (unsigned char)(schema_id >> 24), (unsigned char)(schema_id >> 16),
                                                     (unsigned char)(schema_id >> 8), (unsigned char)schema_id};
    bytes_append(out, header, sizeof header);
}

#endif
