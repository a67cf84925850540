/* `touchstream backtest churn FILE`: how well who leaves can be told from a table of customers, on rows the fit has not seen.
 *
 * A CSV with a header; the outcome is the last column (Yes/No, true/false, 1/0). Numbers are standardised, other columns with
 * up to 20 values get an indicator a value, a column with a value of its own in every row is an id. A logistic function is fitted on four
 * fifths of the rows (by a hash of the first cell, so always the same) and judged on the rest: AUC by ranks, ties counted half. */
#ifndef TS_JOURNEY_CHURN_BACKTEST_H
#define TS_JOURNEY_CHURN_BACKTEST_H

#include <stdio.h>

/* One JSON line on `out`. Answers the exit status: 0, or 1 with a line on `error`. */
int churn_backtest(const char *path, FILE *out, FILE *error);

#endif
