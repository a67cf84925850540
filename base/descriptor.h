/* Sockets and files that are waited for. */
#ifndef TS_BASE_DESCRIPTOR_H
#define TS_BASE_DESCRIPTOR_H

#include <stdbool.h>

/* Is there something of `events` (POLLIN, POLLOUT) within `wait_ms`? Signals do not shorten the wait, but begin it anew. Any thread. */
bool descriptor_is_ready(int descriptor, short events, int wait_ms);

#endif
