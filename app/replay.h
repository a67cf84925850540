/* `touchstream replay` and `touchstream forget`. */
#ifndef TS_APP_REPLAY_H
#define TS_APP_REPLAY_H

#include "app/app.h"

int replay_command(struct app *app, int argc, char **argv);
const struct option *replay_option_rows(void);

int forget_command(struct app *app, int argc, char **argv);

#endif
