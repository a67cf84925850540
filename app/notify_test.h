/* `touchstream notify --test`: does each receiver take an alert? */
#ifndef TS_APP_NOTIFY_TEST_H
#define TS_APP_NOTIFY_TEST_H

#include "app/app.h"

/* To the receivers named; none: to all. The exit code. */
int notify_test(struct app *app, const struct text_list *names);

#endif
