/* The command `inspect`. */
#ifndef TS_APP_INSPECT_H
#define TS_APP_INSPECT_H

#include "app/app.h"

int inspect_command(struct app *app, int argc, char **argv);
const struct option *inspect_options(void);

#endif
