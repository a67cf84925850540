#include "base/heap.h"

#include "base/memory.h"

#include <stdlib.h>

void heap_finish(struct heap *heap)
{
    free(heap->items);
    heap->items = NULL;
    heap->count = heap->capacity = 0;
}

static int is_before(const struct heap *heap, const struct heap_item *a, const struct heap_item *b)
{
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms;
    return heap->compare && heap->compare(a->thing, b->thing) < 0;
}

static void put(struct heap *heap, size_t place, struct heap_item item)
{
    heap->items[place] = item;
    heap->moved(item.thing, (uint32_t)place);
}

static void rise(struct heap *heap, size_t place, struct heap_item item)
{
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (!is_before(heap, &item, &heap->items[parent]))
            break;
        put(heap, place, heap->items[parent]);
        place = parent;
    }
    put(heap, place, item);
}

static void sink(struct heap *heap, size_t place, struct heap_item item)
{
    for (;;) {
        size_t child = place * 2 + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && is_before(heap, &heap->items[child + 1], &heap->items[child]))
            child++;
        if (!is_before(heap, &heap->items[child], &item))
            break;
        put(heap, place, heap->items[child]);
        place = child;
    }
    put(heap, place, item);
}

void heap_add(struct heap *heap, int64_t at_ms, void *thing)
{
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity ? heap->capacity * 2 : 64;
        heap->items = memory_resize(heap->items, heap->capacity * sizeof *heap->items);
    }
    rise(heap, heap->count++, (struct heap_item){at_ms, thing});
}

void heap_change(struct heap *heap, uint32_t place, int64_t at_ms)
{
    struct heap_item item = {at_ms, heap->items[place].thing};
    if (place > 0 && is_before(heap, &item, &heap->items[(place - 1) / 2]))
        rise(heap, place, item);
    else
        sink(heap, place, item);
}

void heap_remove(struct heap *heap, uint32_t place)
{
    heap->moved(heap->items[place].thing, HEAP_NOWHERE);
    struct heap_item last = heap->items[--heap->count];
    if (place == heap->count)
        return;
    if (place > 0 && is_before(heap, &last, &heap->items[(place - 1) / 2]))
        rise(heap, place, last);
    else
        sink(heap, place, last);
}

const struct heap_item *heap_first(const struct heap *heap)
{
    return heap->count ? &heap->items[0] : NULL;
}
