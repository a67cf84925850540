#include "base/slab.h"

#include "base/memory.h"
#include "base/poison.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 16 * 1024, BLOCK_BYTES = 2 * 1024 * 1024, BLOCK_PAGES = BLOCK_BYTES / PAGE_BYTES, HUGE_FROM_BLOCKS = 4,
       CACHE_LINE_BYTES = 64 };

/* At the beginning of each page, which is aligned to its size: so a piece knows its page. */
struct slab_page {
    struct slab_page *next, *previous; /* among those of its class with something free, or (next) the empty ones */
    void *free;                        /* given back, linked through their first bytes */
    uint16_t class, taken, fresh;      /* fresh: where what was never taken begins */
};

_Static_assert(sizeof(struct slab_page) == 32 && PAGE_BYTES <= UINT16_MAX, "a header of four words");

static struct slab_page *page_of(const void *piece)
{
    return (struct slab_page *)((uintptr_t)piece & ~(uintptr_t)(PAGE_BYTES - 1));
}

static void list_add(struct slab *slab, struct slab_page *page)
{
    struct slab_page *first = slab->open[page->class];
    page->previous = NULL;
    page->next = first;
    if (first)
        first->previous = page;
    slab->open[page->class] = page;
}

static void list_remove(struct slab *slab, struct slab_page *page)
{
    *(page->previous ? &page->previous->next : &slab->open[page->class]) = page->next;
    if (page->next)
        page->next->previous = page->previous;
}

/* Aligned to its size. Memory that is not touched is not there yet. */
static char *block_map(void)
{
    char *room = mmap(NULL, 2 * BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        memory_out(2 * BLOCK_BYTES);
    char *block = room + (BLOCK_BYTES - (uintptr_t)room % BLOCK_BYTES) % BLOCK_BYTES;
    if (block > room)
        munmap(room, (size_t)(block - room));
    munmap(block + BLOCK_BYTES, (size_t)(room + BLOCK_BYTES - block));
    return block;
}

/* A look-up among millions misses the processor's table of pages as often as its caches: whoever has many blocks gets huge pages. */
static void block_add(struct slab *slab)
{
    slab->blocks = memory_resize(slab->blocks, (slab->block_count + 1) * sizeof *slab->blocks);
    slab->block_at = block_map();
    if (slab->block_count >= HUGE_FROM_BLOCKS)
        madvise(slab->block_at, BLOCK_BYTES, MADV_HUGEPAGE); /* a wish */
    slab->blocks[slab->block_count++] = slab->block_at;
    slab->block_pages_left = BLOCK_PAGES;
}

static struct slab_page *page_open(struct slab *slab, size_t class)
{
    struct slab_page *page = slab->empty;
    if (page) {
        slab->empty = page->next;
    } else {
        if (slab->block_pages_left == 0)
            block_add(slab);
        page = (struct slab_page *)(void *)slab->block_at;
        slab->block_at += PAGE_BYTES;
        slab->block_pages_left--;
        slab->bytes += PAGE_BYTES;
    }
    ASAN_UNPOISON_MEMORY_REGION(page, PAGE_BYTES);
    *page = (struct slab_page){.class = (uint16_t)class, .fresh = sizeof *page};
    list_add(slab, page);
    return page;
}

static size_t class_of(size_t size)
{
    return size <= SLAB_CLASS_BYTES ? 1 : (size + SLAB_CLASS_BYTES - 1) / SLAB_CLASS_BYTES;
}

static bool is_full(const struct slab_page *page)
{
    return page->free == NULL && page->fresh + page->class * SLAB_CLASS_BYTES > PAGE_BYTES;
}

static const struct slab_page *page_to_take_from(const struct slab *slab, size_t size)
{
    size_t class = class_of(size);
    return class < SLAB_CLASSES ? slab->open[class] : NULL;
}

void slab_page_expect(const struct slab *slab, size_t size)
{
    __builtin_prefetch(page_to_take_from(slab, size), 1);
}

void slab_piece_expect(const struct slab *slab, size_t size)
{
    const struct slab_page *page = page_to_take_from(slab, size);
    if (page == NULL)
        return;
    const char *piece = page->free ? page->free : (const char *)page + page->fresh;
    for (size_t at = 0; at < size; at += CACHE_LINE_BYTES)
        __builtin_prefetch(piece + at, 1);
}

void slab_give_expect(const void *piece, size_t size)
{
    if (class_of(size) < SLAB_CLASSES)
        __builtin_prefetch(page_of(piece), 1);
}

void *slab_take(struct slab *slab, size_t size)
{
    size_t class = class_of(size);
    if (class >= SLAB_CLASSES) {
        slab->bytes += size;
        return memory_allocate(size);
    }
    struct slab_page *page = slab->open[class] ? slab->open[class] : page_open(slab, class);
    void *piece = page->free;
    if (piece) {
        ASAN_UNPOISON_MEMORY_REGION(piece, size);
        memcpy(&page->free, piece, sizeof page->free);
    } else {
        piece = (char *)page + page->fresh;
        page->fresh = (uint16_t)(page->fresh + class * SLAB_CLASS_BYTES);
    }
    page->taken++;
    if (is_full(page))
        list_remove(slab, page);
    return piece;
}

void slab_give(struct slab *slab, void *piece, size_t size)
{
    if (class_of(size) >= SLAB_CLASSES) {
        slab->bytes -= size;
        free(piece);
        return;
    }
    struct slab_page *page = page_of(piece);
    if (is_full(page))
        list_add(slab, page);
    memcpy(piece, &page->free, sizeof page->free);
    page->free = piece;
    ASAN_POISON_MEMORY_REGION((char *)piece + sizeof piece, size > sizeof piece ? size - sizeof piece : 0);
    if (--page->taken > 0)
        return;
    list_remove(slab, page);
    page->next = slab->empty;
    slab->empty = page;
}

void slab_finish(struct slab *slab)
{
    for (size_t i = 0; i < slab->block_count; i++) {
        ASAN_UNPOISON_MEMORY_REGION(slab->blocks[i], BLOCK_BYTES);
        munmap(slab->blocks[i], BLOCK_BYTES);
    }
    free(slab->blocks);
    *slab = (struct slab){0};
}
