#include "base/bytes.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void bytes_finish(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void bytes_reserve_slow(struct bytes *bytes, size_t more)
{
    size_t capacity = bytes->capacity ? bytes->capacity : 256;
    while (capacity - bytes->size < more)
        capacity *= 2;
    bytes->data = memory_resize(bytes->data, capacity);
    bytes->capacity = capacity;
}

void bytes_printf(struct bytes *bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bytes_reserve(bytes, 128);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(bytes->data + bytes->size, bytes->capacity - bytes->size, format, arguments);
    if (length >= (int)(bytes->capacity - bytes->size)) {
        bytes_reserve(bytes, (size_t)length + 1);
        vsnprintf(bytes->data + bytes->size, (size_t)length + 1, format, again);
    }
    va_end(again);
    va_end(arguments);
    bytes->size += (size_t)length;
}

const char *bytes_text(struct bytes *bytes)
{
    bytes_reserve(bytes, 1);
    bytes->data[bytes->size] = '\0';
    return bytes->data;
}

bool bytes_append_file(struct bytes *bytes, const char *path, size_t most)
{
    enum { PART = 16384 };
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t got, begin = bytes->size;
    do {
        bytes_reserve(bytes, PART);
        got = fread(bytes->data + bytes->size, 1, PART, file);
        bytes->size += got;
    } while (got > 0 && bytes->size - begin < most);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error == 0)
        return true;
    bytes->size = begin;
    errno = error;
    return false;
}
