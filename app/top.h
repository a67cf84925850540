/* The command `top`. */
#ifndef TS_APP_TOP_H
#define TS_APP_TOP_H

#include "app/app.h"

int top_command(struct app *app, int argc, char **argv);
const struct option *top_options(void);

#endif
