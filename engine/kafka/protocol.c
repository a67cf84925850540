#include "engine/kafka/protocol.h"

#include "base/descriptor.h"
#include "base/log.h"
#include "base/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT_MS = 2000, ANSWER_MS = 3000, ANSWER_BYTES_MAX = 16 * 1024 * 1024 };

/* --- the connection */

static int connect_one(const struct addrinfo *address)
{
    int error = 0;
    socklen_t size = sizeof error;
    int made = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        return -1;
    bool is_connected = connect(made, address->ai_addr, address->ai_addrlen) == 0 ||
                        (errno == EINPROGRESS && descriptor_is_ready(made, POLLOUT, CONNECT_MS) &&
                         getsockopt(made, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
    if (is_connected)
        return made;
    close(made);
    return -1;
}

static bool secure(struct protocol *protocol, const struct kafka_settings *kafka, const char *host)
{
    char error[256];
    protocol->channel.tls = tls_open(protocol->channel.socket, host, &kafka->tls, CONNECT_MS, error, sizeof error);
    if (protocol->channel.tls == NULL)
        log_warning("a broker cannot be asked directly over TLS, for topics' ids and transactions left open", "host", host, "error", error, NULL);
    return protocol->channel.tls != NULL;
}

bool protocol_connect(struct protocol *protocol, const struct kafka_settings *kafka, const char *host, const char *port)
{
    *protocol = (struct protocol){.channel.socket = -1, .is_broken = true};
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(host, port, &wanted, &found) != 0)
        return false;
    for (const struct addrinfo *one = found; one && protocol->channel.socket < 0; one = one->ai_next)
        protocol->channel.socket = connect_one(one);
    freeaddrinfo(found);
    protocol->is_broken = protocol->channel.socket < 0 || (kafka_is_over_tls(kafka) && !secure(protocol, kafka, host));
    return !protocol->is_broken;
}

void protocol_close(struct protocol *protocol)
{
    tls_close(protocol->channel.tls);
    if (protocol->channel.socket >= 0)
        close(protocol->channel.socket);
    bytes_finish(&protocol->out);
    bytes_finish(&protocol->in);
    *protocol = (struct protocol){.channel.socket = -1, .is_broken = true};
}

/* --- numbers, the highest byte first */

static void put(struct protocol *protocol, uint64_t value, int size)
{
    for (int at = size - 1; at >= 0; at--)
        bytes_append_byte(&protocol->out, (unsigned char)(value >> (8 * at)));
}

static uint64_t get(struct protocol *protocol, size_t size)
{
    uint64_t value = 0;
    if (protocol->is_broken || protocol->in.size - protocol->read_at < size) {
        protocol->is_broken = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (unsigned char)protocol->in.data[protocol->read_at++];
    return value;
}

static void put_compact(struct protocol *protocol, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes_append_byte(&protocol->out, (unsigned char)(value | 0x80));
    bytes_append_byte(&protocol->out, (unsigned char)value);
}

static uint64_t get_compact(struct protocol *protocol)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        uint64_t byte = get(protocol, 1);
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    protocol->is_broken = true;
    return 0;
}

void protocol_put_int8(struct protocol *protocol, int8_t value)
{
    put(protocol, (uint64_t)value, 1);
}

void protocol_put_int16(struct protocol *protocol, int16_t value)
{
    put(protocol, (uint64_t)value, 2);
}

void protocol_put_int32(struct protocol *protocol, int32_t value)
{
    put(protocol, (uint64_t)value, 4);
}

void protocol_put_int64(struct protocol *protocol, int64_t value)
{
    put(protocol, (uint64_t)value, 8);
}

int8_t protocol_get_int8(struct protocol *protocol)
{
    return (int8_t)get(protocol, 1);
}

int16_t protocol_get_int16(struct protocol *protocol)
{
    return (int16_t)get(protocol, 2);
}

int32_t protocol_get_int32(struct protocol *protocol)
{
    return (int32_t)get(protocol, 4);
}

int64_t protocol_get_int64(struct protocol *protocol)
{
    return (int64_t)get(protocol, 8);
}

/* --- texts, counts and tags */

void protocol_put_text(struct protocol *protocol, const char *text)
{
    size_t size = strlen(text);
    if (protocol->is_flexible)
        put_compact(protocol, size + 1);
    else
        put(protocol, size, 2);
    bytes_append(&protocol->out, text, size);
}

void protocol_put_bytes(struct protocol *protocol, struct view bytes)
{
    put(protocol, bytes.size, 4);
    bytes_append_view(&protocol->out, bytes);
}

void protocol_put_count(struct protocol *protocol, size_t count)
{
    if (protocol->is_flexible)
        put_compact(protocol, count + 1);
    else
        put(protocol, count, 4);
}

void protocol_put_tags(struct protocol *protocol)
{
    if (protocol->is_flexible)
        put_compact(protocol, 0);
}

static struct view get_run(struct protocol *protocol, int64_t size)
{
    if (protocol->is_broken || size < 0)
        return (struct view){NULL, 0};
    if (protocol->in.size - protocol->read_at < (size_t)size) {
        protocol->is_broken = true;
        return (struct view){NULL, 0};
    }
    struct view text = view_of(protocol->in.data + protocol->read_at, (size_t)size);
    protocol->read_at += (size_t)size;
    return text;
}

struct view protocol_get_text(struct protocol *protocol)
{
    return get_run(protocol, protocol->is_flexible ? (int64_t)get_compact(protocol) - 1 : (int16_t)get(protocol, 2));
}

struct view protocol_get_bytes(struct protocol *protocol)
{
    return get_run(protocol, (int32_t)get(protocol, 4));
}

size_t protocol_get_count(struct protocol *protocol)
{
    int64_t count = protocol->is_flexible ? (int64_t)get_compact(protocol) - 1 : (int32_t)get(protocol, 4);
    /* Nothing that is counted has less than a byte. */
    if (!protocol->is_broken && count > (int64_t)(protocol->in.size - protocol->read_at))
        protocol->is_broken = true;
    return protocol->is_broken || count < 0 ? 0 : (size_t)count;
}

void protocol_get_tags(struct protocol *protocol)
{
    for (uint64_t left = protocol->is_flexible ? get_compact(protocol) : 0; left && !protocol->is_broken; left--) {
        get_compact(protocol);
        for (uint64_t size = get_compact(protocol); size && !protocol->is_broken; size--)
            get(protocol, 1);
    }
}

/* --- asking */

void protocol_begin(struct protocol *protocol, enum protocol_request request, int version, bool is_flexible)
{
    bytes_clear(&protocol->out);
    put(protocol, 0, 4); /* the size, once it is known */
    put(protocol, (uint64_t)request, 2);
    put(protocol, (uint64_t)version, 2);
    put(protocol, (uint64_t)++protocol->number, 4);
    protocol->is_flexible = false; /* the client's name is of the old kind in any case */
    protocol_put_text(protocol, "touchstream");
    protocol->is_flexible = is_flexible;
    protocol_put_tags(protocol);
}

static bool exchange(struct protocol *protocol)
{
    size_t size = protocol->out.size - 4;
    for (int at = 0; at < 4; at++)
        protocol->out.data[at] = (char)(size >> (8 * (3 - at)));
    if (!channel_send(&protocol->channel, protocol->out.data, protocol->out.size, ANSWER_MS))
        return false;
    unsigned char head[4];
    if (!channel_receive_all(&protocol->channel, (char *)head, sizeof head, ANSWER_MS))
        return false;
    size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (size > ANSWER_BYTES_MAX)
        return false;
    bytes_clear(&protocol->in);
    bytes_reserve(&protocol->in, size + 1);
    protocol->in.size = size;
    protocol->read_at = 0;
    return channel_receive_all(&protocol->channel, protocol->in.data, size, ANSWER_MS);
}

bool protocol_ask(struct protocol *protocol)
{
    if (protocol->is_broken || !exchange(protocol)) {
        protocol->is_broken = true;
        return false;
    }
    if (protocol_get_int32(protocol) != protocol->number)
        protocol->is_broken = true;
    protocol_get_tags(protocol);
    return !protocol->is_broken;
}
