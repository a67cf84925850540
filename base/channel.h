/* Bytes to and from the other side of a connected socket, over TLS or in the clear. One thread at a time. */
#ifndef TS_BASE_CHANNEL_H
#define TS_BASE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tls;

struct channel {
    int socket;      /* connected, and does not block; whose it is closes it */
    struct tls *tls; /* over it; NULL: in the clear */
};

/* All of it, or false: the connection is of no use any more. Each wait for the other side is `wait_ms` at most. */
bool channel_send(const struct channel *channel, const char *data, size_t size, int wait_ms);
bool channel_receive_all(const struct channel *channel, char *data, size_t size, int wait_ms);

/* What is there, `size` at most, waiting for the first of it. 0: nothing came in time; −1: the other side is gone. */
ssize_t channel_receive(const struct channel *channel, char *data, size_t size, int wait_ms);

/* Is the other side still there, as far as has been heard? Waits for nothing, takes nothing away. */
bool channel_is_open(const struct channel *channel);

/* Why the thread's last call failed, for people. */
const char *channel_why(const struct channel *channel);

#endif
