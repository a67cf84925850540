/* The command `backtest`: what the product would have said over a recorded past. */
#ifndef TS_APP_BACKTEST_H
#define TS_APP_BACKTEST_H

#include "app/app.h"

int backtest_command(struct app *app, int argc, char **argv);
const struct option *backtest_options(void);

#endif
