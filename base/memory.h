/* Allocation that cannot fail: running out of memory ends the process with a line that says so (docs/ARCHITECTURE.md).
 * Any thread. Free with free(). */
#ifndef TS_BASE_MEMORY_H
#define TS_BASE_MEMORY_H

#include <stddef.h>

void *memory_allocate(size_t size);       /* not zeroed */
void *memory_zeroed(size_t count, size_t size);
void *memory_resize(void *old, size_t size);
/* Beginning at a cache line, and of whole ones; what was in the old one is copied, and it is freed. */
void *memory_resize_lines(void *old, size_t old_size, size_t size);
_Noreturn void memory_out(size_t wanted); /* ends the process */
char *memory_copy_text(const char *text); /* NULL stays NULL */

/* `array` with room for one more than `count`. */
#define GROWN(array, count, capacity) \
    ((count) < (capacity) ? (array) : memory_resize((array), ((capacity) = (capacity) ? 2 * (capacity) : 64) * sizeof *(array)))

/* The same for items that are a cache line each, so that none lies across two. */
#define GROWN_LINES(array, count, capacity)                                                                                        \
    ((count) < (capacity) ? (array)                                                                                                \
                          : memory_resize_lines((array), (count) * sizeof *(array), ((capacity) = (capacity) ? 2 * (capacity) : 64) * sizeof *(array)))

/* Once, before there are threads: what is large is the system's own mapping for as long as it lives. It grows without a copy, what of it is
 * not used yet is not there, and once free it is gone. (Left to itself, the C library puts large pieces among the small ones as soon as one was freed.) */
void memory_configure(void);

#endif
