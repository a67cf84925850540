/* Any bytes as a broker's answer to who holds open transactions: read to the end, never beyond it, and nothing of a topic nobody asked for. */
#include "base/memory.h"
#include "engine/kafka/look.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

enum { ANSWER_MOST = 60000 /* what a socket holds */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_int32(uint8_t *to, uint32_t value)
{
    for (int at = 0; at < 4; at++)
        to[at] = (uint8_t)(value >> (8 * (3 - at)));
}

/* The answer lies there before it is asked for: its size, the number of the first request, no tags, the bytes. */
static void answer(int socket, const uint8_t *data, size_t size)
{
    uint8_t head[9] = {0};
    put_int32(head, (uint32_t)size + 5);
    put_int32(head + 4, 1);
    MUST(write(socket, head, sizeof head) == sizeof head);
    MUST(write(socket, data, size) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int sockets[2];
    if (size > ANSWER_MOST)
        return 0;
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    MUST(fcntl(sockets[0], F_SETFL, O_NONBLOCK) == 0);
    answer(sockets[1], data, size);
    shutdown(sockets[1], SHUT_WR);
    struct look *look = memory_zeroed(1, sizeof *look);
    strcpy(look->names[look->name_count++], "a");
    strcpy(look->names[look->name_count++], "__consumer_offsets");
    look->places = memory_zeroed(look->place_count = 1, sizeof *look->places);
    look->places[0].leader = look->nodes[0].id = 1;
    look->nodes[look->node_count++].is_connected = true;
    look->nodes[0].link.channel.socket = sockets[0];
    struct open_list open = look_for_open(look);
    MUST(open.count <= size);
    for (size_t i = 0; i < open.count; i++)
        MUST(open.places[i].topic < look->name_count && open.places[i].start_offset >= 0 && open.places[i].leader == 1);
    free(open.places);
    look_finish(look);
    free(look);
    close(sockets[1]);
    return 0;
}
