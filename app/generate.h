/* `touchstream generate`, as the command table sees it; the work is in ingest/. */
#ifndef TS_APP_GENERATE_H
#define TS_APP_GENERATE_H

#include "app/app.h"

int generate_command(struct app *app, int argc, char **argv);
const struct option *generate_option_rows(void);

#endif
