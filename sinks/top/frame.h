/* One frame of `top`, as lines of text with a colour each: drawn by ncurses, or printed. */
#ifndef TS_SINKS_TOP_FRAME_H
#define TS_SINKS_TOP_FRAME_H

#include "base/arena.h"
#include "sinks/redis/redis_link.h"

enum tone { TONE_PLAIN, TONE_TITLE, TONE_QUIET, TONE_GOOD, TONE_BAD };

enum { FRAME_LINES_MAX = 256, FRAME_WIDTH_MAX = 256 };

struct frame {
    size_t count;
    struct frame_line {
        char text[FRAME_WIDTH_MAX]; /* UTF-8 without control characters */
        enum tone tone;
    } lines[FRAME_LINES_MAX];
};

struct frame_wish {
    const char *prefix, *window;
    int64_t now_ms;
    int rows; /* 0: as many as there are. Else hot tickets, what is off its target and shifts have their share of them, and KPIs the rest, first ones first */
};

/* Cut where the frame ends; control characters become blanks. */
void frame_add_line(struct frame *frame, enum tone tone, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Asks Redis and fills the frame. RETRY: Redis is away; the frame says so. */
enum outcome frame_fill(struct frame *frame, struct redis_link *link, const struct frame_wish *wish, struct arena *arena);

#endif
