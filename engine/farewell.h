/* Closing Kafka handles in bounded time.
 *
 * A library that is told to close while Kafka dies may wait for ever (librdkafka 2.0: a reference that nobody gives back, as when a topic
 * was deleted, an assignment that comes in between). Whoever waits with it stands still, and nobody is told. So a thread of its own does the
 * closing; if it has not ended in time it is left behind with what it holds, and the worker goes on with new handles. Whoever is
 * left behind cannot harm: its successor's transactional id and group instance id fence it. */
#ifndef TS_ENGINE_FAREWELL_H
#define TS_ENGINE_FAREWELL_H

#include <stdbool.h>

/* Calls `close(closing)`, then `then(context)` (may be NULL). true: both are done. false: not within `most_ms`; then `then` is not
 * called any more, and what `closing` and `context` hold is never freed. Any thread. */
bool farewell(void (*close)(void *closing), void *closing, void (*then)(void *context), void *context, int most_ms);

/* How many were left behind in this process. */
int farewell_left_behind(void);

#endif
