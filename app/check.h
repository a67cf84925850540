/* The command `check`. */
#ifndef TS_APP_CHECK_H
#define TS_APP_CHECK_H

#include "app/app.h"

int check_command(struct app *app, int argc, char **argv);

#endif
