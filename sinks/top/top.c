#include "sinks/top/top.h"

#include "base/clock.h"
#include "base/memory.h"
#include "sinks/top/frame.h"

#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const windows[] = {"5m", "1h", "24h", "7d", "30d", "90d"};

static enum outcome print_once(const struct top_settings *settings)
{
    struct redis_link *link = redis_link_create(settings->redis);
    struct frame *frame = memory_zeroed(1, sizeof *frame);
    struct arena arena;
    arena_init(&arena);
    struct frame_wish wish = {settings->redis->prefix, settings->window, clock_now_ms(&clock_system), 0};
    enum outcome outcome = frame_fill(frame, link, &wish, &arena);
    for (size_t i = 0; i < frame->count; i++)
        printf("%s\n", frame->lines[i].text);
    arena_finish(&arena);
    free(frame);
    redis_link_destroy(link);
    return outcome;
}

static void draw(const struct frame *frame)
{
    static const attr_t looks[] = {[TONE_PLAIN] = A_NORMAL, [TONE_TITLE] = A_BOLD, [TONE_QUIET] = A_DIM,
                                   [TONE_GOOD] = COLOR_PAIR(1), [TONE_BAD] = COLOR_PAIR(2)};
    int rows, columns;
    getmaxyx(stdscr, rows, columns);
    erase();
    for (int i = 0; i < rows - 1 && i < (int)frame->count; i++) {
        attrset(looks[frame->lines[i].tone]);
        mvaddnstr(i, 0, frame->lines[i].text, columns);
    }
    attrset(A_DIM);
    mvaddnstr(rows - 1, 0, "q quits   1-6 window 5m 1h 24h 7d 30d 90d", columns);
    refresh();
}

enum outcome top_run(const struct top_settings *settings, atomic_bool *stop)
{
    if (settings->once)
        return print_once(settings);
    /* Only the character set: numbers stay as they are everywhere else. */
    setlocale(LC_CTYPE, "");
    struct redis_link *link = redis_link_create(settings->redis);
    struct frame *frame = memory_zeroed(1, sizeof *frame);
    struct arena arena;
    const char *window = settings->window;
    arena_init(&arena);
    initscr();
    noecho();
    curs_set(0);
    start_color();
    use_default_colors();
    init_pair(1, COLOR_GREEN, -1);
    init_pair(2, COLOR_RED, -1);
    timeout((int)settings->refresh_ms);
    while (!atomic_load(stop)) {
        arena_reset(&arena);
        struct frame_wish wish = {settings->redis->prefix, window, clock_now_ms(&clock_system), getmaxy(stdscr) - 1};
        frame_fill(frame, link, &wish, &arena);
        draw(frame);
        int key = getch();
        if (key == 'q')
            break;
        if (key >= '1' && key <= '6')
            window = windows[key - '1'];
    }
    endwin();
    arena_finish(&arena);
    free(frame);
    redis_link_destroy(link);
    return OUTCOME_OK;
}
