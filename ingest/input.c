#include "ingest/input.h"

#include "base/memory.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { CAPACITY = RECORD_BYTES_MAX + (256 << 10), STOP_HEARD_WITHIN_MS = 200 };

void input_init_file(struct input *input, int file, const atomic_bool *stop)
{
    *input = (struct input){.file = file, .stop = stop, .buffer = memory_allocate(CAPACITY), .capacity = CAPACITY};
}

void input_init_memory(struct input *input, struct view text)
{
    /* Never written to: only input_extend writes, and it stops at is_ended. */
    *input = (struct input){.file = -1,
                            .buffer = (char *)(uintptr_t)(text.data ? text.data : ""),
                            .capacity = text.size,
                            .end = text.size,
                            .is_ended = true};
}

void input_finish(struct input *input)
{
    if (input->file >= 0)
        free(input->buffer);
    *input = (struct input){.file = -1, .is_ended = true};
}

/* Waits for bytes; false: somebody wants us to stop before there are any. */
static bool wait_for_bytes(const struct input *input)
{
    struct pollfd file = {.fd = input->file, .events = POLLIN};
    while (input->stop && poll(&file, 1, STOP_HEARD_WITHIN_MS) <= 0) {
        if (atomic_load(input->stop))
            return false;
    }
    return true;
}

bool input_extend(struct input *input)
{
    if (input->is_ended)
        return false;
    if (input->begin > 0) {
        memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
        input->end -= input->begin;
        input->begin = 0;
    }
    if (input->end == input->capacity)
        return false;
    ssize_t got = 0;
    do
        got = !wait_for_bytes(input) ? 0 : read(input->file, input->buffer + input->end, input->capacity - input->end);
    while (got < 0 && errno == EINTR);
    if (got <= 0) {
        input->is_ended = true;
        input->error = got < 0 ? errno : 0;
        return false;
    }
    input->end += (size_t)got;
    return true;
}

void input_skip(struct input *input, size_t count)
{
    input->begin += count;
    input->consumed += count;
}

static void head_read(struct input *input, size_t size)
{
    while (input->end - input->begin < size && input_extend(input))
        ;
}

void input_skip_mark(struct input *input)
{
    head_read(input, 3);
    if (input->end - input->begin >= 3 && memcmp(input->buffer + input->begin, "\xEF\xBB\xBF", 3) == 0)
        input_skip(input, 3);
}

const char *input_foreign(struct input *input)
{
    static const struct {
        struct view head;
        const char *told;
    } foreign[] = {
        {{"\xFF\xFE", 2}, "it is in UTF-16; convert it first (iconv -f utf-16 -t utf-8)"},
        {{"\xFE\xFF", 2}, "it is in UTF-16; convert it first (iconv -f utf-16 -t utf-8)"},
        {{"\x1F\x8B", 2}, "it is compressed; unpack it first (gunzip)"},
        {{"\x28\xB5\x2F\xFD", 4}, "it is compressed; unpack it first (zstd -d)"},
        {{"\xFD" "7zXZ", 5}, "it is compressed; unpack it first (xz -d)"},
        {{"PK\x03\x04", 4}, "it is a zip archive or a spreadsheet; unpack it, or save it as CSV in UTF-8, first"},
        {{"\xD0\xCF\x11\xE0", 4}, "it is a spreadsheet; save it as CSV in UTF-8 first"},
    };
    head_read(input, 5);
    struct view window = input_window(input);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (window.size >= foreign[i].head.size && memcmp(window.data, foreign[i].head.data, foreign[i].head.size) == 0)
            return foreign[i].told;
    bool has_nul = window.size > 0 && memchr(window.data, '\0', window.size < 5 ? window.size : 5);
    return has_nul ? "it is no text in UTF-8; if it is in UTF-16, convert it first (iconv -f utf-16le -t utf-8)" : NULL;
}
