/* The command `sentiment`. */
#ifndef TS_APP_SENTIMENT_H
#define TS_APP_SENTIMENT_H

#include "app/app.h"

int sentiment_file_command(struct app *app, int argc, char **argv);

#endif
