/* A series on file: CSV with a header; first column a time (ISO 8601 or epoch seconds) or a running index, second the
 * value (empty: missing), third, if there is one, the sample size. */
#ifndef TS_KPI_TREND_SERIES_FILE_H
#define TS_KPI_TREND_SERIES_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct series_row {
    int64_t at_ms; /* or the index, when the file has no times */
    double value;  /* NaN: missing */
    double n;      /* 0: not given */
};

struct series_file {
    struct series_row *rows; /* owned */
    int64_t count;
    bool has_times;
};

/* False: said on `errors`, with file and line; nothing to finish then. */
bool series_file_read(struct series_file *file, const char *path, FILE *errors);
void series_file_finish(struct series_file *file);

/* ISO 8601 dates and times, also only a year and month, a space for the T, no zone (UTC). False if it is none. */
bool series_time_parse(const char *text, int64_t *at_ms);

#endif
