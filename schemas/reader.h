/* Values from a topic to our structs, whoever wrote them.
 *
 * The schema id in front of a value decides: one that lays out bytes as ours goes to the generated decode, another
 * compatible one through avro_io; what an id means is asked of the registry once and kept. Thread-safe; deciding for an
 * id that is known takes no lock. */
#ifndef TS_SCHEMAS_READER_H
#define TS_SCHEMAS_READER_H

#include "base/outcome.h"
#include "schemas/registry.h"
#include "schemas/shape.h"

struct record_reader;
struct json_fault; /* json_form.h */

/* The registry outlives the reader. NULL registry: only ids made known are read (tests, simulations). */
struct record_reader *record_reader_create(const struct record_shape *shape, struct registry *registry);
void record_reader_destroy(struct record_reader *reader);

/* This id is our own schema's: no need to ask. */
void record_reader_learn(struct record_reader *reader, uint32_t schema_id);

/* `out` is a struct of the reader's shape; strings borrow from `value` or live in `arena`. `avro` (may be NULL) becomes the
 * record's bytes in our own encoding: `value` without its header, or a copy in `arena`; touchpoints are passed on so.
 * `*why` (may be NULL) is a sentence when the outcome is not OK, static or in the arena.
 *   PARK   no wire header, unknown id, or bytes that do not decode: this value can never be read
 *   RETRY  the registry is away and the id is new to us
 *   STOP   the registry refuses us */
enum outcome record_reader_read(struct record_reader *reader, struct view value, struct arena *arena, void *out,
                                struct view *avro, const char **why);

/* The same, and of what can never be read the code, the field's path and the reason: for touchpoints.rejected. */
enum outcome record_reader_judge(struct record_reader *reader, struct view value, struct arena *arena, void *out, struct json_fault *fault);

#endif
