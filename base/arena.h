/* Memory by batch: many small allocations that disappear together.
 *
 * What is decoded for a batch lives in its arena until the batch commits or aborts; then arena_reset forgets all of it
 * and keeps the blocks for the next batch. One thread at a time. */
#ifndef TS_BASE_ARENA_H
#define TS_BASE_ARENA_H

#include "base/view.h"

struct arena_block;

struct arena {
    struct arena_block *current; /* the block being filled; older ones behind it */
    struct arena_block *spare;   /* blocks kept from before the last reset */
    size_t block_bytes;          /* of the newest block made */
    size_t used_bytes;           /* handed out since the last reset */
};

void arena_init(struct arena *arena);
void arena_finish(struct arena *arena);

/* 16-byte aligned, not zeroed, never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zeroed(struct arena *arena, size_t count, size_t size);
struct view arena_copy(struct arena *arena, struct view text); /* a null view stays null */
const char *arena_text(struct arena *arena, struct view text); /* NUL-terminated copy; "" for null */

/* Everything handed out becomes invalid; a bounded part of the memory stays for reuse. */
void arena_reset(struct arena *arena);

#endif
