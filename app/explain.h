/* The command `explain`. */
#ifndef TS_APP_EXPLAIN_H
#define TS_APP_EXPLAIN_H

#include "app/app.h"

int explain_command(struct app *app, int argc, char **argv);
const struct option *explain_options(void);

#endif
