#include "base/channel.h"

#include "base/descriptor.h"
#include "base/tls.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

bool channel_send(const struct channel *channel, const char *data, size_t size, int wait_ms)
{
    if (channel->tls)
        return tls_send(channel->tls, data, size, wait_ms);
    while (size) {
        ssize_t sent = send(channel->socket, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR && (errno != EAGAIN || !descriptor_is_ready(channel->socket, POLLOUT, wait_ms)))
            return false;
        data += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

ssize_t channel_receive(const struct channel *channel, char *data, size_t size, int wait_ms)
{
    if (channel->tls)
        return tls_receive(channel->tls, data, size, wait_ms);
    for (;;) {
        ssize_t got = recv(channel->socket, data, size, 0);
        if (got > 0)
            return got;
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            return -1;
        if (errno == EAGAIN && !descriptor_is_ready(channel->socket, POLLIN, wait_ms))
            return 0;
    }
}

bool channel_receive_all(const struct channel *channel, char *data, size_t size, int wait_ms)
{
    while (size) {
        ssize_t got = channel_receive(channel, data, size, wait_ms);
        if (got <= 0)
            return false;
        data += got;
        size -= (size_t)got;
    }
    return true;
}

bool channel_is_open(const struct channel *channel)
{
    char next;
    if (channel->tls)
        return tls_is_open(channel->tls);
    ssize_t got = recv(channel->socket, &next, 1, MSG_PEEK);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

const char *channel_why(const struct channel *channel)
{
    const char *reason = channel->tls ? tls_why() : NULL;
    return reason ? reason : "the connection was closed";
}
