/* `touchstream ingest`, as the command table sees it; the work is in ingest/. */
#ifndef TS_APP_COLLECT_H
#define TS_APP_COLLECT_H

#include "app/app.h"
#include "base/outcome.h"

/* Blocks until app->stop; then requests are drained. */
enum outcome collect_run(struct app *app);

int collect_command(struct app *app, int argc, char **argv);

#endif
