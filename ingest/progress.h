/* How far a long command is: a bar on a terminal, now and then a line elsewhere. Written to stderr. */
#ifndef TS_INGEST_PROGRESS_H
#define TS_INGEST_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label;
    uint64_t total; /* bytes or events; 0: unknown */
    bool is_terminal;
    int64_t begun_us, told_us;
};

void progress_begin(struct progress *progress, const char *label, uint64_t total);

/* Cheap: looks at the clock, writes at most five times a second (bar) or once in ten (lines). */
void progress_tell(struct progress *progress, uint64_t done, uint64_t rows);
void progress_end(struct progress *progress, uint64_t done, uint64_t rows); /* a bar is completed and left behind */

#endif
