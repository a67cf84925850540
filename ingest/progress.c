#include "ingest/progress.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { BAR_CELLS = 24 };

void progress_begin(struct progress *progress, const char *label, uint64_t total)
{
    int64_t now_us = clock_monotonic_us();
    *progress = (struct progress){label, total, isatty(STDERR_FILENO), now_us, now_us};
}

static void draw(const struct progress *progress, uint64_t done, uint64_t rows, int64_t now_us)
{
    double seconds = (double)(now_us - progress->begun_us + 1) / 1e6;
    double share = progress->total ? (double)done / (double)progress->total : 0;
    share = share > 1 ? 1 : share;
    char bar[BAR_CELLS + 1];
    for (int i = 0; i < BAR_CELLS; i++)
        bar[i] = i < (int)(share * BAR_CELLS) ? '#' : '.';
    bar[BAR_CELLS] = '\0';
    fprintf(stderr, "\r%.40s [%s] %3.0f %%  %" PRIu64 " rows  %.0f/s", progress->label, bar, 100 * share, rows, (double)rows / seconds);
    if (share > 0 && share < 1)
        fprintf(stderr, "  %.0f s left", seconds / share * (1 - share));
    fputs("\033[K", stderr);
    fflush(stderr);
}

static void say(const struct progress *progress, uint64_t done, uint64_t rows, int64_t now_us)
{
    double seconds = (double)(now_us - progress->begun_us + 1) / 1e6;
    log_info("progress", "of", progress->label, "rows", LOG_NUMBER(rows), "per_second", LOG_NUMBER((double)rows / seconds),
             "percent", LOG_NUMBER(progress->total ? 100 * done / progress->total : 0), NULL);
}

void progress_tell(struct progress *progress, uint64_t done, uint64_t rows)
{
    int64_t now_us = clock_monotonic_us();
    if (now_us - progress->told_us < (progress->is_terminal ? 200000 : 10000000))
        return;
    progress->told_us = now_us;
    (progress->is_terminal ? draw : say)(progress, done, rows, now_us);
}

void progress_end(struct progress *progress, uint64_t done, uint64_t rows)
{
    if (!progress->is_terminal)
        return;
    draw(progress, done, rows, clock_monotonic_us());
    fputc('\n', stderr);
}
