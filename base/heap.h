/* A binary min-heap of things that know their place in it, so that one can be moved or taken out in O(log n).
 * Order: by time, then by the heap's tie breaker, so that what is due at the same instant comes in an order that does not
 * depend on how it got in. One thread at a time. */
#ifndef TS_BASE_HEAP_H
#define TS_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#define HEAP_NOWHERE UINT32_MAX

struct heap_item {
    int64_t at_ms;
    void *thing;
};

struct heap {
    struct heap_item *items;
    size_t count, capacity;
    void (*moved)(void *thing, uint32_t place);      /* tells a thing its place; HEAP_NOWHERE: taken out */
    int (*compare)(const void *a, const void *b);    /* breaks ties; NULL: none */
};

void heap_finish(struct heap *heap);
void heap_add(struct heap *heap, int64_t at_ms, void *thing);
void heap_change(struct heap *heap, uint32_t place, int64_t at_ms);
void heap_remove(struct heap *heap, uint32_t place);
const struct heap_item *heap_first(const struct heap *heap); /* NULL: empty */

#endif
