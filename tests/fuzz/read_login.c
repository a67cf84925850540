/* Any bytes as a broker's answers to a login, whatever the mechanism: read to the end, never beyond it, and nobody who does not know the
 * password is believed. The first byte says the mechanism; what follows are answers, a byte of length before each. */
#include "base/log.h"
#include "engine/kafka/sasl.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

enum { ANSWERS_MOST = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_int32(uint8_t *to, uint32_t value)
{
    for (int at = 0; at < 4; at++)
        to[at] = (uint8_t)(value >> (8 * (3 - at)));
}

/* They lie there before they are asked for: each with its size and the number of its request. */
static void answers_put(int socket, const uint8_t *data, size_t size)
{
    for (uint32_t number = 1; number <= ANSWERS_MOST && size; number++) {
        size_t length = *data < size - 1 ? *data : size - 1;
        uint8_t head[8];
        put_int32(head, (uint32_t)length + 4);
        put_int32(head + 4, number);
        MUST(write(socket, head, sizeof head) == sizeof head);
        MUST(write(socket, data + 1, length) == (ssize_t)length);
        data += length + 1;
        size -= length + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OTHER"};
    static bool is_quiet;
    if (!is_quiet)
        log_configure(LOG_ERROR, false, "fuzz");
    is_quiet = true;
    if (size == 0)
        return 0;
    int sockets[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    MUST(fcntl(sockets[0], F_SETFL, O_NONBLOCK) == 0);
    answers_put(sockets[1], data + 1, size - 1);
    shutdown(sockets[1], SHUT_WR);
    struct protocol protocol = {.channel.socket = sockets[0]};
    char protocol_name[] = "sasl_plaintext", user[] = "night", password[] = "watch";
    struct kafka_settings kafka = {.security_protocol = protocol_name, .sasl_mechanism = mechanisms[*data % 4], .sasl_username = user, .sasl_password = password};
    bool is_in = sasl_log_in(&protocol, &kafka);
    MUST(is_in == !protocol.is_broken);
    MUST(!is_in || *data % 4 == 0); /* SCRAM's nonce is another one each time: nobody can have answered it beforehand */
    protocol_close(&protocol);
    close(sockets[1]);
    return 0;
}
