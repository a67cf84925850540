#include "base/descriptor.h"

#include <errno.h>
#include <poll.h>

bool descriptor_is_ready(int descriptor, short events, int wait_ms)
{
    struct pollfd look = {.fd = descriptor, .events = events};
    int found;
    do
        found = poll(&look, 1, wait_ms);
    while (found < 0 && errno == EINTR);
    return found == 1;
}
