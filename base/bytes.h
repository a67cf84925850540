/* A growing buffer of bytes that owns its memory. Zero-initialised is empty and valid. One thread at a time. */
#ifndef TS_BASE_BYTES_H
#define TS_BASE_BYTES_H

#include "base/view.h"

#include <stdarg.h>
#include <stdint.h>

struct bytes {
    char *data;
    size_t size, capacity;
};

void bytes_finish(struct bytes *bytes);

/* Room for `more` further bytes; afterwards writing up to that many at data + size is allowed. */
void bytes_reserve_slow(struct bytes *bytes, size_t more);
void bytes_printf(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void bytes_reserve(struct bytes *bytes, size_t more)
{
    if (bytes->capacity - bytes->size < more)
        bytes_reserve_slow(bytes, more);
}

static inline void bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0)
        return;
    bytes_reserve(bytes, size);
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static inline void bytes_append_view(struct bytes *bytes, struct view view)
{
    bytes_append(bytes, view.data, view.size);
}

static inline void bytes_append_text(struct bytes *bytes, const char *text)
{
    bytes_append(bytes, text, strlen(text));
}

static inline void bytes_append_byte(struct bytes *bytes, unsigned char byte)
{
    bytes_reserve(bytes, 1);
    bytes->data[bytes->size++] = (char)byte;
}

static inline void bytes_clear(struct bytes *bytes)
{
    bytes->size = 0;
}

static inline struct view bytes_view(const struct bytes *bytes)
{
    return view_of(bytes->data ? bytes->data : "", bytes->size);
}

/* NUL-terminates (the NUL is not counted in size) and lends the text. */
const char *bytes_text(struct bytes *bytes);

/* The beginning of a file, `most` bytes and what else is in the last part read. false: it cannot be read (a folder, say), errno says why, and
 * nothing is appended. */
bool bytes_append_file(struct bytes *bytes, const char *path, size_t most);

#endif
