/* /metrics, /healthz and /readyz of whatever runs in this process. */
#ifndef TS_APP_STATUS_H
#define TS_APP_STATUS_H

#include "app/app.h"

struct status_server;

/* NULL: switched off (status.listen is empty) or refused (logged; a service runs without it rather than not at all). */
struct status_server *status_start(const struct config *config, atomic_bool *is_ready);
void status_stop(struct status_server *server);

#endif
