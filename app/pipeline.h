/* The services of touchstream; see pipeline.c. */
#ifndef TS_APP_PIPELINE_H
#define TS_APP_PIPELINE_H

#include "app/app.h"

/* The commands of the single services, and `run`: all of them in one process. */
int journey_command(struct app *app, int argc, char **argv);
int kpi_command(struct app *app, int argc, char **argv);
int sink_command(struct app *app, int argc, char **argv);
int notify_command(struct app *app, int argc, char **argv);
int dashboard_command(struct app *app, int argc, char **argv);
int run_command_all(struct app *app, int argc, char **argv);

const struct option *sink_options(void);
const struct option *notify_options(void);

#endif
