#include "ingest/input.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { CAPACITY = RECORD_BYTES_MAX + (256 << 10) };

void input_init_file(struct input *input, int file)
{
    *input = (struct input){.file = file, .buffer = memory_allocate(CAPACITY), .capacity = CAPACITY};
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
    ssize_t got;
    do
        got = read(input->file, input->buffer + input->end, input->capacity - input->end);
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

void input_skip_mark(struct input *input)
{
    while (input->end - input->begin < 3 && input_extend(input))
        ;
    if (input->end - input->begin >= 3 && memcmp(input->buffer + input->begin, "\xEF\xBB\xBF", 3) == 0)
        input_skip(input, 3);
}
