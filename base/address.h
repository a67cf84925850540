/* HOST:PORT as people write it in a configuration. */
#ifndef TS_BASE_ADDRESS_H
#define TS_BASE_ADDRESS_H

#include <stdbool.h>

enum { ADDRESS_PORT_MOST = 65535, ADDRESS_NEEDS_PORT = -1, ADDRESS_TEXT_MAX = 272 };

struct address {
    char host[256]; /* without the brackets of [::1] */
    int port;       /* 0 to ADDRESS_PORT_MOST */
};

/* What stands behind the last colon is the port. `standard_port`, or ADDRESS_NEEDS_PORT, holds where there is no colon.
 * false: no such form, or no such port; `address` is undefined then. */
bool address_read(const char *text, int standard_port, struct address *address);

/* host:port, with brackets where the host has colons of its own. */
void address_print(const struct address *address, char text[ADDRESS_TEXT_MAX]);

/* Can only this machine reach who listens there? */
bool address_is_loopback(const char *text);

#endif
