/* `touchstream import`, as the command table sees it; the work is in ingest/import.h. */
#ifndef TS_APP_IMPORT_H
#define TS_APP_IMPORT_H

#include "app/app.h"

int import_command(struct app *app, int argc, char **argv);
const struct option *import_option_rows(void);

#endif
