#include "base/arena.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>

/* Each new block is twice the last: of arenas there are some for each partition, and most hold little. */
enum { BLOCK_LEAST_BYTES = 4 * 1024, BLOCK_MOST_BYTES = 256 * 1024, ALIGNMENT = 16, SPARE_BLOCKS_MAX = 64 };

struct arena_block {
    struct arena_block *next;
    size_t capacity, used;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

static void free_chain(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_finish(struct arena *arena)
{
    free_chain(arena->current);
    free_chain(arena->spare);
    arena_init(arena);
}

static struct arena_block *spare_take(struct arena *arena, size_t size)
{
    while (arena->spare) {
        struct arena_block *block = arena->spare;
        arena->spare = block->next;
        if (block->capacity >= size)
            return block;
        free(block);
    }
    return NULL;
}

static struct arena_block *block_for(struct arena *arena, size_t size)
{
    struct arena_block *block = size <= BLOCK_MOST_BYTES ? spare_take(arena, size) : NULL;
    if (block)
        return block;
    if (arena->block_bytes < BLOCK_MOST_BYTES)
        arena->block_bytes = arena->block_bytes ? arena->block_bytes * 2 : BLOCK_LEAST_BYTES;
    size_t capacity = size > arena->block_bytes ? size : arena->block_bytes;
    block = memory_allocate(sizeof *block + capacity);
    block->capacity = capacity;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_block *block = arena->current;
    if (block == NULL || block->capacity - block->used < size) {
        block = block_for(arena, size);
        block->used = 0;
        block->next = arena->current;
        arena->current = block;
    }
    void *memory = block->bytes + block->used;
    block->used += size;
    arena->used_bytes += size;
    return memory;
}

void *arena_zeroed(struct arena *arena, size_t count, size_t size)
{
    return memset(arena_alloc(arena, count * size), 0, count * size);
}

struct view arena_copy(struct arena *arena, struct view text)
{
    if (text.data == NULL)
        return text;
    char *copy = arena_alloc(arena, text.size ? text.size : 1);
    memcpy(copy, text.data, text.size);
    return view_of(copy, text.size);
}

const char *arena_text(struct arena *arena, struct view text)
{
    char *copy = arena_alloc(arena, text.size + 1);
    if (text.size)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

void arena_reset(struct arena *arena)
{
    size_t spare_count = 0;
    for (struct arena_block *block = arena->spare; block; block = block->next)
        spare_count++;
    struct arena_block *block = arena->current;
    while (block) {
        struct arena_block *next = block->next;
        /* Oversized blocks go back to the system: one huge record must not stay with us for ever. */
        if (block->capacity <= BLOCK_MOST_BYTES && spare_count < SPARE_BLOCKS_MAX) {
            block->next = arena->spare;
            arena->spare = block;
            spare_count++;
        } else {
            free(block);
        }
        block = next;
    }
    arena->current = NULL;
    arena->used_bytes = 0;
}
