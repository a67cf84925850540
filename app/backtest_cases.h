/* `backtest cases`: does the score put first what then went wrong? Over the recorded touchpoints of an installation. */
#ifndef TS_APP_BACKTEST_CASES_H
#define TS_APP_BACKTEST_CASES_H

#include "app/app.h"

/* Cases opened in the last `within_ms` of the log are left out unless they went wrong already. Prints one JSON line; an exit code. */
int backtest_cases(struct app *app, int64_t within_ms);

#endif
