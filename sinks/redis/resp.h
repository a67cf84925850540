/* Redis commands written straight in the protocol (RESP2), many behind one another: one buffer, one write, no parsing of
 * format strings on the hot path. */
#ifndef TS_SINKS_REDIS_RESP_H
#define TS_SINKS_REDIS_RESP_H

#include "base/bytes.h"

#include <stdint.h>

struct resp {
    struct bytes bytes;
    size_t command_count;
};

/* A command of `argument_count` arguments, its name included; then exactly that many resp_… calls. */
void resp_command(struct resp *resp, size_t argument_count, const char *name);
void resp_view(struct resp *resp, struct view argument);
void resp_two(struct resp *resp, struct view first, struct view second); /* one argument of two parts */
void resp_text(struct resp *resp, const char *argument);
void resp_integer(struct resp *resp, int64_t argument);
void resp_decimal(struct resp *resp, double argument);
/* Name and value of a hash or an entry, two arguments: a null text, or what is not there (`has`), is an empty one. */
void resp_field(struct resp *resp, const char *name, struct view value);
void resp_field_integer(struct resp *resp, const char *name, bool has, int64_t value);
void resp_field_decimal(struct resp *resp, const char *name, bool has, double value);
/* prefix + name (+ ":" + more): how keys are put together; `more` may be null. */
void resp_key(struct resp *resp, const char *prefix, const char *name, struct view more);

void resp_clear(struct resp *resp);
void resp_finish(struct resp *resp);

#endif
