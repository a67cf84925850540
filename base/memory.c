#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Of the system's mappings librdkafka's batches and answers are some, too, up to a megabyte each, made anew each time: a fiftieth of the
 * CPU while there is a backlog. Above a megabyte it would be our largest arrays alone, and 10 of 198 MB more in a process that is both stages. */
enum { LARGE_BYTES = 128 * 1024, LEFT_AT_END_BYTES = 2 * 1024 * 1024, CACHE_LINE_BYTES = 64 };

void memory_configure(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, LEFT_AT_END_BYTES);
#endif
}

_Noreturn void memory_out(size_t wanted)
{
    fprintf(stderr, "level=fatal msg=\"out of memory\" wanted_bytes=%zu\n", wanted);
    abort();
}

static void *or_die(void *memory, size_t size)
{
    if (memory == NULL && size > 0)
        memory_out(size);
    return memory;
}

void *memory_allocate(size_t size)
{
    return or_die(malloc(size), size);
}

void *memory_zeroed(size_t count, size_t size)
{
    return or_die(calloc(count, size), count * size);
}

void *memory_resize(void *old, size_t size)
{
    return or_die(realloc(old, size), size);
}

void *memory_resize_lines(void *old, size_t old_size, size_t size)
{
    size_t whole = (size + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES * CACHE_LINE_BYTES;
    void *new = or_die(aligned_alloc(CACHE_LINE_BYTES, whole), whole);
    if (old)
        memcpy(new, old, old_size < size ? old_size : size);
    free(old);
    return new;
}

char *memory_copy_text(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(memory_allocate(size), text, size);
}
