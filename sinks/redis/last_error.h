/* What every field of ts:health says of a service's last warning or error. */
#ifndef TS_SINKS_REDIS_LAST_ERROR_H
#define TS_SINKS_REDIS_LAST_ERROR_H

#include "base/json_writer.h"

/* The members last_error and last_error_at (ms; null: there was none) of the open object. */
void last_error_write(struct json_writer *json, const char *service);

#endif
