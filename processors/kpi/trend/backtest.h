/* `touchstream backtest shifts FILE.csv`: the detector over a series on file (docs/TRENDS.md). */
#ifndef TS_KPI_TREND_BACKTEST_H
#define TS_KPI_TREND_BACKTEST_H

#include <stdbool.h>
#include <stdio.h>

struct backtest_shifts_options {
    const char *path;               /* of the CSV */
    bool scores;                    /* one `row,score` a line instead of shifts */
    double false_alarms_per_month;  /* 0: the shipped default */
};

/* Reads the file, prints to `out`; errors name file and line on `errors`. Gives the exit code: 0, or 2 for a file that
 * cannot be read as a series. */
int backtest_shifts_command(const struct backtest_shifts_options *options, FILE *out, FILE *errors);

#endif
