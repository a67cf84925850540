/* UUIDs (RFC 9562): 16 bytes in network order, as Avro's EventId has them. */
#ifndef TS_BASE_UUID_H
#define TS_BASE_UUID_H

#include "base/view.h"

#include <stdint.h>

struct uuid {
    uint8_t bytes[16];
};

enum { UUID_TEXT_SIZE = 36 };

/* The 36-character form, in any case. */
bool uuid_parse(struct uuid *out, struct view text);

/* Writes 36 characters in lower case and a NUL. */
void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE + 1]);

/* Version 5 (SHA-1) of `name` within `space`. Any thread. */
struct uuid uuid_version5(const struct uuid *space, struct view name);

/* The touchstream id of a source's own event id: the UUID itself when it is one, else
 * uuid5(uuid5(NAMESPACE_URL, source), id), so that a retry is a duplicate (READINGS 1). */
struct uuid uuid_of_source(struct view source, struct view id);

static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

#endif
