/* Bytes from a file, a pipe or memory, a window at a time: what the readers of lines, rows and JSON values stand on.
 *
 * The window holds one record whole, up to RECORD_BYTES_MAX and a little; a larger one is never buffered, its reader
 * keeps the beginning and skips the rest. One thread at a time. */
#ifndef TS_INGEST_INPUT_H
#define TS_INGEST_INPUT_H

#include "base/view.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { RECORD_BYTES_MAX = 1 << 20 };

struct input {
    int file;          /* −1: memory, all of it in the window */
    const atomic_bool *stop; /* NULL: never; once set, a pipe in which nothing comes ends, too */
    char *buffer;      /* owned when file ≥ 0 */
    size_t capacity;
    size_t begin, end; /* the window within buffer */
    bool is_ended;     /* nothing comes after the window */
    int error;         /* errno of a failed read, else 0 */
    uint64_t consumed; /* bytes left behind so far */
};

void input_init_file(struct input *input, int file, const atomic_bool *stop); /* the file stays the caller's */
void input_init_memory(struct input *input, struct view text);
void input_finish(struct input *input);

static inline struct view input_window(const struct input *input)
{
    return view_of(input->buffer + input->begin, input->end - input->begin);
}

/* Reads on; the window may move in memory (it keeps its contents). false: ended, failed, or the window is full. */
bool input_extend(struct input *input);

/* Leaves `count` bytes of the window behind. */
void input_skip(struct input *input, size_t count);

/* At the very beginning: leaves a UTF-8 byte order mark behind. */
void input_skip_mark(struct input *input);

/* At the very beginning: why this is no text in UTF-8, and what to do about it, told by its first bytes; NULL: they say nothing of the kind. */
const char *input_foreign(struct input *input);

/* What the readers hand out. Borrowed until the next call of the reader. */
struct raw_record {
    struct view text;  /* without its line end; of a too large one the first RECORD_BYTES_MAX bytes */
    uint64_t line;     /* of the file, 1-based, where it begins */
    bool is_too_large;
};

enum read_result {
    READ_RECORD,
    READ_END,
    READ_BROKEN, /* the file as a whole cannot be read on; the reader says why */
};

#endif
