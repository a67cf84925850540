#include "base/address.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool address_read(const char *text, int standard_port, struct address *address)
{
    size_t size = strlen(text);
    const char *colon = strrchr(text, ':');
    bool is_bracketed = text[0] == '[';
    if (is_bracketed && size && text[size - 1] == ']')
        colon = NULL; /* the colons of the host itself */
    address->port = standard_port;
    if (colon) {
        char *end;
        long port = strtol(colon + 1, &end, 10);
        if (!isdigit((unsigned char)colon[1]) || *end || port > ADDRESS_PORT_MOST)
            return false;
        address->port = (int)port;
        size = (size_t)(colon - text);
    }
    if (is_bracketed && (size < 3 || text[size - 1] != ']'))
        return false;
    snprintf(address->host, sizeof address->host, "%.*s", (int)(size - 2 * is_bracketed), text + is_bracketed);
    return address->port >= 0 && size > 0 && size < sizeof address->host;
}

void address_print(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
    snprintf(text, ADDRESS_TEXT_MAX, strchr(address->host, ':') ? "[%s]:%d" : "%s:%d", address->host, address->port);
}

bool address_is_loopback(const char *text)
{
    struct address address;
    if (!address_read(text, 0, &address))
        return false;
    /* A name that merely begins so ("127.shop.example") may lead anywhere. */
    bool is_numeric = strspn(address.host, "0123456789.") == strlen(address.host);
    return (is_numeric && strncmp(address.host, "127.", 4) == 0) || strcmp(address.host, "localhost") == 0 ||
           strcmp(address.host, "::1") == 0;
}
